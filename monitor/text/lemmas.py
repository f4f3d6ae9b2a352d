"""The dictionary form of a word, in the languages that have a dictionary.

Rule: simplemma applied twice (`suspendus` → `suspendu` → `suspendre`), and in English one table of verb-noun families;
no stemming: a stem makes `suspender` fire `suspended` and `important` fire `import`. benchmarks/lemmas.py measures it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from types import ModuleType

from monitor.text.folding import lower

# What is regularly made of a verb, on both sides of a comparison; at least three letters must be left before the ending.
# German lists most participles in -iert as words of their own.
_FAMILIES = {
    "en": (("nsion", "nd"), ("sion", "de"), ("ation", "ate"), ("ition", "ite")),
    "de": (("iert", "ieren"),),
}
_MIN_STEM = 3
# Turkish derives verbs from verbs by suffix, and a second pass undoes that too: `buluş` (meet) → `bul` (find). On a treebank
# it finds 1 % more and is wrong 75 % more often.
_ONE_PASS = frozenset({"tr"})
# Word lists of over 150 MB when unpacked: read where they are packed, ten times slower a new word and a tenth of the memory.
_FRUGAL = frozenset({"pl", "fi", "et", "hu"})
CAPITAL_NOUNS = frozenset({"de", "lb"})  # where `Waren` (goods) and `waren` (were) are told apart by their capital


@cache
def _simplemma() -> ModuleType:
    import simplemma

    return simplemma


@lru_cache(maxsize=64)
def has_dictionary(language: str) -> bool:
    """Say whether word lists of a base `language` exist; loads none."""
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    return language in SUPPORTED_LANGUAGES


@lru_cache(maxsize=131072)
def lemma(word: str, language: str) -> str:
    """Return the dictionary form of `word` as its text shows it, in lower case; the word itself where nothing is known."""
    shown = word if language in CAPITAL_NOUNS and not word.isupper() else lower(word, language)
    if not shown or not shown.isprintable() or not has_dictionary(language):
        return lower(shown, language)
    frugal = language in _FRUGAL
    found = _simplemma().lemmatize(shown, language, low_memory=frugal)
    if found and found != shown and language not in _ONE_PASS:
        found = _simplemma().lemmatize(found, language, low_memory=frugal)
    return lower(found or shown, language)


def is_cheap(word: str, language: str) -> bool:
    """Say whether looking `word` up costs little: it is listed as it stands, or there is no dictionary to search."""
    return not has_dictionary(language) or (language not in _FRUGAL and is_word(word, language))


@lru_cache(maxsize=131072)
def is_word(word: str, language: str) -> bool:
    """Say whether the dictionary of `language` lists `word`; never where the language has no dictionary."""
    if not word.isprintable() or not word or not has_dictionary(language):
        return False  # half a character (a lone surrogate) is in no dictionary, and none can be asked for it
    return bool(_simplemma().is_known(word, language, low_memory=language in _FRUGAL))


@lru_cache(maxsize=8192)
def is_entry(word: str, language: str) -> bool:
    """Say whether `word`, with these very capitals, is its own entry of the dictionary: `US`, `AIDS`."""
    if not is_word(word, language):
        return False
    return bool(_simplemma().lemmatize(word, language, low_memory=language in _FRUGAL) == word)


def family(word: str, language: str) -> str | None:
    """Return the verb a word is regularly made of: English `suspension` → `suspend`, German `evakuiert` → `evakuieren`."""
    for ending, verb in _FAMILIES.get(language, ()):
        if word.endswith(ending) and len(word) >= len(ending) + _MIN_STEM:
            return word[: -len(ending)] + verb
    return None
