"""What is no longer kept of alerts: those that ended long ago, with their messages, and silences that are over.

Rule: functions of a writer's connection, a small transaction each. What did not arrive stays until a person drops it, and
what still waits for a receiver stays as long as that receiver is configured.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from monitor.store.alert_tables import alerts, deliveries, messages, silences
from monitor.store.codec import microseconds
from monitor.store.statements import HOUSEKEEPING_ROWS

_ENDED = ("sent", "dropped")


def empty_bodies(connection: Connection, *, before: datetime, limit: int = HOUSEKEEPING_ROWS) -> int:
    """Forget the bytes of up to `limit` messages that arrived, or were dropped, and were composed earlier; return how many.

    The record stays: what was told to whom and when, and the receipt that a correction needs.
    """
    old = (
        select(messages.c.id)
        .where(messages.c.state.in_(_ENDED), messages.c.composed_at < microseconds(before))
        .where(func.length(messages.c.body) > 0)
        .limit(limit)
    )
    return connection.execute(update(messages).where(messages.c.id.in_(old)).values(body=b"", plain=None)).rowcount


def prune_alerts(
    connection: Connection, *, before: datetime, receivers: Collection[str], limit: int = HOUSEKEEPING_ROWS
) -> int:
    """Delete up to `limit` alerts that were raised earlier and ended at each of their receivers; return how many.

    `receivers`: names of the configured ones. Messages that carry no alert any more go with their last one.
    """
    at = microseconds(before)
    ids = connection.scalars(
        select(alerts.c.id).where(alerts.c.raised_at < at, ~_open(receivers)).order_by(alerts.c.raised_at).limit(limit)
    ).all()
    if ids:
        connection.execute(delete(deliveries).where(deliveries.c.alert_id.in_(ids)))
        connection.execute(delete(alerts).where(alerts.c.id.in_(ids)))
    carried = select(deliveries.c.message_id).where(deliveries.c.message_id == messages.c.id).exists()
    told = select(messages.c.id).where(messages.c.composed_at < at, messages.c.state.in_(_ENDED), ~carried).limit(limit)
    connection.execute(delete(messages).where(messages.c.id.in_(told)))
    connection.execute(delete(silences).where(silences.c.ends_at < at))
    return len(ids)


def _open(receivers: Collection[str]) -> ColumnElement[bool]:
    """Whether an alert waits, is under way or did not arrive at one of its receivers."""
    undelivered = and_(deliveries.c.state == "assigned", messages.c.state.not_in(_ENDED))
    waits = and_(deliveries.c.state == "waiting", deliveries.c.receiver.in_(list(receivers)))
    return (
        select(deliveries.c.alert_id)
        .outerjoin(messages, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.alert_id == alerts.c.id, or_(waits, undelivered, deliveries.c.state == "expired"))
        .exists()
    )
