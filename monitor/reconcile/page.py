"""A snapshot made ready for comparing: features, time spans, copies merged, ids that cannot be ids dropped.

Rule: items are in canonical order, newest first; positions are the page's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import msgspec

from monitor.model import Entry, Snapshot
from monitor.reconcile.features import Features, features, features_of, identifier
from monitor.reconcile.furniture import MAX_LEARNED, learn, masked
from monitor.reconcile.state import Known, Record, version_of
from monitor.reconcile.times import Span, same, span
from monitor.text.characters import canonical

COPY_WORDS = 10  # two entries of one minute may share fewer words by chance
ORDERLY = 0.75  # share of neighbours in time order that makes a list chronological


class Item(msgspec.Struct, frozen=True, gc=False):
    """One entry of the page."""

    entry: Entry
    features: Features
    span: Span | None
    key: str | None  # the publisher's id or address, only where it may identify


@dataclass(frozen=True, slots=True)
class Page:
    """A snapshot ready for comparing."""

    items: tuple[Item, ...]  # newest first, copies merged
    orderly: bool  # the page is sorted by time, so that its end is the past
    learned: tuple[str, ...]  # furniture this page taught
    known: Known  # re-read where furniture was learned
    read: Mapping[tuple[str | None, str], Features]


def prepare(known: Known, snapshot: Snapshot, declared: Sequence[str] = ()) -> Page:
    """Return the snapshot ready for comparing with `known`; `declared` are paragraphs the operator calls furniture."""
    furniture = known.memory.furniture
    entries = [entry for entry in snapshot.entries if entry.text or entry.title]
    read, shown, fresh = _read(entries, known, furniture)
    learned: tuple[str, ...] = ()
    if len(furniture) < MAX_LEARNED:
        learned = learn(read.values(), fresh, furniture)[: MAX_LEARNED - len(furniture)]
    named = (masked(canonical(paragraph)) for paragraph in declared)
    learned = (*(paragraph for paragraph in named if paragraph not in furniture), *learned)
    if learned:
        furniture = (*furniture, *learned)
        known = _reread(known, furniture)
        read = {key: features(*key, furniture) for key in read}
        shown = [read[entry.title, entry.text] for entry in entries]
    items = [
        Item(entry, found, span(entry.published), identifier(entry))
        for entry, found in zip(entries, shown, strict=True)
    ]
    if snapshot.order == "oldest_first":
        items.reverse()
    items = _without_unusable_ids(_without_copies(items), snapshot)
    return Page(tuple(items), _is_orderly(items, snapshot), learned, known, read)


def _read(
    entries: Sequence[Entry], known: Known, furniture: tuple[str, ...]
) -> tuple[dict[tuple[str | None, str], Features], list[Features], list[Features]]:
    """Return the features by text, those of each entry, and those of texts that the last page did not show."""
    found: dict[tuple[str | None, str], Features] = {}
    shown: list[Features] = []
    fresh: list[Features] = []
    for entry in entries:
        key = (entry.title, entry.text)
        one = known.read.get(key) or found.get(key)
        if one is None:
            one = features_of(entry, furniture)
            fresh.append(one)
        found[key] = one
        shown.append(one)
    return found, shown, fresh


def _reread(known: Known, furniture: tuple[str, ...]) -> Known:
    """Return what is known, compared without the new furniture: an entry is not edited because we learned."""
    live: dict[str, Record] = {}
    for key, record in known.live.items():
        found = features_of(record.entry, furniture)
        versions = record.versions
        if found.exact != record.features.exact:
            versions = (*versions[:-1], (version_of(found, record.span), versions[-1][1]))
        live[key] = msgspec.structs.replace(record, features=found, versions=versions)
    return replace(known, live=live, memory=known.memory, read={})


def _without_copies(items: list[Item]) -> list[Item]:
    """Merge copies of one entry on one page: pinned, key events, repeated by accident. The one in its place stays."""
    if len({item.features.loose for item in items}) == len(items):
        return items
    groups: dict[int, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        if item.features.loose:
            groups[item.features.loose].append(index)
    dropped: set[int] = set()
    for indexes in groups.values():
        if len(indexes) > 1:
            dropped |= _copies(items, indexes)
    return [item for index, item in enumerate(items) if index not in dropped] if dropped else items


def _copies(items: list[Item], indexes: list[int]) -> set[int]:
    dropped: set[int] = set()
    for at, one in enumerate(indexes):
        for other in indexes[at + 1 :]:
            if one in dropped or other in dropped or not _is_copy(items, one, other):
                continue
            dropped.add(one if _displaced(items, one) and not items[other].entry.pinned else other)
    return dropped


def _is_copy(items: list[Item], one: int, other: int) -> bool:
    a, b = items[one], items[other]
    if not same(a.span, b.span):
        return False
    displaced = other - one > 1 and (_displaced(items, one) or _displaced(items, other))
    if a.key and b.key and a.key != b.key and not (a.entry.pinned or b.entry.pinned):
        return a.features.words >= COPY_WORDS and a.span is not None and displaced
    return (
        a.entry.pinned
        or b.entry.pinned
        or (a.key is not None and a.key == b.key)
        or a.features.words >= COPY_WORDS
        or displaced
    )


def _displaced(items: list[Item], index: int) -> bool:
    """Say whether an item stands above newer ones, or last and below older ones: shown out of order on purpose."""
    item = items[index]
    if item.entry.pinned:
        return True
    if item.span is None:
        return False
    below = items[index + 1].span if index + 1 < len(items) else None
    if below is not None:
        return below.lo > item.span.hi + 59
    above = items[index - 1].span
    return above is not None and item.span.lo > above.hi + 59


def _without_unusable_ids(items: list[Item], snapshot: Snapshot) -> list[Item]:
    """Drop ids that cannot identify: shared by different entries, or the ascending numbers of a newest-first page."""
    uses = Counter([item.key for item in items if item.key])
    if not uses:
        return items
    shared = {key for key, times in uses.items() if times > 1}
    if not shared and not (snapshot.order == "newest_first" and _counts_down_the_page(items)):
        return items
    every = not shared
    return [msgspec.structs.replace(i, key=None) if i.key and (every or i.key in shared) else i for i in items]


def _counts_down_the_page(items: list[Item]) -> bool:
    """Say whether the ids are row numbers: post-0, post-1 … from the top of a page whose top is the newest entry."""
    numbers = []
    for item in items:
        digits = (item.key or "").rstrip("0123456789")
        tail = (item.key or "")[len(digits) :]
        if not tail or len(tail) > 6:
            return False
        numbers.append(int(tail))
    return len(numbers) > 3 and sorted(numbers) == list(range(numbers[0], numbers[0] + len(numbers))) == numbers


def _is_orderly(items: list[Item], snapshot: Snapshot) -> bool:
    if snapshot.order == "unordered":
        return False
    spans = [item.span for item in items if item.span and not item.entry.pinned]
    if len(spans) < max(2, 0.6 * len(items)):
        return True  # nothing speaks against what the adapter says
    starts = [at.lo for at in spans]
    if starts == sorted(starts, reverse=True):
        return True
    ordered = sum([a.lo >= b.lo - 60 or a.hi >= b.lo for a, b in pairwise(spans)])
    return ordered >= ORDERLY * (len(spans) - 1)
