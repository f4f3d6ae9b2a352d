"""Which alert is raised, when it leaves, to whom and saying what.

    Delta + Judgements ─▶ raising ─▶ Alert ─▶ (rows) ─▶ planning ─▶ Draft ─▶ compose ─▶ Notice ─▶ a sink renders it

    options    what a rule and a receiver want
    raising    a delta and its judgements → alerts; baseline, age, inhibition, floods
    silences   who asked not to be told, and until when
    waiting    alerts that wait for a receiver, as the planner sees them
    planning   waiting alerts → messages: at once, grouped, rested, held for the morning, never dropped
    compose    a message's alerts → one sink-neutral notice

Rule: pure; time and earlier alerts come in as arguments. What is suppressed is returned with its reason, never left out.
"""

from monitor.alerts.compose import Notice, NoticeItem, compose, message_key, notice_of_words
from monitor.alerts.options import Escalation, QuietHours, ReceiverPolicy, RuleOptions
from monitor.alerts.planning import groups_of, plan
from monitor.alerts.raising import EarlierAlert, PollAlerts, alert_id, consider_poll, raise_alerts
from monitor.alerts.silences import Silence, Subject, silenced_by
from monitor.alerts.waiting import Draft, GroupState, Outlook, Past, Plan, Verdict, Waiting

__all__ = [
    "Draft",
    "EarlierAlert",
    "Escalation",
    "GroupState",
    "Notice",
    "NoticeItem",
    "Outlook",
    "Past",
    "Plan",
    "PollAlerts",
    "QuietHours",
    "ReceiverPolicy",
    "RuleOptions",
    "Silence",
    "Subject",
    "Verdict",
    "Waiting",
    "alert_id",
    "compose",
    "consider_poll",
    "groups_of",
    "message_key",
    "notice_of_words",
    "plan",
    "raise_alerts",
    "silenced_by",
]
