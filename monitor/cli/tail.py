"""`monitor tail`: follow the deltas, or the alerts, as any subscriber can."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.deltas import event_line
from monitor.cli.moments import moment
from monitor.cli.options import config_option, json_option
from monitor.cli.output import DIM, RESET, colours, complain, write_bytes, write_line
from monitor.errors import HistoryTruncated

if TYPE_CHECKING:
    from monitor.bus import Subscription

WATCH_SECONDS = 1.0
SILENT_SECONDS = 15.0  # three heartbeats


@click.command(
    epilog="Ends with Ctrl-C. Gaps, outages and silence are told on stderr. Examples:\n\n\b\n  monitor tail\n"
    "  monitor tail --source aleppo --since 1-42\n  monitor tail --alerts --json"
)
@config_option()
@click.option("--url", "redis_url", default=None, help="A Redis URL, instead of the settings'.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="S",
    help="Only this source, or those that match, as 'al*'. Repeatable.",
)
@click.option("--since", default=None, metavar="ID|TIME", help="From after SOURCE/1-42 (or 1-42 with one --source), from an ISO time, from 10m ago, or 0 for all there is.")  # fmt: skip
@click.option("--alerts", is_flag=True, help="Follow the alerts instead of the deltas.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=1),
    default=None,
    help="End after this many messages; where to begin is --since.",
)
@json_option("One message a line: the very bytes that were published.")
def command(
    *,
    config: Path | None,
    redis_url: str | None,
    sources: tuple[str, ...],
    since: str | None,
    alerts: bool,
    lines: int | None,
    as_json: bool,
) -> None:
    """Follow the deltas as a subscriber, gap-free."""
    if alerts and sources:
        raise click.UsageError("--alerts follows the alerts of all sources; leave --source out")
    place = read_since(since, datetime.now(UTC))
    prefix = "monitor"
    if redis_url is None:
        from monitor.cli.context import open_context

        context = open_context(config)
        redis_url, prefix = context.bus_url(), context.settings.prefix
    asyncio.run(_follow(redis_url, prefix, sources or None, place, alerts=alerts, lines=lines, as_json=as_json))


def read_since(text: str | None, now: datetime) -> str | datetime | None:
    """Return `--since` as an id or a time. Raises click.BadParameter."""
    if text is None:
        return None
    if re.fullmatch(r"(.+/)?\d+(-\d+)?", text):
        return text
    return moment(text, now, also="an id (live/1-42)")


async def _follow(
    url: str,
    prefix: str,
    sources: Sequence[str] | None,
    since: str | datetime | None,
    *,
    alerts: bool,
    lines: int | None,
    as_json: bool,
) -> None:
    from monitor.bus import subscribe_alerts_raw, subscribe_raw

    try:
        if alerts:
            subscription = subscribe_alerts_raw(url, since, prefix=prefix)
        else:
            subscription = subscribe_raw(url, sources, since, prefix=prefix)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    async with subscription:
        watch = asyncio.create_task(_watch(subscription))
        try:
            await _print(subscription, lines, as_json=as_json)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)


async def _print(subscription: Subscription[bytes], lines: int | None, *, as_json: bool) -> None:
    colour = not as_json and colours()
    while lines is None or lines > 0:
        try:
            message = await anext(subscription)
        except HistoryTruncated as hole:
            _tell_gap(hole, colour=colour, as_json=as_json)
            continue
        if as_json:
            write_bytes(message)
        else:
            write_line(event_line(json.loads(message), colour=colour))
        lines = None if lines is None else lines - 1


def _tell_gap(hole: HistoryTruncated, *, colour: bool, as_json: bool) -> None:
    where = f"{hole.resource}: " if hole.resource else ""
    words = f"··· gap: {where}{hole.message}; going on from {hole.first_available}"
    if as_json:
        complain(words)
    else:
        write_line(f"{DIM}{words}{RESET}" if colour else words)


async def _watch(subscription: Subscription[bytes]) -> None:
    """Tell silence from outage, once each."""
    told = ""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        words = ""
        if not subscription.connected:
            words = f"no connection, waiting: {subscription.trouble}"
        elif subscription.silent_for > SILENT_SECONDS:
            words = f"no heartbeat for {SILENT_SECONDS:g} s: the server answers, but no daemon publishes"
        if words != told:
            complain(words or "connected again" if told else words)
            told = words
