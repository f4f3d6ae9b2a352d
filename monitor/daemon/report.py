"""How every source fares, in words: what `status`, health and metrics say. Pure but for reading the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from monitor.model import VerdictKind
from monitor.settings import Settings
from monitor.store import Backlog, Counts, PollState, Store
from monitor.wire import rfc3339

SourceCondition = Literal["ok", "waiting", "suspect", "failing", "paused"]
CONDITIONS: tuple[SourceCondition, ...] = ("ok", "waiting", "suspect", "failing", "paused")


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source at a moment."""

    id: str
    condition: SourceCondition
    words: str  # the condition as an operator reads it
    poll: PollState
    counts: Counts

    def as_json(self) -> dict[str, Any]:
        """Return the report as `monitor status --json` prints it."""
        poll, counts = self.poll, self.counts
        return {
            "source": self.id,
            "state": self.condition,
            "words": self.words,
            "last_ok_at": _time(poll.last_ok_at),
            "last_poll_at": _time(poll.last_poll_at),
            "next_poll_at": _time(poll.next_poll_at),
            "failures": poll.failures,
            "code": poll.code,
            "kind": poll.kind,
            "interval": poll.interval,
            "entry_rate": None if poll.entry_rate is None else round(poll.entry_rate, 2),
            "entries": counts.entries,
            "new": counts.new,
            "edited": counts.edited,
            "removed": counts.removed,
            "restored": counts.restored,
            "last_change_at": _time(counts.last_change_at),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Everything at a moment."""

    at: datetime
    sources: tuple[SourceReport, ...]
    outbox: Backlog
    dead_letters: int

    @property
    def failing(self) -> bool:
        return any(source.condition in ("failing", "suspect") for source in self.sources)


async def report(store: Store, settings: Settings, now: datetime) -> Report:
    """Return how the enabled sources, the outbox and the deliveries stand."""
    from monitor.store.deliveries import count_dead

    states = await store.poll_states()
    sources = [
        source_report(id_, states.get(id_, PollState()), await _counts(store, id_, known=id_ in states), now)
        for id_, source in settings.sources.items()
        if source.enabled
    ]
    return Report(now, tuple(sources), await store.backlog(), await store.read(count_dead))


def source_report(source_id: str, poll: PollState, counts: Counts, now: datetime) -> SourceReport:
    """Return one source's condition and words."""
    condition = _condition(poll)
    return SourceReport(source_id, condition, _words(condition, poll, now), poll, counts)


def age(seconds: float) -> str:
    """Return a length of time in the largest unit that fits, as 5 s, 12 min, 3 h, 2 d."""
    for unit, length in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length or (unit != "min" and seconds >= length):
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _condition(poll: PollState) -> SourceCondition:
    if poll.verdict_kind is None:
        return "waiting"
    if poll.code == "gone":
        return "paused"
    if poll.verdict_kind == VerdictKind.SUSPECT:
        return "suspect"
    return "failing" if poll.verdict_kind == VerdictKind.FAILED else "ok"


def _words(condition: SourceCondition, poll: PollState, now: datetime) -> str:
    if condition == "waiting":
        return "not polled yet"
    if condition == "ok":
        assert poll.last_ok_at is not None
        return f"read {age((now - poll.last_ok_at).total_seconds())} ago"
    since = f" since {poll.since.astimezone().strftime('%H:%M')}" if poll.since else ""
    tries = f", {poll.failures} tries" if poll.failures > 1 else ""
    return f"{poll.reason or poll.code}{since}{tries}"


async def _counts(store: Store, source_id: str, *, known: bool) -> Counts:
    return await store.counts(source_id) if known else Counts()


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
