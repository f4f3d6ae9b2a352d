"""A text as a line of positions: where each word stands, how far sentences and paragraphs keep words apart.

A chunk is what white space parts; the tokens of a chunk are the same wherever it stands, so what is learnt of it once is
kept. Rule: a sentence end puts nine positions between words, a paragraph a hundred, a field a thousand.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from monitor.text.compounds import INITIALS, Word, hashtag_words, hebrew_acronyms, initials, joined
from monitor.text.languages import ABBREVIATIONS, dotted_ordinals
from monitor.text.tokens import UNSPACED, Token, tokens

SENTENCE_GAP = 9
PARAGRAPH_GAP = 100
FIELD_GAP = 1000

_DASHES = frozenset("-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u200c\u05be\u1806\u2e17\u30fb")
_ALWAYS_ENDS = frozenset("!?。！？｡؟۔।॥։።၊။‼⁇⁈⁉")
_MAY_END = frozenset(".…．")
_CLOSED = "\"'’”»›)]}」』）］*_"
_CLOSING = frozenset(_CLOSED)
_OPENING = frozenset("#@•–—-·*¿¡")
_HAS_WORD = re.compile(rf"[^\W_]|{UNSPACED.pattern}")  # Han that this Python does not know yet is no \w

# One word of the commonest letters (Latin, Greek, Cyrillic, Hebrew, Arabic, Hangul) between marks that end no sentence.
_SIMPLE = re.compile(
    r"""["'(\[“‘«]*"""
    "([A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0370-\u0373\u0376\u0377\u0386\u0388-\u03ff\u0400-\u0481\u048a-\u052f"
    "\u05d0-\u05ea\u0620-\u063f\u0641-\u064a\u0671-\u06d3\uac00-\ud7a3]+)"
    r"""[,;:)"'\]”’»]*\Z"""
)

Ending = Literal[0, 1, 2]  # 0: the sentence goes on; 1: it ends if what follows can open one; 2: it ends


class Chunk(NamedTuple):
    """What a run of characters without white space holds, wherever it stands."""

    words: tuple[Word, ...]
    width: int  # positions it takes
    ending: Ending  # what its end does to the sentence
    opens: bool  # it can open a sentence


def ends_plainly(text: str) -> Ending:
    """Return what the end of a chunk does to the sentence, judged by its last mark alone."""
    if text[-1].isalnum():
        return 0
    last = text.rstrip(_CLOSED)[-1:]
    return 2 if last in _ALWAYS_ENDS else 1 if last in _MAY_END else 0


def read_chunk(text: str, language: str) -> Chunk:
    """Return the words of one chunk of a text in a base `language`; parts of compounds also stand as one joined word."""
    if simple := _SIMPLE.match(text):  # nine chunks of ten; what follows would give the same
        start, end = simple.span(1)
        return Chunk((Word(0, 0, start, end, simple[1]),), 1, 0, not simple[1][0].islower())
    if not _HAS_WORD.search(text):
        return Chunk((), 0, ends_plainly(text), not _OPENING.isdisjoint(text))
    if UNSPACED.fullmatch(text):
        return Chunk(tuple([Word(at, at, at, at + 1, one) for at, one in enumerate(text)]), len(text), 0, True)
    found = hebrew_acronyms(tokens(text))
    words: list[Word] = []
    run: list[Word] = []  # the words linked by dashes so far
    position = 0
    between: list[str] = []  # marks since the last word
    before: Token | None = None
    for at, token in enumerate(found):
        if token.kind == "mark":
            between.append(token.text)
            continue
        linked = len(between) == 1 and between[0] in _DASHES and before is not None and before.kind != "character"
        if not linked:
            words += joined(run)
            run = []
            if before is not None and between:
                position += _inner_gap(before, between, token)
        for part in hashtag_words(token) if at and found[at - 1].text in "#＃" else (token,):
            run.append(Word(position, position, part.start, part.end, part.text))
            position += 1
        before, between = token, []
    words += joined(run)
    words += initials(text, words)
    return Chunk(tuple(words), position, _ending(text, found, language), _opens(found))


def _inner_gap(before: Token, between: list[str], after: Token) -> int:
    """Positions that marks inside a chunk put between the words on both sides: `违反。停火`, `at noon.Buses`."""
    if not _ALWAYS_ENDS.isdisjoint(between):
        return SENTENCE_GAP
    ends = between[0] == "." and len(before.text) > 2 and before.text[-1].islower() and after.text[:1].isupper()
    return SENTENCE_GAP if ends and len(after.text) > 2 else 0


def _ending(text: str, found: list[Token], language: str) -> Ending:
    mark = next((token for token in reversed(found) if token.text not in _CLOSING), None)
    if mark is None or mark.kind != "mark":
        return 0
    if mark.text in _ALWAYS_ENDS:
        return 2
    if mark.text not in _MAY_END:
        return 0
    before = next((token for token in reversed(found) if token.kind != "mark"), None)
    if before is None or mark.text == "…":
        return 1
    word = before.text.lower()
    if before.kind == "number":
        return 0 if len(word) <= 2 and dotted_ordinals(language) else 1
    if word in ABBREVIATIONS or (len(word) == 1 and word != before.text.upper()) or INITIALS.search(text):
        return 0
    return 2 if len(word) >= 4 and before.text.islower() else 1


def _opens(found: list[Token]) -> bool:
    """Say whether a sentence can open here: anything but a small letter can."""
    for token in found:
        if token.kind != "mark":
            return not token.text[:1].islower()
        if token.text in _OPENING:
            return True
    return False


def pieces_of(text: str) -> list[Token]:
    """Return the tokens of `text` that can be looked for: all but marks."""
    return [token for token in tokens(text) if token.kind != "mark"]
