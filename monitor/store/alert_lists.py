"""What a person sees of alerts and may do with them: lists, one alert whole, retry, drop, silences.

Rule: functions of a connection. Nothing listed is ever deleted by a command: a dropped message says so and stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, insert, or_, select, true, update

from monitor.alerts import Silence
from monitor.alerts.silences import OnEnd
from monitor.store.alert_tables import alerts, deliveries, messages, receivers, silences
from monitor.store.codec import instant, maybe_instant, microseconds
from monitor.store.deliveries import UNSETTLED, read_silences
from monitor.store.messages import enable

FAILED = ("dead", "expired")
SHORTEST_NAME = 4  # hexadecimal digits
HEADLINE = 100  # characters
# Of one alert at one receiver: its message's state once it is in one, else its own.
_STATE = case(
    (deliveries.c.state == "assigned", messages.c.state), else_=func.coalesce(deliveries.c.state, "suppressed")
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One alert at one receiver, or a message of the monitor's own words."""

    alert_id: str | None
    rule: str | None
    severity: str
    kind: str | None
    source: str | None
    entry: str | None
    raised_at: datetime
    receiver: str | None  # None: the alert was for nobody
    state: str  # waiting, pending, leased, sent, dead, expired, suppressed, cancelled or dropped
    reason: str | None  # why it waits, was kept back or failed
    until: datetime | None  # when it is looked at or tried again
    message_id: str | None
    headline: str | None  # of the entry: its title or first words; of the monitor's own words: their title
    attempts: int
    sent_at: datetime | None

    @property
    def reference(self) -> str:
        """Return the short name that commands take: of the message, or of an alert that is in none."""
        return f"A-{(self.message_id or self.alert_id or '')[:6]}"


def list_alerts(
    connection: Connection,
    *,
    states: Sequence[str] = (),
    receiver: str | None = None,
    rule: str | None = None,
    source: str | None = None,
    limit: int = 50,
) -> tuple[Listed, ...]:
    """Return the newest alerts at each of their receivers, newest last; `states` as in `Listed.state`, all if empty."""
    statement = _listing()
    if states:
        statement = statement.where(_STATE.in_(list(states)))
    for column, wanted in ((deliveries.c.receiver, receiver), (alerts.c.rule, rule), (alerts.c.source_id, source)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    rows = connection.execute(statement.order_by(alerts.c.number.desc(), deliveries.c.receiver).limit(limit)).all()
    words = () if rule or source else _words(connection, states, receiver, limit)
    return tuple(sorted((*map(_listed, rows), *words), key=lambda one: one.raised_at)[-limit:])


def find_alerts(connection: Connection, name: str) -> tuple[tuple[bytes | None, tuple[Listed, ...]], ...]:
    """Return the event of each alert of a name and what became of it at each receiver; of words of our own no event.

    `name`: the reference or id of an alert, or of a message and so of all its alerts, or the start of one.
    """
    prefix = prefix_of(name)
    in_message = select(deliveries.c.alert_id).where(deliveries.c.message_id.startswith(prefix))
    wanted = or_(alerts.c.id.startswith(prefix), alerts.c.id.in_(in_message))
    rows = connection.execute(_listing().where(wanted).order_by(alerts.c.number, deliveries.c.receiver)).all()
    found = [
        (payload, tuple(map(_listed, some))) for payload, some in groupby(rows, key=lambda row: bytes(row.payload))
    ]
    own = select(messages).where(messages.c.number == 0, messages.c.id.startswith(prefix))
    return (*found, *((None, (_own_words(row),)) for row in connection.execute(own)))


def prefix_of(name: str) -> str:
    """Return the start of the ids that a name means. Raises ValueError for one that is too short to mean anything."""
    prefix = name.strip().removeprefix("A-").lower()
    if prefix and not prefix.isalnum():
        return "-"  # which no id begins with
    if len(prefix) < SHORTEST_NAME:
        raise ValueError(f"'{name}' is too short: give at least {SHORTEST_NAME} characters after A-")
    return prefix


def retry(connection: Connection, names: Sequence[str], *, receiver: str | None, now: datetime) -> int:
    """Put failed messages, and alerts that expired before they were in one, back to be sent now; return how many.

    `names`: references or ids, all failed ones if empty. The message keeps its bytes and its key, so a receiver that has
    it all the same knows it. A disabled receiver is enabled.
    """
    found = _failed_messages(connection, names, receiver)
    for row in found:
        _revive(connection, row, now)
    again = update(deliveries).where(deliveries.c.state == "expired", _named(names, deliveries.c.alert_id))
    if receiver is not None:
        again = again.where(deliveries.c.receiver == receiver)
    revived = connection.execute(again.values(state="waiting", reason=None, held_until=microseconds(now))).rowcount
    woken = {row.receiver for row in found} | ({receiver} if receiver else set())
    enable(connection, woken)
    return len(found) + revived


def drop(connection: Connection, names: Sequence[str], *, receiver: str | None) -> int:
    """Take failed messages and expired alerts off the list of dead letters; return how many. They stay recorded."""
    found = _failed_messages(connection, names, receiver)
    ids = [row.id for row in found]
    connection.execute(update(messages).where(messages.c.id.in_(ids)).values(state="dropped"))
    gone = update(deliveries).where(deliveries.c.state == "expired", _named(names, deliveries.c.alert_id))
    if receiver is not None:
        gone = gone.where(deliveries.c.receiver == receiver)
    return len(ids) + connection.execute(gone.values(state="dropped")).rowcount


def add_silence(
    connection: Connection,
    matchers: Mapping[str, str],
    *,
    starts_at: datetime,
    ends_at: datetime,
    author: str,
    comment: str,
    now: datetime,
    on_end: OnEnd = "drop",
) -> Silence:
    """Store a silence and return it."""
    row = {
        "matchers": json.dumps(dict(matchers)),
        "starts_at": microseconds(starts_at),
        "ends_at": microseconds(ends_at),
        "author": author,
        "comment": comment,
        "created_at": microseconds(now),
        "on_end": on_end,
    }
    number = connection.scalar(insert(silences).values(row).returning(silences.c.id))
    return next(one for one in read_silences(connection) if one.id == number)


def expire_silence(connection: Connection, number: int, *, now: datetime) -> bool:
    """End a silence now; False if there is none of this number that still holds or waits."""
    open_ = and_(silences.c.id == number, silences.c.ends_at > microseconds(now))
    at = microseconds(now)
    ends = {"ends_at": at, "starts_at": case((silences.c.starts_at > at, at), else_=silences.c.starts_at)}
    return connection.execute(update(silences).where(open_).values(ends)).rowcount > 0


def disabled_receivers(connection: Connection) -> dict[str, str]:
    """Return why receivers are disabled, by name."""
    rows = connection.execute(select(receivers).where(receivers.c.disabled_at.is_not(None)))
    return {row.name: row.reason for row in rows}


def _listing() -> Select[Any]:
    return (
        select(
            *alerts.c["id", "rule", "severity", "kind", "source_id", "entry_id", "raised_at", "suppressed"],
            *deliveries.c["receiver", "reason", "held_until", "message_id"],
            _STATE.label("state"),
            *messages.c["next_at", "last_error", "attempts", "sent_at"],
            alerts.c.payload,
            receivers.c.reason.label("off"),
        )
        .select_from(alerts)
        .outerjoin(deliveries, deliveries.c.alert_id == alerts.c.id)
        .outerjoin(messages, messages.c.id == deliveries.c.message_id)
        .outerjoin(receivers, and_(receivers.c.name == deliveries.c.receiver, receivers.c.disabled_at.is_not(None)))
        # An alert for nobody is listed only where it was kept back: the others are in the stream.
        .where(or_(deliveries.c.alert_id.is_not(None), alerts.c.suppressed.is_not(None)))
    )


def _listed(row: Row[Any]) -> Listed:
    waits = row.next_at if row.state == "pending" else row.held_until if row.state == "waiting" else None
    off = f"the receiver is disabled: {row.off}" if row.off and row.state in {"waiting", "pending"} else None
    return Listed(
        alert_id=row.id,
        rule=row.rule,
        severity=row.severity,
        kind=row.kind,
        source=row.source_id,
        entry=row.entry_id,
        raised_at=instant(row.raised_at),
        receiver=row.receiver,
        state=row.state,
        reason=off or row.last_error or row.reason or row.suppressed,
        until=None if off else maybe_instant(waits),
        message_id=row.message_id,
        headline=_headline(row.payload),
        attempts=row.attempts or 0,
        sent_at=maybe_instant(row.sent_at),
    )


def _headline(payload: bytes) -> str | None:
    try:
        entry = json.loads(payload)["data"]["delta"]["entry"]
        return " ".join((entry["title"] or entry["text"])[:HEADLINE].split())
    except (ValueError, KeyError, TypeError):
        return None  # a damaged row is listed all the same


def _words(connection: Connection, states: Sequence[str], receiver: str | None, limit: int) -> tuple[Listed, ...]:
    """Return messages of the monitor's own words: they carry no alert."""
    statement = select(messages).where(messages.c.number == 0)
    if states:
        statement = statement.where(messages.c.state.in_(list(states)))
    if receiver is not None:
        statement = statement.where(messages.c.receiver == receiver)
    newest = connection.execute(statement.order_by(messages.c.composed_at.desc()).limit(limit))
    return tuple(map(_own_words, newest))


def _own_words(row: Row[Any]) -> Listed:
    return Listed(
        alert_id=None,
        rule=None,
        severity=row.severity,
        kind=None,
        source=None,
        entry=None,
        raised_at=instant(row.composed_at),
        receiver=row.receiver,
        state=row.state,
        reason=row.last_error or None,
        until=instant(row.next_at) if row.state == "pending" else None,
        message_id=row.id,
        headline=row.headline,
        attempts=row.attempts,
        sent_at=maybe_instant(row.sent_at),
    )


def _failed_messages(connection: Connection, names: Sequence[str], receiver: str | None) -> Sequence[Row[Any]]:
    carried = select(deliveries.c.alert_id).where(deliveries.c.message_id == messages.c.id)
    statement = select(messages).where(messages.c.state.in_(FAILED), _named(names, messages.c.id, carried))
    if receiver is not None:
        statement = statement.where(messages.c.receiver == receiver)
    return connection.execute(statement.order_by(messages.c.composed_at)).all()


def _named(names: Sequence[str], id_: Any, others: Select[Any] | None = None) -> Any:
    """Whether a name means this id, or one of the others; no name means all."""
    if not names:
        return true()
    prefixes = list(map(prefix_of, names))
    found = [id_.startswith(prefix) for prefix in prefixes]
    if others is not None:
        found += [others.where(deliveries.c.alert_id.startswith(prefix)).exists() for prefix in prefixes]
    return or_(*found)


def _revive(connection: Connection, row: Row[Any], now: datetime) -> None:
    busy = and_(
        messages.c.receiver == row.receiver,
        messages.c.group_key == row.group_key,
        messages.c.state.in_(UNSETTLED),
    )
    taken = connection.scalar(select(messages.c.id).where(busy).limit(1))
    kept = max(row.expires_at - row.composed_at, timedelta(hours=1) // timedelta(microseconds=1))
    values = {
        "state": "pending",
        "attempts": 0,
        "next_at": microseconds(now),
        "expires_at": microseconds(now) + kept,
        "group_key": row.group_key if taken is None else f"retry:{row.id}",
    }
    connection.execute(update(messages).where(messages.c.id == row.id).values(values))
    carried = select(deliveries.c.alert_id).where(deliveries.c.message_id == row.id)
    # Corrections of what it carries were kept back because it had not arrived; now they may follow it.
    following = and_(
        deliveries.c.receiver == row.receiver,
        deliveries.c.state == "suppressed",
        deliveries.c.reason.startswith("undelivered:"),
        deliveries.c.alert_id.in_(select(alerts.c.id).where(alerts.c.corrects.in_(carried))),
    )
    connection.execute(
        update(deliveries).where(following).values(state="waiting", reason=None, held_until=microseconds(now))
    )
