"""What is left after the certain pairs: the likeliest pairs first, one to one.

Rule: greedy by weight. On every generated history it gave the verdicts of the optimal (Hungarian) assignment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from math import exp

from monitor.reconcile.align import Order, Pairing, backbone
from monitor.reconcile.times import MINUTES, Span, minute_of, same
from monitor.reconcile.weigh import ALL_PAIRS, Weigher

SURE = 4.0  # log-odds: fifty to one
ALIKE = 0.6  # of the words
ALIKE_UNTIMED = 0.8  # where no time says the same
ALIKE_WORDS = 4
RARE_CANDIDATES = 6
COMMON = 0.2  # a word in more entries than this share narrows nothing down
OFTEN = 64  # nor does one in so many


def assign(pairing: Pairing, order: Order, *, full: bool) -> None:
    """Pair free records with free items where one entry is likelier than two, then rewritten ones by their place.

    Sure pairs come first and are anchors for the rest: what is left between them has a place of its own.
    """
    if not pairing.free_records or not pairing.free_items:
        return
    _pair_alone(pairing, order)
    for bar in (SURE, 0.0):
        if not pairing.free_records or not pairing.free_items:
            return
        weigher = Weigher(pairing, order, full=full)
        if _pair_likeliest(pairing, weigher, bar):
            order = backbone(pairing)
    _pair_rewritten(pairing, Weigher(pairing, order, full=full), end=order.gaps if full else None)


def _pair_likeliest(pairing: Pairing, weigher: Weigher, bar: float) -> bool:
    """Pair what weighs more than the bar, the likeliest first; say whether anything did."""
    weighed = [(weigher.weigh(record, item), record, item) for record, item in _candidates(pairing, weigher)]
    free = len(pairing.item_of)
    for odds, record, item in sorted(weighed, key=lambda found: (-found[0], found[1], found[2])):
        if odds <= bar:
            break
        if record not in pairing.item_of and item not in pairing.record_of:
            pairing.join(record, item, 1 / (1 + exp(-odds)))
    return len(pairing.item_of) > free


def _pair_alone(pairing: Pairing, order: Order) -> None:
    """Pair what is alone in its place on both sides, of one time and mostly of one wording: the common correction."""
    records = _alone(pairing.free_records, order.record_gap)
    items = _alone(pairing.free_items, order.item_gap)
    for gap in records.keys() & items.keys() - {order.gaps}:
        old, new = pairing.records[records[gap]], pairing.items[items[gap]]
        shared = len(old.features.bag & new.features.bag)
        share = shared / max(len(old.features.bag), len(new.features.bag), 1)
        if shared < ALIKE_WORDS or not same(old.span, new.span) or old.key != new.key:
            continue
        if share >= (ALIKE if old.span else ALIKE_UNTIMED):
            pairing.join(records[gap], items[gap], 0.9997 if old.span else 0.995)  # what the weights give at the least


def _alone(indexes: list[int], gap_of: Callable[[int], int]) -> dict[int, int]:
    gaps = [gap_of(index) for index in indexes]
    uses = Counter(gaps)
    return {gap: index for gap, index in zip(gaps, indexes, strict=True) if uses[gap] == 1}


def _candidates(pairing: Pairing, weigher: Weigher) -> list[tuple[int, int]]:
    records, items = pairing.free_records, pairing.free_items
    if len(records) * len(items) <= ALL_PAIRS:
        return [(record, item) for record in records for item in items]
    found: set[tuple[int, int]] = set()
    by_place = defaultdict(list)
    by_word: dict[str, list[int]] = defaultdict(list)
    by_title: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for record in records:
        by_place[weigher.record_gap[record]].append(record)
        features = pairing.records[record].features
        by_title[features.title].append(record)
        for word in {*features.title, *features.body}:
            by_word[word].append(record)
    rare = min(max(3, int(COMMON * len(records))), OFTEN)
    for item in items:
        features = pairing.items[item].features
        neighbours = by_place[weigher.item_gap[item]]
        chosen = set(neighbours) if len(neighbours) <= 6 else set()
        if len(features.title) > 3:
            chosen.update(by_title[features.title])
        shared = Counter(
            record
            for word in {*features.title, *features.body}
            if len(by_word[word]) <= rare
            for record in by_word[word]
        )
        chosen.update(record for record, _ in shared.most_common(RARE_CANDIDATES))
        found.update((record, item) for record in chosen)
    return sorted(found)


def _pair_rewritten(pairing: Pairing, weigher: Weigher, *, end: int | None) -> None:
    """Pair what is left of one minute in one gap, as many old as new, in their order: "more soon" became a report.

    Not the last one in the gap at the `end` of a full page: it has fallen off.
    """
    last = pairing.free_records[-1] if pairing.free_records else None
    records = _ByMinute([(r, weigher.record_gap[r], pairing.records[r].span) for r in pairing.free_records])
    items = _ByMinute([(i, weigher.item_gap[i], pairing.items[i].span) for i in pairing.free_items])
    done: set[int] = set()
    for record in pairing.free_records:
        at, gap = pairing.records[record].span, weigher.record_gap[record]
        if record in done or at is None or at.relative or (gap == end and record == last):
            continue
        old_here = records.of(gap, at)
        new_here = [item for item in items.of(gap, at) if item not in pairing.record_of]
        done.update(old_here)
        if len(old_here) == len(new_here):
            for was, now in zip(old_here, new_here, strict=True):
                if _can_be_rewritten(pairing, was, now):
                    pairing.join(was, now, 0.6)


class _ByMinute:
    """Free entries by gap and minute."""

    def __init__(self, entries: Iterable[tuple[int, int, Span | None]]) -> None:
        self._found: dict[tuple[int, int | None], list[tuple[int, Span]]] = defaultdict(list)
        for index, gap, at in entries:
            if at is not None:
                self._found[gap, None if at.relative else minute_of(at)].append((index, at))

    def of(self, gap: int, at: Span) -> list[int]:
        """Return those of a gap whose time is that of a clock time, in their order."""
        minute = minute_of(at)
        near = {None, *((minute + away) % MINUTES for away in (-1, 0, 1))}
        return sorted(index for one in near for index, other in self._found.get((gap, one), ()) if same(at, other))


def _can_be_rewritten(pairing: Pairing, record: int, item: int) -> bool:
    if pairing.are_of_other_ids(record, item):
        return False
    old, new = pairing.records[record].features, pairing.items[item].features
    titles = set(old.title), set(new.title)
    return not (titles[0] and titles[1] and not titles[0] & titles[1])
