"""`monitor status`: how each source, the outbox and the deliveries stand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option
from monitor.cli.output import colours, complain, write_json, write_line
from monitor.cli.standing import MARKS, daemon_data, daemon_words, is_running, standing, troubles
from monitor.cli.stored import store_to_look_at
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.cli.context import CommandContext
    from monitor.daemon.report import Report, SourceReport


@click.command(
    epilog="Exit 1 if a source is failing or something keeps the daemon from its work, 69 with --live if no daemon runs. Examples:\n\n\b\n  monitor status\n"
    "  monitor status --json | jq -r 'select(.state == \"failing\") | .source'\n  monitor status --live --quiet"
)
@config_option()
@json_option("One object a source, then one of the daemon.")
@click.option("--quiet", is_flag=True, help="Print nothing; the exit code tells.")
@click.option("--live", is_flag=True, help="Only ask whether the daemon lives.")
def command(*, config: Path | None, as_json: bool, quiet: bool, live: bool) -> int:
    """Show each source's state in words, its last and next poll and counts; the outbox and dead letters."""
    from monitor.cli.context import open_context

    context = open_context(config)
    running = is_running(context)
    if live:
        if not quiet:
            complain("a daemon runs" if running else f"no daemon runs on {context.settings.state_dir}")
        return 0 if running else 69
    found = asyncio.run(_report(context))
    if not quiet:
        (_print_json if as_json else _print_words)(context, found, running)
    return 1 if found.failing or troubles(context, found, running=running) else 0


async def _report(context: CommandContext) -> Report:
    from monitor.cli.reading import now

    async with store_to_look_at(context) as store:
        return await standing(store, context.settings, now(), counted=True)


def _print_json(context: CommandContext, found: Report, running: bool) -> None:
    for source in found.sources:
        write_json(source.as_json())
    write_json(daemon_data(context, found, running=running))


def _print_words(context: CommandContext, found: Report, running: bool) -> None:
    colour = colours()
    for source in found.sources:
        write_line(_line(source, colour=colour))
    write_line(daemon_words(context, found, running=running))


def _line(source: SourceReport, *, colour: bool) -> str:
    mark = MARKS[source.condition] if colour else source.condition
    counts = source.counts
    told = f"{counts.entries} entries, {counts.new} new, {counts.edited} edited, {counts.removed} removed"
    following = f"; next {source.poll.next_poll_at.astimezone():%H:%M:%S}" if source.poll.next_poll_at else ""
    return f"{mark} {printable(source.id):<24} {printable(source.words)}; {told}{following}"
