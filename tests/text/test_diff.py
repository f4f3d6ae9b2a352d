"""A word diff is exact, whole-worded and free of confetti."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.text.diff import hunks, units, word_diff

ROOT = Path(__file__).parent.parent.parent


def patched(diff, kinds):
    return "".join(text for kind, text in diff if kind in kinds)


def changed(old, new):
    return [part for part in word_diff(old, new) if part[0] != "="]


texts = st.text(max_size=120)
words = st.lists(
    st.sampled_from(
        ["the", "dam", "holds", "4,000", "is", "not", ".", "“", "”", "\n\n", " ", "  ", "水", "位", "وصل", "เรือ", "é"]
    ),
    max_size=40,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(texts, texts)
def test_patching_any_text_gives_the_other(old, new):
    diff = word_diff(old, new)
    assert patched(diff, "=-") == old
    assert patched(diff, "=+") == new


@settings(max_examples=300, deadline=None)
@given(words, words)
def test_patching_texts_that_share_much_gives_the_other(old, new):
    diff = word_diff(old, new)
    assert (patched(diff, "=-"), patched(diff, "=+")) == (old, new)


@settings(max_examples=200, deadline=None)
@given(words, words)
@example("holds dam the", "the holds holds dam")
def test_no_two_neighbouring_parts_are_of_one_kind_and_none_is_empty(old, new):
    diff = word_diff(old, new)
    assert all(text for _, text in diff)
    assert all(one[0] != other[0] for one, other in zip(diff, diff[1:], strict=False))


@given(texts)
def test_units_joined_are_the_text(text):
    assert "".join(units(text)) == text


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('a "suspecnded" b', 'a "suspended" b', [("-", "suspecnded"), ("+", "suspended")]),
        ("some 4,000 men", "some 4,500 men", [("-", "4,000"), ("+", "4,500")]),
        ("It is so.", "It is not so.", [("+", "not ")]),
        ("One. Three.", "One. Two. Three.", [("+", " Two.")]),
        ("One.\n\nThree.", "One.\n\nTwo.\n\nThree.", [("+", "Two.\n\n")]),
        ("up and down", "up and down and up", [("+", " and up")]),
        ("周四停航", "周五停航", [("-", "四"), ("+", "五")]),
        ("وصلت ٤ شاحنات", "وصلت ٧ شاحنات", [("-", "٤"), ("+", "٧")]),
        ("Syria's army", "Syria’s army", [("-", "Syria's"), ("+", "Syria’s")]),
    ],
)
def test_change_is_marked_as_a_person_would(old, new, parts):
    assert changed(old, new) == parts


def test_rewritten_sentence_is_one_change_not_confetti():
    old = "The quick brown fox jumps over the lazy dog near the river."
    new = "A slow red hen walks under the busy cat near a lake."
    assert len(changed(old, new)) <= 2


def test_long_equal_run_between_changes_is_kept():
    middle = "and everyone on the quay could see it plainly from afar"
    diff = word_diff(f"Red boats sank {middle} on Monday.", f"Blue ships rose {middle} on Friday.")
    assert any(kind == "=" and middle in text for kind, text in diff)


def test_change_in_a_long_text_costs_no_more_than_its_neighbourhood():
    long = " ".join(f"w{n}" for n in range(20_000))
    edited = long.replace("w777 ", "W777 ")
    assert changed(long, edited) == [("-", "w777"), ("+", "W777")]
    assert len(hunks(long, edited)) == 3


def test_huge_unrelated_texts_are_replaced_whole_within_bounds():
    old = " ".join(f"a{n}" for n in range(30_000))
    new = " ".join(f"b{n}" for n in range(30_000))
    assert changed(old, new) == [("-", old), ("+", new)]


def test_huge_texts_of_many_lines_are_compared_by_lines():
    lines = [" ".join(f"l{n}w{k}" for k in range(20)) for n in range(2_000)]
    other = ["first", *lines[:-1], "last"]
    diff = word_diff("\n".join(lines), "\n".join(other))
    assert patched(diff, "=+") == "\n".join(other)
    assert sum(len(text) for kind, text in diff if kind == "=") > 100_000


def test_page_of_examples_is_what_the_command_writes():
    done = subprocess.run(
        [sys.executable, "docs/word_diffs.py"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.decode() == (ROOT / "docs" / "word-diffs.md").read_text(encoding="utf-8")
