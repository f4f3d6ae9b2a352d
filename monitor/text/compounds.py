"""Words written in pieces: compounds with hyphens, initials with full stops, hashtags, Hebrew acronyms."""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.text.tokens import Token

INITIALS = re.compile(r"(?:[^\W\d_]\.){2,}[^\W\d_]?\.?")
_GERSHAYIM = frozenset('"״”“')
_HEBREW = re.compile("[\u05d0-\u05ea]")
_MAX_PARTS = 8  # of a compound or of initials; longer ones are no words


class Word(NamedTuple):
    """A word of a chunk: positions `first` to `last` (counted from the chunk's first), characters `start` to `end`."""

    first: int
    last: int
    start: int
    end: int
    text: str  # what is looked up: the token, or the parts of a compound written together


def joined(run: list[Word]) -> list[Word]:
    """The words of a compound, and the compound written together: `cease`, `fire`, `ceasefire`."""
    if len(run) < 2 or all(word.text[0].isdigit() for word in run):
        return run
    spans = {(at, at + 2) for at in range(len(run) - 1)} | ({(0, len(run))} if len(run) <= _MAX_PARTS else set())
    whole = [
        Word(run[a].first, run[b - 1].last, run[a].start, run[b - 1].end, "".join(word.text for word in run[a:b]))
        for a, b in sorted(spans)
    ]
    return [*run, *whole]


def initials(text: str, words: list[Word]) -> list[Word]:
    """Initials written with full stops, as one word: `U.S.` is `US`."""
    if "." not in text:
        return []
    found = []
    letters = [word for word in words if len(word.text) == 1]
    at = 0
    for match in INITIALS.finditer(text):
        while at < len(letters) and letters[at].start < match.start():
            at += 1
        inside = []
        while at < len(letters) and letters[at].end <= match.end():
            inside.append(letters[at])
            at += 1
        if 2 <= len(inside) <= _MAX_PARTS:
            name = "".join(word.text for word in inside)
            found.append(Word(inside[0].first, inside[-1].last, inside[0].start, inside[-1].end, name))
    return found


def hashtag_words(token: Token) -> list[Token]:
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


def hebrew_acronyms(found: list[Token]) -> list[Token]:
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
