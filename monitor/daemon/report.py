"""How every source fares, in words: what `status`, health and metrics say. Pure but for reading the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from monitor.daemon.completeness import Concern, concerns, span_in_words
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
    concerns: tuple[Concern, ...] = ()  # what may be wrong though it answers

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
            "late_by": None if poll.late is None else round(poll.late, 1),
            "entries": counts.entries,
            "new": counts.new,
            "edited": counts.edited,
            "removed": counts.removed,
            "restored": counts.restored,
            "last_change_at": _time(counts.last_change_at),
            "concerns": [{"code": concern.code, "words": concern.words} for concern in self.concerns],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Everything at a moment."""

    at: datetime
    sources: tuple[SourceReport, ...]
    outbox: Backlog
    dead_letters: int
    disabled: Mapping[str, str] = field(default_factory=dict)  # receiver → why nothing is sent to it

    @property
    def failing(self) -> bool:
        return any(source.condition in ("failing", "suspect") for source in self.sources)


async def report(store: Store, settings: Settings, now: datetime, *, counted: bool = True) -> Report:
    """Return how the enabled sources, the outbox and the deliveries stand.

    Without `counted` every count is 0: counting walks the whole history, too much for who asks every few seconds.
    """
    from monitor.store.alert_lists import disabled_receivers
    from monitor.store.deliveries import count_dead

    states = await store.poll_states()
    counts = await store.counts_of_all() if counted else {}
    sources = [
        source_report(id_, states.get(id_, PollState()), counts.get(id_, Counts()), now)
        for id_, source in settings.sources.items()
        if source.enabled
    ]
    disabled = await store.read(disabled_receivers)
    off = {name: why for name, why in disabled.items() if name in settings.receivers}
    return Report(now, tuple(sources), await store.backlog(), await store.read(count_dead), off)


def source_report(source_id: str, poll: PollState, counts: Counts, now: datetime) -> SourceReport:
    """Return one source's condition and words."""
    condition = _condition(poll)
    found = concerns(poll, now)
    words = "; ".join((_words(condition, poll, now), *(concern.words for concern in found if condition == "ok")))
    return SourceReport(source_id, condition, words, poll, counts, found)


def clock_words(moment: datetime, now: datetime) -> str:
    """Return a moment as a clock on the wall shows it, with the date where it may be of another day."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if now - moment < timedelta(hours=12) else f"{local:%Y-%m-%d %H:%M}"


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
        return f"read {span_in_words((now - poll.last_ok_at).total_seconds())} ago"
    since = f" since {clock_words(poll.since, now)}" if poll.since else ""
    tries = f", {poll.failures} tries" if poll.failures > 1 else ""
    return f"{poll.reason or poll.code}{since}{tries}"


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
