"""Words, numbers and marks of a text with their offsets, in every script.

A word is a run of letters with their combining marks and inner apostrophes (`Syria’s`, `l’accord`); a number keeps its
inner separators (`4,000`, `12:07`, `3.5`); scripts written without spaces give one token a character with its marks
(Han, Kana, Thai, Lao, Khmer, Burmese); everything else that is not white space is a mark of one character.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from monitor.text.characters import INVISIBLE

TokenKind = Literal["word", "number", "character", "mark"]


class Token(NamedTuple):
    """A piece of a text: `text[start:end]`."""

    start: int
    end: int
    text: str
    kind: TokenKind


# Combining marks by block, because `\w` leaves them out; whole Indic blocks, their dandas (U+0964, U+0965) excepted.
MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0816-\u082d\u0859-\u085b\u08d3-\u0963"
    "\u0966-\u0dff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
# Scripts without spaces between words (UAX #14 line-breaking classes ID and SA).
_UNSPACED = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e3f-\u0e46\u0e5a\u0e5b\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf\u1000-\u102a"
    "\u103f\u1050-\u1055\u1780-\u17b3\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
_UNSPACED_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u105e-\u1060\u17b4-\u17d3"
    "\u3099\u309a\uff9e\uff9f"
)
UNSPACED = re.compile(f"[{_UNSPACED}]+")
_LETTER = rf"(?:(?![{_UNSPACED}])[^\W\d_]|[{MARKS}{INVISIBLE}])"
# Runs of one class, not one character at a time: three times as fast, and no way back to take as nothing follows.
_LETTERS = rf"[^\W_{_UNSPACED}]+|[{MARKS}{INVISIBLE}]+"
_ANY = (
    rf"(?P<number>\d+(?:[.,:٫٬]\d+)*)"
    rf"|(?P<character>[{_UNSPACED}][{_UNSPACED_MARKS}{INVISIBLE}]*)"
    rf"|(?P<word>(?![{_UNSPACED}])[^\W\d_](?:{_LETTERS}|['’ʼ](?={_LETTER}))*)"
    rf"|(?P<mark>[^\s])"
)
# The same for ASCII, where no mark, no invisible character and no unspaced script can stand: four times as fast.
_ASCII = r"(?P<number>[0-9]+(?:[.,:][0-9]+)*)|(?P<word>[A-Za-z][A-Za-z0-9]*(?:'[A-Za-z][A-Za-z0-9]*)*)|(?P<mark>[^\s])"
_TOKENS, _ASCII_TOKENS = re.compile(_ANY), re.compile(_ASCII)
# Texts alone need no named group: `findall` returns them from C.
_GROUP = re.compile(r"\?P<\w+>")
_PIECES, _ASCII_PIECES = re.compile(_GROUP.sub("?:", _ANY)), re.compile(_GROUP.sub("?:", _ASCII))
_UNITS, _ASCII_UNITS = (re.compile(rf"\s+|{pattern.pattern}") for pattern in (_PIECES, _ASCII_PIECES))


# Words and characters alone, without marks between them and without apostrophes inside: what a quick look sees.
_SEEN = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_]|[{MARKS}{INVISIBLE}])+")


def seen_words(text: str) -> list[str]:
    """Return the runs of letters and digits of `text`, without offsets: a tenth of what `tokens` costs."""
    return _SEEN.findall(text)


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text` in order; only white space is left out."""
    return [
        Token(found.start(), found.end(), found.group(), found.lastgroup)  # type: ignore[arg-type]
        for found in (_ASCII_TOKENS if text.isascii() else _TOKENS).finditer(text)
    ]


def pieces(text: str) -> list[str]:
    """Return the texts of the tokens alone, five times as fast."""
    return (_ASCII_PIECES if text.isascii() else _PIECES).findall(text)


def units(text: str) -> list[str]:
    """Return the texts of the tokens and of the white space between them: joined they are `text`."""
    return (_ASCII_UNITS if text.isascii() else _UNITS).findall(text)


def is_mark(piece: str) -> bool:
    """Say whether the text of a token is neither word nor number nor character of a script without spaces."""
    return not piece[0].isalnum()
