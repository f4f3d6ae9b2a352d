"""Entries that became one, and one that became two: whose words went where.

Rule: words decide, at least two thirds of them; a merge is an edit and a removal, a split an edit and a new entry, and
the notes and tags made here only say so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import ceil

from monitor.reconcile.align import Pairing
from monitor.reconcile.features import Features
from monitor.reconcile.state import Record

SHARE = 0.68  # of an entry's words that another one gained or lost
FEWEST = 4  # words; fewer move by chance


@dataclass(frozen=True, slots=True)
class Story:
    """What the edits of one page did to other entries."""

    tags: Mapping[int, str] = field(default_factory=dict)  # edited item → merged, split
    absorbed: frozenset[int] = frozenset()  # lost records whose words an edited one gained
    split_from: Mapping[int, str] = field(default_factory=dict)  # new item → id of the entry it was cut from


def tell_story(pairing: Pairing, edited: Sequence[int], lost: Sequence[int], new: Sequence[int]) -> Story:
    """Find merges and splits among the edited items, the lost records and the new items of a page."""
    if not edited or not (lost or new):
        return Story()
    tags: dict[int, str] = {}
    absorbed: set[int] = set()
    split_from: dict[int, str] = {}
    went = _Bodies([pairing.records[index].features for index in lost])
    came = _Bodies([pairing.items[index].features for index in new])
    for item in edited:
        record = pairing.records[pairing.record_of[item]]
        before, after = Counter(record.features.body), Counter(pairing.items[item].features.body)
        gained, given = after - before, before - after
        for place in went.covered_by(gained):
            tags[item] = "merged"
            absorbed.add(lost[place])
        for place in came.covered_by(given):
            if new[place] not in split_from:
                tags[item] = "split"
                split_from[new[place]] = record.id
    return Story(tags, frozenset(absorbed), split_from)


def holders(removed: Sequence[Record], others: Iterable[Record]) -> dict[str, str]:
    """Return, by the id of a removed entry, the id of the edited one that holds its words, where one does."""
    found: dict[str, str] = {}
    if not removed:
        return found
    bodies = _Bodies([record.features for record in removed])
    for other in others:
        if other.revision > 1:
            for place in bodies.covered_by(Counter(other.features.body)):
                if other.id != removed[place].id:
                    found.setdefault(removed[place].id, other.id)
    return found


class _Bodies:
    """Texts that may be found in others.

    A text of which two thirds are covered lacks one third of its words at most, so that of its rarest two thirds some are
    there (prefix filtering; Chaudhuri et al., A Primitive Operator for Similarity Joins, 2006). Few texts are then compared.
    """

    def __init__(self, texts: Sequence[Features]) -> None:
        self._words = [Counter(text.body) for text in texts]
        self._lengths = [len(text.body) for text in texts]
        self._needed = [1] * len(texts)  # of the rare words
        self._by_rare: dict[str, list[int]] = defaultdict(list)
        uses = Counter(chain.from_iterable(self._words))
        for place, text in enumerate(texts):
            length = len(text.body)
            if length < FEWEST:
                continue
            may_lack = length - ceil(SHARE * length)
            rare = set(sorted(text.body, key=lambda word: (uses[word], word))[: may_lack + 1 + length // 3])
            self._needed[place] = max(1, len(rare) - may_lack)
            for word in rare:
                self._by_rare[word].append(place)

    def covered_by(self, words: Counter[str]) -> list[int]:
        """Return the places of the texts of which these words are two thirds or more, in order."""
        hits = Counter(chain.from_iterable([self._by_rare[word] for word in words.keys() & self._by_rare.keys()]))
        near = [place for place, many in hits.items() if many >= self._needed[place]]
        return sorted(place for place in near if self._is_covered(place, words))

    def _is_covered(self, place: int, words: Counter[str]) -> bool:
        shared = sum(min(many, words[word]) for word, many in self._words[place].items())
        return shared >= SHARE * self._lengths[place]
