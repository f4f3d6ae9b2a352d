"""Epochs: what makes a store that went back in time visible to every subscriber.

Rule: an epoch only rises, and with it the first half of every stream id, so that no new delta can ever carry an id a
stream already holds.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from monitor.store.codec import microseconds
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


def current_epoch(connection: Connection) -> int:
    """Return the epoch new deltas are given."""
    return connection.scalar(select(store_state.c.epoch)) or 1
