"""A message's alerts → one notice that every sink can render.

Rule: knows no sink; holds source text as it was, marked as such by its place: whatever comes from a source is in an
`Alert`, everything else is our own words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.alerts.options import rank
from monitor.alerts.raising import CORRECTIONS, OWN_NOTES, age_in_words
from monitor.alerts.waiting import Draft
from monitor.model import Alert, AlertKind, Severity

NoticeForm = Literal["fired", "corrected", "digest", "words"]


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """One alert of a notice, shown in full or only named."""

    alert: Alert
    full: bool
    late_by: float | None = None  # seconds from publication, or from raising, until it is told; None: in time


@dataclass(frozen=True, slots=True)
class Notice:
    """What one message says to one receiver."""

    id: str  # the idempotency key: the same on every try of the message, another for every other message
    form: NoticeForm
    severity: Severity
    items: tuple[NoticeItem, ...]  # none for plain words of the monitor's own
    composed_at: datetime
    headline: str = ""  # our words; of `words` and digests
    words: str = ""  # our words, one or more lines
    late: bool = False
    flips: int = 0
    mention: str | None = None  # "here" or "channel", only where a rule asks for it
    answers: bytes | None = None  # of a correction: the receipt of the message it answers, as the sink gave it
    corrected: tuple[Alert, ...] = ()  # of a correction: the alerts it corrects, in the order of the items

    @property
    def reference(self) -> str:
        """Return the short name a person can quote."""
        return f"A-{self.id[:6]}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what the rules' authors want those to know who are told, each once; nothing of our own."""
        asked = (item.alert.note for item in self.items if not item.alert.corrects)
        own = OWN_NOTES | {item.alert.delta.change.note for item in self.items}
        return tuple(dict.fromkeys(note for note in asked if note and note not in own))

    @property
    def full(self) -> tuple[NoticeItem, ...]:
        return tuple(item for item in self.items if item.full)

    @property
    def named(self) -> tuple[NoticeItem, ...]:
        """Return the items that are counted and named only."""
        return tuple(item for item in self.items if not item.full)


def message_key(receiver: str, form: str, alert_ids: Sequence[str]) -> str:
    """Return the idempotency key of a message: the same receiver, form and alerts give the same key."""
    named = "\x1f".join((receiver, form, *sorted(alert_ids)))
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def compose(
    draft: Draft,
    alerts: Sequence[Alert],
    *,
    receiver: str,
    now: datetime,
    full_items: int,
    mention: str | None = None,
    answers: bytes | None = None,
    corrected: Sequence[Alert] = (),
) -> Notice:
    """Return the notice of a draft; `alerts` are its alerts in its order, `corrected` what they correct.

    The gravest are shown in full, of equals the earliest; the order stays.
    """
    shown = frozenset(sorted(range(len(alerts)), key=lambda place: -rank(alerts[place].severity))[:full_items])
    items = tuple(
        NoticeItem(alert, full=place in shown, late_by=_late_by(alert, now) if draft.late else None)
        for place, alert in enumerate(alerts)
    )
    return Notice(
        id=message_key(receiver, draft.form, draft.alert_ids),
        form=draft.form,
        severity=draft.severity,
        items=items,
        composed_at=now,
        headline=_headline(draft, alerts),
        words=f"went back and forth {draft.flips} times before" if draft.flips else "",
        late=draft.late,
        flips=draft.flips,
        mention=mention,
        answers=answers,
        corrected=tuple(corrected),
    )


def notice_of_words(key: str, headline: str, words: str, *, severity: Severity, now: datetime) -> Notice:
    """Return a notice of the monitor's own, such as that it sees nothing or that a receiver was disabled."""
    identity = hashlib.sha256(key.encode()).hexdigest()[:32]
    return Notice(identity, "words", severity, (), now, headline=headline, words=words)


def how_late(item: NoticeItem) -> str:
    """Return `3 h late`, or nothing for an item in time."""
    return "" if item.late_by is None else f"{age_in_words(timedelta(seconds=item.late_by))} late"


def _late_by(alert: Alert, now: datetime) -> float | None:
    published = alert.delta.change.entry.published_at if alert.kind is AlertKind.NEW else None
    since = published or alert.raised_at or alert.delta.seen_at
    late = (now - since).total_seconds()
    return late if late >= 60 else None


def _headline(draft: Draft, alerts: Sequence[Alert]) -> str:
    rules = dict.fromkeys(alert.rule for alert in alerts)
    sources = dict.fromkeys(alert.delta.source.id for alert in alerts)
    if draft.form == "fired":
        return next(iter(rules), "")
    what = next(iter(rules)) if len(rules) == 1 else f"{len(rules)} rules"
    where = next(iter(sources)) if len(sources) == 1 else f"{len(sources)} sources"
    if draft.form == "corrected":
        return f"CORRECTED {what}: {len(alerts)} of its alerts from {where}"
    corrections = sum(alert.kind in CORRECTIONS for alert in alerts)
    count = f"{len(alerts)} alerts" + (f", {corrections} of them corrections" if corrections else "")
    return f"{what}: {count} from {where}" + (", late" if draft.late else "")
