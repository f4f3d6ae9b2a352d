"""Silences: who asked not to be told of what, from when until when, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

OnEnd = Literal["drop", "digest"]
MATCHER_FIELDS = ("rule", "source", "severity", "kind", "tag", "receiver", "entry")


@dataclass(frozen=True, slots=True)
class Subject:
    """What matchers are compared with: one alert on its way to one receiver."""

    rule: str
    source: str
    severity: str
    kind: str
    entry: str
    receiver: str
    tags: tuple[str, ...] = ()

    def values(self, field: str) -> tuple[str, ...]:
        """Return what the alert has of a matcher's field."""
        if field == "tag":
            return self.tags
        return (str(getattr(self, field)),)


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that match every matcher are kept from their receivers between two instants."""

    id: int
    matchers: Mapping[str, str]  # field → pattern with * and ?; all must match
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    on_end: OnEnd = "drop"  # what was kept back: never told, or told in one digest when the silence is over

    def state(self, now: datetime) -> Literal["pending", "active", "expired"]:
        """Return whether it waits, holds or is over."""
        if now < self.starts_at:
            return "pending"
        return "active" if now < self.ends_at else "expired"

    def matches(self, subject: Subject) -> bool:
        """Return whether every matcher holds of the subject; a silence without matchers matches nothing."""
        return bool(self.matchers) and all(
            any(fnmatchcase(value, pattern) for value in subject.values(field))
            for field, pattern in self.matchers.items()
        )

    @property
    def reason(self) -> str:
        words = f": {self.comment}" if self.comment else ""
        return f"silence {self.id} by {self.author}{words}"


def silenced_by(silences: Iterable[Silence], subject: Subject, *instants: datetime) -> Silence | None:
    """Return the silence that keeps the subject quiet, or None; one that drops counts before one that ends in a digest.

    It counts when it holds at any of the instants: when the alert was raised, or when it would leave.
    """
    found = None
    for silence in silences:
        if any(silence.state(instant) == "active" for instant in instants) and silence.matches(subject):
            if silence.on_end == "drop":
                return silence
            if found is None or silence.ends_at > found.ends_at:
                found = silence
    return found
