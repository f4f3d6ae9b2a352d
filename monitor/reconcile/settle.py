"""A believed page settled: every item and every absence becomes a record and, where a reader should know, a change.

Rule: deltas come oldest first, removals first of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from monitor.model import Change, ChangeType, Snapshot
from monitor.reconcile import changes as tell
from monitor.reconcile.ending import ending
from monitor.reconcile.gate import FLOOD_MIN, Hold, Outlook
from monitor.reconcile.gone import Absence, absences, remember
from monitor.reconcile.keep import Kept, Look, first, is_untouched, kept, missed, returned
from monitor.reconcile.match import Matched
from monitor.reconcile.page import Item, Page
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.state import GoneRow, Memory, Record
from monitor.reconcile.story import holders
from monitor.reconcile.times import Span, same

Leaving = Literal["removed", "window"]
NEW_BASELINE = frozenset({"template_change", "different_page"})
BACKLOG = 5  # older entries that appear at once below the end: a longer window, not news


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
    quiet = accepted is not None and accepted.code in NEW_BASELINE
    look = Look(page, matched, known.memory.polls + 1, looks, quiet, _is_restamped(matched, seen.touched))
    backfilled = frozenset(seen.new) if quiet else _backfilled(page, matched, seen)
    told: list[Kept] = []
    placed: list[Record] = []  # one an item
    records, record_of = pairing.records, pairing.record_of
    touched = frozenset(record_of if matched.shift else seen.touched)
    for index, item in enumerate(pairing.items):
        paired = record_of.get(index)
        if paired is not None:
            record = records[paired]
            if index not in touched and is_untouched(record, item):
                placed.append(record)
                continue
            sure, tag = pairing.confidence.get(index, 1.0), seen.story.tags.get(index)
            outcome = kept(look, record, item, confidence=sure, tag=tag)
        elif index in pairing.returned:
            outcome = returned(look, known.gone[pairing.returned[index]], item)
        else:
            source = seen.story.split_from.get(index)
            outcome = _arrived(look, new_id(), item, backfilled=index in backfilled, source=source)
        placed.append(outcome.record)
        told.append(outcome)
    told.reverse()
    end = ending(page, snapshot, matched, seen, policy)
    gone_now = absences(page, snapshot, matched, seen, end, policy=policy, looks=looks)
    leaving, missing, withdrawn = _absent(look, gone_now, placed)
    back = set(pairing.returned.values())
    gone = {key: row for key, row in known.gone.items() if key not in back} if back else known.gone
    gone, rows = remember(gone, leaving, known.memory, policy.max_gone)
    if missing:  # they take their seats among the others
        placed = [record for _, record in sorted([*enumerate(placed), *missing], key=lambda seat: seat[0])]
    live = {record.id: record for record in placed}
    memory = msgspec.structs.replace(known.memory, leavings=known.memory.leavings + len(leaving), **end.learned)
    changes = _announced(told, gap=not pairing.record_of and bool(pairing.records))
    return Settled(live, gone, rows, (*withdrawn, *changes), memory, _remarks(look, told))


def _announced(told: Sequence[Kept], *, gap: bool) -> list[Change]:
    """Return the changes to tell, oldest first: no flood of restyled entries, a word where a gap is possible."""
    flood = _is_flood(sum(one.restyled for one in told), len(told))
    changes = [one.change for one in told if one.change is not None and not (flood and one.restyled)]
    if gap and changes and changes[0].type is ChangeType.NEW and changes[0].note is None:
        changes[0] = replace(changes[0], note="a gap is possible before this entry")
    return changes


def _is_flood(some: int, of: int) -> bool:
    return some >= FLOOD_MIN and some >= of / 2


def _is_restamped(matched: Matched, touched: Sequence[int]) -> bool:
    """Say whether at least half of the unchanged entries carry another time, each its own."""
    pairing = matched.pairing
    pairs = [(pairing.items[index], pairing.records[pairing.record_of[index]]) for index in touched]
    same_text = [(item, record) for item, record in pairs if item.features.exact == record.features.exact]
    moved = sum(not same(record.span, item.span) for item, record in same_text)
    return _is_flood(moved, len(pairing.record_of) - len(pairs) + len(same_text))


def _remarks(look: Look, told: Sequence[Kept]) -> tuple[str, ...]:
    found = []
    damped, restyled = sum(one.damped for one in told), sum(one.restyled for one in told)
    if damped:
        found.append(f"{damped} entries keep returning to earlier wordings; not told until they settle")
    if look.quiet:
        found.append("the page was replaced or its template changed; all entries were recorded anew")
    if look.restamped:
        found.append("most entries carry new times at once; recorded, not told")
    if _is_flood(restyled, len(told)):
        found.append(f"{restyled} entries changed their characters but not their content; recorded, not told")
    return tuple(found)


def _arrived(look: Look, record_id: str, item: Item, *, backfilled: bool, source: str | None) -> Kept:
    record = first(record_id, item, look.poll)
    if backfilled:
        note = "was below the end of the page before" if not look.quiet else None
        return Kept(record, tell.arrived(ChangeType.BASELINE, record, note=note))
    return Kept(record, tell.arrived(ChangeType.NEW, record, note=f"split from {source}" if source else None))


def _absent(
    look: Look, gone_now: Sequence[Absence], placed: Sequence[Record]
) -> tuple[list[tuple[Record, Leaving]], list[tuple[float, Record]], list[Change]]:
    """Return who leaves, who is only missed and keeps a seat among the `placed`, and the removals to tell."""
    leaving: list[tuple[Record, Leaving]] = []
    missing: list[tuple[float, Record]] = []
    for absence in gone_now:
        if absence.fate == "missing":
            missing.append((_seat(look.matched, absence.record), missed(absence.record, look)))
            continue
        leaving.append((absence.record, "removed" if absence.fate == "removed" and not look.quiet else "window"))
    removed = [record for record, why in leaving if why == "removed"]
    holder = holders(removed, [*placed, *(record for _, record in missing)])
    withdrawn = [
        tell.removed(record, f"merged into {holder[record.id]}" if record.id in holder else None) for record in removed
    ]
    return leaving, missing, withdrawn


def _seat(matched: Matched, record: Record) -> float:
    """Return the place of an absent record among the items: below the last record above it that is there."""
    index = matched.pairing.records.index(record)
    above = [matched.pairing.item_of[r] for r in range(index) if r in matched.pairing.item_of]
    return (above[-1] if above else -1) + 0.5 + index / (4 * len(matched.pairing.records))


def _backfilled(page: Page, matched: Matched, seen: Outlook) -> frozenset[int]:
    """Return the new items that only came into the window from below: older than all we saw, where a place became free.

    An item that is younger than the oldest entry ever seen was not on the page when it should have been: it is new.
    """
    anchors, memory = matched.order.item_anchors, page.known.memory
    if not page.orderly or not anchors or (not memory.oldest and page.known.gone):
        return frozenset()
    below = [
        index
        for index in seen.new
        if index > anchors[-1] and _can_be_as_old(matched.pairing.items[index].span, memory.oldest)
    ]
    room = len(page.items) <= max(memory.largest, matched.pairing.shown_before) and len(seen.lost) >= len(below)
    return frozenset(below) if room or len(below) >= BACKLOG else frozenset()


def _can_be_as_old(at: Span | None, oldest: float) -> bool:
    """Say whether a claim reaches back to the oldest time seen; "3 hours ago" leaves an hour open on both pages."""
    return at is None or at.lo - (at.hi - at.lo) <= oldest


def oldest_of(items: Sequence[Item], before: float) -> float:
    """Return the oldest time ever claimed, given what it was before."""
    times = [item.span.lo for item in items if item.span]
    return min([*times, before] if before else times, default=0.0)
