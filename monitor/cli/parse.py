"""`monitor parse`: the entries of a page, feed or file, in page order."""

from __future__ import annotations

import asyncio
import sys

import click

from monitor.cli.options import json_option
from monitor.cli.output import complain, write_json, write_line
from monitor.cli.reading import instant, now, read_options, reading_options
from monitor.errors import UnusableInput
from monitor.model import Entry, Snapshot
from monitor.text.characters import printable


@click.command(
    epilog="Examples:\n\n\b\n  monitor parse https://example.org/live/blog\n  monitor parse saved.html --url https://example.org/live --json\n"
    "  curl -s … | monitor parse - --kind feed"
)
@click.argument("source")
@reading_options
@click.option("--suggest", is_flag=True, help="Print selectors for the repeated, time-stamped block of a page.")
@json_option()
def command(
    *,
    source: str,
    kind: str,
    url: str | None,
    timezone: str,
    language: str | None,
    reference: str | None,
    select: tuple[str, ...],
    suggest: bool,
    as_json: bool,
) -> None:
    """Print the entries of SOURCE (a URL, a file or - for stdin) in page order.

    Exit 65 and the reason when nothing readable is there.
    """
    from monitor.daemon.reading import read_source, suggest_selectors

    options = read_options(kind, timezone, language, select)
    seen_at = instant(reference, timezone) or now()
    what: str | bytes = sys.stdin.buffer.read() if source == "-" else source
    if suggest:
        for line in asyncio.run(suggest_selectors(what, url=url, seen_at=seen_at)):
            write_line(printable(line))
        return
    reading = asyncio.run(read_source(what, options, url=url, seen_at=seen_at))
    if reading.chosen:
        complain(f"{source}: {reading.chosen}")
    if reading.snapshot is None or not reading.snapshot.entries:
        raise UnusableInput(reading.verdict.reason or "no readable entries", resource=source)
    if reading.verdict.reason:
        complain(f"{source}: {reading.verdict.kind}: {reading.verdict.reason}")
    for remark in reading.snapshot.remarks:
        complain(f"{source}: {remark}")
    (_print_json if as_json else _print_words)(reading.snapshot)


def _print_json(snapshot: Snapshot) -> None:
    from monitor.wire import entry_data

    last = len(snapshot.entries) - 1
    for index, entry in enumerate(snapshot.entries):
        line = entry_data(entry)
        if index == 0 and snapshot.intro:
            line["page_intro"] = list(snapshot.intro)
        if index == last and snapshot.background:
            line["page_background"] = list(snapshot.background)
        write_json(line)


def _print_words(snapshot: Snapshot) -> None:
    for paragraph in (snapshot.title or "", *snapshot.intro):
        if paragraph:
            write_line(printable(paragraph) + "\n")
    for entry in snapshot.entries:
        write_line(_headline(entry))
        if entry.text:
            write_line("\n".join("    " + printable(line) for line in entry.text.split("\n")))
        write_line()
    for paragraph in snapshot.background:
        write_line(printable(paragraph) + "\n")


def _headline(entry: Entry) -> str:
    when = entry.published_at.isoformat(timespec="minutes") if entry.published_at else "no time"
    parts = [f"{entry.position:>3}  {when}", entry.title or "", entry.url or ""]
    return printable("  ".join(part for part in parts if part))
