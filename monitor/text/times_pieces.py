"""Cuts a label into the pieces times are made of: clocks, dates, numbers, known words; any other piece makes it text."""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.text import times_words as words

MAX_PIECES = 16


class Piece(NamedTuple):
    """One piece of a label; `numbers` are its runs of digits."""

    kind: str
    value: str
    numbers: tuple[int, ...] = ()


_PIECES = re.compile(
    r"(?P<iso>\d{4}-\d{1,2}-\d{1,2}(?:[t ]\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?)?)"
    r"|(?P<handate>(?:\d{4}\s?[年년]\s?)?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일号])"
    r"|(?P<han>\d{1,2}\s?[時时点點시](?![間间간])\s?(?:\d{1,2}\s?[分분]|半)?)"
    r"|(?P<numdate>\d{1,4}(?P<sep>[./-])\d{1,2}(?P=sep)\d{2,4})"
    r"|(?P<colon>\d{1,2}[:∶]\d\d(?:[:∶]\d\d(?:[.,]\d+)?)?(?![\d:]))"
    r"|(?P<h>\d{1,2}\s?h\s?\d\d(?:\s?min\b|(?![\dm])))"
    r"|(?P<dot>\d{1,2}\.\d\d(?![\d.]))"
    r"|(?P<offset>(?:(?<=utc)|(?<=gmt)|(?<=\d)|(?<=\s))[+−-]\d{1,2}(?::?\d\d)?(?![\d.]))"
    r"|(?P<number>\d{1,4})(?!\d)"
    r"|(?P<word>[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e\u064b-\u065f]|['’.\u200c](?=[^\W\d_]))*)"
    r"|(?P<filler>[\s,.|·•–—/()\[\]@-])"
)
_UNSPACED_WORDS = re.compile(
    "|".join(
        sorted(
            (word for word in words.ALL if re.match(r"[\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]", word)),
            key=len,
            reverse=True,
        )
    )
)
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]")


def pieces_of(plain: str) -> list[Piece] | None:
    """Return the pieces of a normalised, lower-case label in order; None if part of it can be no piece of a time."""
    found: list[Piece] = []
    at = 0
    while at < len(plain):
        match = _PIECES.match(plain, at)
        if match is None or match.end() == at:
            return None
        kind, value = match.lastgroup or "", match.group()
        if kind == "word" and _UNSPACED.match(value):
            known = _UNSPACED_WORDS.match(plain, at)
            if known is None:
                return None
            found.append(Piece("word", known.group()))
            at = known.end()
            continue
        at = match.end()
        kind = "numdate" if match.group("numdate") else kind
        if kind == "filler":
            continue
        found.append(Piece(kind, value, tuple(int(digits[:6]) for digits in re.findall(r"\d+", value))))
        if len(found) > MAX_PIECES:
            return None
    return _phrases(found)


def _phrases(pieces: list[Piece]) -> list[Piece] | None:
    """Join words that are known only together ("just now", "il y a"); None if a word is unknown."""
    joined: list[Piece] = []
    at = 0
    while at < len(pieces):
        if pieces[at].kind != "word":
            joined.append(pieces[at])
            at += 1
            continue
        for length in (5, 4, 3, 2, 1):
            run = pieces[at : at + length]
            phrase = " ".join(piece.value for piece in run)
            if len(run) == length and all(piece.kind == "word" for piece in run) and phrase in words.ALL:
                joined.append(Piece("word", phrase))
                at += length
                break
        else:
            return None
    return joined
