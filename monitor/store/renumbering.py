"""New places for messages that wait under ids their stream has given to others.

Rule: only what was never in its stream moves; the message, its revision and the stream's head change in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection, Row, Select, bindparam, select, tuple_, update

from monitor.store.outbox import Position, Stream
from monitor.store.tables import outbox, outbox_heads, outbox_waiting, revisions, sources
from monitor.wire import renumber_delta

_PAGE = 500
_MOVE = (
    update(outbox)
    .where(outbox.c.id == bindparam("b_id"))
    .values(epoch=bindparam("epoch"), sequence=bindparam("sequence"), payload=bindparam("payload"))
)


def is_waiting_up_to(connection: Connection, stream: Stream, end: Position) -> bool:
    """Return whether a message of the stream waits under an id of `end` or before."""
    place = tuple_(outbox.c.epoch, outbox.c.sequence)
    first = _waiting(stream).where(place <= end).limit(1)
    return connection.execute(first).first() is not None


def renumber_waiting(connection: Connection, stream: Stream, epoch: int) -> int:
    """Give what waits for a stream the first sequences of an epoch in which it has none yet; return how many that are."""
    topic, source_id = stream
    done, last = 0, 0
    while rows := connection.execute(_waiting(stream).where(outbox.c.id > last).limit(_PAGE)).all():
        _move_messages(connection, topic, rows, epoch, done)
        if topic == "deltas":
            _move_revisions(connection, source_id, rows, epoch, done)
        done, last = done + len(rows), rows[-1].id
    if topic == "deltas":
        # A poll that began before would give out the same sequences once more.
        head = {"epoch": epoch, "sequence": done, "version": sources.c.version + 1}
        connection.execute(update(sources).where(sources.c.id == source_id).values(head))
    else:
        head = {"epoch": epoch, "sequence": done}
        connection.execute(update(outbox_heads).where(outbox_heads.c.topic == topic).values(head))
    return done


def _waiting(stream: Stream) -> Select[int, int, int, bytes]:
    topic, source_id = stream
    return (
        select(*outbox.c["id", "epoch", "sequence", "payload"])
        .join(outbox_waiting, outbox.c.id == outbox_waiting.c.id)
        .where(outbox.c.topic == topic, outbox.c.source_id == source_id)
        .order_by(outbox.c.id)
    )


def _move_messages(
    connection: Connection, topic: str, rows: Sequence[Row[int, int, int, bytes]], epoch: int, after: int
) -> None:
    moved = [
        {
            "b_id": row.id,
            "epoch": epoch,
            "sequence": sequence,
            "payload": renumber_delta(row.payload, epoch, sequence) if topic == "deltas" else row.payload,
        }
        for sequence, row in enumerate(rows, after + 1)
    ]
    connection.execute(_MOVE, moved)


def _move_revisions(
    connection: Connection, source_id: str, rows: Sequence[Row[int, int, int, bytes]], epoch: int, after: int
) -> None:
    """Move the revisions told by these messages, one statement for each run of neighbours: they have no index by place."""
    numbered = list(enumerate(rows, after + 1))
    for _, run in groupby(numbered, key=lambda pair: (pair[1].epoch, pair[1].sequence - pair[0])):
        told = list(run)
        (sequence, first), (_, last) = told[0], told[-1]
        of_run = (revisions.c.epoch == first.epoch, revisions.c.sequence.between(first.sequence, last.sequence))
        place = {"epoch": epoch, "sequence": revisions.c.sequence + (sequence - first.sequence)}
        connection.execute(update(revisions).where(revisions.c.source_id == source_id, *of_run).values(place))
