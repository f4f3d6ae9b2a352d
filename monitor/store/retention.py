"""What is no longer kept: old revisions, their texts, entries that left their page, messages long published.

Rule: a reader finds what may go, the writer deletes it in small transactions, so that no poll waits for housekeeping.
The newest revision of an entry on its page and everything unpublished stay whatever the settings say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, select, update

from monitor.store.codec import decode_change, encode_detail, encode_entry, microseconds
from monitor.store.forgetting import OnPage, Runner, forget_entries
from monitor.store.statements import FOLLOWED, HOUSEKEEPING_ROWS
from monitor.store.tables import outbox, outbox_waiting, revisions, sources
from monitor.store.values import Pruned, Retention

_ROUND = 20 * HOUSEKEEPING_ROWS  # rows looked for at once
_PUBLISHED = outbox.c.id.not_in(select(outbox_waiting.c.id))
_EMPTY = (
    update(revisions)
    .where(revisions.c.id == bindparam("b_id"))
    .values(entry=bindparam("entry"), detail=bindparam("detail"), bodiless=1)
)


class Clear(Protocol):
    """Removes the rows with these ids and says how many there were."""

    def __call__(self, connection: Connection, *, ids: Sequence[int]) -> int: ...


async def prune(read: Runner, run: Runner, keep: Retention, *, now: datetime, on_page: OnPage | None = None) -> Pruned:
    """Delete what `keep` allows; return how many rows of each. Without `on_page`, every entry counts as on its page."""
    messages = bodies = removed = entries = 0
    if keep.outbox is not None:
        old = outbox.c.created_at < microseconds(now - keep.outbox)
        messages = await _clear(read, run, select(outbox.c.id).where(old, _PUBLISHED), _delete_messages)
    if keep.revisions is not None:
        old = revisions.c.seen_at < microseconds(now - keep.revisions)
        removed = await _clear(read, run, _superseded(old), _delete_revisions)
        if on_page is not None:
            entries = await forget_entries(read, run, now - keep.revisions, on_page)
    if keep.revisions_per_entry is not None:
        rank = _rank(keep.revisions_per_entry)
        removed += await _clear(read, run, rank, _delete_revisions)
    if keep.bodies is not None:
        old = (revisions.c.seen_at < microseconds(now - keep.bodies)) & (revisions.c.bodiless == 0)
        bodies = await _clear(read, run, _superseded(old), _empty_revisions)
    return Pruned(removed, bodies, messages, entries)


async def _clear(read: Runner, run: Runner, which: Select[int], clear: Clear) -> int:
    total = 0
    while ids := await read(partial(_find, which.limit(_ROUND))):
        for start in range(0, len(ids), HOUSEKEEPING_ROWS):
            total += await run(partial(clear, ids=ids[start : start + HOUSEKEEPING_ROWS]))
        if len(ids) < _ROUND:
            break
    return total


def _find(which: Select[int], connection: Connection) -> Sequence[int]:
    return connection.scalars(which).all()


def _superseded(old: ColumnElement[bool]) -> Select[int]:
    """Ids of old revisions that a newer one of the same entry follows."""
    # Source by source through the index on (source, time): only what is old enough is looked at, not the whole history.
    by_source = sources.join(revisions, revisions.c.source_id == sources.c.id)
    return select(revisions.c.id).select_from(by_source).where(old, FOLLOWED)


def _rank(kept: int) -> Select[int]:
    """Ids of revisions beyond the newest `kept` of their entry; the newest one is always kept."""
    of_entry = (revisions.c.source_id, revisions.c.entry_id)
    rank = func.row_number().over(partition_by=of_entry, order_by=revisions.c.id.desc()).label("rank")
    ranked = select(revisions.c.id, rank).subquery()
    return select(ranked.c.id).where(ranked.c.rank > max(kept, 1)).order_by(ranked.c.id)


def _delete_messages(connection: Connection, ids: Sequence[int]) -> int:
    # A rewind may have made some of them wait again since they were looked for.
    return connection.execute(delete(outbox).where(outbox.c.id.in_(ids), _PUBLISHED)).rowcount


def _delete_revisions(connection: Connection, ids: Sequence[int]) -> int:
    return connection.execute(delete(revisions).where(revisions.c.id.in_(ids))).rowcount


def _empty_revisions(connection: Connection, ids: Sequence[int]) -> int:
    found = connection.execute(select(revisions).where(revisions.c.id.in_(ids))).all()
    rows: list[dict[str, Any]] = []
    for row in found:
        change = decode_change(
            type_=row.type, entry_id=row.entry_id, revision=row.revision, entry=row.entry, detail=row.detail
        )
        empty = replace(change, entry=replace(change.entry, title=None, text=""), previous=None, changes=())
        rows.append({"b_id": row.id, "entry": encode_entry(empty.entry), "detail": encode_detail(empty)})
    if rows:
        connection.execute(_EMPTY, rows)
    return len(rows)
