"""Alerts and what waits for whom: written with the poll that raised them, read as what the planner looks at.

Rule: functions of a connection. An alert's row is inserted once and never changed; a delivery moves from waiting to one
of its ends, and says why.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, and_, func, insert, select, update

from monitor.alerts import (
    Draft,
    Silence,
    Verdict,
)
from monitor.model import Alert, AlertKind
from monitor.store import outbox
from monitor.store.alert_tables import alerts, deliveries, messages, silences
from monitor.store.codec import instant, maybe_microseconds, microseconds
from monitor.store.statements import insert_missing
from monitor.wire import decode_alert, encode_alert

Addressed = Alert | tuple[Alert, Sequence[str]]  # an alert with its own receivers, or with others in their place
UNSETTLED = ("pending", "leased")


@dataclass(frozen=True, slots=True)
class Fired:
    """The latest told alert of a rule about an entry."""

    id: str
    kind: AlertKind
    occurrences: int


def insert_alerts(connection: Connection, raised: Sequence[object], *, seen_at: datetime) -> None:
    """Store the alerts of one poll, a delivery for each of their receivers, and their messages to the stream.

    Called inside the poll's transaction. `raised` holds `Addressed` values. An alert whose id is there already adds
    nothing. A suppressed alert is recorded, and nothing else.
    """
    payloads = []
    for alert, receivers in map(_addressed, cast("Sequence[Addressed]", raised)):
        payload = encode_alert(alert, "corrected" if alert.corrects else "fired")
        number = _insert_alert(connection, alert, payload, seen_at)
        if number is None:
            continue
        muted = dict(alert.muted)
        reasons = {name: alert.suppressed or muted.get(name) for name in receivers}
        insert_missing(
            connection, deliveries, [_delivery(alert.id, name, number, why) for name, why in reasons.items()]
        )
        if alert.suppressed is None:
            payloads.append(payload)
    outbox.append(connection, "alerts", payloads, now=seen_at)


def fired_alerts(connection: Connection, entry_ids: Collection[str]) -> Mapping[tuple[str, str], Fired]:
    """Return the latest told alert of each rule about these entries, by (rule, entry id)."""
    found: dict[tuple[str, str], Fired] = {}
    columns = alerts.c["rule", "entry_id", "id", "kind", "occurrences"]
    told = and_(alerts.c.entry_id.in_(list(entry_ids)), alerts.c.suppressed.is_(None))
    rows = connection.execute(select(*columns).where(told).order_by(alerts.c.number))
    for rule, entry_id, alert_id, kind, occurrences in rows:
        found[rule, entry_id] = Fired(alert_id, AlertKind(kind), occurrences)
    return found


def read_alerts(connection: Connection, alert_ids: Sequence[str]) -> dict[str, Alert]:
    """Return stored alerts by id."""
    rows = connection.execute(select(*alerts.c["id", "payload"]).where(alerts.c.id.in_(list(alert_ids))))
    return {alert_id: decode_alert(payload) for alert_id, payload in rows}


def apply_verdicts(connection: Connection, receiver: str, verdicts: Iterable[Verdict]) -> None:
    """Write down why alerts do not leave; those that were taken into a message meanwhile are left alone."""
    for verdict in verdicts:
        state = "waiting" if verdict.state == "held" else verdict.state
        connection.execute(
            update(deliveries)
            .where(
                deliveries.c.alert_id == verdict.alert_id,
                deliveries.c.receiver == receiver,
                deliveries.c.state == "waiting",
            )
            .values(state=state, reason=verdict.reason, held_until=maybe_microseconds(verdict.until))
        )


def add_receivers(connection: Connection, also: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Add the deliveries an escalation asks for, where they are not there yet; return the receivers that got one."""
    added = []
    for alert_id, receiver in also:
        number = connection.scalar(select(alerts.c.number).where(alerts.c.id == alert_id))
        known = and_(deliveries.c.alert_id == alert_id, deliveries.c.receiver == receiver)
        if number is not None and connection.scalar(select(deliveries.c.state).where(known)) is None:
            insert_missing(connection, deliveries, [_delivery(alert_id, receiver, number, None)])
            added.append(receiver)
    return tuple(added)


def take(connection: Connection, receiver: str, draft: Draft) -> bool:
    """Move a draft's alerts from waiting into its message's hands; False, and nothing done, if one no longer waits."""
    mine = and_(
        deliveries.c.receiver == receiver,
        deliveries.c.alert_id.in_(draft.alert_ids),
        deliveries.c.state == "waiting",
    )
    return connection.execute(update(deliveries).where(mine).values(state="assigned")).rowcount == len(draft.alert_ids)


def count_dead(connection: Connection) -> int:
    """Return how many messages and alerts did not arrive and wait for a person: `monitor alerts retry | drop`."""
    failed = select(func.count()).select_from(messages).where(messages.c.state.in_(("dead", "expired")))
    expired = select(func.count()).select_from(deliveries).where(deliveries.c.state == "expired")
    return (connection.scalar(failed) or 0) + (connection.scalar(expired) or 0)


def read_silences(connection: Connection, *, ends_after: datetime | None = None) -> tuple[Silence, ...]:
    """Return silences, oldest first; with `ends_after`, those that end later."""
    statement = select(silences).order_by(silences.c.id)
    if ends_after is not None:
        statement = statement.where(silences.c.ends_at > microseconds(ends_after))
    return tuple(
        Silence(
            id=row.id,
            matchers=json.loads(row.matchers),
            starts_at=instant(row.starts_at),
            ends_at=instant(row.ends_at),
            author=row.author,
            comment=row.comment,
        )
        for row in connection.execute(statement)
    )


def _addressed(one: Addressed) -> tuple[Alert, tuple[str, ...]]:
    alert, receivers = (one, one.notify) if isinstance(one, Alert) else one
    return alert, tuple(dict.fromkeys(receivers))


def _insert_alert(connection: Connection, alert: Alert, payload: bytes, seen_at: datetime) -> int | None:
    if connection.scalar(select(alerts.c.number).where(alerts.c.id == alert.id)) is not None:
        return None
    change = alert.delta.change
    row = {
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "kind": alert.kind.value,
        "source_id": alert.delta.source.id,
        "entry_id": change.entry_id,
        "occurrences": alert.occurrences,
        "tags": json.dumps([*change.entry.tags, *change.tags]),
        "corrects": alert.corrects,
        "catch_up": int(alert.catch_up),
        "raised_at": microseconds(alert.raised_at or seen_at),
        "suppressed": alert.suppressed,
        "payload": payload,
    }
    number: int | None = connection.scalar(insert(alerts).values(row).returning(alerts.c.number))
    return number


def _delivery(alert_id: str, receiver: str, number: int, reason: str | None) -> dict[str, Any]:
    state = "waiting" if reason is None else "suppressed"
    return {"alert_id": alert_id, "receiver": receiver, "number": number, "state": state, "reason": reason}
