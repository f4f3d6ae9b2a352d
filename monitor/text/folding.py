"""Lower case and folded accents as each language means them: `öldü` is not `oldu`, `café` is `cafe`.

Rule: folding loses a mark only where readers of the language drop it themselves when they type in a hurry.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from monitor.text.characters import ascii_digits, normal, visible

_TURKIC = frozenset({"tr", "az"})
_TURKIC_CAPITALS = str.maketrans({"İ": "i", "I": "ı"})
_TURKIC_LENGTH = str.maketrans("âîû", "aiu")  # marks of length that few writers set

# Letters with a mark that are letters of their own in the language: a difference of meaning, not of spelling.
_NORDIC = "åäöæø"
_KEPT = {
    "es": "ñ", "gl": "ñ", "tl": "ñ", "de": "äöü", "lb": "äöü", "sv": _NORDIC, "fi": _NORDIC, "da": _NORDIC,
    "nb": _NORDIC, "nn": _NORDIC, "is": _NORDIC + "ðþ", "et": "äöüõ", "hu": "öüőű",
}  # fmt: skip
_UNFOLDED = frozenset(
    {"tr", "az", "vi"}
)  # every mark distinguishes words; folding Turkish makes öldü (died) oldu (became)

# Letters that NFD does not take apart.
_SPELLED_OUT = str.maketrans(
    {"æ": "ae", "ø": "o", "œ": "oe", "đ": "d", "ł": "l", "ı": "i", "ħ": "h", "ß": "ss", "ð": "d", "þ": "th", "ё": "е"}
)
# Spellings of one Arabic or Persian letter that writers and keyboards use for each other.
_ARABIC: dict[int, str] = str.maketrans(
    {
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ٱ": "ا",
        "ى": "ي",
        "ة": "ه",
        "ک": "ك",
        "ی": "ي",
        "ے": "ي",
        "ہ": "ه",
        "ۀ": "ه",
    }
)
_FOLDABLE = re.compile(
    r"[\x80-\u33ff\ud7a4-\U0001ffff]+"
)  # all but ASCII, and Han and Hangul, which have no accents and are many
_KEEPERS = frozenset("йїў")  # letters of their own in every Cyrillic alphabet that has them; only ё is written е


def plain(text: str) -> str:
    """Return `text` in NFKC without invisible characters and Arabic stretching, every digit as 0-9; case stays."""
    if text.isascii():
        return text
    if text.isalpha() and unicodedata.is_normalized("NFKC", text):
        return text.replace("ـ", "")  # letters alone hold nothing invisible and no digits
    return ascii_digits(normal("NFKC", visible(text))).replace("ـ", "")


def lower(text: str, language: str) -> str:
    """Return `text` in lower case; Turkish and Azeri tell dotted from dotless i."""
    if language in _TURKIC:
        text = text.translate(_TURKIC_CAPITALS)
    small = text.lower()
    return small if small.isascii() else small.replace("i̇", "i")


class _Folding(dict[int, str]):
    """What each character becomes, worked out when it is first met: `str.translate` does the rest in C."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.kept = frozenset(_KEPT.get(language, "")) | _KEEPERS

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = _ARABIC.get(code, character)
        if character not in self.kept and folded == character and not character.isascii():
            if unicodedata.decomposition(character) or unicodedata.combining(character):
                parts = unicodedata.normalize("NFD", character)
                bare = "".join([part for part in parts if not _is_accent(part)])
                folded = character if bare == parts else bare
            folded = folded.translate(_SPELLED_OUT)
        self[code] = folded
        return folded


@lru_cache(maxsize=64)
def _folding(language: str) -> _Folding:
    return _Folding(language)


def fold(text: str, language: str) -> str:
    """Return lower-case `text` without the accents that readers of a base `language` treat as optional."""
    if text.isascii():
        return text
    if language in _UNFOLDED:
        return text.translate(_TURKIC_LENGTH) if language in _TURKIC else text
    table = _folding(language)
    return _FOLDABLE.sub(lambda found: found.group().translate(table), text)


def _is_accent(part: str) -> bool:
    # Accents and Hebrew and Arabic points; the vowel signs of Indic scripts and of Thai are letters, not accents.
    return unicodedata.combining(part) > 0 and not ("\u0900" <= part <= "\u0fff" or "\u3099" <= part <= "\u309a")
