"""Messages waiting for their streams: written with the state they tell of, drained by the relay.

Rule: functions of a connection. A row's place `(topic, source, epoch, sequence)` never changes and is dense; a row is
marked, never moved; it is deleted only by retention, and only once it was published.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, bindparam, func, insert, select, tuple_, update

from monitor.model import Outgoing
from monitor.store.codec import maybe_instant, microseconds
from monitor.store.statements import Prepared, insert_missing
from monitor.store.tables import outbox, outbox_heads, sources, store_state
from monitor.store.values import Backlog
from monitor.store.writer import OUTBOX_GREW

Stream = tuple[str, str]  # topic, source id
Position = tuple[int, int]  # epoch, sequence

_INSERT = Prepared(lambda _: insert(outbox), ("topic", "source_id", "epoch", "sequence", "payload", "created_at"))
_PENDING = select(*outbox.c["topic", "source_id", "epoch", "sequence", "payload"]).where(
    outbox.c.published_at.is_(None)
)
_MARK = Prepared(
    lambda _: (
        update(outbox)
        .where(
            outbox.c.topic == bindparam("b_topic"),
            outbox.c.source_id == bindparam("b_source_id"),
            outbox.c.epoch == bindparam("b_epoch"),
            outbox.c.sequence == bindparam("b_sequence"),
        )
        .values(published_at=bindparam("published_at"))
    )
)


def append(
    connection: Connection, topic: Literal["alerts"], payloads: Sequence[bytes], *, now: datetime
) -> tuple[Position, ...]:
    """Add messages to a topic that has one stream for all sources, with the next sequences; return their positions.

    Deltas do not come this way: their sequence is the source's and is assigned with its compare-and-set.
    """
    if not payloads:
        return ()
    epoch, head = _advance(connection, topic, len(payloads))
    positions = tuple((epoch, head - len(payloads) + place) for place in range(1, len(payloads) + 1))
    insert_rows(
        connection,
        [Outgoing(topic, "", *position, payload) for position, payload in zip(positions, payloads, strict=True)],
        now,
    )
    return positions


def insert_rows(connection: Connection, messages: Sequence[Outgoing], now: datetime) -> None:
    """Insert messages whose position is already assigned."""
    created_at = microseconds(now)
    rows = [
        {
            "topic": message.topic,
            "source_id": message.source_id,
            "epoch": message.epoch,
            "sequence": message.sequence,
            "payload": message.payload,
            "created_at": created_at,
        }
        for message in messages
    ]
    _INSERT.run(connection, rows)
    connection.info[OUTBOX_GREW] = True


def pending(connection: Connection, limit: int, skip: Collection[Stream] = ()) -> tuple[Outgoing, ...]:
    """Return the oldest unpublished messages, in sequence order within each stream.

    Row ids are given out under the lock of the source's row, so within a stream their order is the sequence's, on
    PostgreSQL too; across streams they are first come, first served. `skip` leaves out streams that take nothing.
    """
    statement = _PENDING.order_by(outbox.c.id).limit(limit)
    if skip:
        statement = statement.where(tuple_(outbox.c.topic, outbox.c.source_id).not_in(list(skip)))
    return tuple(Outgoing(*row) for row in connection.execute(statement))


def mark_published(connection: Connection, rows: Sequence[Outgoing], now: datetime) -> None:
    """Remember that the streams hold these messages."""
    published_at = microseconds(now)
    keys = [
        {
            "b_topic": row.topic,
            "b_source_id": row.source_id,
            "b_epoch": row.epoch,
            "b_sequence": row.sequence,
            "published_at": published_at,
        }
        for row in rows
    ]
    _MARK.run(connection, keys)


def heads(connection: Connection) -> Mapping[Stream, Position]:
    """Return the newest position the store gave out in every stream, published or not; sequence 0 where there is none."""
    found: dict[Stream, Position] = {
        ("deltas", source_id): (epoch, sequence)
        for source_id, epoch, sequence in connection.execute(select(*sources.c["id", "epoch", "sequence"]))
    }
    for topic, epoch, sequence in connection.execute(select(outbox_heads)):
        found[topic, ""] = (epoch, sequence)
    return found


def rewind(connection: Connection, topic: str, source_id: str, epoch: int, after_sequence: int) -> int:
    """Mark everything after a position as unpublished again; return how many messages that are."""
    statement = (
        update(outbox)
        .where(
            outbox.c.topic == topic,
            outbox.c.source_id == source_id,
            tuple_(outbox.c.epoch, outbox.c.sequence) > (epoch, after_sequence),
            outbox.c.published_at.is_not(None),
        )
        .values(published_at=None)
    )
    rewound = connection.execute(statement).rowcount
    if rewound:
        connection.info[OUTBOX_GREW] = True
    return rewound


def backlog(connection: Connection) -> Backlog:
    """Return how many messages wait and since when the oldest does; both from the index of what waits."""
    waiting = outbox.c.published_at.is_(None)
    depth = connection.scalar(select(func.count()).where(waiting)) or 0
    oldest = connection.scalar(select(outbox.c.created_at).where(waiting).order_by(outbox.c.id).limit(1))
    return Backlog(depth, maybe_instant(oldest))


def _advance(connection: Connection, topic: str, count: int) -> Position:
    """Take `count` sequences of a topic; the row's lock keeps other writers' commits behind ours."""
    mine = outbox_heads.c.topic == topic
    more = update(outbox_heads).where(mine).values(sequence=outbox_heads.c.sequence + count)
    if connection.execute(more).rowcount == 0:
        epoch = connection.scalar(select(store_state.c.epoch))
        insert_missing(connection, outbox_heads, [{"topic": topic, "epoch": epoch, "sequence": 0}])
        connection.execute(more)
    row = connection.execute(select(outbox_heads).where(mine)).one()
    return row.epoch, row.sequence
