"""Stamps of any shape: "3:47 pm", "15h47", "٠٩:٤٣", "il y a 5 minutes", ISO 8601, RFC 822 → Stamp.

Rule: pure; the fetch time and the page's zone are arguments. A claim (`read_claim`) is what a label says; a stamp is the
earliest instant the claim allows, once the day is known. Whole pages are dated in `monitor.sources.dating`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from monitor.model import Stamp
from monitor.text.times_claim import TimeClaim
from monitor.text.times_grammar import read_claim

__all__ = ["TimeClaim", "epoch_stamp", "local_day", "read_claim", "read_stamp", "stamp_of", "zone_named"]

SLACK = timedelta(minutes=20)  # publishers' clocks run ahead of ours by this much before a time counts as yesterday's


@lru_cache(maxsize=256)
def zone_named(name: str) -> tzinfo:
    """Return the zone of an IANA name, UTC where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a bad key a ValueError
        return UTC


def read_stamp(text: str, *, reference: datetime, zone: tzinfo) -> Stamp | None:
    """Return the stamp `text` makes if the whole of it is a time or date, read at `reference` (aware), else None."""
    claim = read_claim(text)
    return None if claim is None else stamp_of(claim, reference=reference, zone=zone)


def stamp_of(claim: TimeClaim, *, reference: datetime, zone: tzinfo, day: date | None = None) -> Stamp | None:
    """Return the stamp of `claim`; `day` is the page's date for a bare clock time, else the latest day not after `reference`.

    None where the claim names no possible date (31 February).
    """
    try:
        if claim.ago is not None and claim.hour is None:
            # "2 hours ago" is said from two hours to just under three: floor, as every live blog counts
            back = timedelta(seconds=claim.ago + claim.precision)
            return Stamp(reference - back, claim.text, claim.precision, relative=True)
        where = _zone_of(claim, zone)
        chosen = _day_of(claim, reference.astimezone(where), day)
        at = _at(claim, chosen, where)
    except (ValueError, OverflowError):
        return None
    return Stamp(at, claim.text, claim.precision, dated=claim.has_day or claim.weekday is not None)


def local_day(moment: datetime, zone: tzinfo) -> date:
    """Return the calendar day of `moment` in `zone`."""
    return moment.astimezone(zone).date()


def epoch_stamp(number: float, text: str | None = None) -> Stamp | None:
    """Return the stamp of a count since 1970: seconds, or milliseconds, micro- and nanoseconds by magnitude.

    Seconds after 1973 and before 5138 have 9 to 11 digits; each thousandfold is the next unit. None outside these.
    Whole seconds, as feeds and markup give them: an entry has one time whichever of them it is read from.
    """
    size = abs(number)
    for factor in (1, 1e3, 1e6, 1e9):
        if 1e8 <= size / factor < 1e11:
            try:
                return Stamp(datetime.fromtimestamp(number // factor, UTC), text)
            except (ValueError, OverflowError, OSError):
                return None
    return None


def _zone_of(claim: TimeClaim, zone: tzinfo) -> tzinfo:
    if claim.zone is None:
        return zone
    if isinstance(claim.zone, str):
        return zone_named(claim.zone)
    return UTC if claim.zone == 0 else timezone(timedelta(minutes=claim.zone))


def _day_of(claim: TimeClaim, now: datetime, day: date | None) -> date:
    if claim.days_back is not None:
        return now.date() - timedelta(days=claim.days_back)
    if claim.month is not None and claim.day is not None:
        if claim.year is not None:
            written = date(claim.year, claim.month, claim.day)
            swapped = date(claim.year, claim.day, claim.month) if claim.slashed else written
            return swapped if swapped <= now.date() + timedelta(days=1) < written else written
        this_year = date(now.year, claim.month, claim.day)
        return this_year if this_year <= now.date() + timedelta(days=1) else this_year.replace(year=now.year - 1)
    if claim.weekday is not None and day is None:
        return now.date() - timedelta(days=(now.weekday() - claim.weekday) % 7)
    if day is not None:
        return day
    return now.date() if _at(claim, now.date(), now.tzinfo or UTC) <= now + SLACK else now.date() - timedelta(days=1)


def _at(claim: TimeClaim, day: date, where: tzinfo) -> datetime:
    hour = claim.hour or 0
    if hour == 24:  # 24:00 closes the day (ISO 8601)
        day, hour = day + timedelta(days=1), 0
    return datetime(day.year, day.month, day.day, hour, claim.minute, min(claim.second or 0, 59), tzinfo=where)
