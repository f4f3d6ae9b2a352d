"""A believed page settled: every item and every absence becomes a record and, where a reader should know, a change.

Rule: deltas come oldest first, removals first of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from monitor.model import Change, ChangeType, Snapshot
from monitor.reconcile import changes as tell
from monitor.reconcile.gate import Hold, Outlook
from monitor.reconcile.gone import absences, remember
from monitor.reconcile.keep import Kept, Look, first, is_untouched, kept, missed, returned
from monitor.reconcile.match import Matched
from monitor.reconcile.page import Item, Page
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.state import GoneRow, Memory, Record
from monitor.reconcile.story import absorbed_by

Leaving = Literal["removed", "window"]
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
    quiet = accepted is not None and accepted.code == "template_change"
    look = Look(page, matched, known.memory.polls + 1, looks, quiet)
    backfilled = _backfilled(page, matched, seen)
    told: list[Change] = []
    damped = 0
    placed: list[tuple[float, Record]] = []
    for index, item in enumerate(pairing.items):
        if index in pairing.record_of:
            record = pairing.records[pairing.record_of[index]]
            if not matched.shift and is_untouched(record, item):
                placed.append((float(index), record))
                continue
            sure, tag = pairing.confidence.get(index, 1.0), seen.story.tags.get(index)
            outcome = kept(look, record, item, confidence=sure, tag=tag)
        elif index in pairing.returned:
            outcome = returned(look, known.gone[pairing.returned[index]], item)
        else:
            source = seen.story.split_from.get(index)
            outcome = _arrived(look, new_id(), item, backfilled=index in backfilled, source=source)
        placed.append((float(index), outcome.record))
        damped += outcome.damped
        if outcome.change is not None:
            told.append(outcome.change)
    told.reverse()
    leaving, withdrawn = _absent(look, snapshot, seen, placed, policy)
    back = set(pairing.returned.values())
    gone = {key: row for key, row in known.gone.items() if key not in back} if back else known.gone
    gone, rows = remember(gone, leaving, known.memory, policy.max_gone)
    live = {record.id: record for _, record in sorted(placed, key=lambda seat: seat[0])}
    memory = msgspec.structs.replace(known.memory, leavings=known.memory.leavings + len(leaving))
    return Settled(live, gone, rows, (*withdrawn, *told), memory, _remarks(damped, quiet=quiet))


def _remarks(damped: int, *, quiet: bool) -> tuple[str, ...]:
    found = []
    if damped:
        found.append(f"{damped} entries keep returning to earlier wordings; not told until they settle")
    if quiet:
        found.append("the page's template changed; all entries were recorded anew")
    return tuple(found)


def _arrived(look: Look, record_id: str, item: Item, *, backfilled: bool, source: str | None) -> Kept:
    record = first(record_id, item, look.poll)
    if backfilled:
        return Kept(record, tell.arrived(ChangeType.BASELINE, record, note="was below the end of the page before"))
    return Kept(record, tell.arrived(ChangeType.NEW, record, note=f"split from {source}" if source else None))


def _absent(
    look: Look, snapshot: Snapshot, seen: Outlook, placed: list[tuple[float, Record]], policy: ReconcilePolicy
) -> tuple[list[tuple[Record, Leaving]], list[Change]]:
    """Return who leaves and the removals to tell; who is only missed keeps a place in `placed`."""
    leaving: list[tuple[Record, Leaving]] = []
    withdrawn: list[Change] = []
    for absence in absences(look.page, snapshot, look.matched, seen, policy=policy, looks=look.looks):
        if absence.fate == "missing":
            placed.append((_seat(look.matched, absence.record), missed(absence.record, look)))
            continue
        leaving.append((absence.record, absence.fate))
        if absence.fate == "removed":
            holder = absorbed_by(absence.record, (record for _, record in placed))
            withdrawn.append(tell.removed(absence.record, f"merged into {holder}" if holder else None))
    return leaving, withdrawn


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
        if index > anchors[-1] and ((at := matched.pairing.items[index].span) is None or at.lo <= memory.oldest)
    ]
    shown_before = sum(not record.missing for record in matched.pairing.records)
    room = len(page.items) <= max(memory.largest, shown_before) and len(seen.lost) >= len(below)
    return frozenset(below) if room or len(below) >= BACKLOG else frozenset()


def oldest_of(items: Sequence[Item], before: float) -> float:
    """Return the oldest time ever claimed, given what it was before."""
    times = [item.span.lo for item in items if item.span]
    return min([*times, before] if before else times, default=0.0)
