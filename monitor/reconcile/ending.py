"""Where a page ends: entries fall off an end that slides, and are taken down from one that does not.

Rule: the last entry that goes as another comes may have done either, and the pages after it tell. An end slides by count
or by age; a page that later shows more entries has no count, one that later shows an older entry has no age. Until then
the entry is waited for, unless the end was seen to slide before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypedDict

from monitor.model import Snapshot
from monitor.reconcile.gate import Outlook
from monitor.reconcile.match import Matched
from monitor.reconcile.page import Page
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.state import Record

TAIL_AGE = 12 * 3600.0  # seconds older than the newest: pages that show "today" let go of it
SLIDES = 2  # polls at which an end let go, without a sign that it does not slide
_MINUTE = 59.0  # pages show minutes


class Learned(TypedDict):
    """What to remember of a page's end."""

    ends: int
    end_shown: int
    end_age: float
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of the records past the end of a page."""

    fallen: Collection[int]
    waiting: Collection[int]
    learned: Learned


def is_whole(snapshot: Snapshot, policy: ReconcilePolicy) -> bool:
    """Say whether the page is the whole blog, so that it has no end to fall off."""
    return (snapshot.whole if policy.whole is None else policy.whole) and not snapshot.capped


def ending(page: Page, snapshot: Snapshot, matched: Matched, seen: Outlook, policy: ReconcilePolicy) -> Ending:
    """Decide what the end of a believed page let go of."""
    memory, records = page.known.memory, matched.pairing.records
    as_it_was = (memory.ends, memory.end_shown, memory.end_age)
    tail = {index for index in matched.pairing.free_records if _is_beyond(page, matched, index)}
    if is_whole(snapshot, policy) or not (tail or memory.ends or memory.waiting):
        return _ending(records, set(), set(), as_it_was)
    waited = {
        index
        for index in matched.pairing.free_records
        if records[index].id in memory.waiting and (index in tail or not _is_inside(matched, index))
    }
    fresh = {index for index in tail if not records[index].missing}
    if not matched.order.record_anchors:  # nothing is left of the last page: all of it is past the end
        return _ending(records, fresh | waited, set(), as_it_was)
    now = snapshot.seen_at.timestamp()
    longer = bool(memory.ends) and len(page.items) > memory.end_shown + _slack(page)
    if fresh:
        ends = memory.ends + 1
        ages = [now - at.lo for index in fresh if (at := records[index].span)]
        learned = (ends, len(page.items), min(ages, default=0.0))
        if ends > SLIDES or (ends == SLIDES and not longer):
            return _ending(records, fresh | waited, set(), learned)
        if ends == 1 and not _may_have_slid(page, matched, seen, tail):  # a page that only became shorter
            fresh = {index for index in fresh if _is_old(matched, index)}
        return _ending(records, set(), fresh | waited, learned)
    if longer and _oldest_shown(matched, now) >= memory.end_age:
        return _ending(records, set(), set(), (0, 0, 0.0))
    if longer and memory.ends < SLIDES:
        waited = {index for index in waited if _is_old(matched, index)}
    return _ending(records, set(), waited, as_it_was)


def _ending(records: Sequence[Record], fallen: set[int], waiting: set[int], learned: tuple[int, int, float]) -> Ending:
    ends, shown, age = learned
    ids = tuple(records[index].id for index in sorted(waiting))
    return Ending(fallen, waiting, Learned(ends=ends, end_shown=shown, end_age=age, waiting=ids))


def _is_beyond(page: Page, matched: Matched, index: int) -> bool:
    """Say whether an entry belongs past the end of what the page shows."""
    record, order, pairing = matched.pairing.records[index], matched.order, matched.pairing
    if not order.record_anchors or index > order.record_anchors[-1]:
        return True
    shown = [pairing.items[i].span for i in order.item_anchors if not pairing.items[i].entry.pinned]
    oldest = min((at.lo for at in shown if at), default=None)
    return page.orderly and oldest is not None and record.span is not None and record.span.hi < oldest - _MINUTE


def _is_inside(matched: Matched, index: int) -> bool:
    """Say whether the page shows an older entry: a place among the others alone may be that of one that was moved."""
    at = matched.pairing.records[index].span
    oldest = min((item.span.hi for item in matched.pairing.items if item.span), default=None)
    return at is None or oldest is None or oldest < at.lo - _MINUTE


def _may_have_slid(page: Page, matched: Matched, seen: Outlook, tail: set[int]) -> bool:
    """Say whether a window of as many entries explains the losses at the end: what came in pushed them out."""
    pairing = matched.pairing
    came = len(seen.new) + len(pairing.returned)
    lost_at_end = len(tail & set(seen.lost))
    lost_inside = len(seen.lost) - lost_at_end
    return len(pairing.items) >= pairing.shown_before or (came > 0 and lost_at_end <= came - lost_inside + 1)


def _slack(page: Page) -> int:
    """Return by how many entries a window may differ: a pinned entry is on top of it, or inside."""
    return 1 if any(item.entry.pinned for item in page.items) else 0


def _oldest_shown(matched: Matched, now: float) -> float:
    """Return the age of the oldest entry at the page's end, in seconds."""
    times = [at.lo for index in matched.order.item_anchors if (at := matched.pairing.items[index].span)]
    return now - min(times, default=now)


def _is_old(matched: Matched, index: int) -> bool:
    newest = max((record.span.lo for record in matched.pairing.records if record.span), default=0.0)
    at = matched.pairing.records[index].span
    return at is not None and newest - at.lo > TAIL_AGE
