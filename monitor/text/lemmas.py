"""The dictionary form of a word, in the languages that have a dictionary.

Rule: simplemma applied twice (`suspendus` → `suspendu` → `suspendre`), and in English one table of verb-noun families;
no stemming: a stem makes `suspender` fire `suspended` and `important` fire `import`. benchmarks/lemmas.py measures it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from monitor.text.folding import lower

# What is regularly made of a verb, on both sides of a comparison; at least three letters must be left before the ending.
# German lists most participles in -iert as words of their own.
_FAMILIES = {
    # British doubling, where the word list stops halfway: cancelled → cancell
    "en": (("nsion", "nd"), ("sion", "de"), ("ation", "ate"), ("ition", "ite"), ("ell", "el"), ("nall", "nal")),
    "de": (("iert", "ieren"),),
    "fr": (("é", "er"),),  # participles listed as nouns: les évacués
    # Regular plurals of nouns the lists lack; Hebrew letters change at the end of a word.
    "ar": (("ات", ""),),
    "he": (("צים", "ץ"), ("נים", "ן"), ("מים", "ם"), ("פים", "ף"), ("כים", "ך"), ("ים", "")),
}
# English past forms that the word list knows as another word only.
_PAST = {
    "left": "leave", "felt": "feel", "shot": "shoot", "won": "win", "thought": "think", "rose": "rise", "broke": "break",
    "shook": "shake", "bound": "bind",
}  # fmt: skip
_MISREAD = {"en": {"gone": "go", "swore": "swear", "laid": "lay"}}  # by the word list: gin, sweare, lie
_MIN_STEM = 3
# Turkish derives verbs from verbs by suffix, and a second pass undoes that too: `buluş` (meet) → `bul` (find). On a treebank
# it finds 1 % more and is wrong 75 % more often.
_ONE_PASS = frozenset({"tr"})
# Word lists of over 150 MB when unpacked: read where they are packed, ten times slower a new word and a tenth of the memory.
FRUGAL = frozenset({"pl", "fi", "et", "hu"})
CAPITAL_NOUNS = frozenset({"de", "lb"})  # where `Waren` (goods) and `waren` (were) are told apart by their capital


_MAX_UNPACKED = 10  # languages; one more takes 20 to 140 MB unpacked, a tenth of that packed
_MAX_DERIVED = 40  # letters; longer words are found in a dictionary as they stand or not at all
# Where forms are derived by cutting a word at each letter (simplemma's affix decomposition): its cost in µs a letter.
_CUT = frozenset({"bg", "cs", "da", "el", "es", "hy", "lt", "lv", "nb", "nn", "ru", "sk", "tr", "uk"})
_LISTED, _DERIVED, _CUT_LETTER, _FRUGAL_LETTER = 10, 40, 8, 60


@cache
def _factories() -> tuple[Any, Any]:
    """Dictionaries unpacked, and dictionaries read as packed; kept for good: to load one again takes seconds."""
    from simplemma.strategies import DefaultDictionaryFactory, StreamDictionaryFactory

    return DefaultDictionaryFactory(cache_max_size=64), StreamDictionaryFactory(cache_max_size=64)


_unpacked: set[str] = set()


@cache
def _dictionary(language: str) -> _Dictionary:
    from simplemma.strategies import DefaultStrategy, DictionaryLookupStrategy

    _unpacked.update({language} if language not in FRUGAL and len(_unpacked) < _MAX_UNPACKED else ())
    factory = _factories()[language not in _unpacked]
    return _Dictionary(
        DictionaryLookupStrategy(factory).get_lemma, DefaultStrategy(dictionary_factory=factory).get_lemma
    )


class _Dictionary(NamedTuple):
    listed: Callable[[str, str], str | None]  # the dictionary form of a word as it stands
    derived: Callable[[str, str], str | None]  # … or of one made of it by rule


@lru_cache(maxsize=64)
def has_dictionary(language: str) -> bool:
    """Say whether word lists of a base `language` exist; loads none."""
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    return language in SUPPORTED_LANGUAGES


@lru_cache(maxsize=131072)
def lemma(word: str, language: str) -> str:
    """Return the dictionary form of `word` as its text shows it, in lower case; the word itself where nothing is known."""
    shown = word if language in CAPITAL_NOUNS and not word.isupper() else lower(word, language)
    found = _MISREAD.get(language, {}).get(shown) or _form(shown, language)
    if found and found != shown and language not in _ONE_PASS:
        found = _form(found, language) or found
    return lower(found or shown, language)


def _form(word: str, language: str) -> str | None:
    """The dictionary form in one pass; an apostrophe is looked at before the word as it stands."""
    found = None if "'" in word else _listed(word, language)
    if found is not None or len(word) > _MAX_DERIVED or not _can_be_listed(word, language):
        return found
    return _dictionary(language).derived(word, language)


@lru_cache(maxsize=131072)
def _listed(word: str, language: str) -> str | None:
    if not _can_be_listed(word, language):
        return None
    return _dictionary(language).listed(unicodedata.normalize("NFC", word), language)


def _can_be_listed(word: str, language: str) -> bool:
    # Half a character (a lone surrogate) is in no dictionary, and none can be asked for it.
    return bool(word) and word.isprintable() and has_dictionary(language)


def price(word: str, language: str) -> int:
    """Return about how many µs it takes to look `word` up for the first time."""
    if len(word) == 1:
        return 1  # there are few of them
    if not has_dictionary(language) or (is_word(word, language) and language not in FRUGAL):
        return _LISTED
    letters = min(len(word), _MAX_DERIVED)
    return _DERIVED + letters * (_FRUGAL_LETTER if language in FRUGAL else _CUT_LETTER if language in _CUT else 0)


def is_word(word: str, language: str) -> bool:
    """Say whether the dictionary of `language` lists `word`; never where the language has no dictionary."""
    return _listed(word, language) is not None


@lru_cache(maxsize=8192)
def is_entry(word: str, language: str) -> bool:
    """Say whether `word`, with these very capitals, is its own entry of the dictionary: `US`, `AIDS`."""
    return _listed(word, language) == word


def family(word: str, language: str) -> str | None:
    """Return what a dictionary form is regularly made of: English `suspension` → `suspend`, German `evakuiert` → `evakuieren`."""
    for ending, verb in _FAMILIES.get(language, ()):
        if word.endswith(ending) and len(word) >= len(ending) + _MIN_STEM:
            return word[: -len(ending)] + verb
    return None


def past(word: str, language: str) -> str | None:
    """Return the verb whose past form English `word` is, where the word list knows it as another word: `left` → `leave`."""
    return _PAST.get(word.lower()) if language == "en" else None
