"""What one receiver should be sent now: read, decided, composed and rendered in a reader's thread; nothing of it is done yet.

outlook ─▶ plan ─▶ compose ─▶ render
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from monitor.alerts import Draft, Notice, Plan, RuleOptions, compose, notice_of_words, plan
from monitor.daemon.delivery.values import Receiver
from monitor.model import Alert
from monitor.sinks import Rendered, Sink
from monitor.store import deliveries, messages
from monitor.store.messages import Composed
from monitor.store.outlook import read_outlook

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the tables found and decided."""

    next_due: datetime | None  # when the earliest unsettled message may be tried
    plan: Plan
    composed: tuple[Composed, ...]


def look_around(
    connection: Connection, receiver: Receiver, rules: Mapping[str, RuleOptions], *, now: datetime, limit: int
) -> Look:
    """Return what waits for a receiver and what to do about it, at most `limit` new messages."""
    next_due = messages.next_due(connection, receiver.name)
    outlook = read_outlook(connection, receiver.name, receiver.policy, rules, now=now)
    decided = plan(outlook, now=now, limit=limit) if outlook.waiting else Plan()
    if not decided.drafts:
        return Look(next_due, decided, ())
    alerts = deliveries.read_alerts(connection, [one for draft in decided.drafts for one in draft.alert_ids])
    corrected = [alert.corrects for alert in alerts.values() if alert.corrects]
    alerts |= deliveries.read_alerts(connection, corrected) if corrected else {}
    numbers = {one.alert_id: one.number for one in outlook.waiting}
    composed = []
    for draft in decided.drafts:
        notice = _notice(connection, draft, alerts, receiver, rules, now=now)
        rendered = rendered_safely(receiver.sink, notice)
        composed.append(
            Composed(
                id=notice.id,
                draft=draft,
                headline=notice.headline,
                body=rendered.body,
                plain=rendered.plain,
                composed_at=now,
                expires_at=now + receiver.policy.keep,
                number=max(numbers[alert_id] for alert_id in draft.alert_ids),
            )
        )
    return Look(next_due, decided, tuple(composed))


def rendered_safely(sink: Sink, notice: Notice) -> Rendered:
    """Return the rendered notice; should a sink fail on it, words that name the alerts, so that none blocks the line."""
    try:
        return sink.render(notice)
    except Exception as error:  # noqa: BLE001 - one alert that cannot be shown must not keep all others waiting
        log.error("render_failed", message=notice.id, error=type(error).__name__)
        rules = ", ".join(dict.fromkeys(item.alert.rule for item in notice.items))
        words = f"{len(notice.items)} alerts of {rules} cannot be shown: `monitor alerts show {notice.reference}`"
        plain = notice_of_words("", notice.headline or rules, words, severity=notice.severity, now=notice.composed_at)
        return sink.render(replace(plain, id=notice.id))


def _notice(
    connection: Connection,
    draft: Draft,
    alerts: Mapping[str, Alert],
    receiver: Receiver,
    rules: Mapping[str, RuleOptions],
    *,
    now: datetime,
) -> Notice:
    members = [alerts[alert_id] for alert_id in draft.alert_ids]
    return compose(
        draft,
        members,
        receiver=receiver.name,
        now=now,
        full_items=receiver.policy.full_items,
        mention=next((asked for one in members if (asked := rules.get(one.rule, RuleOptions()).mention)), None),
        answers=messages.read_receipt(connection, draft.thread) if draft.thread else None,
        corrected=[alerts[key] for one in members if (key := one.corrects) is not None and key in alerts],
    )
