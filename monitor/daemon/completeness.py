"""Whether a source that answers well may still hide something: silence, old copies, gaps, clocks. Pure.

Rule: each concern is a named state in words; nothing here changes what is polled or told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.store import PollState

ConcernCode = Literal["silent", "frozen", "gap", "clock", "no_entries"]
CONCERNS: tuple[ConcernCode, ...] = ("silent", "frozen", "gap", "clock", "no_entries")
HABIT_ENTRIES = 5  # a habit is known from so many entries on
SILENT_GAPS = 10.0  # so many times its usual gap is against a source's own habit …
SILENT_LEAST = 900.0  # … and at least a quarter of an hour
FROZEN_SECONDS = 600.0  # a cache that has held a live page for so long serves an old one
FROZEN_POLLS = 10.0  # and so many of our intervals
GAP_SHOWN = timedelta(hours=1)
NOTHING_FOUND = ("no_entries", "layout_changed")  # codes of verdicts: the second where the place is of a `select`
AHEAD_SECONDS = 600.0  # an entry claimed from so far ahead: the publisher's clock or zone is wrong, or ours


@dataclass(frozen=True, slots=True)
class Concern:
    """Something an operator should look at though the source answers."""

    code: ConcernCode
    words: str


def concerns(poll: PollState, now: datetime) -> tuple[Concern, ...]:
    """Return what may be wrong with a source whose polls are good."""
    found = (_silent(poll, now), _frozen(poll), _gap(poll, now), _clock(poll), _empty(poll))
    return tuple(one for one in found if one is not None)


def span_in_words(seconds: float) -> str:
    """Return a length of time in the largest unit that fits, as 5 s, 12 min, 3 h, 2 d."""
    for unit, length in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length or (unit != "min" and seconds >= length):
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _silent(poll: PollState, now: datetime) -> Concern | None:
    if poll.new_gap is None or poll.last_new_at is None or poll.new_seen < HABIT_ENTRIES:
        return None
    silence = (now - poll.last_new_at).total_seconds()
    if silence < max(SILENT_LEAST, SILENT_GAPS * poll.new_gap):
        return None
    usual = span_in_words(poll.new_gap)
    return Concern("silent", f"strangely quiet: nothing new for {span_in_words(silence)}, usually every {usual}")


def _frozen(poll: PollState) -> Concern | None:
    age, interval = poll.served_age, poll.interval or 0.0
    if age is None or age < max(FROZEN_SECONDS, FROZEN_POLLS * interval):
        return None
    return Concern("frozen", f"a cache has served the same copy for {span_in_words(age)}")


def _gap(poll: PollState, now: datetime) -> Concern | None:
    if poll.gap_at is None or now - poll.gap_at > GAP_SHOWN:
        return None
    ago = span_in_words((now - poll.gap_at).total_seconds())
    return Concern("gap", f"entries may have come and gone unseen {ago} ago: nothing on the page was known")


def _clock(poll: PollState) -> Concern | None:
    if poll.ahead is None or poll.ahead < AHEAD_SECONDS:
        return None
    return Concern(
        "clock", f"an entry claims to be from {span_in_words(poll.ahead)} ahead: check `timezone` and clocks"
    )


def _empty(poll: PollState) -> Concern | None:
    if poll.code not in NOTHING_FOUND:
        return None
    return Concern("no_entries", poll.reason or "nothing on the page is found where entries should stand")
