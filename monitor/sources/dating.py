"""Gives a page's clock times their dates: date headers, roll-over at midnight, either page order.

Rule: the newest time of a page is not later than the fetch, and going from it to older entries a jump up of more than
three hours is the day before; smaller inversions are entries out of order (pinned, late). What a page claims exactly
stays as claimed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from monitor.model import PageOrder, Stamp
from monitor.sources.drafts import Draft
from monitor.text.times import SLACK, TimeClaim, local_day, stamp_of

_ROLL_OVER = timedelta(minutes=180)


@dataclass(frozen=True, slots=True)
class Dated:
    """The stamps of a page's entries, in page order, and the order the page is in."""

    stamps: tuple[Stamp | None, ...]
    order: PageOrder


def date_page(drafts: Sequence[Draft], *, seen_at: datetime, zone: tzinfo) -> Dated:
    """Return the stamp of every draft of one page read at `seen_at`, bare clock times dated by their neighbours."""
    stamps = [_own_stamp(draft, seen_at, zone) for draft in drafts]
    bare = [at for at, draft in enumerate(drafts) if _is_bare(draft)]
    rising = _rises([drafts[at].claim for at in bare if not drafts[at].pinned])
    walk = list(reversed(bare)) if rising else bare
    day: date | None = None
    before: datetime | None = None
    copies: list[int] = []  # entries shown out of their order: pinned, or displaced without saying so
    for place, at in enumerate(walk):
        claim = drafts[at].claim
        if claim is None:
            continue
        if drafts[at].pinned:
            stamps[at] = stamp_of(claim, reference=seen_at, zone=zone)
            copies.append(at)
            continue
        stamp = stamp_of(claim, reference=seen_at, zone=zone, day=day)
        if stamp is None:
            continue
        if before is None and _is_displaced(drafts, walk[place : place + 2], stamp, seen_at, zone):
            stamps[at] = stamp
            copies.append(at)
            continue
        if before is not None and stamp.at - before > _ROLL_OVER and day is not None:
            stamp = stamp_of(claim, reference=seen_at, zone=zone, day=day - timedelta(days=1)) or stamp
        stamps[at], before = stamp, stamp.at
        day = stamp.at.date()  # in the zone the label names, where it names one
    _date_copies(copies, drafts, stamps)
    return Dated(tuple(stamps), _order(stamps, drafts))


def _date_copies(copies: Sequence[int], drafts: Sequence[Draft], stamps: list[Stamp | None]) -> None:
    """Give a copy shown out of order the day of the entry it copies, which its neighbours dated."""
    if not copies:
        return
    originals = {
        (draft.text, draft.claim.text): stamp
        for at, (draft, stamp) in enumerate(zip(drafts, stamps, strict=True))
        if draft.claim is not None and at not in copies
    }
    for at in copies:
        claim = drafts[at].claim
        stamps[at] = originals.get((drafts[at].text, claim.text if claim else "")) or stamps[at]


def _is_bare(draft: Draft) -> bool:
    claim = draft.claim
    return (
        draft.stamp is None
        and draft.header is None
        and claim is not None
        and claim.hour is not None
        and not claim.has_day
        and claim.weekday is None
    )


def _own_stamp(draft: Draft, seen_at: datetime, zone: tzinfo) -> Stamp | None:
    """The stamp a draft has without its neighbours: exact, dated, relative, or under a date header."""
    if draft.stamp is not None or draft.claim is None:
        return draft.stamp
    if draft.header is None:
        return None if _is_bare(draft) else stamp_of(draft.claim, reference=seen_at, zone=zone)
    header = stamp_of(draft.header, reference=seen_at, zone=zone)
    return stamp_of(
        draft.claim, reference=seen_at, zone=zone, day=None if header is None else local_day(header.at, zone)
    )


def _minute(claim: TimeClaim | None) -> int:
    return 0 if claim is None else (claim.hour or 0) * 60 + claim.minute


def _rises(claims: Sequence[TimeClaim | None]) -> bool:
    """Whether going down the page time goes on: by the majority of steps, steps over midnight counted round the clock."""
    up = down = 0
    for first, second in itertools.pairwise(claims):
        step = (_minute(second) - _minute(first) + 720) % 1440 - 720
        up, down = up + (step > 0), down + (step < 0)
    return up > down


def _is_displaced(drafts: Sequence[Draft], pair: Sequence[int], stamp: Stamp, seen_at: datetime, zone: tzinfo) -> bool:
    """Whether the page's newest place is held by an older entry (pinned without saying so): the next one is today's too,
    later by more than the roll-over, and the same text stands again further down."""
    if len(pair) < 2:
        return False
    following = drafts[pair[1]].claim
    if following is None:
        return False
    second = stamp_of(following, reference=seen_at, zone=zone)
    return (
        second is not None
        and second.at <= seen_at + SLACK
        and second.at - stamp.at > _ROLL_OVER
        and sum(draft.text == drafts[pair[0]].text for draft in drafts) > 1
    )


def _order(stamps: Sequence[Stamp | None], drafts: Sequence[Draft]) -> PageOrder:
    """Return the page's order by the majority of steps between stamps."""
    instants = [stamp.at for stamp, draft in zip(stamps, drafts, strict=True) if stamp is not None and not draft.pinned]
    up, down = _steps(instants)
    if up + down == 0:
        return "newest_first"
    if up > 2 * down:
        return "oldest_first"
    return "newest_first" if down > 2 * up or len(instants) < 4 else "unordered"


def _steps(instants: Iterable[datetime]) -> tuple[int, int]:
    listed = list(instants)
    up = sum(second > first for first, second in itertools.pairwise(listed))
    down = sum(second < first for first, second in itertools.pairwise(listed))
    return up, down
