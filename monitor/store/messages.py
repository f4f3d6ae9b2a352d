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

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update
from sqlalchemy import cast as cast_

from monitor.alerts import Draft
from monitor.alerts.planning import THREAD
from monitor.model import Severity
from monitor.store.alert_tables import messages, receivers
from monitor.store.codec import instant, microseconds
from monitor.store.deliveries import give_back, take
from monitor.store.queries import Query
from monitor.store.statements import Prepared, insert_or_skip

NOTICE_GROUP = "notice:"  # groups of words of the monitor's own


_COLUMNS = tuple(
    _column.name for _column in messages.c if _column.name not in {"sent_at", "receipt", "last_status", "last_error"}
)
_INSERT = Prepared(lambda dialect: insert_or_skip(dialect, messages), _COLUMNS)
# What settling may set; a column that is given no value keeps the one it has.
_SETTLED = ("state", "next_at", "sent_at", "receipt", "last_status", "last_error", "simpler")
_SETTLE = Prepared(
    lambda _: (
        update(messages)
        .where(
            messages.c.id == bindparam("b_id"),
            messages.c.state == "leased",
            messages.c.lease_until == bindparam("b_lease"),
        )
        .values(
            lease_until=None,
            **{
                name: func.coalesce(cast_(bindparam(f"b_{name}"), messages.c[name].type), messages.c[name])
                for name in _SETTLED
            },
        )
    )
)
_NEXT_DUE = Query(
    select(func.min(func.coalesce(messages.c.lease_until, messages.c.next_at))).where(
        messages.c.receiver == bindparam("b_receiver"),
        or_(messages.c.state == "pending", messages.c.state == "leased"),
    )
)


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
    number: int = 0  # of its newest alert; 0 for words of the monitor's own


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


def freeze(
    connection: Connection, receiver: str, composed: Sequence[Composed], *, lease_until: datetime
) -> tuple[Leased, ...]:
    """Store messages with their alerts and lease them; left out is one of whose alerts or group another has hold."""
    leased = []
    for one in composed:
        if not take(connection, receiver, one.draft.alert_ids, one.id):
            continue
        if _INSERT.run(connection, [_row(receiver, one, state="leased", lease_until=lease_until)]):
            leased.append(_just_leased(receiver, one, lease_until))
        else:
            give_back(connection, receiver, one.draft.alert_ids, one.id)
    return tuple(leased)


def post_words(connection: Connection, receiver: str, composed: Composed) -> bool:
    """Store a message of the monitor's own words, once: False where one of the same id was stored before."""
    return bool(_INSERT.run(connection, [_row(receiver, composed, state="pending", lease_until=None)]))


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
    ((earliest,),) = _NEXT_DUE.all(connection, {"b_receiver": receiver})
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
    return _settle(connection, message, {**values, "last_error": ""})


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


def configured_anew(connection: Connection, configured: dict[str, str]) -> tuple[str, ...]:
    """Return the receivers that are disabled on record only: their configuration changed since."""
    rows = connection.execute(select(receivers).where(receivers.c.disabled_at.is_not(None)))
    return tuple(row.name for row in rows if configured.get(row.name, row.configured) != row.configured)


def enable(connection: Connection, names: Collection[str]) -> None:
    """Take receivers off the record of disabled ones."""
    enabled = update(receivers).where(receivers.c.name.in_(list(names)))
    connection.execute(enabled.values(disabled_at=None, reason=None))


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


def _row(receiver: str, composed: Composed, *, state: str, lease_until: datetime | None) -> dict[str, Any]:
    return {
        "id": composed.id,
        "number": composed.number,
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
        "lease_until": None if lease_until is None else microseconds(lease_until),
    }


def _just_leased(receiver: str, composed: Composed, lease_until: datetime) -> Leased:
    return Leased(
        id=composed.id,
        receiver=receiver,
        group=composed.draft.group,
        severity=composed.draft.severity,
        body=composed.body,
        simpler=False,
        has_plain=composed.plain is not None,
        attempts=1,
        expires_at=composed.expires_at,
        lease_until=lease_until,
    )


def _settle(connection: Connection, message: Leased, values: dict[str, Any]) -> bool:
    mine = {"b_id": message.id, "b_lease": microseconds(message.lease_until)}
    usual = {f"b_{name}": None for name in _SETTLED}
    given = {f"b_{name}": value for name, value in values.items()}
    return _SETTLE.run(connection, [{**usual, **mine, **given}]) == 1


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
