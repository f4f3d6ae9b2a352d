"""`monitor alerts`: what became of each alert, what to do with those that did not arrive, and who is silenced."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor.cli.options import config_option, json_option
from monitor.cli.output import complain, write_json, write_line
from monitor.text.characters import printable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from monitor.alerts import Silence
    from monitor.store.alert_lists import Listed

T = TypeVar("T")
STATES = ("waiting", "pending", "leased", "sent", "dead", "expired", "suppressed", "cancelled", "dropped")
EXIT_FINDING = 1


@click.group(
    name="alerts",
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n  monitor alerts list --dead\n  monitor alerts retry A-3f9c12\n"
    "  monitor alerts silence add rule=evacuation-halted --for 2h --comment 'drill'",
)
@config_option()
@json_option()
@click.pass_context
def command(context: click.Context, config: Path | None, as_json: bool) -> None:
    """List alerts and what became of them; retry or drop dead letters; silence rules. Alone it lists."""
    if context.invoked_subcommand is None:
        context.invoke(list_, config=config, as_json=as_json)


@command.command("list")
@config_option()
@json_option()
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; repeatable.")
@click.option("--dead", is_flag=True, help="Only what did not arrive: dead and expired.")
@click.option("--receiver", default=None, help="Only this receiver.")
@click.option("--rule", default=None, help="Only this rule.")
@click.option("--source", default=None, help="Only this source.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many.")
def list_(
    *,
    config: Path | None,
    as_json: bool,
    states: tuple[str, ...],
    dead: bool,
    receiver: str | None,
    rule: str | None,
    source: str | None,
    limit: int,
) -> None:
    """List the newest alerts at each of their receivers, with the reason where one did not arrive."""
    from monitor.store.alert_lists import FAILED, list_alerts

    wanted = (*states, *FAILED) if dead else states
    find = partial(list_alerts, states=wanted, receiver=receiver, rule=rule, source=source, limit=limit)
    for one in _with_store(config, find):
        if as_json:
            write_json(_listed_json(one))
        else:
            write_line(_listed_line(one))


@command.command("show")
@click.argument("name", metavar="ID")
@config_option()
@json_option()
def show(name: str, config: Path | None, as_json: bool) -> int:
    """Show one alert whole and what became of it at each receiver. ID is an id, its beginning, or A-3f9c12."""
    from monitor.cli.deltas import event_line
    from monitor.store.alert_lists import find_alert

    found = _with_store(config, partial(find_alert, name=name))
    if found is None:
        complain(f"there is no alert {name}")
        return EXIT_FINDING
    event, listed = found
    if as_json:
        write_json({"event": event, "deliveries": [_listed_json(one) for one in listed]})
        return 0
    write_line(event_line(event, colour=False))
    for one in listed:
        write_line(f"  {_listed_line(one)}")
    return 0


@command.command("retry")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Everything that did not arrive.")
@click.option("--receiver", default=None, help="Only of this receiver, which is enabled again.")
@config_option()
def retry(names: tuple[str, ...], everything: bool, receiver: str | None, config: Path | None) -> int:
    """Send dead letters again: the same bytes under the same id. A disabled receiver is enabled."""
    from monitor.cli.reading import now
    from monitor.store import alert_lists

    _need_a_choice(names, everything, receiver)
    count = _with_store(config, partial(alert_lists.retry, names=names, receiver=receiver, now=now()), write=True)
    complain(f"{count} to be sent again" if count else "nothing of that name did not arrive")
    return 0 if count or not names else EXIT_FINDING


@command.command("drop")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Everything that did not arrive.")
@click.option("--receiver", default=None, help="Only of this receiver.")
@config_option()
def drop(names: tuple[str, ...], everything: bool, receiver: str | None, config: Path | None) -> int:
    """Take dead letters off the list; they stay recorded as dropped."""
    from monitor.store import alert_lists

    _need_a_choice(names, everything, receiver)
    count = _with_store(config, partial(alert_lists.drop, names=names, receiver=receiver), write=True)
    complain(f"{count} dropped" if count else "nothing of that name did not arrive")
    return 0 if count or not names else EXIT_FINDING


@command.group("silence")
def silence() -> None:
    """Keep alerts from their receivers for a time; what is kept is listed with the silence as its reason."""


@silence.command("add")
@click.argument("matchers", nargs=-1, required=True, metavar="FIELD=PATTERN...")
@click.option("--for", "length", required=True, metavar="TIME", help="How long: 30m, 2h, 1d.")
@click.option("--from", "start", default=None, metavar="ISO-TIME", help="When it starts; now if not given.")
@click.option("--comment", required=True, help="Why.")
@click.option("--author", default=None, help="Who; your login name if not given.")
@config_option()
@json_option()
def silence_add(
    *,
    matchers: tuple[str, ...],
    length: str,
    start: str | None,
    comment: str,
    author: str | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Add a silence. All matchers must hold: rule, source, severity, kind, tag, receiver or entry, with * and ?."""
    from monitor.cli.reading import instant, now
    from monitor.store.alert_lists import add_silence

    moment = now()
    starts_at = instant(start, "UTC") or moment
    add = partial(
        add_silence,
        matchers=_matchers(matchers),
        starts_at=starts_at,
        ends_at=starts_at + _length(length),
        author=author or getpass.getuser(),
        comment=comment,
        now=moment,
    )
    _print_silence(_with_store(config, add, write=True), moment, as_json)


@silence.command("list")
@click.option("--expired", is_flag=True, help="Those that are over, too.")
@config_option()
@json_option()
def silence_list(expired: bool, config: Path | None, as_json: bool) -> None:
    """List silences that hold or are to come."""
    from monitor.cli.reading import now
    from monitor.store.deliveries import read_silences

    moment = now()
    for one in _with_store(config, partial(read_silences, ends_after=None if expired else moment)):
        _print_silence(one, moment, as_json)


@silence.command("expire")
@click.argument("number", type=int)
@config_option()
def silence_expire(number: int, config: Path | None) -> int:
    """End a silence now."""
    from monitor.cli.reading import now
    from monitor.store.alert_lists import expire_silence

    ended = _with_store(config, partial(expire_silence, number=number, now=now()), write=True)
    complain(f"silence {number} ended" if ended else f"there is no silence {number} that holds or is to come")
    return 0 if ended else EXIT_FINDING


def _with_store(config: Path | None, work: Callable[[Connection], T], *, write: bool = False) -> T:
    from monitor.cli.context import open_context
    from monitor.store import Store

    async def run() -> T:
        place = open_context(config).store_url()
        async with await Store.open(place, check=False, read_only=not write) as store:
            return await (store.run if write else store.read)(work)

    return asyncio.run(run())


def _need_a_choice(names: tuple[str, ...], everything: bool, receiver: str | None) -> None:
    if not names and not everything and receiver is None:
        raise click.UsageError("name what is meant, or give --receiver or --all")


def _matchers(written: tuple[str, ...]) -> dict[str, str]:
    from monitor.alerts.silences import MATCHER_FIELDS

    found = {}
    for one in written:
        field, separator, pattern = one.partition("=")
        if not separator or not pattern or field not in MATCHER_FIELDS:
            raise click.UsageError(f"{one!r} is no matcher: write FIELD=PATTERN with {', '.join(MATCHER_FIELDS)}")
        found[field] = pattern
    return found


def _length(written: str) -> timedelta:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    number, unit = written[:-1], written[-1:]
    if unit not in units or not number.isdigit() or int(number) == 0 or len(number) > 6:
        raise click.UsageError(f"{written!r} is no length of time: write 30m, 2h or 1d")
    return timedelta(seconds=int(number) * units[unit])


def _listed_json(one: Listed) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "id": one.alert_id,
        "message_id": one.message_id,
        "raised_at": _time(one.raised_at),
        "rule": one.rule,
        "severity": one.severity,
        "kind": one.kind,
        "source": one.source,
        "entry": one.entry,
        "receiver": one.receiver,
        "state": one.state,
        "reason": one.reason,
        "until": _time(one.until),
        "attempts": one.attempts,
        "sent_at": _time(one.sent_at),
        "headline": one.headline,
    }


def _listed_line(one: Listed) -> str:
    what = f"{one.rule} {one.kind} {one.source}" if one.rule else one.headline or ""
    until = f" until {one.until.astimezone():%H:%M:%S}" if one.until else ""
    reason = f" — {one.reason}" if one.reason else ""
    when = f"{one.raised_at.astimezone():%Y-%m-%d %H:%M:%S}"
    line = f"{when}  {one.reference}  {one.state:<10} {one.receiver or '–'}  {one.severity}  {what}{reason}{until}"
    return printable(line)


def _print_silence(one: Silence, now: datetime, as_json: bool) -> None:
    state = one.state(now)
    if as_json:
        write_json(
            {
                "id": one.id,
                "state": state,
                "matchers": dict(one.matchers),
                "starts_at": _time(one.starts_at),
                "ends_at": _time(one.ends_at),
                "author": one.author,
                "comment": one.comment,
            }
        )
        return
    matchers = " ".join(f"{field}={pattern}" for field, pattern in one.matchers.items())
    span = f"{one.starts_at.astimezone():%Y-%m-%d %H:%M} – {one.ends_at.astimezone():%Y-%m-%d %H:%M}"
    write_line(printable(f"{one.id}  {state:<8} {span}  {matchers}  {one.author}: {one.comment}"))


def _time(instant: datetime | None) -> str | None:
    from monitor.wire import rfc3339

    return None if instant is None else rfc3339(instant)
