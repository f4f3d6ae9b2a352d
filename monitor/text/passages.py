"""A text as a line of positions: where each word stands, how far sentences and paragraphs keep words apart.

A chunk is what white space parts; the tokens of a chunk are the same wherever it stands, so what is learnt of it once is
kept. Rule: a sentence end puts nine positions between words, a paragraph a hundred, a field a thousand.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from monitor.text.languages import ABBREVIATIONS, dotted_ordinals
from monitor.text.tokens import Token, tokens

SENTENCE_GAP = 9
PARAGRAPH_GAP = 100
FIELD_GAP = 1000

_DASHES = frozenset("-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u200c\u05be\u1806\u2e17\u30fb")
_ALWAYS_ENDS = frozenset("!?。！？｡؟۔।॥։።၊။‼⁇⁈⁉")
_MAY_END = frozenset(".…．")
_CLOSING = frozenset("\"'’”»›)]}›」』）］*_")
_INITIALS = re.compile(r"(?:[^\W\d_]\.){2,}[^\W\d_]?\.?")
_GERSHAYIM = frozenset('"״”“')
_HEBREW = re.compile("[\u05d0-\u05ea]")

Ending = Literal[0, 1, 2]  # 0: the sentence goes on; 1: it ends if what follows can open one; 2: it ends


class Word(NamedTuple):
    """A word of a chunk: positions `first` to `last` (counted from the chunk's first), characters `start` to `end`."""

    first: int
    last: int
    start: int
    end: int
    text: str  # what is looked up: the token, or the parts of a compound written together


class Chunk(NamedTuple):
    """What a run of characters without white space holds, wherever it stands."""

    words: tuple[Word, ...]
    width: int  # positions it takes
    ending: Ending  # what its end does to the sentence
    opens: bool  # it can open a sentence


def read_chunk(text: str, language: str) -> Chunk:
    """Return the words of one chunk of a text in a base `language`; parts of compounds also stand as one joined word."""
    found = _hebrew_acronyms(tokens(text))
    words: list[Word] = []
    run: list[Word] = []  # the words linked by dashes so far
    position = 0
    after_word = linked = False
    for at, token in enumerate(found):
        if token.kind == "mark":
            linked = after_word and token.text in _DASHES
            after_word = False
            position += 0 if linked else _inner_gap(found, at)
            continue
        if not linked:
            words += _joined(run)
            run = []
        for part in _camel(token) if at and found[at - 1].text in "#＃" else (token,):
            run.append(Word(position, position, part.start, part.end, part.text))
            position += 1
        after_word, linked = token.kind in ("word", "number"), False
    words += _joined(run)
    words += _initials(text, words)
    return Chunk(tuple(words), position, _ending(text, found, language), _opens(found))


def _joined(run: list[Word]) -> list[Word]:
    """The words of a compound, and the compound written together: `cease`, `fire`, `ceasefire`."""
    if len(run) < 2 or all(word.text[0].isdigit() for word in run):
        return run
    spans = {(0, len(run))} | {(at, at + 2) for at in range(len(run) - 1)}
    whole = [
        Word(run[a].first, run[b - 1].last, run[a].start, run[b - 1].end, "".join(word.text for word in run[a:b]))
        for a, b in sorted(spans)
    ]
    return [*run, *whole]


def _initials(text: str, words: list[Word]) -> list[Word]:
    """Initials written with full stops, as one word: `U.S.` is `US`."""
    if "." not in text:
        return []
    joined = []
    for found in _INITIALS.finditer(text):
        inside = [word for word in words if found.start() <= word.start and word.end <= found.end()]
        if len(inside) >= 2 and all(len(word.text) == 1 for word in inside):
            letters = "".join(word.text for word in inside)
            joined.append(Word(inside[0].first, inside[-1].last, inside[0].start, inside[-1].end, letters))
    return joined


def _camel(token: Token) -> list[Token]:
    """The words of a hashtag: `CeasefireViolation` → `Ceasefire`, `Violation`; `UNHCRSyria2016` → `UNHCR`, `Syria`, `2016`."""
    text = token.text
    cuts = [at for at in range(1, len(text)) if _camel_border(text, at)]
    return [
        Token(token.start + a, token.start + b, text[a:b], "word")
        for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)
    ]


def _camel_border(text: str, at: int) -> bool:
    before, here = text[at - 1], text[at]
    if before.isdigit() != here.isdigit():
        return True
    return here.isupper() and (before.islower() or (before.isupper() and text[at + 1 : at + 2].islower()))


def _hebrew_acronyms(found: list[Token]) -> list[Token]:
    """Hebrew acronyms carry a quotation mark before their last letter: three tokens that are one word."""
    if not any(token.text in _GERSHAYIM for token in found[1:-1]):
        return found
    merged: list[Token] = []
    for token in found:
        if (
            len(merged) >= 2
            and merged[-1].text in _GERSHAYIM
            and _HEBREW.match(token.text)
            and merged[-1].end == token.start
            and merged[-2].end == merged[-1].start
            and _HEBREW.match(merged[-2].text)
        ):
            merged.pop()
            head = merged.pop()
            merged.append(Token(head.start, token.end, head.text + token.text, "word"))
        else:
            merged.append(token)
    return merged


def _inner_gap(found: list[Token], at: int) -> int:
    """Positions that a mark inside a chunk puts between the words on both sides: `违反。停火`, `at noon.Buses`."""
    mark = found[at]
    after = next((token for token in found[at + 1 :] if token.kind != "mark"), None)
    before = next((token for token in reversed(found[:at]) if token.kind != "mark"), None)
    if (
        after is None
        or before is None
        or any(token.text in _ALWAYS_ENDS for token in found[at + 1 : found.index(after)])
    ):
        return 0
    if mark.text in _ALWAYS_ENDS:
        return SENTENCE_GAP
    ends = mark.text == "." and len(before.text) > 2 and before.text[-1].islower() and after.text[:1].isupper()
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
    if word in ABBREVIATIONS or (len(word) == 1 and before.text.isupper()) or _INITIALS.search(text):
        return 0
    return 2 if len(word) >= 4 and before.text.islower() else 1


def _opens(found: list[Token]) -> bool:
    """Say whether a sentence can open here: anything but a small letter can."""
    for token in found:
        if token.kind != "mark":
            return not token.text[:1].islower()
        if token.text in "#@•–—-·*¿¡":
            return True
    return False


def pieces_of(text: str) -> list[Token]:
    """Return the tokens of `text` that can be looked for: all but marks."""
    return [token for token in tokens(text) if token.kind != "mark"]
