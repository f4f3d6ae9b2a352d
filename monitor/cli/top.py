"""`monitor top`: the same as `status`, live, with each source's activity of the last hour.

Rule: draws with plain ANSI on the terminal's other screen and gives the terminal back as it was; on anything that is no
terminal it prints once.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option
from monitor.cli.output import RESET, colours, write_json, write_line
from monitor.cli.standing import (
    conditions_words,
    daemon_data,
    daemon_words,
    is_running,
    standing,
    troubles,
)
from monitor.cli.stored import store_to_look_at
from monitor.cli.top_rows import SLOTS, changes_of, cut, table, totals

if TYPE_CHECKING:
    from monitor.cli.context import CommandContext
    from monitor.daemon.report import Report
    from monitor.store import Activity, Store

SPAN = timedelta(hours=1)
# DECSET 1049: the other screen; 25: the cursor; 7: line wrap (xterm control sequences).
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"
HOME, END_OF_LINE, END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
ALARM = "\x1b[1;31m"


@dataclass(frozen=True, slots=True)
class View:
    """Everything one refresh shows."""

    report: Report
    activity: Mapping[str, Sequence[Activity]]
    running: bool


@click.command(
    epilog="Ctrl-C ends it. DELAY is the usual time from published to seen. Examples:\n\n\b\n  monitor top\n"
    "  monitor top --every 5\n  monitor top --once          # once, for scripts\n  monitor top --json | jq .activity"
)
@config_option()
@click.option(
    "--every",
    type=click.FloatRange(min=0.2),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Refresh so often.",
)
@click.option("--once", is_flag=True, help="Print once and exit; so does output that is no terminal.")
@json_option("Print once: one object a source, then one of the daemon.")
def command(*, config: Path | None, every: float, once: bool, as_json: bool) -> None:
    """Show every source live, the troubled ones first: freshness, pace, delay, changes of the last hour, state in words."""
    from monitor.cli.context import open_context

    context = open_context(config)
    if as_json:
        asyncio.run(_print_json(context))
    elif once or not sys.stdout.isatty():
        asyncio.run(_print_once(context))
    else:
        with _other_screen():
            asyncio.run(_refresh(context, every))


async def _print_json(context: CommandContext) -> None:
    async with store_to_look_at(context) as store:
        view = await _look(context, store, counted=True)
    for source in view.report.sources:
        seen = view.activity.get(source.id, ())
        hour = {name: changes_of(seen, name) for name in ("new", "edited", "removed", "restored")}
        write_json({**source.as_json(), "last_hour": hour, "activity": list(totals(seen))})
    write_json(daemon_data(context, view.report, running=view.running))


async def _print_once(context: CommandContext) -> None:
    async with store_to_look_at(context) as store:
        view = await _look(context, store)
    for line in _lines(context, view, colour=colours()):
        write_line(line)


async def _refresh(context: CommandContext, every: float) -> None:
    while True:  # a store that is not there yet is looked for again
        async with store_to_look_at(context) as store:
            while True:
                width = shutil.get_terminal_size().columns - 1  # in the last one END_OF_LINE would wipe what it shows
                _draw(_lines(context, await _look(context, store), colour=colours(), width=width))
                await asyncio.sleep(every)
                if store is None:
                    break


async def _look(context: CommandContext, store: Store | None, *, counted: bool = False) -> View:
    from monitor.cli.reading import now
    from monitor.store import history

    at = now()
    report = await standing(store, context.settings, at, counted=counted)
    by_source: defaultdict[str, list[Activity]] = defaultdict(list)
    if store is not None:
        for one in await store.read(partial(history.activity, since=at - SPAN, slot=SPAN / SLOTS)):
            by_source[one.source_id].append(one)
    return View(report, by_source, is_running(context))


@contextlib.contextmanager
def _other_screen() -> Iterator[None]:
    sys.stdout.write(ENTER)
    try:
        yield
    finally:
        sys.stdout.write(LEAVE)
        sys.stdout.flush()


def _draw(lines: Sequence[str]) -> None:
    rows = shutil.get_terminal_size().lines
    *table, last = lines
    if len(lines) > rows:
        hidden = len(lines) - rows + 1
        table = [*table[: rows - 2], f"  … {hidden} more"]
    sys.stdout.write(HOME + "".join(f"{line}{END_OF_LINE}\n" for line in table) + last + END_OF_LINE + END_OF_SCREEN)
    sys.stdout.flush()


def _lines(context: CommandContext, view: View, *, colour: bool, width: int | None = None) -> list[str]:
    report = view.report
    told = conditions_words(source.condition for source in report.sources)
    daemon = cut(daemon_words(context, report, running=view.running), width)
    wrong = colour and bool(not view.running or report.dead_letters or troubles(context, report, running=view.running))
    return [
        f"{report.at.astimezone():%H:%M:%S}  {told}",
        *table(report, view.activity, width=width, colour=colour),
        f"{ALARM}{daemon}{RESET}" if wrong else daemon,
    ]
