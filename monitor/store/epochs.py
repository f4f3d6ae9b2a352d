"""Epochs: what makes a store that went back in time visible to every subscriber.

Rule: an epoch only rises, and with it the first half of every stream id, so that no new delta can ever carry an id a
stream already holds.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from monitor.store.codec import microseconds
from monitor.store.tables import outbox_heads, sources, store_state


def raise_epoch(connection: Connection, reason: str, now: datetime, *, above: int = 0) -> int:
    """Begin an epoch higher than the store's and than `above`; sequences restart; return the new number.

    Every source's version rises too: a poll that began in the old epoch must not commit in the new one.
    """
    epoch = max(current_epoch(connection), above) + 1
    state = {"epoch": epoch, "epoch_reason": reason, "epoch_at": microseconds(now)}
    connection.execute(update(store_state).values(state))
    connection.execute(update(sources).values(epoch=epoch, sequence=0, version=sources.c.version + 1))
    connection.execute(update(outbox_heads).values(epoch=epoch, sequence=0))
    return epoch


def current_epoch(connection: Connection) -> int:
    """Return the epoch new deltas are given."""
    return connection.scalar(select(store_state.c.epoch)) or 1
