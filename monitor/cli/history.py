"""`monitor history`: the revisions of entries with the words that changed, or what the page said at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.moments import moment
from monitor.cli.options import config_option, json_option
from monitor.cli.output import BOLD, DIM, RESET, colours, complain, word_diff, write_json, write_line
from monitor.cli.stored import must_know
from monitor.errors import UnusableInput
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.model import Change, Entry
    from monitor.store import Store, StoredRevision

_TITLE_WIDTH = 96


@click.command(
    epilog="Examples:\n\n\b\n  monitor history aleppo\n  monitor history aleppo 3f9c2a\n"
    "  monitor history aleppo --at 2016-12-15T15:50+02:00\n  monitor history aleppo --since 2h --json"
)
@click.argument("source")
@click.argument("entry", required=False)
@click.option("--at", default=None, metavar="TIME", help="What the page said then: an ISO time, or 2h for two hours ago.")  # fmt: skip
@click.option(
    "--since",
    default=None,
    metavar="TIME",
    help="Only revisions seen from then on: an ISO time, or 2h for the last two hours.",
)
@config_option()
@json_option()
def command(
    *, source: str, entry: str | None, at: str | None, since: str | None, config: Path | None, as_json: bool
) -> None:
    """Show the revisions of SOURCE's entries, oldest first, and the words that changed.

    ENTRY is an entry's id, the beginning of one, or the publisher's id.
    """
    from monitor.cli.context import open_context
    from monitor.cli.reading import now

    if at and since:
        raise click.UsageError("--at shows one moment; leave --since out")
    when, earliest = (None if text is None else moment(text, now()) for text in (at, since))
    place = open_context(config).store_url()
    asyncio.run(_show(place, source, entry, at=when, since=earliest, as_json=as_json))


async def _show(
    place: str, source: str, entry: str | None, *, at: datetime | None, since: datetime | None, as_json: bool
) -> None:
    from monitor.store import Store

    async with await Store.open(place, read_only=True) as store:
        await must_know(store, source)
        entry_id = None if entry is None else await _find(store, source, entry)
        if at is None:
            found = await store.revisions(source, entry_id, since)
            _print_revisions(found, as_json=as_json)
        elif entry_id is None:
            _print_page(await store.page_at(source, at), as_json=as_json)
        else:
            _print_page(_as_it_stood(await store.revisions(source, entry_id), at), as_json=as_json)


async def _find(store: Store, source: str, wanted: str) -> str:
    """Return the id of the one entry that is meant. Raises UnusableInput where it is none or several."""
    changes = [stored.change for stored in await store.revisions(source)]
    ids = {change.entry_id for change in changes}
    if wanted in ids:
        return wanted
    native = {change.entry_id for change in changes if change.entry.native_id == wanted}
    meant = native or {entry_id for entry_id in ids if entry_id.startswith(wanted)}
    if len(meant) == 1:
        return meant.pop()
    if not meant:
        raise UnusableInput("no such entry was ever seen", resource=f"{source} {wanted}")
    raise UnusableInput("more than one entry is meant", resource=wanted, mend=", ".join(sorted(meant)[:5]))


def _as_it_stood(revisions: Sequence[StoredRevision], at: datetime) -> tuple[Entry, ...]:
    before = [stored for stored in revisions if stored.seen_at <= at]
    if not before or before[-1].type == "removed":
        return ()
    return (before[-1].entry,)


def _print_revisions(revisions: Sequence[StoredRevision], *, as_json: bool) -> None:
    if not revisions:
        complain("nothing was recorded")
    colour = not as_json and colours()
    for stored in revisions:
        if as_json:
            write_json(_as_data(stored))
        else:
            for line in _lines(stored, colour=colour):
                write_line(line)


def _as_data(stored: StoredRevision) -> dict[str, Any]:
    from monitor.wire import entry_data, rfc3339

    change = stored.change
    announced = stored.sequence is not None
    return {
        "source": stored.source_id,
        "entry_id": change.entry_id,
        "revision": change.revision,
        "type": change.type.value,
        "seen_at": rfc3339(stored.seen_at),
        "delta": f"{stored.source_id}/{stored.epoch}-{stored.sequence}" if announced else None,
        "entry": None if stored.bodiless else entry_data(change.entry),
        "changes": [{"field": c.field, "diff": [list(op) for op in c.diff]} for c in change.changes],
        "significance": change.significance.value if change.significance else None,
        "tags": list(change.tags),
        "confidence": round(change.confidence, 4),
        "note": change.note,
    }


def _lines(stored: StoredRevision, *, colour: bool) -> list[str]:
    change = stored.change
    clock = f"{stored.seen_at.astimezone():%Y-%m-%d %H:%M:%S}"
    kind = f"{BOLD}{change.type.value:<8}{RESET}" if colour else f"{change.type.value:<8}"
    said = "(its text is no longer kept)" if stored.bodiless else _headline(change.entry)
    lines = [f"{clock}  {printable(change.entry_id)} · {change.revision}  {kind}  {said}"]
    lines += [f"{'':>21}{field.field}: {word_diff(field.diff, colour=colour)}" for field in change.changes]
    if remark := _remark(change, announced=stored.sequence is not None):
        lines.append(f"{'':>21}{DIM}{remark}{RESET}" if colour else f"{'':>21}{remark}")
    return lines


def _remark(change: Change, *, announced: bool) -> str:
    parts = []
    if change.significance:
        tags = f": {', '.join(change.tags)}" if change.tags else ""
        parts.append(f"{change.significance.value}{tags}")
    if not announced and change.type != "baseline":
        parts.append("not announced")
    if change.note:
        parts.append(printable(change.note))
    return "; ".join(parts)


def _print_page(entries: Sequence[Entry], *, as_json: bool) -> None:
    from monitor.wire import entry_data

    if not entries:
        complain("nothing was there then, as far as is recorded")
    colour = not as_json and colours()
    for position, entry in enumerate(entries):
        if as_json:
            write_json(entry_data(replace(entry, position=position)))
            continue
        claimed = f"[{entry.published_text}]" if entry.published_text else ""
        head = printable(" ".join(filter(None, [claimed, entry.title])) or f"entry {position}")
        write_line(f"{BOLD}{head}{RESET}" if colour else head)
        write_line("\n".join(f"    {printable(line)}" if line else "" for line in entry.text.split("\n")))
        write_line()


def _headline(entry: Entry) -> str:
    said = entry.title or entry.text.split("\n", 1)[0]
    shown = printable(said if len(said) <= _TITLE_WIDTH else said[: _TITLE_WIDTH - 1] + "…")
    claimed = entry.published_text
    return f"[{printable(claimed)}] {shown}" if claimed else shown
