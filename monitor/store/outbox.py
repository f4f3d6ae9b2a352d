"""Messages waiting for their streams: written with the state they tell of, drained by the relay.

Rule: functions of a connection. A message is written once and not touched again until retention deletes it, unless its
place in the stream is another store's (`renumbering`); that it waits is a row of its own in `outbox_waiting`. (A flag
beside the payload would rewrite 4 KB for each mark: 0.27 ms a message, against 0.02 for the deletion of a row of 10
bytes.) Positions `(epoch, sequence)` are dense in each stream.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_, update

from monitor.model import Outgoing
from monitor.store.codec import maybe_instant, microseconds
from monitor.store.queries import Query
from monitor.store.statements import Prepared, insert_missing
from monitor.store.tables import outbox, outbox_heads, outbox_waiting, sources, store_state
from monitor.store.values import Backlog
from monitor.store.writer import OUTBOX_GREW

Stream = tuple[str, str]  # topic, source id
Position = tuple[int, int]  # epoch, sequence

_INSERT = Prepared(lambda _: insert(outbox), ("topic", "source_id", "epoch", "sequence", "payload", "created_at"))
_STREAM = (outbox.c.topic == bindparam("b_topic"), outbox.c.source_id == bindparam("b_source_id"))
_PLACE = (*_STREAM, outbox.c.epoch == bindparam("b_epoch"), outbox.c.sequence == bindparam("b_sequence"))
_FROM = (*_STREAM, outbox.c.epoch == bindparam("b_epoch"), outbox.c.sequence >= bindparam("b_sequence"))
_WAIT = Prepared(lambda _: insert(outbox_waiting).from_select(["id"], select(outbox.c.id).where(*_FROM)))
_MARK = Prepared(
    lambda _: delete(outbox_waiting).where(outbox_waiting.c.id == select(outbox.c.id).where(*_PLACE).scalar_subquery())
)
_ADVANCE = Prepared(
    lambda _: (
        update(outbox_heads)
        .where(outbox_heads.c.topic == bindparam("b_topic"))
        .values(sequence=outbox_heads.c.sequence + bindparam("b_count"))
    )
)
_HEAD = Query(select(*outbox_heads.c["epoch", "sequence"]).where(outbox_heads.c.topic == bindparam("b_topic")))
_MESSAGE = outbox.c["topic", "source_id", "epoch", "sequence", "payload"]
_AT = Query(select(*_MESSAGE).where(*_PLACE))
_PENDING = select(*_MESSAGE).join(outbox_waiting, outbox.c.id == outbox_waiting.c.id)


def append(
    connection: Connection, topic: Literal["alerts"], payloads: Sequence[bytes], *, now: datetime
) -> tuple[Position, ...]:
    """Add messages to a topic that has one stream for all sources, with the next sequences; return their positions.

    Deltas do not come this way: their sequence is the source's and is assigned with its compare-and-set.
    """
    if not payloads:
        return ()
    epoch, head = _advance(connection, topic, len(payloads))
    first = head - len(payloads) + 1
    messages = [Outgoing(topic, "", epoch, sequence, payload) for sequence, payload in enumerate(payloads, first)]
    insert_messages(connection, messages, now)
    return tuple((message.epoch, message.sequence) for message in messages)


def insert_messages(connection: Connection, messages: Sequence[Outgoing], now: datetime) -> None:
    """Insert the newest messages of one stream, their positions already assigned, and let them wait."""
    if not messages:
        return
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
    _WAIT.run(connection, [_key(messages[0])])
    connection.info[OUTBOX_GREW] = True


def pending(connection: Connection, limit: int, skip: Collection[Stream] = ()) -> tuple[Outgoing, ...]:
    """Return the oldest unpublished messages, in sequence order within each stream.

    Row ids are given out under the lock of the source's row, so within a stream their order is the sequence's, on
    PostgreSQL too; across streams they are first come, first served. `skip` leaves out streams that take nothing.
    """
    statement = _PENDING.order_by(outbox_waiting.c.id).limit(limit)
    if skip:
        statement = statement.where(tuple_(outbox.c.topic, outbox.c.source_id).not_in(list(skip)))
    return tuple(Outgoing(*row) for row in connection.execute(statement))


def waiting(connection: Connection, topic: str, source_id: str, limit: int) -> tuple[Outgoing, ...]:
    """Return the oldest unpublished messages of one stream."""
    of_stream = _PENDING.where(outbox.c.topic == topic, outbox.c.source_id == source_id)
    return tuple(Outgoing(*row) for row in connection.execute(of_stream.order_by(outbox.c.id).limit(limit)))


def messages_at(connection: Connection, places: Collection[tuple[Stream, Position]]) -> tuple[Outgoing, ...]:
    """Return the messages at these places of these streams; those no longer kept are left out."""
    return tuple(
        Outgoing(*row)
        for (topic, source_id), (epoch, sequence) in places
        for row in _AT.all(
            connection, {"b_topic": topic, "b_source_id": source_id, "b_epoch": epoch, "b_sequence": sequence}
        )
    )


def mark_published(connection: Connection, rows: Sequence[Outgoing]) -> None:
    """Remember that the streams hold these messages."""
    _MARK.run(connection, [_key(row) for row in rows])


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
    """Let everything after a position wait again; return how many messages that are that did not wait already."""
    missing = select(outbox.c.id).where(
        outbox.c.topic == topic,
        outbox.c.source_id == source_id,
        tuple_(outbox.c.epoch, outbox.c.sequence) > (epoch, after_sequence),
        outbox.c.id.not_in(select(outbox_waiting.c.id)),
    )
    again = insert(outbox_waiting).from_select(["id"], missing).execution_options(preserve_rowcount=True)
    rewound = connection.execute(again).rowcount
    if rewound:
        connection.info[OUTBOX_GREW] = True
    return rewound


def backlog(connection: Connection) -> Backlog:
    """Return how many messages wait and since when the oldest does."""
    depth = connection.scalar(select(func.count()).select_from(outbox_waiting)) or 0
    first = select(func.min(outbox_waiting.c.id)).scalar_subquery()
    oldest = connection.scalar(select(outbox.c.created_at).where(outbox.c.id == first))
    return Backlog(depth, maybe_instant(oldest))


def _key(message: Outgoing) -> dict[str, object]:
    return {
        "b_topic": message.topic,
        "b_source_id": message.source_id,
        "b_epoch": message.epoch,
        "b_sequence": message.sequence,
    }


def _advance(connection: Connection, topic: str, count: int) -> Position:
    """Take `count` sequences of a topic; the row's lock keeps other writers' commits behind ours."""
    more = {"b_topic": topic, "b_count": count}
    if not _ADVANCE.run(connection, [more]):
        epoch = connection.scalar(select(store_state.c.epoch))
        insert_missing(connection, outbox_heads, [{"topic": topic, "epoch": epoch, "sequence": 0}])
        _ADVANCE.run(connection, [more])
    ((epoch, sequence),) = _HEAD.all(connection, {"b_topic": topic})
    return epoch, sequence
