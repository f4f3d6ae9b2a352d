"""Whether a page may be believed: an older copy, a mass disappearance and a template change are waited out.

Rule: a page is held when believing it would tell something that a broken delivery explains better; holding tells
nothing, changes nothing and ends by itself after a few equal looks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from monitor.model import Snapshot
from monitor.reconcile.align import Pairing
from monitor.reconcile.features import hashed
from monitor.reconcile.match import Matched
from monitor.reconcile.page import Item, Page
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.state import RETURNED, Known, Memory, version_of
from monitor.reconcile.story import Story, tell_story
from monitor.reconcile.times import same

MASS_MIN = 6  # entries, before a share of them means anything
MASS_LOST = 0.34
MASS_LEFT = 0.6
FLOOD_MIN = 10
STALE_WEIGHT = 10  # polls one older copy is remembered
MAX_HOLDS = 12  # in a row, for whatever reasons: then the page is what the publisher shows now
OLDER_COPY_HOLDS = 10  # of a page that says itself that it is older
_TOLERANCE = 60.0  # seconds; relative labels show minutes


@dataclass(frozen=True, slots=True)
class Outlook:
    """What believing the page would mean."""

    new: tuple[int, ...]  # items
    touched: tuple[int, ...]  # paired items of another content or time than their entry's
    edited: tuple[int, ...]  # items of a content never seen in their entry
    reverted: tuple[int, ...]  # items of an earlier content of their entry
    lost: tuple[int, ...]  # records not missed before
    story: Story  # what merged and what split
    newest_lost: bool  # the newest known entry is gone and nothing newer came


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a page is not believed yet."""

    code: str
    reason: str
    looks: int  # after which it is
    any_page: bool = False  # looks need not be equal


def outlook(matched: Matched, deleted: Collection[str], *, orderly: bool) -> Outlook:
    """Return what believing the page would mean."""
    pairing = matched.pairing
    items, records = pairing.items, pairing.records
    touched: list[int] = []
    edited: list[int] = []
    reverted: list[int] = []
    for item in pairing.altered:
        now, before = items[item], records[pairing.record_of[item]]
        if now.features.exact == before.features.exact and now.span == before.span:
            continue
        touched.append(item)
        if now.features.exact != before.features.exact or (now.span and not same(before.span, now.span)):
            known_before = before.replaced(version_of(now.features, now.span)) is not None
            (reverted if known_before else edited).append(item)
    lost = tuple(
        index
        for index in pairing.free_records
        if not pairing.records[index].missing and pairing.records[index].entry.native_id not in deleted
    )
    new = tuple(pairing.free_items)
    story = tell_story(pairing, edited + reverted, lost, new)
    newest = _newest(pairing, orderly=orderly)
    newest_lost = newest in lost and not new and newest not in story.absorbed
    return Outlook(new, tuple(touched), tuple(edited), tuple(reverted), lost, story, newest_lost)


def _newest(pairing: Pairing, *, orderly: bool) -> int | None:
    """Return the newest known entry: the first of a page in order, else the one of the latest time."""
    shown = (index for index, record in enumerate(pairing.records) if not record.missing)
    if orderly:
        return next(shown, None)
    times = [(at.lo, -index) for index in shown if (at := pairing.records[index].span)]
    return -max(times)[1] if times else None


def doubt(page: Page, snapshot: Snapshot, matched: Matched, seen: Outlook, policy: ReconcilePolicy) -> Hold | None:
    """Return why the page should not be believed at first sight, or None."""
    known, memory, pairing = page.known, page.known.memory, matched.pairing
    if not (seen.new or seen.edited or seen.reverted or seen.lost or pairing.returned):
        return None
    if _says_it_is_older(memory, snapshot, matched) and not _brings_news(matched, seen):
        return Hold("older_copy", "the page says it is older than the last one", OLDER_COPY_HOLDS, any_page=True)
    known_shown = pairing.shown_before
    lost = len(seen.lost)
    if known_shown >= MASS_MIN and lost > MASS_LOST * known_shown and len(page.items) < MASS_LEFT * known_shown:
        return Hold(
            "mass_disappearance", f"{lost} of {known_shown} entries are missing", policy.confirm_mass, any_page=True
        )
    if known_shown >= MASS_MIN and not pairing.record_of and not _goes_on(matched):
        return Hold("different_page", "nothing of the last page is left", policy.confirm_mass, any_page=True)
    if not (seen.new or seen.edited) and _is_earlier_state(known, matched, seen):
        looks = 2 + (memory.stale_seen >= STALE_WEIGHT) + (seen.newest_lost and bool(seen.reverted))
        return Hold("older_copy", "the page shows only what was seen before", looks)
    if seen.newest_lost and seen.edited:
        return Hold("older_copy", "the newest entry is missing and nothing newer is there", 2)
    paired, rewritten = len(pairing.record_of), _rewritten(matched, seen)
    if paired >= FLOOD_MIN and rewritten >= policy.flood_share * paired:
        return Hold("template_change", f"{rewritten} of {paired} entries changed at once", policy.confirm_mass)
    return None


def _brings_news(matched: Matched, seen: Outlook) -> bool:
    """Say whether a new item is more than an unseen draft of an entry that is missing: no older copy shows news."""
    items, records = matched.pairing.items, matched.pairing.records
    missing = [records[index].span for index in matched.pairing.free_records]
    return any(not any(same(at, items[index].span) for at in missing) for index in seen.new)


def _goes_on(matched: Matched) -> bool:
    """Say whether the page's newest entry is younger than all that is known: a blog that ran on while we did not look."""
    newest = max((item.span.lo for item in matched.pairing.items if item.span), default=None)
    known = max((record.span.lo for record in matched.pairing.records if record.span), default=None)
    return newest is not None and (known is None or newest > known)


def _rewritten(matched: Matched, seen: Outlook) -> int:
    """Return how many edited items differ in more than their time."""
    pairing = matched.pairing
    records = ((pairing.items[item], pairing.records[pairing.record_of[item]]) for item in seen.edited)
    return sum(item.features.exact != record.features.exact for item, record in records)


def _is_earlier_state(known: Known, matched: Matched, seen: Outlook) -> bool:
    """Say whether the page is what the source was at one earlier time: an old copy undoes all that came after it.

    A page that undoes one change and keeps a later one is the publisher's own doing.
    """
    pairing = matched.pairing
    arrivals = [pairing.records[index].versions[0][1] for index in seen.lost]
    undone = [poll for poll in arrivals if poll or seen.newest_lost]  # 0: there when watching began
    for item, key in pairing.returned.items():
        now, row = pairing.items[item], known.gone[key]
        if now.features.exact != row.exact and version_of(now.features, now.span) not in row.versions:
            return False
        undone.append(row.poll)
    latest = 0
    for item, index in pairing.record_of.items():
        record, now = pairing.records[index], pairing.items[item]
        if record.flips:
            continue  # its wordings come and go by themselves
        name = version_of(now.features, now.span)
        replaced = record.replaced(name) if item in seen.reverted else None
        if replaced is not None:
            undone.append(replaced)
        latest = max(latest, record.since(name) or 0)
    undone = [poll for poll in undone if poll != RETURNED]
    return bool(undone) and latest <= min(undone)


def still_held(hold: Hold, memory: Memory, key: int, policy: ReconcilePolicy) -> bool:
    """Say whether a doubted page is to be held, given the looks so far; `key` names its content."""
    if memory.hold_total >= MAX_HOLDS:
        return False
    looks = memory.hold_count if memory.hold_code == hold.code else 0
    if looks and (memory.hold_key == key or hold.any_page):
        return looks + 1 < hold.looks
    return looks < max(policy.max_holds, hold.looks)


def content_key(items: Sequence[Item]) -> int:
    """Return a name of what the page shows, whatever its order."""
    return hashed(",".join(map(str, sorted(item.features.exact for item in items))))


def page_times(memory: Memory, snapshot: Snapshot, lag: float) -> dict[str, float]:
    """Return what to remember of the times of a believed page."""
    seen, made = snapshot.seen_at.timestamp(), _made_at(snapshot, lag)
    stepped_back = seen < memory.seen_at  # our own clock was set back: what it said before is worth nothing
    return {
        "seen_at": seen,
        "generated_at": made if stepped_back else max(memory.generated_at, made),
        "modified_at": snapshot.modified_at.timestamp() if snapshot.modified_at else memory.modified_at,
    }


def _made_at(snapshot: Snapshot, lag: float) -> float:
    """Return when the page was made, by its relative labels and its cache."""
    return snapshot.seen_at.timestamp() - max(lag, 0.0) - (snapshot.served_age or 0)


def _says_it_is_older(memory: Memory, snapshot: Snapshot, matched: Matched) -> bool:
    if snapshot.modified_at and memory.modified_at and snapshot.modified_at.timestamp() < memory.modified_at - 1:
        return True
    if snapshot.seen_at.timestamp() < memory.seen_at or not (matched.lag > 0 or snapshot.served_age):
        return False
    return _made_at(snapshot, matched.lag) < memory.generated_at - _TOLERANCE
