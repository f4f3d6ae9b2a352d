"""When a source is asked next: its pace follows the publisher's, its trouble slows it down and never stops it.

Rule: pure; the clock and chance are arguments. Times are seconds; `now` is any clock that does not jump while a state
lives, or wall-clock seconds where the state is stored (a jump then costs one odd interval, no more).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

# A tenth of the age is what HTTP takes for fresh where nobody says (RFC 9111 §4.2.2); a live desk wants less: polling 20
# times per usual gap between entries finds one after a fortieth of it on average.
POLLS_PER_GAP = 20.0
GAP_MEMORY = 0.25  # weight of the newest gap in the mean
HINT_STRETCH = 4.0  # a freshness hint may slow a source down to this many floors, never further
ERROR_CEILING = 900.0  # a failing source is asked every quarter of an hour at least
GONE_PAUSE = 3600.0  # after 410: paused, yet looked at every hour, because sites are mended
SUSPECTS_TOLERATED = 3  # one odd page is asked again at once; a wall that stays is not to be knocked at
JITTER = 0.1  # a poll is late by up to this part of its interval, so that sources of one start drift apart

Outcome = Literal["changed", "unchanged", "suspect", "failed", "gone", "deferred"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a source may be asked. `floor` is the fastest; equal bounds make a fixed interval."""

    floor: float
    ceiling: float


@dataclass(frozen=True, slots=True)
class CadenceState:
    """What is remembered of a source between polls; a few numbers, kept with it."""

    gap: float | None = None  # mean seconds between entries; None until two were seen at different times
    last_change: float | None = None  # when a poll last brought a change
    failures: int = 0  # polls in a row that gave nothing
    suspects: int = 0  # polls in a row that were suspect


@dataclass(frozen=True, slots=True)
class Poll:
    """What the last poll was and what the publisher said with it."""

    outcome: Outcome  # deferred: not asked at all, because its host is to be left alone or has no turn
    new_entries: int = 0
    fresh_for: float | None = None  # Cache-Control, Expires or a feed's ttl
    retry_after: float | None = None  # of this answer, or what is left of the host's


@dataclass(frozen=True, slots=True)
class NextPoll:
    """Seconds from now to the next poll, and the state to keep."""

    delay: float
    state: CadenceState


def next_poll(state: CadenceState, poll: Poll, pace: Pace, *, now: float, jitter: float) -> NextPoll:
    """Return when to ask again. `jitter` is in [0, 1).

    Never earlier than the floor, never earlier than the publisher asks (Retry-After, clamped by the fetch to an hour),
    and always some time: there is no state in which a source is given up.
    """
    known = _learned(state, poll, now)
    delay = _delay(known, poll, pace, now)
    if poll.retry_after is not None:
        delay = max(delay, poll.retry_after)
    return NextPoll(delay * (1.0 + JITTER * jitter), known)


def first_poll(index: int, count: int, pace: Pace) -> float:
    """Return seconds to the first poll of the source `index` of `count`: all within one floor, evenly apart."""
    return pace.floor * index / max(count, 1)


def trouble_told(known: CadenceState, after: CadenceState, *, patience: int = 3) -> Literal["failing", "back"] | None:
    """Return what is to be told of a source's health after a poll: once when it fails for good, once when it is back."""
    before, now = _in_trouble(known, patience), _in_trouble(after, patience)
    if now and not before:
        return "failing"
    return "back" if before and not now else None


def _in_trouble(state: CadenceState, patience: int) -> bool:
    return state.failures >= patience or state.suspects >= patience


def _learned(state: CadenceState, poll: Poll, now: float) -> CadenceState:
    match poll.outcome:
        case "deferred":
            return state
        case "failed" | "gone":
            return replace(state, failures=state.failures + 1)
        case "suspect":
            return replace(state, suspects=state.suspects + 1, failures=0)
    calm = replace(state, failures=0, suspects=0)
    if poll.outcome == "unchanged":
        return calm
    if state.last_change is None:
        return replace(calm, last_change=now)
    observed = max(now - state.last_change, 0.0) / max(poll.new_entries, 1)
    gap = observed if state.gap is None else state.gap + GAP_MEMORY * (observed - state.gap)
    return replace(calm, gap=gap, last_change=now)


def _delay(state: CadenceState, poll: Poll, pace: Pace, now: float) -> float:
    if poll.outcome == "gone":
        return max(pace.floor, GONE_PAUSE)
    if state.failures:
        return _backed_off(pace, state.failures)
    if state.suspects > SUSPECTS_TOLERATED:
        return _backed_off(pace, state.suspects - SUSPECTS_TOLERATED)
    return _hinted(_usual(state, pace, now), state, poll, pace)


def _usual(state: CadenceState, pace: Pace, now: float) -> float:
    """The publisher's own pace: the mean gap, or the present silence once that is longer."""
    if state.last_change is None:
        return pace.floor  # nothing is known: a blog just added is one somebody waits for
    silence = max(now - state.last_change, 0.0)
    return _within(pace, max(silence, state.gap or 0.0) / POLLS_PER_GAP)


def _hinted(delay: float, state: CadenceState, poll: Poll, pace: Pace) -> float:
    """A page that says it stays fresh is believed a little, unless its entries come faster than it says."""
    if poll.fresh_for is None or poll.fresh_for <= delay:
        return delay
    if state.gap is not None and state.gap < poll.fresh_for:
        return delay
    return _within(pace, max(delay, min(poll.fresh_for, HINT_STRETCH * pace.floor)))


def _backed_off(pace: Pace, times: int) -> float:
    """Doubling from the floor: 1, 2, 4 … floors, up to a quarter of an hour or the floor itself if that is longer."""
    return max(pace.floor, min(pace.floor * 2.0 ** min(times, 16), ERROR_CEILING))


def _within(pace: Pace, delay: float) -> float:
    return min(max(delay, pace.floor), max(pace.ceiling, pace.floor))


def shortest(delays: Sequence[float | None]) -> float | None:
    """Return the least of the hints that were given: Cache-Control and a feed's ttl rarely agree."""
    given = [delay for delay in delays if delay is not None]
    return min(given) if given else None
