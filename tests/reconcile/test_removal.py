"""A removal needs a believable page, a place inside the window and a second look; falling off the end is none."""

from dataclasses import replace

from monitor.model import ChangeType
from monitor.reconcile import ReconcilePolicy


def test_entry_missing_twice_between_its_neighbours_is_removed(source, kit):
    page = kit.timeline()
    gone = [*page[:3], *page[4:]]
    assert source.told(gone) == []
    assert source.known.pending
    assert source.told(gone) == ["removed:A spokesman"]
    assert not source.known.pending


def test_an_identical_page_is_a_second_look(source, kit):
    gone = [entry for n, entry in enumerate(kit.timeline()) if n != 3]
    source.poll(gone)
    (change,) = source.poll(gone)
    assert change.type is ChangeType.REMOVED
    assert change.entry.text == kit.stories[3]


def test_entry_back_before_the_second_look_tells_nothing(source, kit):
    page = kit.timeline()
    assert source.told([*page[:3], *page[4:]]) == []
    assert source.told(page) == []
    assert source.told([kit.post(9, 1), *page]) == ["new:Police closed"]


def test_removed_entry_that_comes_back_is_restored_with_its_id(source, kit):
    page = kit.timeline()
    gone = [*page[:3], *page[4:]]
    source.poll(gone)
    (removal,) = source.poll(gone)
    newer = kit.post(9, 3)
    source.poll([newer, *gone])
    corrected = replace(page[3], text=page[3].text + " He named no date.")
    (change,) = source.poll([newer, *page[:3], corrected, *page[4:]])
    assert (change.type, change.entry_id) == (ChangeType.RESTORED, removal.entry_id)
    assert [op for op in change.changes[0].diff if op[0] != "="] == [("+", " He named no date.")]


def test_restored_entry_keeps_counting_revisions(source, kit):
    page = kit.timeline()
    gone = [*page[:3], *page[4:]]
    source.poll(gone)
    source.poll(gone)
    fresh = kit.post(9, 3)
    source.poll([fresh, *gone])
    changes = (*source.poll([fresh, *page]), *source.poll([fresh, *page]))
    assert [(c.type, c.revision) for c in changes] == [(ChangeType.RESTORED, 2)]


def test_sliding_window_tells_no_removal(source, kit):
    page = kit.timeline()
    for minute in range(1, 7):
        page = [kit.post(8 + minute, minute), *page][:8]
        assert source.told(page) == [f"new:{' '.join(kit.stories[8 + minute].split()[:2])}"]
    assert source.told(page) == []


def test_entry_that_returns_into_the_window_is_not_new(source, kit):
    page = kit.timeline()
    longer = [kit.post(9, 1), *page][:8]
    source.poll(longer)
    without = [*longer[:4], *longer[5:], page[7]]
    told = source.told(without) + source.told(without)
    assert told == ["removed:A spokesman"]


def test_page_said_to_be_whole_makes_the_last_entry_count(kit):
    source = kit.source()
    source.poll(kit.timeline(), whole=True)
    shorter = kit.timeline()[:-1]
    fresh = [kit.post(9, 1), *shorter]
    assert source.told(fresh, whole=True) == ["new:Police closed"]
    assert source.told(fresh, whole=True) == ["removed:Meteorologists expect"]


def test_page_that_holds_more_than_is_read_of_it_is_never_whole(kit):
    source = kit.source()
    source.poll(kit.timeline(), whole=True)
    fresh = [kit.post(9, 1), *kit.timeline()[:-1]]
    for _ in range(4):
        assert "removed" not in " ".join(source.told(fresh, whole=True, capped=True))


def test_declared_deletion_acts_at_once(kit):
    source = kit.source()
    page = [replace(entry, native_id=f"b{n * 37 % 11}") for n, entry in enumerate(kit.timeline())]
    source.poll(page)
    gone = page[2].native_id
    assert source.told([*page[:2], *page[3:]], deleted=(gone,)) == ["removed:Volunteers are"]


def test_empty_page_is_suspect_and_tells_nothing_however_often_it_comes(source, kit):
    for _ in range(6):
        assert source.told([]) == []
        assert source.verdict == "suspect:empty"
    assert source.told(kit.timeline()) == []


def test_mass_disappearance_is_believed_at_the_third_look(source, kit):
    rest = kit.timeline()[:3]
    for _ in range(2):
        assert source.told(rest) == []
        assert source.verdict == "suspect:mass_disappearance"
    source.told(rest)
    assert source.verdict.startswith("ok")


def test_quarter_of_a_page_between_whole_ones_tells_nothing(source, kit):
    page = kit.timeline()
    assert source.told(page[:2]) == []
    assert source.told(page) == []
    assert source.known.live.keys() == {f"e{n}" for n in range(8)}


def test_feed_without_order_removes_nothing_by_absence(kit):
    source = kit.source()
    page = [replace(entry, native_id=f"n{n}") for n, entry in enumerate(kit.timeline())]
    source.poll(page, order="unordered")
    rotated = [kit.post(9, -33, native_id="n9"), page[6], page[1], page[4], page[0], page[2], page[7], page[5]]
    for _ in range(4):
        assert not [t for t in source.told(rotated, order="unordered") if t.startswith("removed")]
    assert source.told(page, order="unordered") == []


def test_what_left_is_remembered_up_to_the_limit(kit):
    source = kit.source(policy=ReconcilePolicy(max_gone=5))
    page = kit.timeline()
    source.poll(page)
    for minute in range(1, 20):
        page = [
            kit.post(minute, minute, text=f"Line {minute} of this very long evening at the dam.", title=f"No {minute}"),
            *page,
        ][:8]
        source.poll(page)
    assert len(source.known.gone) == 5
    assert len(source.rows) == 8 + 5
