"""The shapes of a single word in a rule: plain, with `~`, with wildcards; and how a rule is refused."""

from __future__ import annotations

import re

from monitor.errors import RuleError
from monitor.rules.syntax import Fuzzy, Node, Wild, Word
from monitor.text.passages import pieces_of
from monitor.text.words import MAX_WORD

_FUZZY = re.compile(r"(.*?)[~～](.*)\Z", re.DOTALL)
_FOREIGN_OPERATORS = {
    "&": "AND", "&&": "AND", "|": "OR", "||": "OR", ",": "OR, or leave the comma out", "!": "NOT", "+": "AND",
    "*": "a word before the *", "?": "a word before the ?", "~": "a word before the ~", "=": "a word after the =",
}  # fmt: skip


def fail(message: str, at: int, mend: str) -> RuleError:
    """Return the error for the character at index `at`."""
    return RuleError(message, column=at + 1, mend=mend)


def spaced(text: str) -> list[tuple[int, str]]:
    return [(found.start(), found.group()) for found in re.finditer(r"\S+", text)]


def plain_word(run: str, start: int) -> Node:
    """A word run as a word, a word with ~ or a wildcard."""
    if not pieces_of(run):
        meant = _FOREIGN_OPERATORS.get(run, "a word, or a /pattern/ for marks and symbols")
        raise fail(f"nothing to look for in `{run}`", start, f"write {meant}")
    if any(len(piece.text) > MAX_WORD for piece in pieces_of(run)):
        raise fail(f"no word has over {MAX_WORD} letters", start, "write a part of it with *")
    if run[0] in "!+":
        raise fail(f"`{run[0]}` is no operator", start, f"write {'NOT ' if run[0] == '!' else ''}{run[1:]}")
    if run[0] in "~～":
        raise fail("`~` belongs behind the word", start, f"write {run[1:]}~")
    if found := _FUZZY.match(run):
        return _fuzzy(run, found[1], found[2], start)
    if "*" in run or "?" in run.rstrip("!.,;:"):
        check_wild(run, start)
        return Wild(run, start + 1, run.rstrip("!.,;:"))
    return Word(run, start + 1, run)


def _fuzzy(run: str, word: str, digits: str, start: int) -> Node:
    if "*" in word or "?" in word:
        raise fail("a word takes * or ~, not both", start, f"write {word} or {word.rstrip('*?')}~")
    if digits not in ("", "1", "2"):
        raise fail(f"`~{digits}`: the distance is 1 or 2", start + len(word), f"write {word}~, {word}~1 or {word}~2")
    if not pieces_of(word):
        raise fail("`~` belongs behind a word", start, "write word~")
    return Fuzzy(run, start + 1, word, int(digits) if digits else None)


def check_wild(word: str, start: int) -> None:
    first = min((at for at in (word.find("*"), word.find("?")) if at >= 0), default=0)
    letters = sum(character.isalnum() for character in word[:first])
    if letters < 3:
        raise fail(f"`{word}`: a wildcard needs 3+ letters before it", start + first, "write more of the word")
    if any(piece.kind == "character" for piece in pieces_of(word)):
        raise fail(
            f"`{word}`: this script has no spaces, so every word is found inside others",
            start + first,
            "leave out the wildcard",
        )
