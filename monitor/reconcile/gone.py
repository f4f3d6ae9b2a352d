"""What an absence means: fell off the page's end, or was taken down.

Rule: absence between entries that are still there, seen twice, is a removal; absence past the page's end is one only
where the end does not slide. Entries that went are remembered, small, so that a return is never new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from monitor.model import Snapshot
from monitor.reconcile.ending import Ending, is_whole
from monitor.reconcile.features import NORMALISER
from monitor.reconcile.gate import STALE_WEIGHT, Outlook
from monitor.reconcile.match import Matched
from monitor.reconcile.page import Page
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.state import GoneRow, Memory, Record

FULL_RECORDS = 300  # gone entries whose text is kept, for telling what changed when they return

Fate = Literal["removed", "window", "missing"]


@dataclass(frozen=True, slots=True)
class Absence:
    """What becomes of one known entry the page does not show."""

    record: Record
    fate: Fate


def absences(
    page: Page,
    snapshot: Snapshot,
    matched: Matched,
    seen: Outlook,
    ending: Ending,
    *,
    policy: ReconcilePolicy,
    looks: int,
) -> list[Absence]:
    """Decide what each absence means on a believed page; `looks` counts equal looks at it, this one included."""
    pairing = matched.pairing
    declared = set(snapshot.deleted)
    needed = policy.confirm_removed + (seen.newest_lost or page.known.memory.stale_seen >= STALE_WEIGHT)
    found: list[Absence] = []
    for index in pairing.free_records:
        record = pairing.records[index]
        if record.entry.native_id in declared and record.entry.native_id:
            found.append(Absence(record, "removed"))
        elif index in ending.fallen:
            found.append(Absence(record, "window"))
        elif index in ending.waiting or record.missing + looks < needed:
            found.append(Absence(record, "missing"))
        else:
            found.append(Absence(record, "removed" if is_whole(snapshot, policy) or page.orderly else "window"))
    return found


def remember(
    gone: Mapping[str, GoneRow],
    leaving: Sequence[tuple[Record, Literal["removed", "window"]]],
    memory: Memory,
    limit: int,
) -> tuple[dict[str, GoneRow], dict[str, GoneRow | None]]:
    """Return the gone entries with these added, and the rows that changed; the longest gone are forgotten."""
    kept = dict(gone)
    changed: dict[str, GoneRow | None] = {}
    for number, (record, why) in enumerate(leaving):
        kept[record.id] = changed[record.id] = _gone_row(
            record, why, memory.leavings + number, memory.polls + 1 - record.missing
        )
    by_age = sorted(kept.values(), key=lambda row: row.left) if len(kept) > min(limit, FULL_RECORDS) else []
    for row in by_age[: max(0, len(kept) - limit)]:
        del kept[row.id]
        changed[row.id] = None
    for row in by_age[:-FULL_RECORDS]:
        if row.id in kept and row.text is not None:
            kept[row.id] = changed[row.id] = _smaller(row)
    return kept, changed


def _gone_row(record: Record, why: Literal["removed", "window"], left: int, poll: int) -> GoneRow:
    entry, found = record.entry, record.features
    return GoneRow(
        normaliser=NORMALISER,
        id=record.id,
        left=left,
        why=why,
        revision=record.revision,
        exact=found.exact,
        loose=found.loose,
        words=found.words,
        versions=tuple(name for name, _ in record.versions[-3:]),
        poll=poll,
        published=entry.published,
        title=entry.title,
        key=record.key,
        text=entry.text,
    )


def _smaller(row: GoneRow) -> GoneRow:
    return msgspec.structs.replace(row, text=None)
