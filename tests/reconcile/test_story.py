"""Whose words went where: found by rare words first, and the same as by comparing everything with everything."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Entry
from monitor.reconcile.features import features
from monitor.reconcile.state import Record
from monitor.reconcile.story import FEWEST, SHARE, holders

TEXTS = st.lists(
    st.lists(
        st.sampled_from(["the", "of", "fire", "bridge", "river", "mayor", "said", "open", "again", "two"]), max_size=14
    ).map(" ".join),
    max_size=6,
)


def record(key, text, revision=2):
    return Record(key, Entry(0, text), revision, features(None, text), ((1, 0),), None)


def is_held(words, holder):
    shared = sum((Counter(words) & Counter(holder)).values())
    return len(words) >= FEWEST and shared >= SHARE * len(words)


@given(gone=TEXTS, there=TEXTS)
def test_holder_of_a_removed_text_is_the_first_edited_one_with_two_thirds_of_its_words(gone, there):
    removed = [record(f"gone-{n}", text) for n, text in enumerate(gone)]
    others = [record(f"there-{n}", text) for n, text in enumerate(there)]
    expected = {}
    for one in removed:
        holding = (other.id for other in others if is_held(one.features.body, other.features.body))
        if (first := next(holding, None)) is not None:
            expected[one.id] = first
    assert holders(removed, others) == expected


def test_entry_that_was_never_edited_holds_nothing():
    text = "fire on the bridge over the river"
    assert holders([record("gone", text)], [record("there", text, revision=1)]) == {}
