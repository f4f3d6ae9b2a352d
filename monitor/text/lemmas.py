"""The dictionary form of a word, in the languages that have a dictionary.

Rule: simplemma applied twice (`suspendus` → `suspendu` → `suspendre`), and in English one table of verb-noun families;
no stemming: a stem makes `suspender` fire `suspended` and `important` fire `import` (benchmarks/lemmas.py).
"""

from __future__ import annotations

from functools import lru_cache

# Nouns to the verb they are made of, both sides of a comparison; at least three letters must be left before the ending.
_ENGLISH_FAMILIES = (("nsion", "nd"), ("sion", "de"), ("ation", "ate"), ("ition", "ite"))
_MIN_STEM = 3


@lru_cache(maxsize=64)
def has_dictionary(language: str) -> bool:
    """Say whether word lists of a base `language` exist; loads none."""
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    return language in SUPPORTED_LANGUAGES


@lru_cache(maxsize=131072)
def lemma(word: str, language: str) -> str:
    """Return the dictionary form of `word`, or `word` itself where nothing is known of it."""
    if not word or not has_dictionary(language):
        return word
    from simplemma import lemmatize

    first = lemmatize(word, language)
    return lemmatize(first, language) if first else word


@lru_cache(maxsize=131072)
def is_word(word: str, language: str) -> bool:
    """Say whether the dictionary of `language` lists `word`; never where the language has no dictionary."""
    if not word or not has_dictionary(language):
        return False
    from simplemma import is_known

    return bool(is_known(word, language))


def family(word: str, language: str) -> str | None:
    """Return the verb an English noun in -sion, -ation or -ition is made of: `suspension` → `suspend`."""
    if language != "en":
        return None
    for noun, verb in _ENGLISH_FAMILIES:
        if word.endswith(noun) and len(word) >= len(noun) + _MIN_STEM:
            return word[: -len(noun)] + verb
    return None
