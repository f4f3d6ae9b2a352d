"""All rules against one text of one language: presearch by the rarest term each rule needs, then the exact check.

A rule is looked at only if the rarest of its required terms was found and every other required set was touched; rules
that need one single term are not looked at again at all. The result equals checking every rule (tests/rules).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from monitor.model import Match
from monitor.rules.compiling import Compiler
from monitor.rules.plan import Found, Plan, TermPlan, shown
from monitor.rules.sightings import (
    MAX_WORDS,
    Learnt,
    LongText,
    RuleText,
    Sightings,
    new_sightings,
)
from monitor.rules.syntax import Node
from monitor.rules.terms import Terms
from monitor.text.lemmas import price
from monitor.text.passages import FIELD_GAP, SENTENCE_GAP, ends_plainly, read_chunk
from monitor.text.tokens import seen_words

_MAX_LEARNT = 60_000  # chunks kept; news texts repeat a few ten thousand
_AROUND = ".,;:!?\"'()[]“”‘’«»…"
_MAX_KEPT_CHUNK = 40  # characters; longer ones are seldom seen again
_MAX_CHUNK_PRICE = 15_000  # µs spent on looking up the words of one chunk
_WORD_PRICE, _MARKED_PRICE = 4, 8  # µs to read a word and to note it; more where marks stand around it


_SMALL_WORD, _OPENING_WORD = Learnt(1, 0, False, ()), Learnt(1, 0, True, ())  # of no interest


class _Candidate(NamedTuple):
    rule: int
    others: tuple[frozenset[int], ...]  # required sets besides the one it is found by


class Engine:
    """The rules as they are for one base `language`."""

    def __init__(self, rules: Iterable[Node], language: str) -> None:
        self.language = language
        self.terms = Terms(language)
        self.compiler = Compiler(self.terms)
        self.plans: list[Plan] = [self.compiler.plan(rule) for rule in rules]
        self._learnt: dict[str, Learnt] = {}
        self._words: dict[str, tuple[int, ...]] = {}
        self._alone: dict[
            int, list[tuple[str, list[int]]]
        ] = {}  # term → rules that need nothing else, as they write it
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
                position = self._scan(chunks, position + gap, field.starts, seen)
            position += FIELD_GAP
            if self.terms.patterns.patterns:
                for number in self.terms.patterns.touched(field.searchable):
                    seen.spans.setdefault(number, [])  # it is found; where, its plan says
        return seen

    def found(self, seen: Sightings) -> dict[int, Found]:
        """Return the rules that are true of an entry, each with its matches and the number of its occurrences."""
        plans, index = self.plans, self._index
        terms = seen.spans.keys()
        firing = self._found_alone(seen)
        for term in terms:
            if term in index:
                for rule, others in index[term]:
                    for needed in others:
                        if terms.isdisjoint(needed):
                            break
                    else:
                        if rule not in firing and plans[rule].holds(seen):
                            firing[rule] = plans[rule].found(seen)
        for rule in self._always:
            if plans[rule].holds(seen):
                firing[rule] = plans[rule].found(seen)
        return firing

    def _found_alone(self, seen: Sightings) -> dict[int, Found]:
        """The rules of one term: most rules, and most of the time spent, so the calls are written out."""
        alone, places = self._alone, seen.places
        title, body = seen.fields[0], seen.fields[-1]
        firing: dict[int, Found] = {}
        for term, spans in seen.spans.items():
            if term not in alone:
                continue
            for written, rules in alone[term]:
                if len(spans) == 1 and spans[0] in places:
                    span = spans[0]
                    sight = body if span[0] >= body.first else title
                    at, start, end = places[span]
                    base = sight.begins[at]
                    start, end = base + start, base + end
                    found: Found = (Match(sight.name, start, end, sight.text[start:end], written),), 1
                else:
                    found = shown(spans, written, seen)
                for rule in rules:
                    firing[rule] = found
        return firing

    def every(self, seen: Sightings) -> set[int]:
        """Yield the same rules as `found` by checking each one: the measure it is tested against."""
        return {rule for rule, plan in enumerate(self.plans) if plan.holds(seen)}

    def _scan(self, chunks: list[str], position: int, starts: list[int], seen: Sightings) -> int:
        spans, places, long = seen.spans, seen.places, seen.long
        learnt = self._learnt if long is None else long.chunks
        pending = 0
        left = MAX_WORDS
        for number, chunk in enumerate(chunks):
            known = learnt.get(chunk)
            if known is None:
                known = self._learn(chunk) if long is None else self._learn_of_long(chunks, number, long)
            width, ending, opens, hits, _ = known
            if width:
                if pending and (pending == 2 or opens):
                    position += SENTENCE_GAP
                pending = 0
            starts.append(position)
            if hits:
                at = len(starts) - 1
                for terms, first, last, start, end in hits:
                    span = (position + first, position + last)
                    places[span] = (at, start, end)
                    for term in terms:
                        if term in spans:
                            spans[term].append(span)
                        else:
                            spans[term] = [span]
            position += width
            left -= width
            if ending:
                pending = ending
            if left < 0:
                break
        return position

    def _learn_of_long(self, chunks: list[str], number: int, long: LongText) -> Learnt:
        """Of a long text, each different word is paid for once, until nothing is left to pay with."""
        text = chunks[number]
        if long.left <= 0:
            if long.block is not chunks:
                long.block, long.folded = chunks, self._folded(chunks)
            return self._glance(text, long.folded[number])
        known = self._learnt.get(text) or self._learn(text)
        word = text.strip(_AROUND)
        if word not in long.words:
            long.words.add(word)
            long.left -= known.price
        long.chunks[text] = known
        return known

    def _folded(self, chunks: list[str]) -> list[str]:
        return self.terms.folded("\n".join([chunk.replace("\n", "") for chunk in chunks])).split("\n")

    def _glance(self, text: str, folded: str) -> Learnt:
        """A chunk by the spelling of its words alone, as its marks part them: for more words than anybody writes."""
        words = seen_words(folded)
        opens = not text[0].islower()
        if self.terms.spelt().isdisjoint(words):
            if len(words) == 1 and folded[-1].isalnum():
                return _OPENING_WORD if opens else _SMALL_WORD
            return Learnt(len(words), ends_plainly(text), opens, ())
        hits = []
        end = 0
        for at, word in enumerate(seen_words(text)):
            start = text.index(word, end)
            end = start + len(word)
            if terms := self.terms.of_spelling(word):
                hits.append((terms, at, at, start, end))
        return Learnt(len(words), ends_plainly(text), opens, tuple(hits))

    def _learn(self, text: str) -> Learnt:
        chunk = read_chunk(text, self.language)
        hits = []
        cost = 0 if text.isalpha() else _MARKED_PRICE
        for word in chunk.words:
            cost += _WORD_PRICE + price(word.text, self.language)
            terms = self._terms_of(word.text) if cost <= _MAX_CHUNK_PRICE else self.terms.of_spelling(word.text)
            if terms:
                hits.append((terms, word.first, word.last, word.start, word.end))
        known = Learnt(chunk.width, chunk.ending, chunk.opens, tuple(hits), cost)
        if len(text) <= _MAX_KEPT_CHUNK:
            if len(self._learnt) >= _MAX_LEARNT:
                self._learnt.clear()
            self._learnt[text] = known
        return known

    def _terms_of(self, word: str) -> tuple[int, ...]:
        terms = self._words.get(word)
        if terms is None:
            terms = self.terms.of_token(word)
            if len(self._words) >= _MAX_LEARNT:
                self._words.clear()
            self._words[word] = terms
        return terms

    def _build(self) -> None:
        weights = [_commonness(text) for text in self.terms.texts]

        def weigh(terms: frozenset[int]) -> float:
            return sum(weights[term] for term in terms)

        alone: dict[tuple[int, str], list[int]] = {}
        for number, plan in enumerate(self.plans):
            if isinstance(plan, TermPlan) and plan.field is None:
                alone.setdefault((plan.number, plan.term), []).append(number)
                continue
            needed = sorted(set(plan.required(weigh)), key=weigh)
            if not needed:
                self._always.append(number)
                continue
            candidate = _Candidate(number, tuple(needed[1:]))
            for term in needed[0]:
                self._index.setdefault(term, []).append(candidate)
        for (term, written), rules in alone.items():
            self._alone.setdefault(term, []).append((written, rules))


def _commonness(word: str) -> float:
    """Short words are common: how often a term may be expected, until a term's letters say more (Luwak's proxy)."""
    return math.exp(-0.3 * len(word)) + 0.01
