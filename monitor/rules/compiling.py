"""A rule's tree to its plan in one language: here words get their meaning.

Rule: stop words of a natural phrase are dropped as long as something is left; a word of several tokens is those tokens
next to each other, or written together where a hyphen joins them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from monitor.rules.facts import FactPlan, PatternPlan
from monitor.rules.plan import (
    AndPlan,
    AtLeastPlan,
    ExceptPlan,
    NearPlan,
    NotPlan,
    OrPlan,
    Plan,
    SequencePlan,
    TermPlan,
    WindowPlan,
)
from monitor.rules.sightings import chunk_of, verbatim_form
from monitor.rules.syntax import (
    And,
    AtLeast,
    Except,
    Fuzzy,
    Group,
    InField,
    Meta,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Regex,
    Verbatim,
    Wild,
    Word,
)
from monitor.rules.terms import Terms
from monitor.text.compounds import Word as Piece
from monitor.text.folding import lower
from monitor.text.languages import stop_words

GROUP_SLACK = 6  # other words in a natural phrase of two …
SLACK_PER_OPERAND = 2  # … and so many more for each further operand
_SENSES_IN_CAPITALS = frozenset({"it", "is", "who", "us", "as", "am", "at"})  # of stop words that are acronyms too


def group_slack(operands: int) -> int:
    """Return how many other words a natural phrase of so many operands may hold."""
    return GROUP_SLACK + SLACK_PER_OPERAND * (operands - 2)


class Compiler:
    """Compiles trees into plans over one vocabulary."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms

    def plan(self, node: Node, field: str | None = None) -> Plan:
        """Return the plan of `node`, inside a field or anywhere."""
        match node:
            case Group():
                return self._group(node, field)
            case Near():
                left, right = self.plan(node.left, field), self.plan(node.right, field)
                return NearPlan(left, right, node.distance, node.ordered)
            case Except():
                return ExceptPlan(self.plan(node.left, field), self.plan(node.right, field))
            case And():
                return AndPlan(tuple(self.plan(part, field) for part in node.operands))
            case Or():
                return OrPlan(tuple(self.plan(part, field) for part in node.operands))
            case Not():
                return NotPlan(self.plan(node.operand, field))
            case AtLeast():
                return AtLeastPlan(node.count, self.plan(node.operand, field))
            case InField():
                return self.plan(node.operand, node.name)
            case _:
                return self._leaf(node, field)

    def kept(self, node: Group) -> tuple[Node, ...]:
        """Return the operands of a natural phrase that are asked for: all but stop words, if anything is left."""
        return tuple(part for at, part in enumerate(node.operands) if not self._is_stop_word(part, at)) or node.operands

    def _leaf(self, node: Node, field: str | None) -> Plan:
        match node:
            case Word():
                return self._word(node, field)
            case Fuzzy():
                return self._fuzzy(node, field)
            case Wild():
                return self._wild(node, field)
            case Phrase():
                return self._phrase(node, field)
            case Verbatim():
                return self._verbatim(node, field)
            case Regex():
                number = self.terms.pattern(node.pattern, node.ignore_case)
                return PatternPlan(number, node.pattern, node.ignore_case, node.term, field)
            case Meta():
                return FactPlan(node.name, node.glob, node.term)
        raise AssertionError(node)

    def _group(self, node: Group, field: str | None) -> Plan:
        parts = tuple(self.plan(part, field) for part in self.kept(node))
        if len(parts) == 1:
            return parts[0]
        return WindowPlan(parts, group_slack(len(parts)), one_sentence=True)

    def _is_stop_word(self, node: Node, at: int) -> bool:
        if not isinstance(node, Word):
            return False
        text = node.text.strip(".,;:!?")
        small = lower(text, self.terms.language)
        if small not in stop_words(self.terms.language):
            return False
        if len(text) == 1:
            return text == small or at == 0  # "hepatitis A" is about the A
        return not (text.isupper() and small in _SENSES_IN_CAPITALS)

    def _word(self, node: Word, field: str | None) -> Plan:
        pieces = self._pieces(node.text)
        return self._compound(pieces, node.term, field, self.terms.word)

    def _fuzzy(self, node: Fuzzy, field: str | None) -> Plan:
        pieces = self._pieces(node.text)
        return self._compound(pieces, node.term, field, lambda text: self.terms.fuzzy(text, node.distance))

    def _compound(self, pieces: tuple[Piece, ...], term: str, field: str | None, number: Callable[[str], int]) -> Plan:
        """A word's tokens next to each other; or, of a compound, written together."""
        single = [piece for piece in pieces if piece.first == piece.last]
        end = single[-1].last
        joined = [piece for piece in pieces if piece.first == 0 < piece.last == end]
        if len(single) == 1:
            return TermPlan(number(single[0].text), term, field)
        parts = tuple(TermPlan(number(piece.text), piece.text, field) for piece in single)
        apart: Plan = SequencePlan(parts, term)
        together = [TermPlan(number(piece.text), term, field) for piece in joined]
        return OrPlan((*together, apart)) if together else apart

    def _wild(self, node: Wild, field: str | None) -> Plan:
        for dash in "-‐‑–":
            if dash in node.pattern:
                *heads, tail = node.pattern.split(dash)
                together = TermPlan(self.terms.wild(node.pattern.replace(dash, "")), node.term, field)
                parts = [TermPlan(self.terms.exact(head), head, field) for head in heads if head]
                last = self.terms.wild(tail) if "*" in tail or "?" in tail else self.terms.exact(tail)
                return OrPlan((together, SequencePlan((*parts, TermPlan(last, tail, field)), node.term)))
        return TermPlan(self.terms.wild(node.pattern), node.term, field)

    def _phrase(self, node: Phrase, field: str | None) -> Plan:
        parts: list[Plan] = []
        for word in node.words:
            if "*" in word:
                parts.append(TermPlan(self.terms.wild(word), word, field))
            else:
                pieces = self._pieces(word)
                if pieces:
                    parts.append(self._compound(pieces, word, field, self.terms.exact))
        if node.within is not None:
            return (
                WindowPlan(tuple(parts), node.within, one_sentence=False, term=node.term)
                if len(parts) > 1
                else parts[0]
            )
        if len(parts) == 1 and isinstance(parts[0], TermPlan):
            return TermPlan(parts[0].number, node.term, field)
        return SequencePlan(tuple(parts), node.term)

    def _verbatim(self, node: Verbatim, field: str | None) -> Plan:
        pieces = [piece for word in node.text.split() for piece in self._pieces(word) if piece.first == piece.last]
        if len(pieces) == 1 and pieces[0].text == node.text:
            return TermPlan(self.terms.verbatim(pieces[0].text), node.term, field)
        parts = tuple(TermPlan(self.terms.verbatim(piece.text), piece.text, field) for piece in pieces)
        return SequencePlan(parts, node.term, partial(_reads, verbatim_form(node.text)))

    def _pieces(self, word: str) -> tuple[Piece, ...]:
        return chunk_of(word, self.terms.language).words


def _reads(wanted: str, shown: str) -> bool:
    """Say whether the characters shown are the wanted ones; marks around them are no part of the comparison."""
    form = verbatim_form(shown)
    bare = wanted.strip("\"'.,;:!?()")
    return form in (wanted, bare) or (form.startswith(bare) and form[len(bare) :] in ("'s", "'"))
