"""What the planner looks at, read from the tables.

Rule: functions of a reader's connection; decides nothing but what is near enough in time to matter.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, func, or_, select

from monitor.alerts import GroupState, Outlook, Past, ReceiverPolicy, RuleOptions, Waiting, groups_of
from monitor.alerts.planning import FLAPS
from monitor.alerts.waiting import Told
from monitor.model import AlertKind, Severity
from monitor.store.alert_tables import alerts, deliveries, messages
from monitor.store.codec import instant, maybe_instant, microseconds
from monitor.store.deliveries import UNSETTLED, read_silences
from monitor.store.queries import Query

WAITING_LIMIT = 1000  # alerts of one receiver that are looked at together …
WAITING_BRISK = 64  # … where messages do not rest: what leaves is few at a time, and looking costs by what it looks at
PAST = timedelta(minutes=20)  # covers every waiting alert's flapping window
_OTHER = deliveries.alias("other")
_CARRIER = messages.alias("carrier")


class _Row(NamedTuple):
    """What waits, in the order of the query's columns."""

    id: str
    number: int
    rule: str
    severity: Severity
    kind: str
    source_id: str
    entry_id: str
    raised_at: int
    tags: str
    catch_up: int
    corrects: str | None
    held_until: int | None
    reason: str | None
    other_state: str | None
    carrier_id: str | None
    carrier_state: str | None
    turns: int


def read_outlook(
    connection: Connection, receiver: str, policy: ReceiverPolicy, rules: Mapping[str, RuleOptions], *, now: datetime
) -> Outlook:
    """Return everything the plan for one receiver rests on."""
    most = WAITING_LIMIT if policy.burst or policy.quiet else WAITING_BRISK
    wanted = {"b_receiver": receiver, "b_now": microseconds(now), "b_most": most}
    rows = [_Row(*row) for row in _WAITING.all(connection, wanted)]
    if not rows:
        return Outlook(receiver, policy, rules, ())
    rows = sorted(rows, key=lambda row: row.number)
    outlook = Outlook(
        receiver=receiver,
        policy=policy,
        rules=rules,
        waiting=tuple(_waiting(connection, row, receiver) for row in rows),
        silences=read_silences(connection, ends_after=now - PAST - policy.keep),
        of_entry=_of_entry(connection, [row for row in rows if row.turns > FLAPS]),
        of_rule=_of_rule(connection, rows, rules),
        correcting=_correcting(connection, receiver) if any(row.turns > 1 for row in rows) else frozenset(),
    )
    return replace(outlook, groups=_groups(connection, receiver, groups_of(outlook), now))


def _waiting_rows() -> Select[Any]:
    """Return the query of what waits; what may leave comes before what is held, so that no pile hides it."""
    corrected = and_(_OTHER.c.alert_id == alerts.c.corrects, _OTHER.c.receiver == deliveries.c.receiver)
    turn = alerts.alias("turn")
    turns = (
        select(func.count())
        .select_from(turn)
        .where(turn.c.entry_id == alerts.c.entry_id, turn.c.rule == alerts.c.rule, turn.c.number <= alerts.c.number)
        .scalar_subquery()
    )
    columns = (
        *alerts.c["id", "number", "rule", "severity", "kind", "source_id", "entry_id", "raised_at", "tags", "catch_up"],
        alerts.c.corrects,
        deliveries.c.held_until,
        deliveries.c.reason,
        _OTHER.c.state.label("other_state"),
        _CARRIER.c.id.label("carrier_id"),
        _CARRIER.c.state.label("carrier_state"),
        turns.label("turns"),  # alerts of the rule and entry so far: a few cannot be flapping
    )
    held = and_(deliveries.c.held_until.is_not(None), deliveries.c.held_until > bindparam("b_now"))
    return (
        select(*columns)
        .select_from(deliveries)
        .join(alerts, alerts.c.id == deliveries.c.alert_id)
        .outerjoin(_OTHER, corrected)
        .outerjoin(_CARRIER, _CARRIER.c.id == _OTHER.c.message_id)
        .where(deliveries.c.receiver == bindparam("b_receiver"), deliveries.c.state == "waiting")
        .order_by(case((held, 1), else_=0), deliveries.c.number)
        .limit(bindparam("b_most"))
    )


_WAITING = Query(_waiting_rows())
_GROUPS = (
    select(*messages.c["group_key", "composed_at", "rest", "severity", "state"])
    .where(
        messages.c.receiver == bindparam("b_receiver"),
        messages.c.group_key.in_(bindparam("b_keys", expanding=True)),
        or_(messages.c.state.in_(UNSETTLED), messages.c.composed_at + messages.c.rest * 8 > bindparam("b_now")),
    )
    .order_by(messages.c.composed_at)
)


_CORRECTING = Query(
    select(alerts.c.rule, alerts.c.entry_id)
    .select_from(messages)
    .join(deliveries, and_(deliveries.c.message_id == messages.c.id, deliveries.c.receiver == messages.c.receiver))
    .join(alerts, alerts.c.id == deliveries.c.alert_id)
    .where(
        messages.c.receiver == bindparam("b_receiver"),
        messages.c.form == "corrected",
        or_(messages.c.state == "pending", messages.c.state == "leased"),
    )
)


def _correcting(connection: Connection, receiver: str) -> frozenset[tuple[str, str]]:
    return frozenset((rule, entry) for rule, entry in _CORRECTING.all(connection, {"b_receiver": receiver}))


def _waiting(connection: Connection, row: _Row, receiver: str) -> Waiting:
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


def _told(row: _Row) -> Told | None:
    if row.corrects is None:
        return None
    if row.other_state == "waiting":
        return "waiting"
    if row.other_state != "assigned":
        return "never"
    if row.carrier_state in UNSETTLED:
        return "under_way"
    return "sent" if row.carrier_state == "sent" else "lost"


def _standing(connection: Connection, row: _Row, receiver: str) -> str | None:
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


def _of_entry(connection: Connection, rows: Sequence[_Row]) -> dict[tuple[str, str], tuple[Past, ...]]:
    if not rows:
        return {}
    since = min(row.raised_at for row in rows) - PAST // timedelta(microseconds=1)
    found: dict[tuple[str, str], tuple[Past, ...]] = {}
    recent = and_(alerts.c.entry_id.in_({row.entry_id for row in rows}), alerts.c.raised_at >= since)
    for rule, entry_id, *past in _pasts(connection, recent):
        found[rule, entry_id] = (*found.get((rule, entry_id), ()), _past(past))
    return found


def _of_rule(
    connection: Connection, rows: Sequence[_Row], rules: Mapping[str, RuleOptions]
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
    wanted = {"b_receiver": receiver, "b_keys": list(keys), "b_now": microseconds(now)}
    found: dict[str, GroupState] = {}
    for key, composed_at, rest, severity, state in connection.execute(_GROUPS, wanted):
        busy = state in UNSETTLED or (key in found and found[key].busy)
        grave = cast("Severity", severity)
        found[key] = GroupState(instant(composed_at), timedelta(microseconds=rest), grave, busy)
    return found
