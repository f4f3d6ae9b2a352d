"""The last entry of a page goes: it slid off a window, or it was taken down, and the pages after it tell which."""

import pytest

from monitor.model import ChangeType, Stamp


def fresh(kit, number):
    """A new entry, number minutes after noon."""
    return kit.post(8 + number, number)


def test_last_entry_gone_as_another_came_is_removed_once_the_page_shows_more_than_then(source, kit):
    page = kit.timeline()
    shorter = [fresh(kit, 1), *page[:-1]]
    assert source.told(shorter) == ["new:Police closed"]
    (removal, new) = source.poll([fresh(kit, 2), *shorter])
    assert (removal.type, removal.entry.text) == (ChangeType.REMOVED, kit.stories[7])
    assert new.type is ChangeType.NEW


def test_last_entry_gone_is_not_asked_about_for_ever(source, kit):
    shorter = [fresh(kit, 1), *kit.timeline()[:-1]]
    for _ in range(6):
        assert not [one for one in source.told(shorter) if one.startswith("removed")]
    assert not source.known.pending


def test_last_entry_waited_for_is_told_when_the_page_grows_at_last(source, kit):
    shorter = [fresh(kit, 1), *kit.timeline()[:-1]]
    for _ in range(6):
        source.poll(shorter)
    assert source.told([fresh(kit, 2), *shorter])[0] == "removed:Meteorologists expect"


def test_window_that_fills_up_while_watched_tells_no_removal(kit):
    source, window = kit.source(), 10
    page = kit.timeline()
    source.poll(page)
    for number in range(1, 8):
        page = [fresh(kit, number), *page][:window]
        assert [change.type for change in source.poll(page)] == [ChangeType.NEW]


def test_end_that_was_seen_to_slide_lets_go_at_once(source, kit):
    page = kit.timeline()
    for number in (1, 2, 3):
        page = [fresh(kit, number), *page][:8]
        source.poll(page)
    assert not source.known.pending
    assert source.known.memory.waiting == ()


def test_end_that_slides_by_age_tells_at_most_one_removal(kit):
    source = kit.source()
    posts = [kit.post(number, minute) for number, minute in enumerate(range(-60, 130, 13))]
    removed = 0
    for now in range(0, 130, 5):
        shown = [
            one for one in reversed(posts) if now - 60 <= (one.published.at - kit.noon).total_seconds() / 60 <= now
        ]
        removed += sum(change.type is ChangeType.REMOVED for change in source.poll(shown, minute=now + 1))
    assert removed <= 1


@pytest.mark.parametrize("hours", [13, 30])
def test_old_last_entry_waits_until_the_page_shows_one_as_old(kit, hours):
    source = kit.source()
    page = [kit.post(0, 0), *(kit.post(number, -60 * hours - 10 * number) for number in range(1, 8))]
    source.poll(page, minute=1)
    assert source.told([fresh(kit, 2), *page[:-1]], minute=2) == ["new:The orchestra"]
    assert source.told([fresh(kit, 3), fresh(kit, 2), *page[:-1]], minute=3) == ["new:Insurance companies"]
    assert source.told([fresh(kit, 4), fresh(kit, 3), fresh(kit, 2), *page[:-1]], minute=14) == [
        "removed:Meteorologists expect",
        "new:Divers found",
    ]


def test_entry_waited_for_is_not_inside_because_the_last_one_changed_places(kit):
    source = kit.source()
    hours = Stamp(kit.at(-240), "4 hours ago", 3600, dated=True, relative=True)
    page = [*kit.timeline()[:4], *(kit.post(number, published=hours) for number in range(4, 8))]
    source.poll(page)
    source.poll([fresh(kit, 1), *page[:-2]])
    moved = [fresh(kit, 1), *page[:4], page[5], page[4]]
    assert source.told(moved) == []
    assert source.told(moved) == []
