"""Old copies from caches and replicas are waited out; wordings that come and go are told once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import Stamp


@pytest.fixture
def later(source, kit):
    """The source after a new entry and a correction; returns it with both pages."""
    old = kit.timeline()
    new = [kit.post(9, 1), *old]
    new[3] = replace(new[3], text=new[3].text.replace("Volunteers", "Residents"))
    source.poll(new)
    return source, old, new


def test_older_copy_is_suspect_and_tells_nothing(later):
    source, old, new = later
    assert source.told(old) == []
    assert source.verdict == "suspect:older_copy"
    assert source.told(new) == []


def test_older_copies_between_good_pages_never_tell_anything(later):
    source, old, new = later
    for page in (old, new, old, new, new, old, new):
        assert source.told(page) == []


def test_older_copy_that_stays_is_believed_in_the_end(later):
    source, old, _ = later
    told = [t for _ in range(8) for t in source.told(old)]
    assert "edited:Volunteers are" in told
    assert "removed:Police closed" in told


def test_flapping_wording_is_told_once(source, kit):
    first = kit.timeline()
    second = [*first[:3], replace(first[3], title="Delays at Oakfield"), *first[4:]]
    told = [t for page in (second, first, second, second, first, second) for t in source.told(page)]
    assert told == ["edited:Delays at"]


def test_publisher_that_takes_a_correction_back_and_goes_on_is_told(source, kit):
    page = kit.timeline()
    wrong = [*page[:3], replace(page[3], title="Delays at Oakfield"), *page[4:]]
    assert source.told(wrong) == ["edited:Delays at"]
    told = source.told([kit.post(9, 3), *page])
    assert told == ["edited:A spokesman", "new:Police closed"]
    reverted = next(c for c in source.last.changes if c.type.value == "edited")
    assert "reverted" in reverted.tags


def test_page_that_says_it_is_older_is_suspect(later, kit):
    source, old, new = later
    source.poll(new, modified_at=kit.at(5))
    edited = [*old[:5], replace(old[5], text="Seen nowhere before, written by an old template."), *old[6:]]
    assert source.told(edited, modified_at=kit.at(2)) == []
    assert source.verdict == "suspect:older_copy"


def test_copy_a_cache_held_for_long_is_suspect(later):
    source, old, _ = later
    edited = [*old[:5], replace(old[5], text="A state between two polls, kept by a cache for ten minutes."), *old[6:]]
    assert source.told(edited, served_age=600) == []
    assert source.verdict == "suspect:older_copy"


def test_relative_labels_betray_an_older_copy(kit):
    source = kit.source()

    def labelled(entries, minute, shown_at):
        out = []
        for entry in entries:
            age = int((kit.at(shown_at) - entry.published.at).total_seconds() // 60)
            stamp = Stamp(kit.at(minute) - timedelta(minutes=age + 1), f"{age} min ago", 60, relative=True)
            out.append(replace(entry, published=stamp))
        return out

    page = kit.timeline(5)
    source.poll(labelled(page, 20, 20), minute=20)
    newer = [kit.post(9, 25), *page]
    assert source.told(labelled(newer, 26, 26), minute=26) == ["new:Police closed"]
    stale = [replace(page[0], text="An earlier draft of the report nobody saw in its time."), *page[1:]]
    assert source.told(labelled(stale, 30, 21), minute=30) == []
    assert source.verdict == "suspect:older_copy"


def test_our_own_clock_set_back_makes_no_page_suspect(source, kit):
    page = kit.timeline()
    source.poll(page, minute=90)
    fresh = [kit.post(9, 31), *page]
    assert source.told(fresh, minute=31) == ["new:Police closed"]
