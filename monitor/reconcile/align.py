"""Certain pairs first: equal ids, equal content; and the order they give to everything between them.

Rule: a pair made here needs no weighing. Known entries and items are numbered newest first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.reconcile.page import Item
from monitor.reconcile.state import Record
from monitor.reconcile.times import Span, same
from monitor.reconcile.trust import Trust

LOOK_AHEAD = 4  # known entries that may be missing before an equal one
LONG_ENOUGH = 12  # words that do not come twice by chance
FEW_FREE = 40  # items that are looked at one by one


@dataclass(slots=True)
class Pairing:
    """Which item is which known entry."""

    records: Sequence[Record]
    items: Sequence[Item]
    trust: Trust  # in the ids of the page
    item_of: dict[int, int] = field(default_factory=dict)  # record → item
    record_of: dict[int, int] = field(default_factory=dict)  # item → record
    altered: list[int] = field(default_factory=list)  # paired items of which content or time may differ
    confidence: dict[int, float] = field(default_factory=dict)  # item → sureness, where below one
    returned: dict[int, str] = field(default_factory=dict)  # item → id of a gone entry
    _free_records: Sequence[int] | None = None  # at the last look: pairs are made and never undone
    _free_items: Sequence[int] | None = None
    _shown_before: int | None = None

    @property
    def shown_before(self) -> int:
        """How many of the records the last page showed."""
        if self._shown_before is None:
            self._shown_before = sum([not record.missing for record in self.records])
        return self._shown_before

    def join(self, record: int, item: int, confidence: float = 1.0) -> None:
        """Pair a record with an item; both must be free."""
        self.item_of[record] = item
        self.record_of[item] = record
        self.altered.append(item)
        if confidence < 1.0:
            self.confidence[item] = confidence

    def are_of_other_ids(self, record: int, item: int) -> bool:
        """Say whether a record and an item have ids that are worth something, and other ones."""
        before, now = self.records[record].key, self.items[item].key
        return self.trust.usable and bool(before and now) and before != now

    @property
    def free_records(self) -> list[int]:
        before = range(len(self.records)) if self._free_records is None else self._free_records
        self._free_records = [index for index in before if index not in self.item_of]
        return self._free_records

    @property
    def free_items(self) -> list[int]:
        before = range(len(self.items)) if self._free_items is None else self._free_items
        self._free_items = [i for i in before if i not in self.record_of and i not in self.returned]
        return self._free_items


@dataclass(frozen=True, slots=True)
class Order:
    """The backbone: pairs whose order on both sides agrees, and the gaps between them."""

    record_anchors: tuple[int, ...]
    item_anchors: tuple[int, ...]
    pairs: int  # it was drawn from

    def record_gap(self, index: int) -> int:
        """Return the number of anchors above a record."""
        return bisect_left(self.record_anchors, index)

    def item_gap(self, index: int) -> int:
        """Return the number of anchors above an item."""
        return bisect_left(self.item_anchors, index)

    @property
    def gaps(self) -> int:
        return len(self.record_anchors)


def pair_ids(pairing: Pairing) -> int:
    """Pair by the publisher's id, unless it moved: the content and time of either side stand under another id.

    Returns how many pairs have the same content and time.
    """
    by_id: dict[str, int] = {}
    for index, record in enumerate(pairing.records):
        # Row numbers slide when an entry goes: who is missed may carry the id that another entry has had since.
        key = record.key
        if key and not (record.missing and key in by_id):
            by_id[key] = index
    still = 0
    altered: list[tuple[int, int]] = []
    for index, item in enumerate(pairing.items):
        known = by_id.get(item.key) if item.key else None
        if known is None or known in pairing.item_of:
            continue
        record = pairing.records[known]
        if record.features.exact == item.features.exact and record.span == item.span:
            pairing.item_of[known], pairing.record_of[index] = index, known
            still += item.span is not None
        else:
            altered.append((known, index))
    if not altered:
        return still
    shown, known_as = _times_by_content(pairing.items), _times_by_content(pairing.records)
    for known, index in altered:
        record, item = pairing.records[known], pairing.items[index]
        moved = record.features.exact != item.features.exact and (_is_among(record, shown) or _is_among(item, known_as))
        if not moved or pairing.trust.certain:
            pairing.join(known, index)
    return still


def _times_by_content(entries: Sequence[Record] | Sequence[Item]) -> dict[int, list[Span | None]]:
    found: dict[int, list[Span | None]] = defaultdict(list)
    for entry in entries:
        found[entry.features.exact].append(entry.span)
    return found


def _is_among(one: Record | Item, times: Mapping[int, Sequence[Span | None]]) -> bool:
    """Say whether an entry's content and time stand among others: few words ("More on this shortly") prove nothing."""
    if one.span is None or one.features.words < LONG_ENOUGH:
        return False
    return any(same(one.span, at) for at in times.get(one.features.exact, ()))


def _are_told_apart_by_id(pairing: Pairing, record: int, item: int) -> bool:
    """Say whether ids tell two entries of one content and time apart.

    Where ids are learned, only few words without a time: "Throw-in" comes again as another one leaves.
    """
    if not pairing.are_of_other_ids(record, item):
        return False
    before, now = pairing.records[record], pairing.items[item]
    is_ticker = now.span is None and now.features.words < LONG_ENOUGH
    return pairing.trust.certain or bool(is_ticker and before.entry.native_id and now.entry.native_id)


def pair_untouched(pairing: Pairing) -> int:
    """Pair equal contents of equal times walking down both lists at once: nearly all of nearly every page.

    Returns how many of the pairs have a time.
    """
    records, item_of, record_of = pairing.records, pairing.item_of, pairing.record_of
    has_ids = pairing.trust.usable
    place, end, still = 0, len(records), 0
    for index, item in enumerate(pairing.items):
        if index in record_of:
            continue
        exact, at = item.features.exact, item.span
        if place < end and place not in item_of and at is not None:  # the quick way of what follows
            record = records[place]
            if record.features.exact == exact and record.span == at and not has_ids:
                item_of[place], record_of[index] = index, place
                place += 1
                still += 1
                continue
        for ahead in range(place, min(place + LOOK_AHEAD, end)):
            record = records[ahead]
            if (
                record.features.exact == exact
                and record.span == at
                and ahead not in item_of
                and not (has_ids and _are_told_apart_by_id(pairing, ahead, index))
            ):
                item_of[ahead], record_of[index] = index, ahead
                place = ahead + 1
                still += at is not None
                break
    return still


def pair_equal(pairing: Pairing, *, loose: bool = False) -> None:
    """Pair equal contents of the same time, repeated ones in their order; with `loose`, equal words."""

    def key(features_exact: int, features_loose: int) -> int:
        return features_loose if loose else features_exact

    waiting = _grouped(
        pairing.free_records, lambda r: key(pairing.records[r].features.exact, pairing.records[r].features.loose)
    )
    for index in pairing.free_items:
        item = pairing.items[index]
        group = waiting.get(key(item.features.exact, item.features.loose))
        if not group:
            continue
        for place, record in enumerate(group):
            is_same = same(pairing.records[record].span, item.span)
            if is_same and not _are_told_apart_by_id(pairing, record, index):
                pairing.join(group.pop(place), index)
                break


def pair_retimed(pairing: Pairing, order: Order) -> None:
    """Pair equal contents whose time differs: long ones anywhere, short ones in the same place.

    One sign alone does not do where a rival stands, a free item in the known entry's place at its time: the entry was
    corrected there, and its words are said again elsewhere. Where many items are free a page was restamped; none is a rival.
    """
    waiting = _grouped(pairing.free_records, lambda r: pairing.records[r].features.exact)
    coming = _grouped(pairing.free_items, lambda i: pairing.items[i].features.exact)
    few = len(pairing.free_items) <= FEW_FREE
    for content, items in coming.items():
        records = waiting.get(content, [])
        if len(records) != 1 or len(items) != 1:
            continue
        record = pairing.records[records[0]]
        if pairing.are_of_other_ids(records[0], items[0]):
            continue
        in_place = order.record_gap(records[0]) == order.item_gap(items[0])
        is_long = record.features.words >= LONG_ENOUGH
        signs = in_place + is_long
        if signs == 2 or (signs == 1 and not (few and _has_rival(pairing, order, records[0]))):
            pairing.join(records[0], items[0])


def _has_rival(pairing: Pairing, order: Order, index: int) -> bool:
    at, gap = pairing.records[index].span, order.record_gap(index)
    return at is not None and any(
        order.item_gap(item) == gap and same(at, pairing.items[item].span) for item in pairing.free_items
    )


def backbone(pairing: Pairing) -> Order:
    """Return the longest run of pairs that are in the same order on both sides (patience algorithm)."""
    records = sorted(pairing.item_of)
    items = [pairing.item_of[record] for record in records]
    if items == sorted(items):
        return Order(tuple(records), tuple(items), len(items))
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for place, item in enumerate(items):
        depth = bisect_left(tails, item)
        if depth == len(tails):
            tails.append(item)
            ends.append(place)
        else:
            tails[depth] = item
            ends[depth] = place
        previous.append(ends[depth - 1] if depth else -1)
    chain: list[int] = []
    place = ends[-1] if ends else -1
    while place >= 0:
        chain.append(place)
        place = previous[place]
    chain.reverse()
    return Order(tuple(records[p] for p in chain), tuple(items[p] for p in chain), len(items))


def _grouped(indexes: Iterable[int], key: Callable[[int], Hashable]) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index in indexes:
        value = key(index)
        if value:
            groups[value].append(index)
    return groups
