"""Entries that became one, and one that became two: whose words went where.

Rule: words decide, at least two thirds of them; a merge is an edit and a removal, a split an edit and a new entry, and
the notes and tags made here only say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
    for item in edited:
        record = pairing.records[pairing.record_of[item]]
        before, after = _words(record.features), _words(pairing.items[item].features)
        gained, given = after - before, before - after
        for index in lost:
            if _covers(gained, pairing.records[index].features):
                tags[item] = "merged"
                absorbed.add(index)
        for index in new:
            if index not in split_from and _covers(given, pairing.items[index].features):
                tags[item] = "split"
                split_from[index] = record.id
    return Story(tags, frozenset(absorbed), split_from)


def absorbed_by(record: Record, others: Iterable[Record]) -> str | None:
    """Return the id of the entry that holds the words of a removed one, None where none does."""
    for other in others:
        if other.revision > 1 and other.id != record.id and _covers(_words(other.features), record.features):
            return other.id
    return None


def _covers(words: Counter[str], found: Features) -> bool:
    if len(found.body) < FEWEST or words.total() < SHARE * len(found.body):
        return False
    return (words & Counter(found.body)).total() >= SHARE * len(found.body)


def _words(found: Features) -> Counter[str]:
    return Counter(found.body)
