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

from sqlalchemy import Connection, Text, and_, bindparam, func, select, update
from sqlalchemy import cast as cast_

from monitor.alerts import Silence, Verdict
from monitor.model import Alert, AlertKind
from monitor.store import outbox
from monitor.store.alert_tables import alerts, deliveries, messages, silences
from monitor.store.codec import instant, maybe_microseconds, microseconds
from monitor.store.queries import Query
from monitor.store.statements import Prepared, insert_or_skip
from monitor.wire import decode_alert, encode_alert

Addressed = Alert | tuple[Alert, Sequence[str]]  # an alert with its own receivers, or with others in their place
UNSETTLED = ("pending", "leased")


_ALERT_COLUMNS = tuple(column.name for column in alerts.c if column.name != "number")
_INSERT_ALERT = Prepared(lambda dialect: insert_or_skip(dialect, alerts), _ALERT_COLUMNS)
_INSERT_DELIVERY = Prepared(
    lambda dialect: insert_or_skip(dialect, deliveries).from_select(
        ["alert_id", "receiver", "number", "state", "reason"],
        select(
            alerts.c.id,
            cast_(bindparam("b_receiver"), Text),
            alerts.c.number,
            cast_(bindparam("b_state"), Text),
            cast_(bindparam("b_reason"), Text),
        ).where(alerts.c.id == bindparam("b_alert")),
    )
)
_MINE = (deliveries.c.receiver == bindparam("b_receiver"), deliveries.c.alert_id == bindparam("b_alert"))
_TAKE = Prepared(
    lambda _: (
        update(deliveries)
        .where(*_MINE, deliveries.c.state == "waiting")
        .values(state="assigned", message_id=bindparam("b_message"), reason=None, held_until=None)
    )
)
_GIVE_BACK = Prepared(
    lambda _: (
        update(deliveries)
        .where(*_MINE, deliveries.c.message_id == bindparam("b_message"))
        .values(state="waiting", message_id=None)
    )
)
_VERDICT = Prepared(
    lambda _: (
        update(deliveries)
        .where(*_MINE, deliveries.c.state == "waiting")
        .values(state=bindparam("b_state"), reason=bindparam("b_reason"), held_until=bindparam("b_until"))
    )
)
_SILENCES = Query(
    select(*silences.c["id", "matchers", "starts_at", "ends_at", "author", "comment", "on_end"])
    .where(silences.c.ends_at > bindparam("b_after"))
    .order_by(silences.c.id)
)
_PAYLOADS = select(alerts.c.id, alerts.c.payload).where(alerts.c.id.in_(bindparam("b_ids", expanding=True)))


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
        if not _INSERT_ALERT.run(connection, [_row(alert, payload, seen_at)]):
            continue
        muted = dict(alert.muted)
        told = _told(connection, alert) if alert.corrects else ()
        reasons = {name: alert.suppressed or muted.get(name) for name in (*receivers, *told)}
        _INSERT_DELIVERY.run(connection, [_delivery(alert.id, name, why) for name, why in reasons.items()])
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
    rows = connection.execute(_PAYLOADS, {"b_ids": list(alert_ids)})
    return {alert_id: decode_alert(payload) for alert_id, payload in rows}


def apply_verdicts(connection: Connection, receiver: str, verdicts: Iterable[Verdict]) -> None:
    """Write down why alerts do not leave; those that were taken into a message meanwhile are left alone."""
    rows = [
        {
            "b_receiver": receiver,
            "b_alert": verdict.alert_id,
            "b_state": "waiting" if verdict.state == "held" else verdict.state,
            "b_reason": verdict.reason,
            "b_until": maybe_microseconds(verdict.until),
        }
        for verdict in verdicts
    ]
    _VERDICT.run(connection, rows)


def add_receivers(connection: Connection, also: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Add the deliveries an escalation asks for, where they are not there yet; return the receivers that got one."""
    wanted = [(receiver, _delivery(alert_id, receiver, None)) for alert_id, receiver in also]
    return tuple(receiver for receiver, row in wanted if _INSERT_DELIVERY.run(connection, [row]))


def take(connection: Connection, receiver: str, alert_ids: Sequence[str], message_id: str) -> bool:
    """Move alerts from waiting into a message; False, and nothing done, if one no longer waits."""
    mine = {"b_receiver": receiver, "b_message": message_id}
    taken = [alert_id for alert_id in alert_ids if _TAKE.run(connection, [{**mine, "b_alert": alert_id}])]
    if len(taken) == len(alert_ids):
        return True
    give_back(connection, receiver, taken, message_id)
    return False


def give_back(connection: Connection, receiver: str, alert_ids: Sequence[str], message_id: str) -> None:
    """Undo `take` for what it took."""
    rows = [{"b_receiver": receiver, "b_alert": alert_id, "b_message": message_id} for alert_id in alert_ids]
    _GIVE_BACK.run(connection, rows)


def count_dead(connection: Connection) -> int:
    """Return how many messages and alerts did not arrive and wait for a person: `monitor alerts retry | drop`."""
    failed = select(func.count()).select_from(messages).where(messages.c.state.in_(("dead", "expired")))
    expired = select(func.count()).select_from(deliveries).where(deliveries.c.state == "expired")
    return (connection.scalar(failed) or 0) + (connection.scalar(expired) or 0)


def read_silences(connection: Connection, *, ends_after: datetime | None = None) -> tuple[Silence, ...]:
    """Return silences, oldest first; with `ends_after`, those that end later."""
    after = -1 if ends_after is None else microseconds(ends_after)
    return tuple(
        Silence(number, json.loads(matchers), instant(starts_at), instant(ends_at), author, comment, on_end)
        for number, matchers, starts_at, ends_at, author, comment, on_end in _SILENCES.all(
            connection, {"b_after": after}
        )
    )


def _told(connection: Connection, alert: Alert) -> Sequence[str]:
    """Return who heard, or will hear, of the same: by an escalation, or before the rule named others."""
    same = (alerts.c.entry_id == alert.delta.change.entry_id, alerts.c.rule == alert.rule)
    heard = deliveries.c.state.in_(("waiting", "assigned"))
    found = select(deliveries.c.receiver).join(alerts, alerts.c.id == deliveries.c.alert_id).where(*same, heard)
    return connection.scalars(found.distinct().order_by(deliveries.c.receiver)).all()


def _addressed(one: Addressed) -> tuple[Alert, tuple[str, ...]]:
    alert, receivers = (one, one.notify) if isinstance(one, Alert) else one
    return alert, tuple(dict.fromkeys(receivers))


def _row(alert: Alert, payload: bytes, seen_at: datetime) -> dict[str, Any]:
    change = alert.delta.change
    return {
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


def _delivery(alert_id: str, receiver: str, reason: str | None) -> dict[str, Any]:
    state = "waiting" if reason is None else "suppressed"
    return {"b_alert": alert_id, "b_receiver": receiver, "b_state": state, "b_reason": reason}
