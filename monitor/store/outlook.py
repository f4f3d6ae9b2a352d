"""What the planner looks at, read from the tables.

Rule: functions of a reader's connection; decides nothing but what is near enough in time to matter.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from monitor.alerts import GroupState, Outlook, Past, ReceiverPolicy, RuleOptions, Waiting, groups_of
from monitor.alerts.waiting import Told
from monitor.model import AlertKind, Severity
from monitor.store.alert_tables import alerts, deliveries, messages
from monitor.store.codec import instant, maybe_instant, microseconds
from monitor.store.deliveries import UNSETTLED, read_silences

WAITING_LIMIT = 1000  # alerts of one receiver that are looked at together
PAST = timedelta(minutes=20)  # covers every waiting alert's flapping window
_OTHER = deliveries.alias("other")
_CARRIER = messages.alias("carrier")


def read_outlook(
    connection: Connection, receiver: str, policy: ReceiverPolicy, rules: Mapping[str, RuleOptions], *, now: datetime
) -> Outlook:
    """Return everything the plan for one receiver rests on."""
    rows = connection.execute(_waiting_rows(receiver)).all()
    if not rows:
        return Outlook(receiver, policy, rules, ())
    outlook = Outlook(
        receiver=receiver,
        policy=policy,
        rules=rules,
        waiting=tuple(_waiting(connection, row, receiver) for row in rows),
        silences=read_silences(connection, ends_after=now - PAST - policy.keep),
        of_entry=_of_entry(connection, rows),
        of_rule=_of_rule(connection, rows, rules),
    )
    return replace(outlook, groups=_groups(connection, receiver, groups_of(outlook), now))


def _waiting_rows(receiver: str) -> Select[Any]:
    corrected = and_(_OTHER.c.alert_id == alerts.c.corrects, _OTHER.c.receiver == deliveries.c.receiver)
    columns = (
        *alerts.c["id", "number", "rule", "severity", "kind", "source_id", "entry_id", "raised_at", "tags", "catch_up"],
        alerts.c.corrects,
        deliveries.c.held_until,
        deliveries.c.reason,
        _OTHER.c.state.label("other_state"),
        _CARRIER.c.id.label("carrier_id"),
        _CARRIER.c.state.label("carrier_state"),
    )
    return (
        select(*columns)
        .select_from(deliveries)
        .join(alerts, alerts.c.id == deliveries.c.alert_id)
        .outerjoin(_OTHER, corrected)
        .outerjoin(_CARRIER, _CARRIER.c.id == _OTHER.c.message_id)
        .where(deliveries.c.receiver == receiver, deliveries.c.state == "waiting")
        .order_by(deliveries.c.number)
        .limit(WAITING_LIMIT)
    )


def _waiting(connection: Connection, row: Row[Any], receiver: str) -> Waiting:
    told, thread, standing = _told(row), row.carrier_id, None
    if row.corrects is not None:
        standing = _standing(connection, row, receiver)
        if told == "never" and standing is not None:
            told, thread = "sent", standing
    return Waiting(
        alert_id=row.id,
        number=row.number,
        rule=row.rule,
        severity=row.severity,
        kind=AlertKind(row.kind),
        source=row.source_id,
        entry=row.entry_id,
        raised_at=instant(row.raised_at),
        tags=tuple(json.loads(row.tags)),
        catch_up=bool(row.catch_up),
        corrects=row.corrects,
        told=told,
        thread=thread,
        standing=standing,
        held_until=maybe_instant(row.held_until),
        held_because=row.reason,
    )


def _told(row: Row[Any]) -> Told | None:
    if row.corrects is None:
        return None
    if row.other_state == "waiting":
        return "waiting"
    if row.other_state != "assigned":
        return "never"
    if row.carrier_state in UNSETTLED:
        return "under_way"
    return "sent" if row.carrier_state == "sent" else "lost"


def _standing(connection: Connection, row: Row[Any], receiver: str) -> str | None:
    """Return the message that last told the receiver of a rule and entry, unless it was a correction."""
    statement = (
        select(alerts.c.corrects, messages.c.id)
        .join(deliveries, deliveries.c.alert_id == alerts.c.id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(
            alerts.c.entry_id == row.entry_id,
            alerts.c.rule == row.rule,
            alerts.c.number < row.number,
            deliveries.c.receiver == receiver,
            messages.c.state == "sent",
        )
        .order_by(alerts.c.number.desc())
        .limit(1)
    )
    last = connection.execute(statement).one_or_none()
    return None if last is None or last.corrects is not None else last.id


def _of_entry(connection: Connection, rows: Sequence[Row[Any]]) -> dict[tuple[str, str], tuple[Past, ...]]:
    since = min(row.raised_at for row in rows) - PAST // timedelta(microseconds=1)
    found: dict[tuple[str, str], tuple[Past, ...]] = {}
    recent = and_(alerts.c.entry_id.in_({row.entry_id for row in rows}), alerts.c.raised_at >= since)
    for rule, entry_id, *past in _pasts(connection, recent):
        found[rule, entry_id] = (*found.get((rule, entry_id), ()), _past(past))
    return found


def _of_rule(
    connection: Connection, rows: Sequence[Row[Any]], rules: Mapping[str, RuleOptions]
) -> dict[str, tuple[Past, ...]]:
    found: dict[str, tuple[Past, ...]] = {}
    for rule in {row.rule for row in rows}:
        escalation = rules.get(rule, RuleOptions()).escalate
        if escalation is not None:
            since = min(instant(row.raised_at) for row in rows if row.rule == rule) - escalation.within
            recent = and_(alerts.c.rule == rule, alerts.c.raised_at >= microseconds(since), alerts.c.corrects.is_(None))
            found[rule] = tuple(_past(past) for _, _, *past in _pasts(connection, recent))
    return found


def _pasts(connection: Connection, which: ColumnElement[bool]) -> Sequence[Any]:
    columns = alerts.c["rule", "entry_id", "number", "raised_at", "source_id", "corrects"]
    statement = select(*columns).where(which, alerts.c.suppressed.is_(None)).order_by(alerts.c.number)
    return connection.execute(statement).all()


def _past(row: Sequence[Any]) -> Past:
    number, raised_at, source_id, corrects = row
    return Past(number, instant(raised_at), source_id, correction=corrects is not None)


def _groups(connection: Connection, receiver: str, keys: Collection[str], now: datetime) -> dict[str, GroupState]:
    """Return the newest message of each group that still says something: unsettled, or not long at rest."""
    unsettled = messages.c.state.in_(UNSETTLED)
    statement = (
        select(*messages.c["group_key", "composed_at", "rest", "severity", "state"])
        .where(
            messages.c.receiver == receiver,
            messages.c.group_key.in_(list(keys)),
            or_(unsettled, messages.c.composed_at + messages.c.rest * 8 > microseconds(now)),
        )
        .order_by(messages.c.composed_at)
    )
    found: dict[str, GroupState] = {}
    for key, composed_at, rest, severity, state in connection.execute(statement):
        busy = state in UNSETTLED or (key in found and found[key].busy)
        grave = cast("Severity", severity)
        found[key] = GroupState(instant(composed_at), timedelta(microseconds=rest), grave, busy)
    return found
