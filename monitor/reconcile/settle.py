"""A believed page settled: every item and every absence becomes a record and, where a reader should know, a change.

Rule: what is told is what differs from the state last told. Deltas come oldest first, removals first of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from monitor.model import Change, ChangeType, Entry, Snapshot
from monitor.reconcile import changes as tell
from monitor.reconcile.gate import Hold, Outlook
from monitor.reconcile.gone import absences, remember
from monitor.reconcile.match import Matched
from monitor.reconcile.page import Item, Page
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.state import KEPT_VERSIONS, GoneRow, Memory, Record
from monitor.reconcile.times import same, shifted, span, sticky

Leaving = Literal["removed", "window"]
FLAPS = 2  # returns to an earlier wording after which an entry flaps; each return makes the next wait longer
FLAP_LOOKS = 5  # looks in a row a flapping entry must keep a wording


@dataclass(slots=True)
class Settled:
    """The outcome of a believed page."""

    live: dict[str, Record]
    gone: Mapping[str, GoneRow]
    gone_rows: Mapping[str, GoneRow | None]
    changes: tuple[Change, ...]
    memory: Memory
    remarks: tuple[str, ...] = field(default=())


def settle(
    page: Page,
    snapshot: Snapshot,
    matched: Matched,
    seen: Outlook,
    policy: ReconcilePolicy,
    *,
    new_id: Callable[[], str],
    looks: int,
    accepted: Hold | None,
) -> Settled:
    """Settle a believed page. `accepted`: the doubt that equal looks overcame; `looks`: how many they were."""
    known, pairing = page.known, matched.pairing
    quiet = accepted is not None and accepted.code == "template_change"
    told: list[Change] = []
    placed: list[tuple[float, Record]] = []
    backfilled = _backfilled(page, matched, seen)
    returned_rows: dict[str, GoneRow | None] = {}
    for index, item in enumerate(pairing.items):
        if index in pairing.record_of:
            record, change = _kept(page, matched, seen, index, looks=looks, quiet=quiet)
        elif index in pairing.returned:
            row = known.gone[pairing.returned[index]]
            returned_rows[row.id] = None
            record, change = _returned(row, item)
        else:
            record = _first(new_id(), item)
            kind = ChangeType.BASELINE if index in backfilled else ChangeType.NEW
            note = "was below the end of the page before" if index in backfilled else None
            change = tell.arrived(kind, record, note=note)
        placed.append((float(index), record))
        if change is not None:
            told.append(change)
    told.reverse()
    leaving, withdrawn = _absent(page, snapshot, matched, seen, placed, policy=policy, looks=looks)
    gone = {key: row for key, row in known.gone.items() if key not in returned_rows} if returned_rows else known.gone
    gone, gone_rows = remember(gone, leaving, known.memory.leavings, policy.max_gone)
    live = {record.id: record for _, record in sorted(placed, key=lambda seat: seat[0])}
    memory = msgspec.structs.replace(known.memory, leavings=known.memory.leavings + len(leaving))
    rows = {key: row for key, row in returned_rows.items() if key not in live} | gone_rows
    return Settled(live, gone, rows, (*withdrawn, *told), memory)


def _absent(
    page: Page,
    snapshot: Snapshot,
    matched: Matched,
    seen: Outlook,
    placed: list[tuple[float, Record]],
    *,
    policy: ReconcilePolicy,
    looks: int,
) -> tuple[list[tuple[Record, Leaving]], list[Change]]:
    """Return who leaves and the removals to tell; who is only missed keeps a place in `placed`."""
    leaving: list[tuple[Record, Leaving]] = []
    withdrawn: list[Change] = []
    for absence in absences(page, snapshot, matched, seen, policy=policy, looks=looks):
        record = absence.record
        if absence.fate == "missing":
            entry = _shift(record.entry, matched.shift)
            missed = replace(record, missing=record.missing + looks, entry=entry, span=span(entry.published))
            placed.append((_seat(matched, record), missed))
            continue
        leaving.append((record, absence.fate))
        if absence.fate == "removed":
            withdrawn.append(tell.removed(record))
    return leaving, withdrawn


@dataclass(frozen=True, slots=True)
class _Others:
    """The words of a source's other entries, looked up only where a typo is in question."""

    live: Mapping[str, Record]
    but: str

    def __contains__(self, word: object) -> bool:
        return any(
            key != self.but and (word in record.features.body or word in record.features.title)
            for key, record in self.live.items()
        )


def _first(record_id: str, item: Item) -> Record:
    return Record(record_id, item.entry, 1, item.features, (item.features.exact,), span(item.entry.published))


def _seat(matched: Matched, record: Record) -> float:
    """Return the place of an absent record among the items: below the last record above it that is there."""
    index = matched.pairing.records.index(record)
    above = [matched.pairing.item_of[r] for r in range(index) if r in matched.pairing.item_of]
    return (above[-1] if above else -1) + 0.5 + index / (4 * len(matched.pairing.records))


def _shift(entry: Entry, seconds: float) -> Entry:
    return replace(entry, published=shifted(entry.published, seconds)) if seconds else entry


def _kept(
    page: Page, matched: Matched, seen: Outlook, index: int, *, looks: int, quiet: bool
) -> tuple[Record, Change | None]:
    """Return the record of an entry that is still there, and its edit."""
    pairing = matched.pairing
    item, before = pairing.items[index], pairing.records[pairing.record_of[index]]
    base = replace(before, missing=0) if before.missing else before
    if matched.shift:
        moved = _shift(base.entry, matched.shift)
        base = replace(base, entry=moved, span=span(moved.published))
    retimed = not same(before.span, item.span) and item.span is not None
    if item.features.exact == base.features.exact and not retimed:
        return _unchanged(page, base, item)
    if item.features.exact in base.versions[:-1] and not quiet and item.features.exact != base.features.exact:
        needed = FLAP_LOOKS if base.flips >= FLAPS else 1 + base.flips
        if base.held + looks < needed:
            return replace(base, held=base.held + looks), None
    after = _next(base, item, retimed=retimed, shift=matched.shift)
    if quiet:
        return after, None
    extra = ("reverted",) if after.flips > base.flips else ()
    change = tell.edited(
        base,
        after,
        furniture=page.known.memory.furniture,
        vocabulary=_Others(page.known.live, base.id),
        retimed=retimed,
        extra=extra,
        confidence=pairing.confidence.get(index, 1.0),
    )
    return after, change


def _unchanged(page: Page, base: Record, item: Item) -> tuple[Record, Change | None]:
    base = replace(base, held=0) if base.held else base
    old, new = base.entry, item.entry
    if old.native_id != new.native_id and new.native_id:
        base = replace(base, entry=replace(old, native_id=new.native_id, url=new.url or old.url))
    published = sticky(old.published, new.published)
    if published is not old.published and published != old.published:
        base = replace(base, entry=replace(base.entry, published=published), span=span(published))
    return base, None


def _next(base: Record, item: Item, *, retimed: bool, shift: float) -> Record:
    published = item.entry.published if retimed else sticky(base.entry.published, item.entry.published)
    entry = replace(item.entry, published=published, native_id=item.entry.native_id or base.entry.native_id)
    content_now = item.features.exact
    reverted = content_now in base.versions[:-1] and content_now != base.features.exact
    versions = tuple(v for v in base.versions if v != content_now)
    return Record(
        base.id,
        entry,
        base.revision + 1,
        item.features,
        (*versions, content_now)[-KEPT_VERSIONS:],
        span(published),
        flips=base.flips + reverted,
    )


def _returned(row: GoneRow, item: Item) -> tuple[Record, Change | None]:
    """Return the record of an entry that had left; told only if its leaving was told, or if it changed meanwhile."""
    changed = item.features.exact != row.exact
    published = (
        sticky(row.published, item.entry.published)
        if same(span(row.published), span(item.entry.published))
        else item.entry.published
    )
    entry = replace(item.entry, published=published)
    versions = (*(v for v in row.versions if v != item.features.exact), item.features.exact)[-KEPT_VERSIONS:]
    record = Record(
        row.id, entry, row.revision + (changed or row.why == "removed"), item.features, versions, span(published)
    )
    if row.why == "removed":
        return record, tell.restored(row, record)
    return record, None


def _backfilled(page: Page, matched: Matched, seen: Outlook) -> frozenset[int]:
    """Return the new items that only came into the window from below: older than all, where a place became free."""
    anchors = matched.order.item_anchors
    if not page.orderly or not anchors:
        return frozenset()
    records = matched.pairing.records
    oldest = min((record.span.lo for record in records if record.span), default=None)
    below = [
        index
        for index in seen.new
        if index > anchors[-1]
        and (oldest is None or (at := matched.pairing.items[index].span) is None or at.lo <= oldest)
    ]
    shown_before = sum(not record.missing for record in records)
    freed = len(seen.lost)
    room = len(page.items) <= max(page.known.memory.largest, shown_before) and freed >= len(below)
    return frozenset(below) if room or len(below) >= 5 else frozenset()
