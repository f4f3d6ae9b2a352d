"""When two claims about a time agree, and by how much a whole page's clock moved.

Rule: a stamp is an interval of epoch seconds; a stamp without a date is compared on the face of the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import msgspec

from monitor.model import Stamp

DAY = 86_400.0
MINUTES = 1440  # of a day
SHIFT_MIN = 900.0  # seconds: zones differ by quarters of an hour at least (tz database)
_SAME = 59.0  # pages show minutes


class Span(msgspec.Struct, frozen=True, gc=False):
    """The instants a stamp allows."""

    lo: float
    hi: float
    dated: bool
    relative: bool


def span(stamp: Stamp | None) -> Span | None:
    """Return the interval of a stamp, None for none."""
    if stamp is None:
        return None
    lo = stamp.at.timestamp()
    return Span(lo, lo + (stamp.precision if stamp.relative else 0), stamp.dated, stamp.relative)


def minute_of(at: Span) -> int:
    """Return the minute of the day."""
    return int(at.lo // 60) % MINUTES


def apart(old: Span, new: Span) -> float:
    """Return how many seconds later `new` is than `old`; 0 where their intervals meet.

    Between stamps of which one has no date: the shorter way around the clock.
    """
    if old.relative or new.relative:
        gap = max(old.lo - new.hi, new.lo - old.hi, 0.0)
        # labels are cut down or rounded, and the page may be a minute old: half a step of slack on both sides
        slack = 60.0 + max(old.hi - old.lo, new.hi - new.lo) / 2
        return 0.0 if gap <= slack else (gap if new.lo > old.lo else -gap)
    distance = new.lo - old.lo
    if not (old.dated and new.dated):
        distance = (distance + DAY / 2) % DAY - DAY / 2
    return distance


def same(old: Span | None, new: Span | None) -> bool:
    """Say whether two claims can be of one instant. Two missing claims agree; a missing one and a given one do not."""
    if old is None or new is None:
        return old is new
    return abs(apart(old, new)) <= _SAME


def moved_by(distances: Iterable[float]) -> float:
    """Return the clock shift of a page from the time differences of unchanged entries; 0 when there is none.

    A shift is a difference of at least a quarter of an hour shared by 60 % of at least two entries: a corrected zone,
    daylight saving. Single corrections of single entries are edits.
    """
    counted = Counter(round(distance / 60) * 60 for distance in distances)
    total = sum(counted.values())
    if total < 2:
        return 0.0
    distance, times = counted.most_common(1)[0]
    return float(distance) if abs(distance) >= SHIFT_MIN and times >= max(2, 0.6 * total) else 0.0


def sticky(old: Stamp | None, new: Stamp | None) -> Stamp | None:
    """Return the stamp to keep for an entry whose old and new claims agree.

    The date once inferred stays (midnight does not re-date an entry); a finer or dated claim replaces a coarser one.
    """
    if old is None or new is None:
        return new
    if new.relative:
        return old if old.precision <= new.precision or not old.relative else new
    if old.relative or (new.dated and not old.dated):
        return new
    if new.text != old.text:
        return replace(new, at=old.at.astimezone(new.at.tzinfo), dated=old.dated)
    return old


def shifted(stamp: Stamp | None, seconds: float) -> Stamp | None:
    """Return the stamp moved by a page's clock shift."""
    return stamp if stamp is None or not seconds else replace(stamp, at=stamp.at + timedelta(seconds=seconds))
