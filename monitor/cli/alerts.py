"""`monitor alerts`: what became of each alert, what to do with those that did not arrive, and who is silenced."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import silences
from monitor.cli.context import open_context
from monitor.cli.options import config_option, json_option
from monitor.cli.output import EXIT_FINDING, colours, complain, time_json, write_json, write_line
from monitor.cli.stored import change, look
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.store.alert_lists import Listed

STATES = ("waiting", "pending", "leased", "sent", "dead", "expired", "suppressed", "cancelled", "dropped")


@click.group(
    name="alerts",
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n  monitor alerts list --dead\n  monitor alerts show A-3f9c12\n  monitor alerts retry --receiver desk\n"
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
    found = look(config, find)
    for one in found:
        if as_json:
            write_json(_listed_json(one))
        else:
            write_line(_listed_line(one))
    if len(found) == limit and not as_json:
        complain(f"the newest {limit}; --limit shows more")


@command.command("show")
@click.argument("name", metavar="ID")
@config_option()
@json_option()
def show(name: str, config: Path | None, as_json: bool) -> int:
    """Show an alert whole, or every alert of a message, and what became of it. ID is A-3f9c12, an id, or how one begins."""
    from monitor.store.alert_lists import find_alerts

    found = look(config, partial(find_alerts, name=_names((name,))[0]))
    for event, listed in found:
        if as_json:
            shown = [_listed_json(one) for one in listed]
            write_json({"event": None if event is None else json.loads(event), "deliveries": shown})
        else:
            _write_whole(event, listed)
    if not found:
        complain(f"there is no alert {name}")
    return 0 if found else EXIT_FINDING


@command.command("retry")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Everything that did not arrive.")
@click.option("--receiver", default=None, help="Only of this receiver, which is enabled again.")
@config_option()
def retry(names: tuple[str, ...], everything: bool, receiver: str | None, config: Path | None) -> int:
    """Send dead letters again: the same bytes under the same id. A disabled receiver is enabled."""
    from monitor.cli.reading import now
    from monitor.store import alert_lists

    _need_a_choice(names, everything, receiver, config)
    again = partial(alert_lists.retry, names=_names(names), receiver=receiver, now=now())
    return _told(change(config, again), "to be sent again", names)


@command.command("drop")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Everything that did not arrive.")
@click.option("--receiver", default=None, help="Only of this receiver.")
@config_option()
def drop(names: tuple[str, ...], everything: bool, receiver: str | None, config: Path | None) -> int:
    """Take dead letters off the list; they stay recorded as dropped."""
    from monitor.store import alert_lists

    _need_a_choice(names, everything, receiver, config)
    dropping = partial(alert_lists.drop, names=_names(names), receiver=receiver)
    return _told(change(config, dropping), "dropped", names)


command.add_command(silences.command)


def _need_a_choice(names: tuple[str, ...], everything: bool, receiver: str | None, config: Path | None) -> None:
    if not names and not everything and receiver is None:
        raise click.UsageError("name what is meant, or give --receiver or --all")
    known = open_context(config).settings.receivers
    if receiver is not None and receiver not in known:
        complain(f"warning: the settings have no receiver {receiver}; there are: {', '.join(known) or 'none'}")


def _names(written: tuple[str, ...]) -> tuple[str, ...]:
    from monitor.store.alert_lists import prefix_of

    for name in written:
        try:
            prefix_of(name)
        except ValueError as wrong:
            raise click.UsageError(str(wrong)) from wrong
    return written


def _told(count: int, what: str, names: tuple[str, ...]) -> int:
    """Say how many messages were meant; a name that means nothing is a finding."""
    complain(f"{count} {what}" if count else "nothing that did not arrive is meant")
    return 0 if count or not names else EXIT_FINDING


def _write_whole(event: bytes | None, listed: tuple[Listed, ...]) -> None:
    """Write an alert as a mail would tell it, then where it went."""
    from monitor.alerts import NoticeItem
    from monitor.cli.deltas import event_line
    from monitor.sinks.words import item_lines
    from monitor.wire import decode_alert

    if event is not None:
        write_line(event_line(json.loads(event), colour=colours()))
        for line in item_lines(NoticeItem(decode_alert(event), full=True)):
            write_line(printable(line))
    for one in listed:
        write_line(f"  {_listed_line(one)}")


def _listed_json(one: Listed) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "id": one.alert_id,
        "message_id": one.message_id,
        "raised_at": time_json(one.raised_at),
        "rule": one.rule,
        "severity": one.severity,
        "kind": one.kind,
        "source": one.source,
        "entry": one.entry,
        "receiver": one.receiver,
        "state": one.state,
        "reason": one.reason,
        "until": time_json(one.until),
        "attempts": one.attempts,
        "sent_at": time_json(one.sent_at),
        "headline": one.headline,
    }


def _listed_line(one: Listed) -> str:
    what = f"{one.rule} {one.kind} in {one.source}: {one.headline}" if one.rule else one.headline or ""
    until = f" until {one.until.astimezone():%H:%M:%S}" if one.until else ""
    reason = f" — {one.reason}" if one.reason else ""
    when = f"{one.raised_at.astimezone():%Y-%m-%d %H:%M:%S}"
    place = f"{one.state:<10} {one.receiver or '–':<10}"
    return printable(f"{when}  {one.reference}  {place}  {one.severity:<8}  {what}{reason}{until}")
