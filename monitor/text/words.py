"""What makes two words the same word: their spellings and their dictionary forms, in one language.

A key opens with a letter that says what it compares: `F` a folded spelling, `L` a dictionary form, `V` a spelling
verbatim. Two words are the same when a key of one is a key of the other.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from monitor.text.characters import normal
from monitor.text.folding import fold, lower, plain
from monitor.text.korean import without_particle
from monitor.text.languages import ELISIONS
from monitor.text.lemmas import CAPITAL_NOUNS, family, is_entry, is_word, lemma, past
from monitor.text.tokens import UNSPACED, tokens

_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ‘`´＇ʹ", "'"))
_HANGUL = re.compile("[\uac00-\ud7a3]")
_NUMBER = re.compile(r"\d+(?:[.,:٫٬]\d+)*\Z")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
_POINTED_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+\Z")
_POINT_IS_DECIMAL = frozenset({"en", "zh", "ja", "ko", "th", "hi", "he", "ar", "fa", "ur"})
MAX_WORD = 100  # characters; longer runs are no words, and no rule may ask for one


class WordKeys(NamedTuple):
    """The keys of one word as a text shows it, or as a rule means it."""

    spellings: tuple[str, ...]  # F keys
    lemmas: tuple[str, ...]  # L keys
    verbatim: tuple[str, ...]  # V keys

    @property
    def all(self) -> tuple[str, ...]:
        return self.spellings + self.lemmas + self.verbatim


@lru_cache(maxsize=65536)
def text_keys(surface: str, language: str) -> WordKeys:
    """Return every key under which a token of a text can be found: whole, and without possessive, elision or particle."""
    if _NUMBER.match(surface):
        return WordKeys(("F" + number(surface, language),), (), ("V" + surface,))
    if len(surface) > MAX_WORD:
        return WordKeys((), (), ())
    if UNSPACED.fullmatch(surface):  # no language that has a dictionary writes words in these
        return WordKeys(("F" + plain(surface),), (), ("V" + nfc(surface),))
    if surface.isascii() and surface.isalpha():  # most words; what follows would give the same
        spelt = "F" + fold(lower(surface, language), language)
        return WordKeys((spelt,), _keyed("L", _lemmas(surface, language)), ("V" + surface,))
    shown = plain(surface).translate(_APOSTROPHES)
    cased = (shown, *(part for part in _parts(shown, language) if part != shown))
    lowered = [lower(form, language) for form in cased]
    spellings = [fold(form.replace("'", ""), language) for form in lowered]
    lemmas = [key for form in cased for key in _lemmas(form, language)]
    return WordKeys(_keyed("F", spellings), _keyed("L", lemmas), _keyed("V", [nfc(form) for form in cased]))


@lru_cache(maxsize=65536)
def rule_keys(surface: str, language: str) -> WordKeys:
    """Return the keys a word of a rule looks for; its possessive or elision is dropped for lemmas, kept for spellings."""
    if _NUMBER.match(surface):
        return WordKeys(("F" + number(surface, language),), (), ("V" + surface,))
    shown = plain(surface).translate(_APOSTROPHES)
    stripped = _parts(shown, language)
    meant = stripped[-1] if stripped else shown
    spelling = fold(lower(shown, language).replace("'", ""), language)
    lemmas = _lemmas(meant, language)
    if language in CAPITAL_NOUNS and meant.islower():  # people type rules without capitals
        lemmas = lemmas + _lemmas(meant.capitalize(), language)
    return WordKeys(_keyed("F", [spelling]), _keyed("L", lemmas), _keyed("V", [nfc(shown)]))


def spelling_keys(surface: str, language: str) -> tuple[str, str]:
    """Return the folded and the verbatim key of a token by its spelling alone, without any dictionary."""
    if len(surface) > MAX_WORD:
        return "F", "V"
    if surface.isalpha() and (surface.isascii() or unicodedata.is_normalized("NFKC", surface)):
        return "F" + fold(lower(surface, language), language), "V" + surface
    shown = plain(surface).translate(_APOSTROPHES)
    return "F" + fold(lower(shown, language).replace("'", ""), language), "V" + shown


def nfc(text: str) -> str:
    """Return `text` in NFC, the form in which verbatim spellings are compared."""
    return normal("NFC", text)


def is_acronym(surface: str, language: str) -> bool:
    """Say whether a rule's word in capitals must be read verbatim: `US`, `IT`, `WHO` are words in lower case too."""
    return (
        2 <= len(surface) <= 4
        and surface.isalpha()
        and surface.isupper()
        and is_word(lower(surface, language), language)
    )


def is_known(surface: str, language: str) -> bool:
    """Say whether a token is a word of the dictionary, or made of one: such a token is never taken for a typing slip."""
    shown = plain(surface).translate(_APOSTROPHES)
    for form in (*_parts(shown, language), shown):
        small = lower(form, language)
        if is_word(form, language) or is_word(small, language):
            return True
        base = lemma(small, language)
        if base != small and is_word(base, language):
            return True
    return False


def spelling(surface: str, language: str) -> str:
    """Return the folded spelling of a token, without possessive, elision or particle."""
    shown = plain(surface).translate(_APOSTROPHES)
    parts = _parts(shown, language)
    return fold(lower(parts[-1] if parts else shown, language).replace("'", ""), language)


def number(surface: str, language: str) -> str:
    """Return a number in the one form in which numbers are compared: ASCII digits, no thousands separators."""
    digits = plain(surface).replace("٬", ",").replace("٫", ".")
    if _POINTED_THOUSANDS.match(digits) and language not in _POINT_IS_DECIMAL:
        return digits.replace(".", "")
    return digits.replace(",", "") if _THOUSANDS.match(digits) else digits


def _keyed(kind: str, forms: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kind + form for form in forms if form))


def _lemmas(form: str, language: str) -> list[str]:
    """The folded dictionary forms of one spelling, with its English verb-noun family."""
    if len(form) <= 4 and form.isupper() and form.isalpha():
        small = lower(form, language)
        if is_entry(form, language) and lemma(small, language) != small:
            return [fold(small, language)]  # US is not an inflected "us", AIDS not the plural of "aid"
    bases = [lemma(one, language) for one in _capitals(form, language)]
    kin = [
        verb for one in (*bases, past(form, language)) if one and (verb := family(one, language) or one) not in bases
    ]
    return [fold(base.replace("'", ""), language) for base in bases + kin]


def _capitals(form: str, language: str) -> tuple[str, ...]:
    """The spellings to look up; where nouns have a capital, text in capitals may mean either."""
    if language in CAPITAL_NOUNS and form.isupper() and len(form) > 1:
        return form.capitalize(), form.lower()
    return (form,)


def _parts(shown: str, language: str) -> list[str]:
    """The word inside a token that carries grammar around it; the last one is what the token is about."""
    if _HANGUL.search(shown):
        stem = without_particle(shown)
        return [stem] if stem != shown else []
    if "'" not in shown:
        return []
    head, _, tail = shown.partition("'")
    if lower(head, language) in ELISIONS and language not in ("en", "tr", "az"):
        return [tail]
    if language in ("tr", "az") and len(head) > 1:
        return [head]
    if tail.lower() == "s" or (language == "en" and tail.lower() in _CONTRACTIONS):
        return [head]
    if shown.endswith("'"):
        return [shown[:-1]]
    return []


_CONTRACTIONS = frozenset({"s", "re", "ve", "ll", "m", "d"})


def pieces(word: str) -> list[str]:
    """Return the tokens of `word` that carry meaning: words, numbers and single characters of unspaced scripts."""
    return [token.text for token in tokens(word) if token.kind != "mark"]
