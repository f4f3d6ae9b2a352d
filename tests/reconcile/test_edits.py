"""Tags and significance of an edit are those an editor would give."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Significance
from monitor.reconcile.edits import Side, judge
from monitor.reconcile.features import canonical_content

VOCABULARY = "the of was suspended evacuation iran iraq east west mogherini bus a is said minister"
KNOWN = frozenset(VOCABULARY.split())

SENTENCE = "rain fell on the old town and nobody left before dawn said a nurse"


def judged(old, new, **more):
    return judge(
        Side("", canonical_content(old, ())), Side("", canonical_content(new, ())), KNOWN, retimed=False, **more
    )


@pytest.mark.parametrize(
    ("old", "new", "tag", "significance"),
    [
        ("The evacuation was suspecnded.", "The evacuation was suspended.", "typo", "minor"),
        ("There were 135 people inside.", "There were 137 people inside.", "number", "critical"),
        ("Some four thousand came.", "Some five thousand came.", "number", "critical"),
        ("قتل ٤ أشخاص", "قتل ٧ أشخاص", "number", "critical"),
        ("This is a violation.", "This is not a violation.", "negation", "critical"),
        ("He was there.", "He wasn't there.", "negation", "critical"),
        ("Das ist erlaubt.", "Das ist nicht erlaubt.", "negation", "critical"),
        ("Это правда.", "Это неправда, не так.", "negation", "critical"),
        ("We met Mogherin in Rome.", "We met Mogherini in Rome.", "typo", "minor"),
        ("We met Aldertn in Rome.", "We met Alderton in Rome.", "name", "substantive"),
        ("Flights to Iran stopped.", "Flights to Iraq stopped.", "entity", "critical"),
        ("He left for Rome today.", "He left for Oslo today.", "entity", "critical"),
        ("It rains.", "It rains. The dam holds.", "addition", "substantive"),
        ("It rains.", "It rains.\n\nThe dam holds at 40 metres.", "addition", "substantive"),
        ("It rains. The dam holds.", "It rains.", "deletion", "substantive"),
        ("It was closed.", "It was reportedly closed.", "hedge", "substantive"),
        ('The town is "safe".', "The town is safe.", "quote", "substantive"),
        ("It rains.", "It rains!", "punctuation", "minor"),
        ("They walked home slowly.", "They marched home slowly.", "wording", "minor"),
    ],
)
def test_edit_is_tagged_and_weighed(old, new, tag, significance):
    found = judged(old, new)
    assert tag in found.tags
    assert found.significance == significance


def test_words_both_known_are_no_typo_of_each_other():
    assert "typo" not in judged("They went east.", "They went west.").tags


def test_rewrite_is_told_from_wording():
    old = "Officials in the valley said the water had fallen by a hand since the morning and families could go home."
    new = "Nobody may return before Friday because engineers found cracks along the spillway, according to the county."
    assert "rewrite" in judged(old, new).tags


LONG = (
    "nobody had told the passengers when the trains would run again or whether buses would come in their place tonight"
)


def test_a_word_changed_far_inside_a_quote_is_somebodys_word():
    old = f'She said: "{LONG}, and they were tired of waiting." Trains stood still.'
    found = judged(old, old.replace("tired", "weary"))
    assert "quote" in found.tags


def test_a_word_changed_long_after_a_quote_is_nobodys():
    old = f'"Come home," she said, but {LONG}, and they were tired of waiting.'
    assert "quote" not in judged(old, old.replace("tired", "weary")).tags


def test_a_paragraph_of_a_long_text_is_no_rewrite():
    wall = " ".join(f"In street {name} {LONG}." for name in ("Ada", "Bea", "Cora", "Dora", "Ella"))
    old = " ".join(f"low{a}water{b}" for a in "abcdefgh" for b in "abcdefgh")
    new = " ".join(f"high{a}dam{b}" for a in "abcdefgh" for b in "abcdefgh")
    assert "rewrite" not in judged(f"{wall} {old} {wall}", f"{wall} {new} {wall}").tags
    assert "rewrite" in judged(old, new).tags


def test_title_is_judged_apart():
    found = judge(Side("Dam holds", "It rains."), Side("Dam breaks", "It rains."), KNOWN, retimed=False)
    assert found.tags == ("title",)


def test_corrected_time_alone_is_minor():
    found = judge(Side("", "It rains."), Side("", "It rains."), KNOWN, retimed=True)
    assert found == (("time",), Significance.MINOR)


def test_layout_alone_is_cosmetic():
    found = judged("It  rains “hard”.", 'It rains "hard".')
    assert found == ((), Significance.COSMETIC)


def test_gravest_tag_comes_first():
    found = judged("It was closed for 3 days, he claims.", "It was not closed for 4 days, he thinks so.")
    assert found.tags[0] in {"negation", "number"}


words = st.lists(
    st.sampled_from(SENTENCE.split()),
    min_size=1,
    max_size=12,
)
numbers = st.one_of(
    st.integers(0, 10**7).map(str),
    st.integers(0, 10**6).map(lambda n: f"{n:,}"),
    st.decimals(0, 1000, places=1).map(str),
    st.sampled_from(["three", "hundred", "dozens", "zwölf", "трое", "三", "٤٥"]),
)


@settings(max_examples=150, deadline=None)
@given(words, words, numbers, numbers)
def test_no_changed_number_is_ever_called_minor(before, after, one, other):
    if one == other:
        return
    found = judged(" ".join([*before, one, *after]), " ".join([*before, other, *after]))
    assert found.significance is Significance.CRITICAL


@settings(max_examples=150, deadline=None)
@given(words, words, st.sampled_from(["not", "never", "no", "nicht", "kein", "pas", "не", "لم", "不"]))
def test_no_negation_that_came_or_went_is_ever_called_minor(before, after, negation):
    plain, denied = " ".join([*before, *after]), " ".join([*before, negation, *after])
    for old, new in ((plain, denied), (denied, plain)):
        found = judged(f"Nobody knows: {old}.", f"Nobody knows: {new}.")
        assert found.significance in {Significance.CRITICAL, Significance.SUBSTANTIVE}
