"""What the planner looks at: alerts that wait for one receiver, and what was said in their groups before.

Rule: values only; the store fills them, the planner reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from monitor.alerts.options import ReceiverPolicy, RuleOptions
from monitor.alerts.silences import Silence
from monitor.model import AlertKind, Severity

# What became, at this receiver, of the alert that a correction follows up.
Told = Literal["waiting", "under_way", "sent", "lost", "never"]
Form = Literal["fired", "corrected", "digest"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One alert on its way to one receiver."""

    alert_id: str
    number: int  # in the order of commits
    rule: str
    severity: Severity
    kind: AlertKind
    source: str
    entry: str
    raised_at: datetime
    tags: tuple[str, ...] = ()
    catch_up: bool = False
    corrects: str | None = None
    told: Told | None = None  # of a correction: what became of the alert it corrects
    thread: str | None = None  # of a correction: the message that carried the alert it corrects
    standing: str | None = None  # the message that last told of this rule and entry, unless that was a correction
    held_until: datetime | None = None
    held_because: str | None = None


@dataclass(frozen=True, slots=True)
class GroupState:
    """The newest message of one receiver's group."""

    left_at: datetime  # when it was composed
    rest: timedelta  # how long the group rests after it
    severity: Severity
    busy: bool = False  # not settled: nothing of the group may overtake it


@dataclass(frozen=True, slots=True)
class Past:
    """One alert of the recent past, told or not, as counting needs it."""

    number: int
    raised_at: datetime
    source: str
    correction: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everything the plan for one receiver rests on."""

    receiver: str
    policy: ReceiverPolicy
    rules: Mapping[str, RuleOptions]
    waiting: tuple[Waiting, ...]  # in the order of commits
    groups: Mapping[str, GroupState] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    of_entry: Mapping[tuple[str, str], tuple[Past, ...]] = field(default_factory=dict)  # (rule, entry) → recent alerts
    of_rule: Mapping[str, tuple[Past, ...]] = field(default_factory=dict)  # recent alerts of escalating rules
    correcting: frozenset[tuple[str, str]] = frozenset()  # (rule, entry) whose correction is being delivered


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to compose: which alerts, in which order, and how long its group rests after it."""

    group: str
    form: Form
    alert_ids: tuple[str, ...]
    severity: Severity
    rest: timedelta
    late: bool = False  # a catch-up after a time without polls, or after the receiver was away
    thread: str | None = None  # message that a correction answers
    flips: int = 0  # how often the entry went back and forth before this final word


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to one waiting alert that does not leave now, and why."""

    alert_id: str
    state: Literal["held", "suppressed", "cancelled", "expired"]
    reason: str
    until: datetime | None = None  # of a held one: when it is looked at again


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for one receiver now."""

    drafts: tuple[Draft, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    also: tuple[tuple[str, str], ...] = ()  # (alert id, receiver) that an escalation adds
    next_at: datetime | None = None  # when there is something to decide again, if nothing happens before
