r"""Patterns mean in every script what they mean in ASCII, and offsets are those of the original text."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.rules.borders import BORDER, INSIDE, mark_borders
from monitor.rules.patterns import MAX_FOUND, PatternSet, Searchable

# Patterns whose meaning RE2 with Unicode borders and Python's re share.
SHARED = [
    r"\bab\b",
    r"\bé\w*\b",
    r"\B.\b",
    r"^\w+\b",
    r"\w+$",
    r"\b(?:a|é)b?\b \bж",
    r"[^a]\b",
    r"\bж{1,2}\b",
    r"(?s)a.b",
    r"\d+\s\w",
    r"[\w-]+",
    r"\Wж",
    r"\bжж|a\b",
]
TEXTS = st.text(alphabet="ab éж1\n-_.", max_size=25)


@pytest.mark.parametrize("pattern", SHARED)
@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_a_pattern_finds_what_python_finds_with_unicode_meaning(pattern, text):
    expected = [found.span() for found in re.finditer(pattern, text) if found.group()]
    if pattern.endswith("$"):  # RE2's $ is the very end, Python's also stands before a last newline
        expected = [found.span() for found in re.finditer(pattern[:-1] + r"\Z", text) if found.group()]
    assert Searchable(text).find(pattern, ignore_case=False) == expected


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.lists(st.sampled_from(SHARED), min_size=1, max_size=8))
def test_searching_for_many_at_once_misses_none(text, patterns):
    together = PatternSet([(pattern, False, at) for at, pattern in enumerate(patterns)])
    touched = together.touched(Searchable(text))
    alone = {at for at, pattern in enumerate(patterns) if Searchable(text).find(pattern, ignore_case=False)}
    assert alone <= set(touched)


def test_offsets_are_those_of_the_original_though_patterns_see_nfc():
    text = unicodedata.normalize("NFD", "Le café brûle près d’ici")
    (span,) = Searchable(text).find("brûle", ignore_case=False)
    assert unicodedata.normalize("NFC", text[slice(*span)]) == "brûle"


def test_half_a_character_is_no_obstacle():
    assert Searchable("a\ud800b fire").find(r"\bfire\b", ignore_case=False) == [(4, 8)]


def test_occurrences_are_counted_up_to_a_limit():
    assert len(Searchable("a" * 5000).find("a", ignore_case=False)) == MAX_FOUND


def test_borders_stand_where_words_begin_and_end():
    assert mark_borders("é b") == f"{BORDER * 2}é{BORDER * 2} {BORDER * 2}b{BORDER * 2}"
    assert mark_borders("éa") == f"{BORDER * 2}é{INSIDE * 2}a{BORDER * 2}"
    assert mark_borders("") == INSIDE * 2
