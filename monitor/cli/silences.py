"""`monitor alerts silence`: who asked not to be told of what, until when, and why."""

from __future__ import annotations

import getpass
import os
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.context import open_context
from monitor.cli.options import config_option, json_option
from monitor.cli.output import EXIT_FINDING, complain, time_json, write_json, write_line
from monitor.cli.stored import change, look
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.alerts import Silence
    from monitor.alerts.silences import OnEnd


@click.group("silence")
def command() -> None:
    """Keep alerts from their receivers for a time; what is kept is listed with the silence as its reason."""


@command.command("add")
@click.argument("matchers", nargs=-1, required=True, metavar="FIELD=PATTERN...")
@click.option("--for", "length", required=True, metavar="TIME", help="How long: 30m, 2h, 1d.")
@click.option("--from", "start", default=None, metavar="ISO-TIME", help="When it starts; now if not given.")
@click.option("--comment", required=True, help="Why.")
@click.option("--author", default=None, help="Who; your login name if not given.")
@click.option(
    "--on-end",
    type=click.Choice(("drop", "digest")),
    default="drop",
    show_default=True,
    help="Whether what was kept back is told in one digest when the silence is over.",
)
@config_option()
@json_option()
def silence_add(
    *,
    matchers: tuple[str, ...],
    length: str,
    start: str | None,
    comment: str,
    author: str | None,
    on_end: OnEnd,
    config: Path | None,
    as_json: bool,
) -> None:
    """Add a silence. All matchers must hold: rule, source, severity, kind, tag, receiver or entry, with * and ?."""
    from monitor.cli.reading import instant, now
    from monitor.store.alert_lists import add_silence

    moment = now()
    starts_at = instant(start, "UTC") or moment
    chosen = _matchers(matchers)
    _warn_of_strangers(chosen, config)
    add = partial(
        add_silence,
        matchers=chosen,
        starts_at=starts_at,
        ends_at=starts_at + _length(length),
        author=author or _login(),
        comment=comment,
        now=moment,
        on_end=on_end,
    )
    _print_silence(change(config, add), moment, as_json)


@command.command("list")
@click.option("--expired", is_flag=True, help="Those that are over, too.")
@config_option()
@json_option()
def silence_list(expired: bool, config: Path | None, as_json: bool) -> None:
    """List silences that hold or are to come."""
    from monitor.cli.reading import now
    from monitor.store.deliveries import read_silences

    moment = now()
    for one in look(config, partial(read_silences, ends_after=None if expired else moment)):
        _print_silence(one, moment, as_json)


@command.command("expire")
@click.argument("number", type=int)
@config_option()
def silence_expire(number: int, config: Path | None) -> int:
    """End a silence now."""
    from monitor.cli.reading import now
    from monitor.store.alert_lists import expire_silence

    ended = change(config, partial(expire_silence, number=number, now=now()))
    complain(f"silence {number} ended" if ended else f"there is no silence {number} that holds or is to come")
    return 0 if ended else EXIT_FINDING


def _matchers(written: tuple[str, ...]) -> dict[str, str]:
    from monitor.alerts.silences import MATCHER_FIELDS

    found = {}
    for one in written:
        field, separator, pattern = one.partition("=")
        if not separator or not pattern or field not in MATCHER_FIELDS:
            raise click.UsageError(f"{one!r} is no matcher: write FIELD=PATTERN with {', '.join(MATCHER_FIELDS)}")
        if field in found:
            raise click.UsageError(
                f"{field} is given twice, and all matchers must hold: write a pattern, or two silences"
            )
        found[field] = pattern
    return found


def _length(written: str) -> timedelta:
    from monitor.settings.units import Unfit, duration

    try:
        seconds = duration(written)
    except Unfit as wrong:
        raise click.UsageError(f"{written!r} is no length of time: write 30m, 2h or 1d") from wrong
    if seconds <= 0:
        raise click.UsageError("a silence needs a length: write 30m, 2h or 1d")
    return timedelta(seconds=seconds)


def _login() -> str:
    """Return the name of who is logged in, or the number of a user that has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}"


def _warn_of_strangers(matchers: Mapping[str, str], config: Path | None) -> None:
    """Say so where no rule, source or receiver of the settings is meant: a slip would silence nothing, and say nothing."""
    settings = open_context(config).settings
    known = {"rule": settings.rules, "source": settings.sources, "receiver": settings.receivers}
    for field, pattern in matchers.items():
        names: Collection[str] = known.get(field, ())
        if field in known and not any(fnmatchcase(name, pattern) for name in names):
            there = ", ".join(list(names)[:10]) or "none"
            complain(f"warning: the settings have no {field} {pattern}; there are: {there}")


def _print_silence(one: Silence, now: datetime, as_json: bool) -> None:
    state = one.state(now)
    if as_json:
        write_json(
            {
                "id": one.id,
                "state": state,
                "matchers": dict(one.matchers),
                "starts_at": time_json(one.starts_at),
                "ends_at": time_json(one.ends_at),
                "author": one.author,
                "comment": one.comment,
                "on_end": one.on_end,
            }
        )
        return
    matchers = " ".join(f"{field}={pattern}" for field, pattern in one.matchers.items())
    span = f"{one.starts_at.astimezone():%Y-%m-%d %H:%M} – {one.ends_at.astimezone():%Y-%m-%d %H:%M}"
    then = ", then a digest" if one.on_end == "digest" else ""
    write_line(printable(f"{one.id}  {state:<8} {span}{then}  {matchers}  {one.author}: {one.comment}"))
