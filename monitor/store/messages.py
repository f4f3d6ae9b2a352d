"""Composed messages: frozen when they are first tried, leased to whoever sends them, settled by what came of it.

    (take) ─▶ leased ─▶ sent
                ├─▶ pending ─▶ leased …    a retry, of the same bytes under the same key
                └─▶ dead                   listed until a person retries or drops it

Rule: functions of a connection. Only the holder of a lease settles a message; a lease that ran out may be taken again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from monitor.alerts import Draft
from monitor.alerts.planning import THREAD
from monitor.model import Severity
from monitor.store.alert_tables import alerts, deliveries, messages, receivers
from monitor.store.codec import instant, microseconds
from monitor.store.deliveries import UNSETTLED, take

NOTICE_GROUP = "notice:"  # groups of words of the monitor's own


@dataclass(frozen=True, slots=True)
class Composed:
    """A message to freeze: what its sink made of the notice, and how it is grouped and kept."""

    id: str  # the idempotency key
    draft: Draft
    headline: str
    body: bytes
    plain: bytes | None
    composed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Leased:
    """A message that is ours to send until the lease ends."""

    id: str
    receiver: str
    group: str
    severity: Severity
    body: bytes
    simpler: bool  # the plain body is being sent, because the receiver refused the other
    has_plain: bool
    attempts: int  # this one included
    expires_at: datetime
    lease_until: datetime


def freeze(connection: Connection, receiver: str, composed: Composed, *, lease_until: datetime) -> Leased | None:
    """Store a message with its alerts and lease it; None, and nothing stored, if another took one of them first."""
    with connection.begin_nested() as savepoint:
        busy = and_(
            messages.c.receiver == receiver,
            messages.c.group_key == composed.draft.group,
            messages.c.state.in_(UNSETTLED),
        )
        taken = connection.scalar(select(messages.c.id).where(or_(busy, messages.c.id == composed.id)).limit(1))
        if taken is not None or not take(connection, receiver, composed.draft):
            savepoint.rollback()
            return None
        newest = select(func.max(alerts.c.number)).where(alerts.c.id.in_(composed.draft.alert_ids)).scalar_subquery()
        _insert(connection, receiver, composed, number=newest, state="leased", lease_until=microseconds(lease_until))
        mine = and_(deliveries.c.receiver == receiver, deliveries.c.alert_id.in_(composed.draft.alert_ids))
        connection.execute(update(deliveries).where(mine).values(message_id=composed.id, reason=None, held_until=None))
        return _leased(connection.execute(select(messages).where(messages.c.id == composed.id)).one())


def post_words(connection: Connection, receiver: str, composed: Composed) -> bool:
    """Store a message of the monitor's own words, once: False where one of the same id was stored before."""
    if connection.scalar(select(messages.c.id).where(messages.c.id == composed.id)) is not None:
        return False
    _insert(connection, receiver, composed, number=0, state="pending", lease_until=None)
    return True


def claim_due(
    connection: Connection, receiver: str, *, now: datetime, limit: int, lease_until: datetime
) -> tuple[Leased, ...]:
    """Lease up to `limit` messages whose next try is due, or whose last lease ran out, oldest first."""
    at = microseconds(now)
    due = or_(
        and_(messages.c.state == "pending", messages.c.next_at <= at),
        and_(messages.c.state == "leased", messages.c.lease_until <= at),
    )
    statement = (
        select(messages.c.id)
        .where(messages.c.receiver == receiver, due)
        .order_by(messages.c.next_at, messages.c.composed_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.scalars(statement).all()
    if not ids:
        return ()
    lease = {"state": "leased", "lease_until": microseconds(lease_until), "attempts": messages.c.attempts + 1}
    connection.execute(update(messages).where(messages.c.id.in_(ids)).values(lease))
    rows = connection.execute(select(messages).where(messages.c.id.in_(ids)).order_by(messages.c.next_at))
    return tuple(_leased(row) for row in rows)


def next_due(connection: Connection, receiver: str) -> datetime | None:
    """Return when the receiver's earliest unsettled message can be taken again."""
    when = func.min(func.coalesce(messages.c.lease_until, messages.c.next_at))
    statement = select(when).where(messages.c.receiver == receiver, messages.c.state.in_(UNSETTLED))
    earliest = connection.scalar(statement)
    return None if earliest is None else instant(earliest)


def settle_sent(
    connection: Connection,
    message: Leased,
    *,
    now: datetime,
    status: str,
    receipt: bytes | None,
    revised: bytes | None = None,
) -> bool:
    """The receiver has it. False when the lease was no longer ours.

    `revised`: the receipt of the message it answers, which its sending changed.
    """
    if revised is not None:
        answered = messages.c.id == message.group.removeprefix(THREAD)
        connection.execute(update(messages).where(answered).values(receipt=revised))
    values = {"state": "sent", "sent_at": microseconds(now), "receipt": receipt, "last_status": status}
    return _settle(connection, message, {**values, "last_error": None})


def settle_retry(
    connection: Connection, message: Leased, *, next_at: datetime, status: str, error: str, simpler: bool = False
) -> bool:
    """Try again later, with the same bytes or, once, with the simpler ones."""
    values: dict[str, Any] = {"state": "pending", "next_at": microseconds(next_at)}
    if simpler:
        values["simpler"] = 1
    return _settle(connection, message, {**values, "last_status": status, "last_error": error})


def settle_dead(connection: Connection, message: Leased, *, status: str, error: str, expired: bool = False) -> bool:
    """Give it up: it stays listed until it is retried or dropped by command."""
    state = "expired" if expired else "dead"
    return _settle(connection, message, {"state": state, "last_status": status, "last_error": error})


def hand_back(connection: Connection, message: Leased) -> bool:
    """Undo a lease of a message that was never tried under it."""
    return _settle(connection, message, {"state": "pending", "attempts": max(0, message.attempts - 1)})


def release_leases(connection: Connection, names: Collection[str]) -> int:
    """Free every lease of these receivers: for a process that knows it is the only one to deliver to them."""
    leased = and_(messages.c.receiver.in_(list(names)), messages.c.state == "leased")
    return connection.execute(update(messages).where(leased).values(state="pending", lease_until=None)).rowcount


def clamp_waits(connection: Connection, names: Collection[str], *, now: datetime, longest: timedelta) -> int:
    """Shorten waits that no retry can have asked for: the wall clock was set back since they were written."""
    far = and_(
        messages.c.receiver.in_(list(names)),
        messages.c.state == "pending",
        messages.c.next_at > microseconds(now + longest),
    )
    return connection.execute(update(messages).where(far).values(next_at=microseconds(now))).rowcount


def read_receipt(connection: Connection, message_id: str) -> bytes | None:
    """Return what the sink kept of a sent message."""
    return cast("bytes | None", connection.scalar(select(messages.c.receipt).where(messages.c.id == message_id)))


def disabled(connection: Connection, configured: dict[str, str]) -> dict[str, str]:
    """Return why receivers are disabled, by name; one that was configured anew since is enabled again.

    `configured`: name → hash of its configuration now.
    """
    found = {}
    for row in connection.execute(select(receivers).where(receivers.c.disabled_at.is_not(None))):
        if row.name in configured and row.configured == configured[row.name]:
            found[row.name] = row.reason
    return found


def disable(connection: Connection, name: str, configured: str, reason: str, now: datetime) -> bool:
    """Disable a receiver until it is configured anew or enabled by command; False if it was disabled already."""
    row = {"configured": configured, "disabled_at": microseconds(now), "reason": reason}
    known = connection.execute(select(receivers).where(receivers.c.name == name)).one_or_none()
    if known is None:
        connection.execute(insert(receivers).values(name=name, **row))
        return True
    if known.disabled_at is not None and known.configured == configured:
        return False
    connection.execute(update(receivers).where(receivers.c.name == name).values(row))
    return True


def enable(connection: Connection, name: str) -> bool:
    """Let a disabled receiver be tried again; False if it was not disabled."""
    off = and_(receivers.c.name == name, receivers.c.disabled_at.is_not(None))
    return connection.execute(update(receivers).where(off).values(disabled_at=None, reason=None)).rowcount > 0


def _insert(
    connection: Connection, receiver: str, composed: Composed, *, number: Any, state: str, lease_until: int | None
) -> None:
    row = {
        "id": composed.id,
        "number": number,
        "receiver": receiver,
        "group_key": composed.draft.group,
        "form": composed.draft.form,
        "severity": composed.draft.severity,
        "headline": composed.headline,
        "body": composed.body,
        "plain": composed.plain,
        "simpler": 0,
        "state": state,
        "attempts": 1 if state == "leased" else 0,
        "composed_at": microseconds(composed.composed_at),
        "rest": composed.draft.rest // timedelta(microseconds=1),
        "next_at": microseconds(composed.composed_at),
        "expires_at": microseconds(composed.expires_at),
        "lease_until": lease_until,
    }
    connection.execute(insert(messages).values(row))


def _settle(connection: Connection, message: Leased, values: dict[str, Any]) -> bool:
    mine = and_(
        messages.c.id == message.id,
        messages.c.state == "leased",
        messages.c.lease_until == microseconds(message.lease_until),
    )
    return connection.execute(update(messages).where(mine).values(lease_until=None, **values)).rowcount == 1


def _leased(row: Row[Any]) -> Leased:
    return Leased(
        id=row.id,
        receiver=row.receiver,
        group=row.group_key,
        severity=row.severity,
        body=row.plain if row.simpler and row.plain is not None else row.body,
        simpler=bool(row.simpler),
        has_plain=row.plain is not None,
        attempts=row.attempts,
        expires_at=instant(row.expires_at),
        lease_until=instant(row.lease_until),
    )


def due_receivers(connection: Connection, names: Sequence[str]) -> frozenset[str]:
    """Return the receivers that have something unsettled or waiting."""
    unsettled = select(messages.c.receiver).where(messages.c.state.in_(UNSETTLED))
    waiting = select(deliveries.c.receiver).where(deliveries.c.state == "waiting")
    return frozenset(connection.scalars(unsettled.union(waiting)).all()) & frozenset(names)
