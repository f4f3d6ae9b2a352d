"""Deltas, judgements and waiting alerts to decide about."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.alerts import Outlook, ReceiverPolicy, RuleOptions, Waiting, alert_id
from monitor.model import (
    Alert,
    AlertKind,
    Change,
    ChangeType,
    Delta,
    Entry,
    FieldChange,
    Judgement,
    Match,
    Revision,
    Significance,
    SourceRef,
    Stamp,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday


@dataclass
class Blog:
    """One entry's life, judged by a rule that looks for one word."""

    word: str = "suspended"
    rule: str = "halted"
    now: datetime = NOON
    sequence: int = 0
    revision: int = 0
    text: str | None = None
    earlier: dict[tuple[str, str], Alert] = field(default_factory=dict)

    def change(self, type_: ChangeType, text: str, **more: object) -> Delta:
        """The next delta of the entry."""
        self.sequence += 1
        if type_ is not ChangeType.REMOVED:
            self.revision += 1
        edited = type_ is ChangeType.EDITED
        previous = Revision(self.revision - 1, None, self.text or "") if edited else None
        diff = (FieldChange("text", (("-", self.text or ""), ("+", text))),) if edited else ()
        published = Stamp(more.pop("published", self.now))  # type: ignore[arg-type]
        change = Change(
            type_,
            str(more.pop("entry", "e1")),
            Entry(0, text, published=published),
            self.revision,
            previous=previous,
            changes=diff,
            significance=Significance.MINOR if edited else None,
        )
        return Delta(SourceRef("aleppo", "Aleppo live"), 1, self.sequence, self.now, change)

    def judge(self, delta: Delta) -> list[Judgement]:
        """What the rule says of a delta, on its two texts alone."""
        type_ = delta.change.type
        new = None if type_ is ChangeType.REMOVED else delta.change.entry.text
        old = delta.change.previous.text if delta.change.previous else None
        if type_ is ChangeType.REMOVED:
            old = delta.change.entry.text
        before, after = (old or "").count(self.word), (new or "").count(self.word)
        if not before and not after:
            return []
        transition = "holds" if before and after else "fired" if after else "retracted"
        text = new if after else old
        return [Judgement(self.rule, transition, self.matches(text or ""), before, after)]  # type: ignore[arg-type]

    def matches(self, text: str) -> tuple[Match, ...]:
        starts = (at for at in range(len(text)) if text.startswith(self.word, at))
        return tuple(Match("text", at, at + len(self.word), self.word, self.word) for at in starts)


@pytest.fixture
def blog() -> Blog:
    return Blog()


@dataclass
class Desk:
    """Waiting alerts of one receiver, and what the planner is to know beside them."""

    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def waiting(self, rule: str = "halted", **more: object) -> Waiting:
        number = next(self.numbers)
        usual = Waiting(
            alert_id=f"alert-{number}",
            number=number,
            rule=rule,
            severity="warning",
            kind=AlertKind.NEW,
            source="aleppo",
            entry=f"entry-{number}",
            raised_at=NOON,
        )
        return replace(usual, **more)  # type: ignore[arg-type]

    def outlook(self, *waiting: Waiting, **more: object) -> Outlook:
        return Outlook(
            receiver=str(more.pop("receiver", "desk")),
            policy=more.pop("policy", ReceiverPolicy()),  # type: ignore[arg-type]
            rules=more.pop("rules", {}),  # type: ignore[arg-type]
            waiting=waiting,
            **more,  # type: ignore[arg-type]
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def minutes():
    return lambda number: timedelta(minutes=number)


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def id_of():
    return alert_id


@pytest.fixture
def rule_options():
    return RuleOptions
