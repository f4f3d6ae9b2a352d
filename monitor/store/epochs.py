"""Epochs: what makes a store that went back in time, or meets streams it did not write, visible to every subscriber.

Rule: an epoch only rises, and with it the first half of every stream id, so that no new delta can ever carry an id a
stream already holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from monitor.store.codec import microseconds
from monitor.store.outbox import Position, Stream, heads
from monitor.store.renumbering import is_waiting_up_to, renumber_waiting
from monitor.store.tables import outbox_heads, sources, store_state


def raise_epoch(connection: Connection, reason: str, now: datetime, *, above: int | None = None) -> int:
    """Begin an epoch higher than `above`, by default than the store's own; return the epoch in force.

    Sequences restart at 1, and every source's version rises: a poll that began in the old epoch must not commit in the
    new one. Where the epoch is above `above` already nothing happens, so that ten streams found ahead raise it once.
    """
    current = current_epoch(connection)
    if above is not None and current > above:
        return current
    epoch = max(current, above or 0) + 1
    state = {"epoch": epoch, "epoch_reason": reason, "epoch_at": microseconds(now)}
    connection.execute(update(store_state).values(state))
    connection.execute(update(sources).values(epoch=epoch, sequence=0, version=sources.c.version + 1))
    connection.execute(update(outbox_heads).values(epoch=epoch, sequence=0))
    return epoch


def begin_after(connection: Connection, ends: Mapping[Stream, Position], reason: str, now: datetime) -> tuple[int, int]:
    """Go on after what streams hold that this store did not write; return the epoch in force and how many messages moved.

    `ends`: where each of these streams ends. New deltas come in an epoch above all of them. Where messages wait under
    ids a stream is beyond, everything that waits for it gets new places, in its order: under the old ones the stream
    would take it for repeats, and nobody would ever be told.
    """
    taken = [stream for stream, end in ends.items() if is_waiting_up_to(connection, stream, end)]
    epoch = current_epoch(connection)
    given = heads(connection)
    fresh = epoch > max(end[0] for end in ends.values())
    if not (fresh and all(given[stream] == (epoch, 0) for stream in taken)):
        epoch = raise_epoch(connection, reason, now, above=max(epoch, *(end[0] for end in ends.values())))
    return epoch, sum(renumber_waiting(connection, stream, epoch) for stream in taken)


def current_epoch(connection: Connection) -> int:
    """Return the epoch new deltas are given."""
    return connection.scalar(select(store_state.c.epoch)) or 1
