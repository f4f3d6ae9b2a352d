"""Values of parsed JSON as what they are meant to be: a line, a text, a time. What is something else is None."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.model import Stamp
from monitor.sources.content import JSON
from monitor.text.times import TimeClaim, epoch_stamp, read_claim, stamp_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text_value(value: JSON) -> str | None:
    """Return a string, or the digits of a number; None for the rest and for nothing."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, int | float):
        return str(value)
    return None


def line(value: JSON) -> str | None:
    """Return a string or number on one line, white space collapsed; None for nothing."""
    text = text_value(value)
    return " ".join(text.split()) if text is not None else None


def stamped(value: JSON) -> tuple[Stamp | None, TimeClaim | None]:
    """Return what a value says about a time: a stamp that stands alone, or a claim the page must place.

    Numbers, and strings of digits only, are counts since 1970.
    """
    if isinstance(value, bool):
        return None, None
    if isinstance(value, int | float):
        return epoch_stamp(value), None
    written = line(value)
    if written is None:
        return None, None
    if (exact := _iso(written)) is not None:
        return exact, None
    if (calendar := _digits(written)) is not None:
        return None, calendar
    if written.lstrip("-").replace(".", "", 1).isdecimal() and len(written) >= 9 and len(written) < 24:
        return epoch_stamp(float(written), written), None
    claim = read_claim(written)
    if claim is not None and claim.year is not None and claim.hour is not None and claim.zone is not None:
        return stamp_of(claim, reference=_EPOCH, zone=UTC), None
    return None, claim


def _digits(written: str) -> TimeClaim | None:
    """A calendar time in digits alone, "20260310150520": as a count it would name a day of the 26th century."""
    if len(written) not in (12, 14) or not written.isdecimal() or not written.startswith(("19", "20")):
        return None
    day, clock = written[:8], written[8:].ljust(6, "0")
    return read_claim(f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}")


def _iso(written: str) -> Stamp | None:
    """The common form at once: an ISO 8601 instant with its zone, to the second."""
    if len(written) < 20 or written[4:5] != "-" or written[10:11] not in {"T", " "}:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return Stamp(at.replace(microsecond=0), written) if at.tzinfo is not None else None


def moment(value: JSON) -> datetime | None:
    """Return the instant a value names by itself; a time without a zone is UTC's (schema.org and JSON Feed ask for one)."""
    stamp, claim = stamped(value)
    if stamp is None and claim is not None and claim.year is not None:
        stamp = stamp_of(claim, reference=_EPOCH, zone=UTC)
    return stamp.at if stamp is not None else None
