"""Ways to tell people: one file each, one row each in SINKS.

    base      what every sink is and what can come of a try
    http      one guarded POST                       words   a notice in plain words
    webhook   signed events                          terminal  standard output
    slack     incoming webhook or bot; slack_blocks: Block Kit
    mail      SMTP                                   others    Apprise

Rule: a sink renders purely and sends once. It knows no store, no clock and no other sink; contract tests run over SINKS,
so a half-done one fails.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.sinks import mail, others, slack, terminal, webhook
from monitor.sinks.base import Delivered, GiveUp, Letter, Outcome, Rendered, Retry, Sink, SinkKind, Target, redacted

SINKS: Mapping[str, SinkKind] = {
    "apprise": others.KIND,
    "email": mail.KIND,
    "slack": slack.KIND,
    "terminal": terminal.KIND,
    "webhook": webhook.KIND,
}

__all__ = [
    "SINKS",
    "Delivered",
    "GiveUp",
    "Letter",
    "Outcome",
    "Rendered",
    "Retry",
    "Sink",
    "SinkKind",
    "Target",
    "redacted",
]
