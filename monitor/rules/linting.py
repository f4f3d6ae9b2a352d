"""What is allowed in a rule but seldom meant: hints for the moment a rule is saved.

Rule: a hint never changes what a rule means, and none is given that its author cannot act on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.rules.forms import FORMS, read_rule
from monitor.rules.globs import glob_of
from monitor.rules.ruleset import Ruleset
from monitor.rules.syntax import And, Fuzzy, Group, Meta, Node, Not, Or, Phrase, Regex, Wild, Word, children, walk
from monitor.rules.terms import default_distance
from monitor.text.folding import fold, lower
from monitor.text.languages import base_language
from monitor.text.lemmas import has_dictionary, is_entry, is_word
from monitor.text.passages import pieces_of
from monitor.text.words import is_acronym, spelling

COMMON_SHARE = 0.05  # of the sample's entries: a rule that fires on more is about a common word
MANY_WORDS = 200  # that a wildcard stands for
_SAMPLE = 10_000
_SPELT_OUT = frozenset({"zh", "ja", "th", "lo", "km", "my", "ko"})  # languages that need no dictionary to find words
_SMALL_OPERATOR = re.compile(r"(near|before|atleast|except|or|not|and)(/\d+)?\Z", re.IGNORECASE)
_NO_LITERAL = re.compile(
    r"\\[pP](?:\{[^}]*\}|.)|\\x\{[^}]*\}|\\.|\[[^\]]*\]|\{[^}]*\}|\(\?[^:)]*[:)]?|.[*?]", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that is allowed but seldom meant."""

    column: int  # from 1; within the item of a form
    message: str
    mend: str


def lint(
    rule: str | Mapping[str, object], *, languages: Sequence[str] = ("en",), sample: Sequence[str] = ()
) -> tuple[Hint, ...]:
    """Return hints on a rule for sources in these `languages`; `sample`: texts of recent entries. Raises RuleError."""
    if isinstance(rule, Mapping):
        items = [item for key in FORMS if key in rule for item in _items(rule[key])]
        return tuple(hint for item in items for hint in lint(item, languages=languages, sample=sample))
    node = read_rule(rule)
    bases = [base_language(language) for language in languages]
    hints = [hint for part in walk(node) for hint in _of_part(part, rule, bases)]
    hints += _not_for_except(node)
    hints += _of_sample(node, sample[-_SAMPLE:], languages) if sample else []
    hints += _of_languages(node, bases)
    return tuple(sorted(set(hints), key=lambda hint: hint.column))


def _items(value: object) -> list[str | Mapping[str, object]]:
    if isinstance(value, str | Mapping):
        return [value]
    return [item for item in value if isinstance(item, str | Mapping)] if isinstance(value, Sequence) else []


def _of_part(node: Node, text: str, languages: Sequence[str]) -> Iterator[Hint]:
    match node:
        case Or():
            yield from _mixed(node, text)
        case Group():
            yield from _small_operators(node)
        case Not():
            if isinstance(node.operand, Group) and node.term[:1] not in "N(":
                mend = f"write -({node.operand.term}) to say so, or -{node.operand.operands[0].term} behind the other words"
                yield Hint(node.column, f"`{node.term}` excludes the whole phrase `{node.operand.term}`", mend)
        case Word():
            yield from _of_word(node, languages)
        case Fuzzy():
            yield from _of_fuzzy(node, languages)
        case Wild():
            if node.pattern.endswith("?"):
                mend = "leave the question mark out, or write * for any ending"
                yield Hint(node.column, f"`{node.term}` needs exactly one letter where the ? stands", mend)
        case Regex():
            if not _literal(node.pattern):
                said = f"`{node.term}` holds no three letters in a row: it is tried on every text"
                yield Hint(node.column, said, "add letters that must be there")
        case _:
            return


def _mixed(node: Or, text: str) -> Iterator[Hint]:
    for operand in node.operands:
        if isinstance(operand, And) and not text[: operand.column - 1].rstrip().endswith("("):
            if all(isinstance(part, Not) for part in operand.operands[1:]):
                continue
            yield Hint(
                operand.column, "AND binds tighter than OR", f"write ({operand.term}) OR …, or put the OR in brackets"
            )


def _small_operators(node: Group) -> Iterator[Hint]:
    for part in node.operands[:]:
        if isinstance(part, Word) and part.text.islower() and (found := _SMALL_OPERATOR.match(part.text)):
            yield Hint(
                part.column, f"`{part.text}` is a word here", f"write {found.group().upper()} if you mean the operator"
            )


def _of_word(node: Word, languages: Sequence[str]) -> Iterator[Hint]:
    for language in languages[:1]:
        if is_acronym(node.text, language):
            said = f"`{node.text}` is looked for in capitals only, since `{node.text.lower()}` is a word too"
            yield Hint(node.column, said, f"write {node.text.lower()} to find both")
        elif node.text.islower() and 1 < len(node.text) <= 4 and _is_acronym_too(node.text, language):
            said = f"`{node.text}` is a common word; every one of them is found"
            yield Hint(node.column, said, f"write {node.text.upper()} for the name")
    if ("," in node.text.strip(",") and not node.text[0].isdigit()) or node.text.endswith(","):
        yield Hint(node.column, "a comma means nothing in a rule", "write OR, or AND, or leave it out")


def _is_acronym_too(word: str, language: str) -> bool:
    return is_word(word, language) and is_entry(word.upper(), language)


def _of_fuzzy(node: Fuzzy, languages: Sequence[str]) -> Iterator[Hint]:
    language = languages[0] if languages else "en"
    letters = len(spelling(node.text, language))
    if node.distance is None and not default_distance(letters):
        yield Hint(
            node.column, f"`{node.term}`: words under 4 letters are found as written only", f"write {node.text}~1"
        )
    if not has_dictionary(language):
        said = f"no dictionary tells slips from other words in `{language}`: `{node.term}` also finds similar words"
        yield Hint(node.column, said, f"write {node.text}")


def _literal(pattern: str) -> bool:
    return any(len(run) >= 3 for run in re.findall(r"[^\W\d_]+", _NO_LITERAL.sub(" ", pattern)))


def _not_for_except(node: Node) -> Iterator[Hint]:
    """`suspended NOT "not suspended"` throws away entries that say both; EXCEPT only looks past those places."""
    if not isinstance(node, And):
        return
    wanted = {
        part.text.lower() for operand in node.operands if not isinstance(operand, Not) for part in _words(operand)
    }
    for operand in node.operands:
        if isinstance(operand, Not) and isinstance(operand.operand, Phrase):
            shared = wanted.intersection(word.lower() for word in operand.operand.words)
            if shared and len(operand.operand.words) > 1:
                said = (
                    f"`{operand.term}` drops every entry that holds it, even if `{min(shared)}` also stands elsewhere"
                )
                yield Hint(operand.column, said, f"write {min(shared)} EXCEPT {operand.operand.term}")


def _words(node: Node) -> Iterator[Word]:
    if isinstance(node, Word):
        yield node
    for child in children(node):
        yield from _words(child)


def _of_sample(node: Node, sample: Sequence[str], languages: Sequence[str]) -> Iterator[Hint]:
    language = base_language(languages[0] if languages else "en")
    ruleset = Ruleset({"rule": node})
    fired = sum(bool(ruleset.match(text, language=language)) for text in sample)
    if fired > len(sample) * COMMON_SHARE:
        said = f"it fires on {fired} of the last {len(sample)} entries"
        yield Hint(1, said, "add a word that tells them apart")
    for part in walk(node):
        if isinstance(part, Wild):
            glob = glob_of(fold(lower(part.pattern, language), language))
            words = {fold(lower(piece.text, language), language) for text in sample for piece in pieces_of(text)}
            count = sum(map(glob, words))
            if count > MANY_WORDS:
                yield Hint(
                    part.column, f"`{part.term}` stands for {count} words of recent entries", "write more of the word"
                )


def _of_languages(node: Node, languages: Sequence[str]) -> Iterator[Hint]:
    if all(isinstance(part, Regex | Meta) for part in walk(node) if not children(part)):
        return
    for language in languages:
        if not has_dictionary(language) and language not in _SPELT_OUT:
            said = f"no dictionary of `{language}`: words are found as written, not inflected"
            yield Hint(node.column, said, "write the inflected forms with OR, or word*")
