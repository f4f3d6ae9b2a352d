"""What holds of every page and every history of pages."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from monitor.model import ChangeType, VerdictKind
from monitor.reconcile.features import features

VOCABULARY = (
    "river bridge mayor school train storm farm coast hall dam light crew ship road rain east north ten old new"
)
WORDS = VOCABULARY.split()
QUIET = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
posts = st.tuples(st.integers(0, 600), st.one_of(st.none(), sentences), sentences, st.booleans())
pages = st.lists(posts, min_size=0, max_size=10, unique_by=lambda post: post[0])


def shown(kit, page, *, ids=False):
    """The page of these posts, newest first; a post's number is its minute."""
    return [
        kit.post(
            0, -minute, title=title, text=text, native_id=f"b{minute * 7919 % 10007}" if ids else None, pinned=pinned
        )
        for minute, title, text, pinned in sorted(page)
    ]


def apply(state, changes):
    """Replay changes on entries by id."""
    for change in changes:
        if change.type is ChangeType.REMOVED:
            state.pop(change.entry_id)
        else:
            state[change.entry_id] = (change.entry.title, change.entry.text)
    return state


@QUIET
@given(pages, st.booleans())
def test_same_snapshot_twice_is_no_delta(kit, page, ids):
    source = kit.source()
    source.poll(shown(kit, page, ids=ids))
    assert source.poll(shown(kit, page, ids=ids)) == ()


@QUIET
@given(st.lists(pages, min_size=2, max_size=5))
def test_replaying_deltas_on_the_baseline_rebuilds_what_is_known(kit, history):
    source = kit.source()
    state = {}
    for page in history:
        apply(state, source.poll(shown(kit, page)))
    known = {key: (record.entry.title, record.entry.text) for key, record in source.known.live.items()}
    assert {key: state.get(key) for key in known} == known


def settle(source, entries, state=None, **more):
    """Poll one page until nothing waits for another look, or a hundred times; says whether all was told."""
    told_all = True
    for _ in range(100):
        changes = source.poll(entries, **more)
        if state is not None:
            apply(state, changes)
        told_all = told_all and not source.last.remarks
        if not source.known.pending:
            break
    return told_all


@QUIET
@given(st.lists(pages, min_size=1, max_size=4), pages.filter(bool), st.booleans())
def test_replaying_deltas_on_the_baseline_rebuilds_the_snapshot(kit, history, last, ids):
    source, state, told_all = kit.source(), {}, True
    for page in history:
        apply(state, source.poll(shown(kit, page, ids=ids), whole=True))
        told_all = told_all and source.last and not source.last.remarks
    entries = shown(kit, last, ids=ids)
    told_all = settle(source, entries, state, whole=True) and told_all
    assume(told_all)  # a flood or another page is recorded, with a remark in place of its deltas
    assert sorted(state.values(), key=str) == sorted(
        ((r.entry.title, r.entry.text) for r in source.known.live.values()), key=str
    )
    assert {content(*entry) for entry in state.values()} == {content(e.title, e.text) for e in entries}


@QUIET
@given(st.lists(pages, min_size=1, max_size=4), pages.filter(bool), st.booleans())
def test_page_that_stays_is_told_once_and_never_again(kit, history, last, ids):
    source = kit.source()
    for page in history:
        source.poll(shown(kit, page, ids=ids))
    settle(source, shown(kit, last, ids=ids))
    assert [source.poll(shown(kit, last, ids=ids)) for _ in range(3)] == [(), (), ()]


def content(title, text):
    """What of a title and a text a reader would call the same."""
    return features(title, text).exact


@QUIET
@given(st.lists(pages, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_page_order_never_changes_the_set_of_deltas_where_ids_can_be_trusted(kit, history, rng):
    straight, shuffled = kit.source(), kit.source()
    for page in history:
        entries = [replace(entry, pinned=False) for entry in shown(kit, page, ids=True)]
        mixed = list(entries)
        rng.shuffle(mixed)
        told = [
            {(c.type, c.entry.native_id, c.entry.title, c.entry.text) for c in source.poll(page_now, order="unordered")}
            for source, page_now in ((straight, entries), (shuffled, mixed))
        ]
        assert told[0] == told[1]


@QUIET
@given(st.lists(pages, min_size=2, max_size=6))
def test_nothing_is_told_unless_the_verdict_is_ok(kit, history):
    source = kit.source()
    for page in history:
        changes = source.poll(shown(kit, page))
        assert not changes or source.last.verdict.kind is VerdictKind.OK


@QUIET
@given(st.lists(pages, min_size=2, max_size=6))
def test_positions_told_are_positions_of_the_page(kit, history):
    source = kit.source()
    for page in history:
        entries = shown(kit, page)
        for change in source.poll(entries):
            if change.type is not ChangeType.REMOVED:
                assert change.entry.text == entries[change.entry.position].text


@pytest.mark.parametrize("junk", ["", " ", "\n\n\n", "\u200b", "\x00", "🙂" * 50, "a" * 100_000, "1", "…", "\ud800"])
def test_no_text_breaks_a_poll(kit, junk):
    source = kit.source()
    source.poll(kit.timeline())
    source.poll([kit.post(9, 1, text=junk, title=junk), *kit.timeline()])
    source.poll([kit.post(9, 1, text=junk + "x"), *kit.timeline()])


@QUIET
@given(
    st.lists(st.sets(st.integers(0, 15), min_size=5), min_size=2, max_size=4),
    st.sets(st.integers(0, 15), max_size=3),
    st.randoms(use_true_random=False),
)
def test_page_order_never_changes_the_set_of_deltas_of_plainly_different_entries(kit, history, corrected, rng):
    straight, shuffled = kit.source(), kit.source()
    for number, page in enumerate(history):
        entries = [kit.post(n, -10 * n) for n in sorted(page)]
        if number:
            entries = [
                replace(e, text=e.text + " More.") if e.published.at.minute // 10 in corrected else e for e in entries
            ]
        mixed = list(entries)
        rng.shuffle(mixed)
        told = [
            {(c.type, c.entry.text) for c in source.poll(page_now, order="unordered")}
            for source, page_now in ((straight, entries), (shuffled, mixed))
        ]
        assert told[0] == told[1]
