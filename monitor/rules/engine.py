"""All rules against one text of one language: presearch by the rarest term each rule needs, then the exact check.

A rule is looked at only if the rarest of its required terms was found and every other required set was touched; rules
that need one single term are not looked at again at all. The result equals checking every rule (tests/rules).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from monitor.rules.compiling import Compiler
from monitor.rules.plan import Plan, TermPlan
from monitor.rules.sightings import MAX_POSITIONS, RuleText, Sightings, Span, chunk_of, new_sightings
from monitor.rules.syntax import Node
from monitor.rules.terms import Terms
from monitor.text.passages import FIELD_GAP, SENTENCE_GAP

_MAX_LEARNT = 60_000  # chunks kept; news texts repeat a few ten thousand
_MAX_KEPT_CHUNK = 40  # characters; longer ones are seldom seen again
_UNREAD: tuple[()] = ()


class _Learnt(NamedTuple):
    """A chunk wherever it stands, as far as these rules are concerned."""

    width: int
    ending: int
    opens: bool
    hits: tuple[tuple[tuple[int, ...], int, int], ...]


class _Candidate(NamedTuple):
    rule: int
    others: tuple[frozenset[int], ...]  # required sets besides the one it is found by


class Engine:
    """The rules as they are for one base `language`."""

    def __init__(self, rules: Iterable[Node], language: str) -> None:
        self.language = language
        self.terms = Terms(language)
        compiler = Compiler(self.terms)
        self.plans: list[Plan] = [compiler.plan(rule) for rule in rules]
        self._learnt: dict[str, _Learnt] = {}
        self._words: dict[str, tuple[int, ...]] = {}
        self._alone: dict[int, list[int]] = {}  # term → rules that need nothing else
        self._index: dict[int, list[_Candidate]] = {}
        self._always: list[int] = []  # rules that promise no term
        self._build()

    def see(self, entry: RuleText) -> Sightings:
        """Return where the terms of the rules stand in an entry."""
        seen = new_sightings(entry, self.language)
        position = 0
        for field in seen.fields:
            field.first = position
            for gap, chunks in field.blocks:
                position = self._scan(chunks, position + gap, field.starts, seen.spans)
            position += FIELD_GAP
        return seen

    def firing(self, seen: Sightings) -> Iterator[int]:
        """Yield the rules that are true of an entry."""
        plans = self.plans
        found = seen.spans.keys()
        for term in found:
            yield from self._alone.get(term, ())
            for rule, others in self._index.get(term, ()):
                if all(not found.isdisjoint(needed) for needed in others) and plans[rule].holds(seen):
                    yield rule
        for rule in self._always:
            if plans[rule].holds(seen):
                yield rule

    def every(self, seen: Sightings) -> Iterator[int]:
        """Yield the same rules as `firing` by checking each one: the measure it is tested against."""
        return (rule for rule, plan in enumerate(self.plans) if plan.holds(seen))

    def _scan(self, chunks: list[str], position: int, starts: list[int], spans: dict[int, list[Span]]) -> int:
        learnt = self._learnt
        pending = 0
        until = position + MAX_POSITIONS
        for chunk in chunks:
            known = learnt.get(chunk)
            if known is None:
                known = self._learn(chunk)
            width, ending, opens, hits = known
            if width:
                if pending and (pending == 2 or opens):
                    position += SENTENCE_GAP
                pending = 0
            starts.append(position)
            if hits:
                for terms, first, last in hits:
                    span = (position + first, position + last)
                    for term in terms:
                        if term in spans:
                            spans[term].append(span)
                        else:
                            spans[term] = [span]
            position += width
            if ending:
                pending = ending
            if position > until:
                break
        return position

    def _learn(self, text: str) -> _Learnt:
        chunk = chunk_of(text, self.language)
        hits = []
        for word in chunk.words:
            terms = self._words.get(word.text)
            if terms is None:
                terms = self.terms.of_token(word.text)
                if len(self._words) >= _MAX_LEARNT:
                    self._words.clear()
                self._words[word.text] = terms
            if terms:
                hits.append((terms, word.first, word.last))
        known = _Learnt(chunk.width, chunk.ending, chunk.opens, tuple(hits))
        if len(text) <= _MAX_KEPT_CHUNK:
            if len(self._learnt) >= _MAX_LEARNT:
                self._learnt.clear()
            self._learnt[text] = known
        return known

    def _build(self) -> None:
        weights = [_commonness(text) for text in self.terms.texts]

        def weigh(terms: frozenset[int]) -> float:
            return sum(weights[term] for term in terms)

        for number, plan in enumerate(self.plans):
            if isinstance(plan, TermPlan) and plan.field is None:
                self._alone.setdefault(plan.number, []).append(number)
                continue
            needed = sorted(set(plan.required(weigh)), key=weigh)
            if not needed:
                self._always.append(number)
                continue
            candidate = _Candidate(number, tuple(needed[1:]))
            for term in needed[0]:
                self._index.setdefault(term, []).append(candidate)


def _commonness(word: str) -> float:
    """Short words are common: how often a term may be expected, until a term's letters say more (Luwak's proxy)."""
    return math.exp(-0.3 * len(word)) + 0.01
