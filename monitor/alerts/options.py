"""What a rule asks of its alerts, and a receiver of its messages.

Rule: values; how they are written, and what contradicts itself, is the settings' matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal

from monitor.model import Severity

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")  # least first
FirePolicy = Literal["once_per_entry", "each_new_match", "every_change"]
Baseline = Literal["silent", "fresh", "digest"]
GroupField = Literal["rule", "source", "entry", "severity"]


def rank(severity: Severity) -> int:
    """Return how grave a severity is; a graver one breaks through a lesser one's rest."""
    return SEVERITIES.index(severity)


@dataclass(frozen=True, slots=True)
class Escalation:
    """Several alerts of one rule in a short time make the next one graver."""

    count: int  # alerts within the time, the escalated one included
    within: timedelta
    sources: int = 1  # from at least so many sources
    to: Severity = "critical"
    notify: tuple[str, ...] = ()  # receivers that are told from then on, besides the rule's own


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """What is done when a rule fires."""

    severity: Severity = "warning"
    notify: tuple[str, ...] = ()  # receivers by name
    cooldown: timedelta | None = None  # rest after a message; what fires meanwhile leaves together at its end
    cooldown_max: timedelta | None = None  # the rest doubles up to this while bursts go on; None: it does not
    policy: FirePolicy = "once_per_entry"
    max_age: timedelta = timedelta(hours=24)  # a new entry published earlier than this is recorded, not told
    baseline: Baseline = "silent"  # what entries of a source's first poll do
    fresh: timedelta = timedelta(minutes=10)  # with `baseline: fresh`: published so recently that they are told
    inhibits: tuple[str, ...] = ()  # rules that need not be told of an entry this rule holds of
    escalate: Escalation | None = None
    note: str | None = None  # words of the operator's own that go with each alert
    mention: str | None = None  # "here" or "channel", where a receiver can call people; nobody unless asked


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When a receiver does not want to be woken: each day from `start` to `end`, local time; over midnight if later."""

    start: time
    end: time
    zone: tzinfo = UTC
    days: frozenset[int] = frozenset(range(7))  # of the evening it starts, Monday is 0

    def ends_after(self, now: datetime) -> datetime | None:
        """Return when the quiet time that `now` lies in ends, or None outside one."""
        local = now.astimezone(self.zone)
        for began in (local.date() - timedelta(days=1), local.date()):
            if began.weekday() not in self.days:
                continue
            start = datetime.combine(began, self.start, self.zone)
            over_midnight = timedelta(days=1) if self.end <= self.start else timedelta()
            end = datetime.combine(began + over_midnight, self.end, self.zone)
            if start <= local < end:
                return end.astimezone(UTC)
        return None


@dataclass(frozen=True, slots=True)
class ReceiverPolicy:
    """How often a receiver is written to and how long it is tried."""

    group_by: tuple[GroupField, ...] = ("rule",)  # alerts alike in these share messages and keep their order
    burst: timedelta = timedelta(seconds=60)  # the rest after a message where the rule names no cooldown
    rate: float = 1.0  # messages a second
    rate_burst: int = 1  # how many at once after a pause
    in_flight: int = 1  # messages of different groups at the same time
    keep: timedelta = timedelta(hours=6)  # an alert older than this is no longer sent but listed as expired
    full_items: int = 10  # alerts of a message shown in full; the rest is counted and named
    coalesce_above: int = 20  # so many waiting groups become one digest (the receiver was away)
    quiet: QuietHours | None = None  # what is not critical waits for its end
    late_after: timedelta = timedelta(minutes=30)  # told so long after it was raised, an alert is marked late
    late_wait: timedelta = timedelta(seconds=15)  # late alerts gather so long into one digest
    max_attempts: int = 0  # 0: as many as fit into `keep`
