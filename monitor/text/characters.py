"""One form for the many ways to write the same character."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

# Characters that show nothing and change no meaning: soft hyphen, zero-width space and joiners, word joiner, byte-order
# mark, Arabic tatweel excepted (it is a letter's stretch and is handled with the letters), bidi marks and isolates
# (UAX #9), variation selectors.
INVISIBLE = "\u00ad\u200b\u200d\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe00-\ufe0f\u061c\u180e"
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\u2039\u203a\u02bc\u0060\u00b4\u2032\uff07\u02b9\u05f3"
_DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u301d\u301e\u301f\uff02\u05f4\u300c\u300d\u300e\u300f"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u00ad"
_ONE_FORM = str.maketrans(
    {**dict.fromkeys(_SINGLE_QUOTES, "'"), **dict.fromkeys(_DOUBLE_QUOTES, '"'), **dict.fromkeys(_DASHES, "-")}
)
_MAX_MARKS = 30  # in a row (UAX #15-D4, stream-safe text); no script writes more
_LONG_RUN = re.compile(rf"[^\w\x00-\x7f]{{{_MAX_MARKS + 1},}}")  # of combining marks, among other things
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")

# What a terminal would act on or hide text with: C0 and C1 controls but tab and newline (ECMA-48), bidi embeddings,
# overrides and isolates ("Trojan source", CVE-2021-42574), lone surrogates.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def normal(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Return `text` in a Unicode normalisation form, in linear time.

    Putting combining marks in order takes the square of their number: 40,000 of them after one letter 11 seconds. Marks
    beyond thirty in a row are therefore put in order thirty by thirty.
    """
    if text.isascii():
        return text
    if not _LONG_RUN.search(text):
        return unicodedata.normalize(form, text)
    pieces = []
    at = 0
    for run in _LONG_RUN.finditer(text):
        for cut in range(run.start() + _MAX_MARKS, run.end(), _MAX_MARKS):
            pieces.append(unicodedata.normalize(form, text[at:cut]))
            at = cut
    return "".join(pieces) + unicodedata.normalize(form, text[at:])


def ascii_digits(text: str) -> str:
    """Return `text` with every decimal digit of any script (Unicode Nd) as 0-9; one character stays one character."""
    return text if text.isascii() else _FOREIGN_DIGIT.sub(lambda found: str(unicodedata.digit(found.group())), text)


def visible(text: str) -> str:
    """Return `text` without the characters that show nothing."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def canonical(text: str) -> str:
    """Return the one form of all texts that a reader would call the same apart from their layout.

    NFKC, one kind of quote, dash, digit and space, invisible characters out, white space collapsed and trimmed. Case
    stays. Two texts with one canonical form differ cosmetically at most.
    """
    if text.isascii() and text.isprintable():  # space is its only white space
        return text if "  " not in text and text[:1] != " " != text[-1:] else " ".join(text.split())
    text = ascii_digits(normal("NFKC", visible(text).translate(_ONE_FORM)).translate(_ONE_FORM))
    return " ".join(text.split())


def printable(text: str) -> str:
    r"""Return `text` safe for a terminal: controls, bidi overrides and lone surrogates shown as `\x1b`, `\u202e`.

    The only way source text may reach a terminal: libraries that style text pass `ESC[2J` through.
    """
    return _UNPRINTABLE.sub(lambda found: _escaped(found.group()), text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
