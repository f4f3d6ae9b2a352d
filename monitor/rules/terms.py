"""The terms of a set of rules in one language, numbered; which of them a token of a text is.

Rule: a term is numbered once however many rules use it, and a token is looked up once however often it stands.
"""

from __future__ import annotations

from collections import defaultdict

from monitor.rules.globs import Glob, glob_of
from monitor.rules.patterns import PatternSet
from monitor.text.folding import fold, lower, plain
from monitor.text.words import is_acronym, is_known, rule_keys, spelling, spelling_keys, text_keys

_SHORT, _LONG = 4, 8  # letters of a word from which one slip, two slips are forgiven


def default_distance(letters: int) -> int:
    """Return how many slips `word~` forgives in a word of so many letters."""
    return 0 if letters < _SHORT else 1 if letters < _LONG else 2


class Terms:
    """The vocabulary of a set of rules in one base `language`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._numbers: dict[tuple[str, object], int] = {}
        self._by_key: dict[str, list[int]] = {}
        self._wild: dict[str, list[tuple[int, Glob]]] = defaultdict(list)  # by first three characters
        self._fuzzy: dict[str, list[tuple[str, int, int]]] = defaultdict(list)  # by first character
        self._spelt: tuple[int, frozenset[str]] | None = None
        self.patterns = PatternSet()
        self.texts: list[str] = []  # of each number, for weighing: the word as the rule's author wrote it

    def word(self, surface: str) -> int:
        """Return the number of a rule's word in any inflection; of an acronym, verbatim."""
        keys = rule_keys(surface, self.language)
        if is_acronym(surface, self.language):
            return self._numbered("verbatim", keys.verbatim, surface)
        return self._numbered("word", keys.spellings + keys.lemmas, surface)

    def exact(self, surface: str) -> int:
        """Return the number of a spelling, case-blind and without accents, not inflected."""
        return self._numbered("exact", rule_keys(surface, self.language).spellings, surface)

    def verbatim(self, surface: str) -> int:
        """Return the number of a spelling exactly as written."""
        return self._numbered("verbatim", rule_keys(surface, self.language).verbatim, surface)

    def wild(self, pattern: str) -> int:
        """Return the number of a spelling with `*` and `?`."""
        folded = fold(lower(plain(pattern), self.language).replace("'", "").replace("’", ""), self.language)
        known = self._numbers.get(("wild", folded))
        if known is None:
            known = self._new("wild", folded, pattern)
            self._wild[folded[:3]].append((known, glob_of(folded)))
        return known

    def fuzzy(self, surface: str, distance: int | None) -> int:
        """Return the number of a word with so many slips forgiven; None: by its length."""
        meant = spelling(surface, self.language)
        slips = default_distance(len(meant)) if distance is None else distance
        known = self._numbers.get(("fuzzy", (meant, slips)))
        if known is None:
            known = self._new("fuzzy", (meant, slips), surface)
            keys = rule_keys(surface, self.language)
            for key in keys.verbatim if is_acronym(surface, self.language) else keys.spellings + keys.lemmas:
                self._by_key.setdefault(key, []).append(known)
            if slips:
                self._fuzzy[meant[:1]].append((meant, slips, known))
        return known

    def pattern(self, pattern: str, ignore_case: bool) -> int:
        """Return the number of a pattern."""
        known = self._numbers.get(("pattern", (pattern, ignore_case)))
        if known is None:
            known = self._new("pattern", (pattern, ignore_case), pattern)
            self.patterns.patterns.append((pattern, ignore_case, known))
        return known

    def of_token(self, surface: str) -> tuple[int, ...]:
        """Return the numbers of the terms that a token of a text is."""
        keys = text_keys(surface, self.language)
        found: set[int] = set()
        by_key = self._by_key
        for key in keys.all:
            if key in by_key:
                found.update(by_key[key])
        for key in keys.spellings if self._wild else ():
            for number, glob in self._wild.get(key[1:4], ()):
                if glob(key[1:]):
                    found.add(number)
        if self._fuzzy:
            found.update(self._slips(surface, keys.spellings[-1][1:] if keys.spellings else ""))
        return tuple(found)

    def of_spelling(self, surface: str) -> tuple[int, ...]:
        """Return the terms a token is by its spelling alone."""
        spelt, verbatim = spelling_keys(surface, self.language)
        return (*self._by_key.get(spelt, ()), *self._by_key.get(verbatim, ()))

    def spelt(self) -> frozenset[str]:
        """Return every folded spelling for which `of_spelling` may find a term."""
        if self._spelt is None or self._spelt[0] != len(self._by_key):
            asked = (key[1:] if key[0] == "F" else self.folded(key[1:]) for key in self._by_key if key[0] in "FV")
            self._spelt = len(self._by_key), frozenset(asked)
        return self._spelt[1]

    def folded(self, text: str) -> str:
        """Return a text as spellings are compared."""
        return fold(lower(plain(text), self.language), self.language)

    def _slips(self, surface: str, shown: str) -> list[int]:
        """The words of which this token is a typing slip: close, with the same first letter, and in no dictionary."""
        near = self._fuzzy.get(shown[:1])
        if not near or len(shown) < 2 or not shown.isalpha():
            return []
        from rapidfuzz.distance import OSA

        found = [number for word, slips, number in near if OSA.distance(word, shown, score_cutoff=slips) <= slips]
        return [] if not found or is_known(surface, self.language) else found

    def _numbered(self, kind: str, keys: tuple[str, ...], surface: str) -> int:
        known = self._numbers.get((kind, keys))
        if known is None:
            known = self._new(kind, keys, surface)
            for key in keys:
                self._by_key.setdefault(key, []).append(known)
        return known

    def _new(self, kind: str, what: object, surface: str) -> int:
        number = len(self.texts)
        self._numbers[kind, what] = number
        self.texts.append(surface)
        return number
