"""What a poll's outcome makes of a source's state. Pure: decides; never does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.daemon.cadence import DEFERRED, next_delay, shortest
from monitor.fetch import FetchFailed, Fresh, Move, NotModified, sight_move
from monitor.model import ChangeType, Delta, Snapshot, Verdict, VerdictKind
from monitor.store import PollState

GOOD = (VerdictKind.OK, VerdictKind.UNCHANGED)
CATCH_UP_AFTER = 1800.0  # seconds without a good poll, after which what is new comes late and is told as such
HABIT_WEIGHT = 0.25  # of the newest gap between entries in the source's habit
MOVE_BELIEVED = 3  # polls in a row that were led to one place for good, after which that place is asked
MOVE_DOUBTED = 3  # failed polls in a row, after which a source that moved is looked for at its own address again
RATE_MEMORY_HOURS = 1.0  # how far back the entry rate looks, as the time constant of its smoothing


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a poll ended. `answer` is None where the poll's own deadline cut it short."""

    verdict: Verdict
    answer: Fresh | NotModified | FetchFailed | None
    snapshot: Snapshot | None = None
    deltas: tuple[Delta, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """When a source wants to be polled."""

    floor: float  # seconds between polls at the fastest
    ceiling: float  # and at the slowest while all is well
    cron: str | None = None  # five fields, crontab(5); in place of the interval while all is well
    timezone: str = "UTC"  # of the cron expression


def after_poll(state: PollState, outcome: Outcome, timing: Timing, *, now: datetime, jitter: float) -> PollState:
    """Return the source's state after one poll, the time of the next one included. `jitter` is in [0, 1).

    Validators are taken over only from a body that was read and believed: a challenge page with an ETag must not be
    answered by "not modified" later. A poll that was deferred says nothing of the source.
    """
    good = outcome.verdict.kind in GOOD
    failures = 0 if good else state.failures + 1
    delay = _delay(state, outcome, timing, failures, jitter)
    if timing.cron and good:
        delay = seconds_to_cron(timing.cron, timing.timezone, now)
    timed = replace(state, next_poll_at=now + timedelta(seconds=delay), interval=round(delay, 3), last_poll_at=now)
    if is_deferred(outcome.verdict):
        return replace(timed, last_poll_at=state.last_poll_at)
    was_good = state.verdict_kind in GOOD
    same_state = state.since is not None and good == was_good and (good or state.code == outcome.verdict.code)
    after = replace(
        timed,
        verdict_kind=outcome.verdict.kind.value,
        reason=outcome.verdict.reason,
        code=outcome.verdict.code,
        since=state.since if same_state else now,
        last_ok_at=now if good else state.last_ok_at,
        failures=failures,
    )
    if good:
        return _validated(after, outcome, now, state.last_poll_at)
    return _unlearned(after) if failures >= MOVE_DOUBTED and state.moved_to else after


def asked_at(state: PollState, url: str) -> PollState:
    """Return the state for polling `url`: what was learned from another address says nothing of this one.

    An ETag of the old address could be answered "not modified" by the new one, and a redirect remembered would lead
    back to where the settings no longer point.
    """
    if state.asked in (url, None):
        return replace(state, asked=url)
    return replace(_unlearned(state), asked=url, kind=None)


def _unlearned(state: PollState) -> PollState:
    """Return the state without where the source moved, and without the validators of that place."""
    return replace(state, etag=None, last_modified=None, body_hash=None, moved_to=None, moved_seen=0)


def comes_late(state: PollState, timing: Timing, *, now: datetime, silent_for: float | None) -> bool:
    """Return whether what a poll finds new comes late: a quiet source's own pace is no outage.

    `silent_for`: seconds since this process read it last, on a clock that nobody sets: a wall clock set forward an hour is
    no outage of an hour. None before that, when only the wall clock tells, for it spans a restart.
    """
    if silent_for is None:
        silent_for = (now - state.last_ok_at).total_seconds() if state.last_ok_at else 0.0
    return silent_for > max(CATCH_UP_AFTER, 2 * timing.ceiling)


def is_deferred(verdict: Verdict) -> bool:
    """Return whether a poll did not happen because its host is to be left alone or has no turn."""
    return verdict.code in DEFERRED


def seconds_to_cron(expression: str, timezone: str, now: datetime) -> float:
    """Return how long until a cron expression fires next, by APScheduler's trigger."""
    from apscheduler.triggers.cron import CronTrigger

    fires = CronTrigger.from_crontab(expression, timezone=timezone).get_next_fire_time(None, now)
    return max(0.0, (fires - now).total_seconds()) if fires else 86_400.0


def _delay(state: PollState, outcome: Outcome, timing: Timing, failures: int, jitter: float) -> float:
    answer = outcome.answer
    hints = answer.hints if answer is not None else None
    return next_delay(
        timing.floor,
        timing.ceiling,
        failures,
        jitter=jitter,
        retry_after=answer.retry_after if isinstance(answer, FetchFailed) else None,
        code=outcome.verdict.code,
        suspect=outcome.verdict.kind is VerdictKind.SUSPECT,
        changed=bool(outcome.deltas),
        last=None if state.failures else state.interval,  # what trouble stretched it to says nothing of the pace
        entry_rate=state.entry_rate,
        fresh_for=shortest([hints.fresh_for if hints else None, outcome.snapshot.ttl if outcome.snapshot else None]),
    )


def _validated(state: PollState, outcome: Outcome, now: datetime, last_poll_at: datetime | None) -> PollState:
    answer = outcome.answer
    state = replace(state, entry_rate=_rate(state.entry_rate, outcome.deltas, now, last_poll_at))
    if isinstance(answer, FetchFailed) or answer is None:
        return state
    known = Move(state.moved_to, state.moved_seen) if state.moved_to else None
    move = known if known and known.settled else sight_move(known, answer.moved_to)
    state = replace(state, moved_to=move.url if move else None, moved_seen=move.sightings if move else 0)
    if isinstance(answer, Fresh):
        state = _observed(state, outcome, answer, now)
        kind = outcome.snapshot.kind if outcome.snapshot else state.kind
        return replace(
            state, etag=answer.etag, last_modified=answer.last_modified, body_hash=answer.body_hash, kind=kind
        )
    return replace(state, etag=answer.etag or state.etag, last_modified=answer.last_modified or state.last_modified)


def _observed(state: PollState, outcome: Outcome, answer: Fresh, now: datetime) -> PollState:
    """What a page shows of the source's habit, its caches and its clock; see `completeness`."""
    snapshot = outcome.snapshot
    new = sum(1 for delta in outcome.deltas if delta.change.type is ChangeType.NEW)
    if new:
        gap = (now - state.last_new_at).total_seconds() / new if state.last_new_at else None
        habit = gap if state.new_gap is None or gap is None else state.new_gap + HABIT_WEIGHT * (gap - state.new_gap)
        state = replace(state, last_new_at=now, new_seen=state.new_seen + new, new_gap=habit or state.new_gap)
    claims = [entry.published.at for entry in snapshot.entries if entry.published] if snapshot else []
    return replace(
        state,
        served_age=answer.document.served_age,
        gap_at=now if snapshot and snapshot.gap_possible else state.gap_at,
        ahead=max(((claim - now).total_seconds() for claim in claims), default=None),
        late=_late(state.late, outcome.deltas),
    )


def _late(late: float | None, deltas: tuple[Delta, ...]) -> float | None:
    """Seconds from published to seen, smoothed: what a reader waits at this source's pace and ours."""
    for delta in deltas:
        if delta.change.type is ChangeType.NEW and delta.late_by is not None:
            late = delta.late_by if late is None else late + HABIT_WEIGHT * (delta.late_by - late)
    return late


def _rate(rate: float | None, deltas: tuple[Delta, ...], now: datetime, last_poll_at: datetime | None) -> float | None:
    """New entries an hour, smoothed exponentially over about an hour."""
    if last_poll_at is None:
        return rate
    hours = max((now - last_poll_at).total_seconds(), 1.0) / 3600
    new = sum(1 for delta in deltas if delta.change.type is ChangeType.NEW)
    weight = min(1.0, hours / RATE_MEMORY_HOURS)
    return (rate or 0.0) * (1 - weight) + (new / hours) * weight
