"""What left its page long ago: its last revision, what was known of it, its alerts and the messages that told them.

Rule: what still stands on a page that is polled stays, however old. Who may say so reads the bytes of `known`, which
mean nothing here; it is asked again inside the transaction that deletes, so an entry that came back meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, select, tuple_

from monitor.store.alert_tables import alerts, deliveries, messages, silences
from monitor.store.codec import microseconds
from monitor.store.tables import known, revisions, sources

T = TypeVar("T")
OnPage = Callable[[bytes], bool]  # whether a row of `known` is an entry that its page still shows
BATCH = 500  # rows a transaction
_newer = revisions.alias("newer")
_FOLLOWED = (
    select(_newer.c.id)
    .where(
        _newer.c.source_id == revisions.c.source_id,
        _newer.c.entry_id == revisions.c.entry_id,
        _newer.c.id > revisions.c.id,
    )
    .exists()
)


class Runner(Protocol):
    """`Store.run` or `Store.read`."""

    def __call__(self, work: Callable[[Connection], T]) -> Awaitable[T]: ...


async def forget_entries(read: Runner, run: Runner, before: datetime, on_page: OnPage) -> int:
    """Delete last revisions from before a time, and what was known of their entries; return how many."""
    # Source by source through the index on (source, time): only what is old enough is looked at, not the whole history.
    old = sources.join(revisions, revisions.c.source_id == sources.c.id)
    found = _with_known(revisions.c.id, old, revisions.c.source_id, revisions.c.entry_id, before)
    found = found.where(revisions.c.seen_at < microseconds(before), ~_FOLLOWED)
    return await _delete_in_batches(read, run, found, _delete_entries, on_page)


async def forget_alerts(read: Runner, run: Runner, before: datetime, on_page: OnPage) -> int:
    """Delete alerts raised before a time and what was told of them; return how many alerts."""
    old = alerts.outerjoin(sources, sources.c.id == alerts.c.source_id)
    found = _with_known(alerts.c.number, old, alerts.c.source_id, alerts.c.entry_id, before)
    found = found.where(alerts.c.raised_at < microseconds(before))
    total = await _delete_in_batches(read, run, found, _delete_alerts, on_page)
    while await run(partial(_delete_messages, before=before)):
        pass
    await run(partial(_delete_silences, before=before))
    return total


def _with_known(
    number: ColumnElement[int],
    table: Any,
    source_id: ColumnElement[str],
    entry_id: ColumnElement[str],
    before: datetime,
) -> Select[Any]:
    """Select rows with what is known of their entries; nothing is known of one whose source was not polled since."""
    of_entry = and_(
        known.c.source_id == source_id, known.c.entry_id == entry_id, sources.c.polled_at >= microseconds(before)
    )
    return select(number.label("number"), source_id, entry_id, known.c.row).select_from(
        table.outerjoin(known, of_entry)
    )


async def _delete_in_batches(
    read: Runner,
    run: Runner,
    found: Select[Any],
    clear: Callable[[Connection, Sequence[Row[Any]]], None],
    on_page: OnPage,
) -> int:
    number = found.selected_columns.number
    total, after = 0, 0
    while rows := await read(partial(_page, found.where(number > after).order_by(number).limit(BATCH))):
        after = rows[-1].number
        left = [row.number for row in rows if _has_left(row, on_page)]
        if left:
            again = found.where(number.in_(left))
            total += await run(partial(_clear, which=again, clear=clear, on_page=on_page))
    return total


def _page(which: Select[Any], connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(which).all()


def _has_left(row: Row[Any], on_page: OnPage) -> bool:
    return row.row is None or not on_page(row.row)


def _clear(
    connection: Connection,
    which: Select[Any],
    clear: Callable[[Connection, Sequence[Row[Any]]], None],
    on_page: OnPage,
) -> int:
    rows = [row for row in connection.execute(which) if _has_left(row, on_page)]
    if rows:
        clear(connection, rows)
    return len(rows)


def _delete_entries(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    connection.execute(delete(revisions).where(revisions.c.id.in_([row.number for row in rows])))
    gone = [(row.source_id, row.entry_id) for row in rows if row.row is not None]
    if gone:
        connection.execute(delete(known).where(tuple_(known.c.source_id, known.c.entry_id).in_(gone)))


def _delete_alerts(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    which = alerts.c.number.in_([row.number for row in rows])
    connection.execute(delete(deliveries).where(deliveries.c.alert_id.in_(select(alerts.c.id).where(which))))
    connection.execute(delete(alerts).where(which))


def _delete_messages(connection: Connection, before: datetime) -> int:
    """Delete some messages that tell of no alert that is kept. One that is being sent is let be."""
    told = select(deliveries.c.message_id).where(deliveries.c.message_id == messages.c.id).exists()
    old = select(messages.c.id).where(
        messages.c.composed_at < microseconds(before), messages.c.state != "leased", ~told
    )
    return connection.execute(delete(messages).where(messages.c.id.in_(old.limit(BATCH)))).rowcount


def _delete_silences(connection: Connection, before: datetime) -> int:
    return connection.execute(delete(silences).where(silences.c.ends_at < microseconds(before))).rowcount
