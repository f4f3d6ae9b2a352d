"""`monitor status`: how each source, the outbox and the deliveries stand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import colours, complain, write_json, write_line
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.cli.context import CommandContext
    from monitor.daemon.report import Report, SourceReport

MARKS = {
    "ok": "\x1b[32m●\x1b[0m",
    "waiting": "○",
    "suspect": "\x1b[33m●\x1b[0m",
    "failing": "\x1b[31m●\x1b[0m",
    "paused": "–",
}


@click.command(epilog="Exit 1 if a source is failing, 69 with --live if no daemon runs.")
@click.option("-c", "--config", type=click.Path(path_type=Path), default=None, help="The settings file.")
@click.option("--json", "as_json", is_flag=True, help="One object a source, then one of the daemon.")
@click.option("--quiet", is_flag=True, help="Print nothing; the exit code tells.")
@click.option("--live", is_flag=True, help="Only ask whether the daemon lives.")
def command(config: Path | None, as_json: bool, quiet: bool, live: bool) -> int:
    """Show each source's state in words, its last and next poll and counts; the outbox and dead letters."""
    from monitor.cli.context import open_context

    context = open_context(config)
    running = _running(context)
    if live:
        if not quiet:
            complain("a daemon runs" if running else f"no daemon runs on {context.settings.state_dir}")
        return 0 if running else 69
    found = asyncio.run(_report(context))
    if not quiet:
        (_print_json if as_json else _print_words)(context, found, running)
    return 1 if found.failing else 0


def _running(context: CommandContext) -> bool:
    from monitor.daemon.state_directory import is_running

    return is_running(context.settings.state_dir)


async def _report(context: CommandContext) -> Report:
    from monitor.cli.reading import now
    from monitor.daemon.report import report
    from monitor.store import Store

    async with await Store.open(context.store_url(), check=False) as store:
        return await report(store, context.settings, now())


def _print_json(context: CommandContext, found: Report, running: bool) -> None:
    for source in found.sources:
        write_json(source.as_json())
    write_json(_daemon(context, found, running))


def _daemon(context: CommandContext, found: Report, running: bool) -> dict[str, object]:
    from monitor.daemon.state_directory import read_runtime
    from monitor.wire import rfc3339

    runtime = read_runtime(context.settings.state_dir) if running else None
    return {
        "daemon": "running" if running else "stopped",
        "pid": runtime.pid if runtime else None,
        "redis": _public(runtime.bus_url) if runtime else None,
        "state_dir": str(context.settings.state_dir),
        "outbox": found.outbox.depth,
        "outbox_oldest_at": rfc3339(found.outbox.oldest_at) if found.outbox.oldest_at else None,
        "dead_letters": found.dead_letters,
    }


def _public(url: str) -> str:
    """A URL without its password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _print_words(context: CommandContext, found: Report, running: bool) -> None:
    colour = colours()
    for source in found.sources:
        write_line(_line(source, colour=colour))
    daemon = _daemon(context, found, running)
    where = f"daemon {daemon['pid']}, Redis at {daemon['redis']}" if running else "no daemon runs"
    write_line(printable(f"{where}; outbox {found.outbox.depth} waiting; {found.dead_letters} dead letters"))


def _line(source: SourceReport, *, colour: bool) -> str:
    mark = MARKS[source.condition] if colour else source.condition
    counts = source.counts
    told = f"{counts.entries} entries, {counts.new} new, {counts.edited} edited, {counts.removed} removed"
    following = f"; next {source.poll.next_poll_at.astimezone():%H:%M:%S}" if source.poll.next_poll_at else ""
    return f"{mark} {printable(source.id):<24} {printable(source.words)}; {told}{following}"
