"""The time an element of a page shows or carries: `datetime`, epoch attributes, or its words.

Rule: a machine-readable instant on the entry itself goes before `<time datetime>`, that before the words; a `datetime`
that gives only a day dates the clock beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Stamp
from monitor.sources.dom import attribute, leaf_texts
from monitor.sources.values import stamped
from monitor.text.times import TimeClaim, read_claim

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

# Attributes in which publishers put the post's own time: AMP live lists, Reach, Arena, 24liveblog and many themes.
EPOCHS = (
    "data-post-time",
    "data-sort-time",
    "data-published",
    "data-publish-time",
    "data-published-time",
    "data-created",
    "data-timestamp",
    "data-time",
    "data-date",
    "data-datetime",
    "data-posted",
    "data-publishdate",
    "data-published-at",
    "data-created-at",
    "data-date-gmt",
    "data-js-timestamp",
    "data-unixtime",
    "data-utime",
    "data-ts",
)
CARRIERS = ", ".join(
    (
        "time",
        "[datetime]",
        "[itemprop=datePublished]",
        "abbr[title]",
        "[class*=time][title]",
        "[class*=date][title]",
        *(f"[{name}]" for name in EPOCHS),
    )
)


class Told(NamedTuple):
    """What an element tells about a time."""

    stamp: Stamp | None = None
    claim: TimeClaim | None = None
    header: TimeClaim | None = None  # the day of a bare clock

    @property
    def nothing(self) -> bool:
        return self.stamp is None and self.claim is None


def told_by(node: LexborNode) -> Told:
    """Return what one time element tells, its attributes before its words."""
    words = shown_claim(node)
    for name in ("datetime", "content", "title", *EPOCHS):
        value = attribute(node, name)
        if not value:
            continue
        stamp, claim = stamped(value)
        if stamp is not None:
            return Told(_as_shown(stamp, words))
        if claim is not None and claim.is_date and words is not None and words.hour is not None and not words.has_day:
            return Told(claim=words, header=claim)
        if claim is not None and not claim.is_date:
            return Told(claim=claim)
    return Told(claim=words)


def carried_by(block: LexborNode) -> Told:
    """Return the instant an entry's own element carries in an attribute, if it does."""
    for name in EPOCHS:
        value = attribute(block, name)
        stamp, claim = stamped(value) if value else (None, None)
        if stamp is not None:
            return Told(Stamp(stamp.at))
        if claim is not None and claim.year is not None and claim.hour is not None:
            return Told(claim=claim)
    return Told()


def shown_claim(node: LexborNode) -> TimeClaim | None:
    """Return the first label in a node that is a time: a clock, else "ago", else a date."""
    date: TimeClaim | None = None
    counted: TimeClaim | None = None
    for at, text in enumerate(leaf_texts(node)):
        if at > 8:
            break
        claim = read_claim(text)
        if claim is not None and claim.hour is not None:
            return claim
        if claim is None and counted is not None:
            break  # "1h ago", and the entry's words have begun
        counted = counted or (claim if claim is not None and claim.ago is not None else None)
        date = date or (claim if claim is not None and claim.is_date else None)
    if counted is not None or date is not None:
        return counted or date
    whole = node.text(separator=" ")
    return read_claim(whole) if len(whole) < 200 else None


def _as_shown(stamp: Stamp, words: TimeClaim | None) -> Stamp:
    return Stamp(stamp.at, words.text if words is not None else None, stamp.precision)
