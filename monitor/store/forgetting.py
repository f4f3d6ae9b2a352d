"""Entries that left their page long ago: their last revision and what was known of them.

Rule: what still stands on a page that is polled stays, however old. Who may say so reads the bytes of `known`, which
mean nothing here; it is asked again inside the transaction that deletes, so an entry that came back meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Row, Select, and_, delete, select, tuple_

from monitor.store.codec import microseconds
from monitor.store.statements import FOLLOWED, HOUSEKEEPING_ROWS
from monitor.store.tables import known, revisions, sources

T = TypeVar("T")
OnPage = Callable[[bytes], bool]  # whether a row of `known` is an entry that its page still shows
_NUMBER = revisions.c.id


class Runner(Protocol):
    """`Store.run` or `Store.read`."""

    def __call__(self, work: Callable[[Connection], T]) -> Awaitable[T]: ...


async def forget_entries(read: Runner, run: Runner, before: datetime, on_page: OnPage) -> int:
    """Delete last revisions from before a time, and what was known of their entries; return how many."""
    found = _old_entries(before)
    total, after = 0, 0
    while rows := await read(partial(_page, found.where(after < _NUMBER).order_by(_NUMBER).limit(HOUSEKEEPING_ROWS))):
        after = rows[-1].id
        left = [row.id for row in rows if _has_left(row, on_page)]
        if left:
            total += await run(partial(_forget, which=found.where(_NUMBER.in_(left)), on_page=on_page))
    return total


def _old_entries(before: datetime) -> Select[Any]:
    """Select last revisions with what is known of their entries; nothing is known where the source was not polled since."""
    moment = microseconds(before)
    of_entry = and_(
        known.c.source_id == revisions.c.source_id,
        known.c.entry_id == revisions.c.entry_id,
        sources.c.polled_at >= moment,
    )
    # Source by source through the index on (source, time): only what is old enough is looked at, not the whole history.
    by_source = sources.join(revisions, revisions.c.source_id == sources.c.id).outerjoin(known, of_entry)
    return (
        select(_NUMBER, revisions.c.source_id, revisions.c.entry_id, known.c.row)
        .select_from(by_source)
        .where(revisions.c.seen_at < moment, ~FOLLOWED)
    )


def _page(which: Select[Any], connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(which).all()


def _has_left(row: Row[Any], on_page: OnPage) -> bool:
    return row.row is None or not on_page(row.row)


def _forget(connection: Connection, which: Select[Any], on_page: OnPage) -> int:
    rows = [row for row in connection.execute(which) if _has_left(row, on_page)]
    connection.execute(delete(revisions).where(_NUMBER.in_([row.id for row in rows])))
    gone = [(row.source_id, row.entry_id) for row in rows if row.row is not None]
    if gone:
        connection.execute(delete(known).where(tuple_(known.c.source_id, known.c.entry_id).in_(gone)))
    return len(rows)
