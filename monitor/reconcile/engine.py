"""One poll: what was known and what the page shows become changes and what is known now.

Rule: a pure function of its arguments. First match, then ask whether the page may be believed, only then tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from monitor.model import Change, ChangeType, Snapshot, Verdict, VerdictKind
from monitor.reconcile import changes as tell
from monitor.reconcile.gate import MAX_HOLDS, STALE_WEIGHT, Hold, content_key, doubt, outlook, page_times, still_held
from monitor.reconcile.keep import first
from monitor.reconcile.match import match
from monitor.reconcile.page import Page, prepare
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.settle import Settled, oldest_of, settle
from monitor.reconcile.state import Known, Memory, Record, encode
from monitor.reconcile.trust import judge_ids

_POLICY = ReconcilePolicy()
_OK = Verdict(VerdictKind.OK)
_UNCHANGED = Verdict(VerdictKind.UNCHANGED, "nothing changed", "same_page")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one poll did."""

    verdict: Verdict
    changes: tuple[Change, ...]
    known: Known
    rows: Mapping[str, bytes | None] = field(default_factory=dict)  # entries this poll changed; None: forget it
    memory: bytes | None = None  # None: as it was
    remarks: tuple[str, ...] = ()


def reconcile(
    known: Known | None, snapshot: Snapshot, *, policy: ReconcilePolicy = _POLICY, new_id: Callable[[], str]
) -> Reconciled:
    """Compare a snapshot with what is known of its source; `known` None makes it the baseline.

    `new_id` is called once for each entry not met before. Deltas come newest last. Never raises on content.
    """
    if known is None:
        return _baseline(snapshot, policy, new_id)
    if snapshot.entries == known.last_page and not known.pending and not snapshot.deleted and known.live:
        return Reconciled(_UNCHANGED, (), known)
    page = prepare(known, snapshot, policy.furniture)
    if not page.items and known.live and not snapshot.deleted:
        return _held(known, page, Hold("empty", "the page shows no entry", policy.max_holds), 0)
    trust = judge_ids(page.known, page.items, policy.ids)
    matched = match(page.known, page, trust)
    seen = outlook(matched, snapshot.deleted, orderly=page.orderly)
    hold = doubt(page, snapshot, matched, seen, policy)
    memory = known.memory
    key = content_key(page.items) if hold or memory.hold_count else 0
    if hold and still_held(hold, memory, key, policy):
        return _held(known, page, hold, key)
    looks = 1 + (memory.hold_count if memory.hold_key == key else 0)
    settled = settle(page, snapshot, matched, seen, policy, new_id=new_id, looks=looks, accepted=hold)
    remarks = (*settled.remarks, *((trust.why,) if trust.why else ()))
    after = msgspec.structs.replace(
        settled.memory,
        distrust=trust.distrust,
        rekeyed=memory.polls + 1 if trust.rekeyed else memory.rekeyed,
        furniture=page.known.memory.furniture if not page.learned else (*memory.furniture, *page.learned),
        hold_key=0,
        hold_count=0,
        hold_code="",
        hold_total=0,
        stale_seen=_stale_seen(memory, key),
        largest=max(memory.largest, len(page.items)),
        oldest=oldest_of(matched.pairing.items, memory.oldest),
        **page_times(memory, snapshot, matched.lag),
    )
    return _told(known, page, snapshot, settled, memory=after, remarks=remarks)


def _stale_seen(memory: Memory, key: int) -> int:
    """Older copies that went away again make a source one that flaps; it is forgotten in time."""
    if memory.hold_count and memory.hold_key != key:
        return min(memory.stale_seen + STALE_WEIGHT, 6 * STALE_WEIGHT)
    return max(0, memory.stale_seen - 1)


def _told(
    known: Known, page: Page, snapshot: Snapshot, settled: Settled, *, memory: Memory, remarks: tuple[str, ...]
) -> Reconciled:
    memory = msgspec.structs.replace(memory, order=tuple(settled.live))
    rows: dict[str, bytes | None] = {
        record_id: encode(record.row)
        for record_id, record in settled.live.items()
        if known.live.get(record_id) is not record and not _same_row(known.live.get(record_id), record)
    }
    rows |= {row_id: None if row is None else encode(row) for row_id, row in settled.gone_rows.items()}
    if rows:
        memory = msgspec.structs.replace(memory, polls=memory.polls + 1)
    now = Known(settled.live, settled.gone, memory, snapshot.entries, page.read)
    encoded = encode(memory) if rows or not _only_later(known.memory, memory) else None
    verdict = _UNCHANGED
    if settled.changes or rows or encoded:
        verdict = Verdict(VerdictKind.OK, "; ".join(remarks))
    return Reconciled(verdict, settled.changes, now, rows, encoded, remarks)


def _only_later(before: Memory, after: Memory) -> bool:
    """Say whether nothing but the page's times differs: not worth a write."""
    same_times = {name: getattr(before, name) for name in ("seen_at", "generated_at", "modified_at")}
    return msgspec.structs.replace(after, **same_times) == before


def _same_row(old: Record | None, new: Record) -> bool:
    return old is not None and old.row == new.row


def _held(known: Known, page: Page, hold: Hold, key: int) -> Reconciled:
    before = known.memory
    memory = msgspec.structs.replace(
        before,
        hold_key=key,
        hold_code=hold.code,
        hold_count=min(before.hold_count + 1 if before.hold_code == hold.code else 1, MAX_HOLDS),
        hold_total=min(before.hold_total + 1, MAX_HOLDS),
    )
    now = Known(known.live, known.gone, memory, None, known.read)
    verdict = Verdict(VerdictKind.SUSPECT, hold.reason, hold.code)
    return Reconciled(verdict, (), now, {}, encode(memory))


def _baseline(snapshot: Snapshot, policy: ReconcilePolicy, new_id: Callable[[], str]) -> Reconciled:
    page = prepare(Known(), snapshot, policy.furniture)
    live: dict[str, Record] = {}
    for item in page.items:
        record = first(new_id(), item, 0)
        live[record.id] = record
    empty = Memory()
    memory = msgspec.structs.replace(
        empty,
        order=tuple(live),
        furniture=page.learned,
        largest=len(live),
        oldest=oldest_of(page.items, 0.0),
        **page_times(empty, snapshot, 0.0),
    )
    told = tuple(tell.arrived(ChangeType.BASELINE, record) for record in live.values())
    known = Known(live, {}, memory, snapshot.entries, page.read)
    rows = {record.id: encode(record.row) for record in live.values()}
    return Reconciled(_OK, told, known, rows, encode(memory))
