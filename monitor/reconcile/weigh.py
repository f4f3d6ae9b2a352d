"""How likely a known entry and an item are one entry: the log-odds of independent evidence, added up.

Rule: evidence is words, title, time, order and place; the weights are a logistic fit on generated histories, whose
optimum is flat. Above 0 it is likelier one entry than two (Fellegi and Sunter, A Theory for Record Linkage, 1969).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from math import log

from rapidfuzz.distance import Indel, LCSseq

from monitor.reconcile.align import FEW_FREE, Order, Pairing
from monitor.reconcile.features import Features
from monitor.reconcile.times import Span, apart, same

RARITY_SAMPLE = 64  # texts are enough to tell a rare word from a common one
STRANGERS = 0.25  # of the shorter one's words
UNLIKE = 4.0  # two texts that share next to nothing: only stubs are replaced whole
STUB = 8  # words; "more on this shortly" has fewer
OTHER_ID = 12.0  # an id that proved stable has changed
OTHER_ADDRESS = 4.0  # addresses follow headlines
TOPPED = 2.0  # another item of the minute stands nearer to the entries below
WAS_AWAY = 2.0  # a page did without the entry before another time and text turned up
FEW = 3  # free entries of one gap that are still told apart by their place
ALL_PAIRS = 400  # more are narrowed down by rare shared words first


@dataclass(frozen=True, slots=True)
class Side:
    """One entry's words as a string with one character a word, for the string routines."""

    title: str
    body: str
    both: str
    bag: frozenset[str]
    weight: float  # of the bag


class Weigher:
    """Weighs free records against free items of one page."""

    def __init__(self, pairing: Pairing, order: Order, *, full: bool) -> None:
        self._pairing = pairing
        self._full = full
        self._order = order
        self._letters: dict[str, str] = {}
        self._rarity = _rarity(pairing)
        self._sides: dict[tuple[str, int], Side] = {}
        self._latest = max((r.span.lo for r in pairing.records if r.span), default=0.0)
        self.record_gap = {index: order.record_gap(index) for index in pairing.free_records}
        self.item_gap = {index: order.item_gap(index) for index in pairing.free_items}
        self.records_in = Counter(self.record_gap.values())
        self.items_in = Counter(self.item_gap.values())

    def weigh(self, record: int, item: int) -> float:
        """Return the log-odds that a record and an item are one entry."""
        old, new = self._pairing.records[record], self._pairing.items[item]
        other_ids = self._pairing.are_of_other_ids(record, item)
        if other_ids and self._pairing.trust.certain:
            return -9.0
        if self.record_gap[record] != self.item_gap[item] and _strangers(old.features, new.features):
            return -9.0
        a, b = self._side("r", record, old.features), self._side("i", item, new.features)
        alike = self.similarity(a, b)
        titles = _title_ratio(a, b)
        if titles is not None and titles < 0.3 and alike < 0.12:
            return -9.0
        shorter = min(old.features.words, new.features.words)
        longer = max(old.features.words, new.features.words)
        odds = -5.0 + 6.5 * alike
        if shorter >= 12:
            odds += min(1.0, max(-1.0, (alike - 0.6) / 0.25))
        if alike < 0.15 and len(old.features.body) >= STUB:
            odds -= UNLIKE
        odds += _title_evidence(old.features, new.features, titles)
        timed, at_once = _time_evidence(old.span, new.span)
        odds += timed + self._place_evidence(record, item, at_once=at_once)
        if len(old.features.body) >= 6 and old.features.body[:6] == new.features.body[:6]:
            odds += 3.0
        if self._full and self.record_gap[record] == self._order.gaps:
            odds -= 0.7 if at_once else 1.5 if longer >= 20 else 6.0
        if new.span and new.span.lo > self._latest:
            odds -= 0.3
        if shorter < 8:
            odds += 0.5
        if old.missing and not at_once:
            odds -= WAS_AWAY
        if other_ids:
            odds -= OTHER_ID if old.entry.native_id else OTHER_ADDRESS
        return odds

    def similarity(self, a: Side, b: Side) -> float:
        """Return how alike two texts are, 0 to 1: shared order and shared rare words, or one inside the other."""
        found = self._alike(a.both, b.both, a, b)
        if a.title != b.title and a.body and b.body:
            found = max(found, 0.95 * Indel.normalized_similarity(a.body, b.body))
        return found

    def _alike(self, one: str, other: str, a: Side, b: Side) -> float:
        if not one or not other:
            return 0.0
        shared = LCSseq.similarity(one, other)
        ratio = 2 * shared / (len(one) + len(other))
        common = sum(map(self._rarity.__getitem__, a.bag & b.bag))
        overlap = 2 * common / (a.weight + b.weight) if a.weight + b.weight else 0.0
        found = (ratio + overlap) / 2
        shorter = min(len(one), len(other))
        contained = shared / shorter
        if contained >= 0.75:
            found = max(found, contained - (0.12 if shorter >= 10 else 0.22 if shorter >= 6 else 0.37))
        return found

    def _place_evidence(self, record: int, item: int, *, at_once: bool) -> float:
        gap = self.record_gap[record]
        if gap != self.item_gap[item]:
            return 0.0
        odds = 4.0 if at_once else 0.0
        alone = self.records_in[gap] == 1 and self.items_in[gap] == 1
        if alone and not self._pairing.records[record].missing:
            return odds + (3.5 if gap == 0 else 4.5)
        if at_once and gap == 0 and self.items_in[gap] <= FEW_FREE:  # what is newer comes on top
            return odds - TOPPED if self._stands_above_another(record, item) else odds
        return odds - 1.0 if max(self.records_in[gap], self.items_in[gap]) <= FEW else odds

    def _stands_above_another(self, record: int, item: int) -> bool:
        """Say whether another free item of the record's minute stands below this one: what is newer comes on top."""
        at = self._pairing.records[record].span
        return any(
            other > item and gap == 0 and same(at, self._pairing.items[other].span)
            for other, gap in self.item_gap.items()
        )

    def _side(self, kind: str, index: int, found: Features) -> Side:
        side = self._sides.get((kind, index))
        if side is None:
            title, body = self._spelled(found.title), self._spelled(found.body)
            side = Side(title, body, title + body, found.bag, sum(map(self._rarity.__getitem__, found.bag)))
            self._sides[kind, index] = side
        return side

    def _spelled(self, words: Iterable[str]) -> str:
        return "".join(map(self._letter, words))

    def _letter(self, word: str) -> str:
        letter = self._letters.get(word)
        if letter is None:
            number = len(self._letters) + 32
            letter = self._letters[word] = chr(number if number < 0xD800 else number + 0x800)
        return letter


def _strangers(old: Features, new: Features) -> bool:
    """Say whether two texts of different places share so few words that nothing else could make them one entry."""
    if old.title and old.title == new.title:
        return False
    return len(old.bag & new.bag) < STRANGERS * min(len(old.bag), len(new.bag))


def _rarity(pairing: Pairing) -> dict[str, float]:
    """Return the inverse document frequency of the words in question, over the known and the free texts."""
    free = [pairing.items[index].features.bag for index in pairing.free_items]
    asked = frozenset().union(*free, *(pairing.records[index].features.bag for index in pairing.free_records))
    sample = pairing.records[:: max(1, len(pairing.records) // RARITY_SAMPLE)]
    bags = [*(record.features.bag for record in sample), *free]
    uses = Counter(chain.from_iterable(asked & bag for bag in bags))
    return {word: log(1 + len(bags) / max(1, uses[word])) for word in asked}


def _title_ratio(a: Side, b: Side) -> float | None:
    return Indel.normalized_similarity(a.title, b.title) if a.title and b.title else None


def _title_evidence(old: Features, new: Features, ratio: float | None) -> float:
    if ratio is None:
        return -5.0 if old.title and not new.title else -0.8 if new.title else 0.0
    if old.title == new.title:
        return 4.5 if len(old.title) > 3 else 1.0
    return -0.3 if ratio >= 0.5 else -2.0


def _time_evidence(old: Span | None, new: Span | None) -> tuple[float, bool]:
    """Return the odds from two claims of time, and whether they are of the same minute."""
    if old is None or new is None:
        return 0.0, False
    minutes = abs(apart(old, new)) / 60
    if old.relative or new.relative:
        return (2.0, True) if minutes == 0 else (-1.2 if minutes <= 60 else -0.8, False)
    if minutes < 1:
        return 1.5, True
    return -1.6 if minutes <= 5 else -1.2 if minutes <= 60 else -0.8, False
