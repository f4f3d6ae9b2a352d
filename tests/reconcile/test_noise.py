"""Counters, adverts, layout and labels are no news; what a source repeats under every entry is learned."""

from dataclasses import replace

import pytest

from monitor.model import Significance
from monitor.reconcile.furniture import is_atom


@pytest.mark.parametrize(
    "line",
    [
        "Share",
        "Share on Facebook",
        "Share  12 comments",
        "1.2K views",
        "17 Kommentare",
        "Поделиться 12 комментариев",
        "شارك 3 تعليقات",
        "Updated 5 minutes ago",
        "Last updated at 12:07",
        "Advertisement",
        "Follow us on Twitter",
        "Read more",
        "Sign up to our free newsletter",
    ],
)
def test_counters_and_site_lines_are_furniture(line):
    assert is_atom(line)


@pytest.mark.parametrize(
    "line",
    [
        "Share prices fell by 3%.",
        "Save the dam!",
        "5 dead",
        "Now live: the mayor",
        "The latest from Mill Lane",
        "12:07",
        "7",
    ],
)
def test_content_that_begins_like_furniture_is_content(line):
    assert not is_atom(line)


def test_counters_that_move_with_every_poll_tell_and_write_nothing(kit):
    source = kit.source()
    for poll in range(4):
        page = [replace(e, text=f"{e.text}\n\nShare {poll * 7 + n} comments") for n, e in enumerate(kit.timeline())]
        changes = source.poll(page)
        assert poll == 0 or (changes, source.last.rows, source.last.memory) == ((), {}, None)


def test_line_repeated_under_every_entry_is_learned_and_its_coming_and_going_is_no_edit(source, kit):
    page = kit.timeline()
    signed = [replace(e, text=f"{e.text}\n\nMore on the district's flood page at any hour.") for e in page]
    assert source.told(signed) == []
    assert "More on the district's flood page at any hour." in source.known.memory.furniture
    assert source.told(page) == []


def test_learning_furniture_hides_no_real_edit_beside_it(source, kit):
    page = kit.timeline()
    page[3] = replace(page[3], text=page[3].text.replace("apologised", "expressed regret"))
    signed = [replace(e, text=f"{e.text}\n\nMore on the district's flood page at any hour.") for e in page]
    assert source.told(signed) == ["edited:A spokesman"]


def test_line_that_is_often_a_whole_entry_is_not_furniture(kit):
    source = kit.source()
    page = [kit.post(0, -n, text="Sirens sound in the old town.") for n in range(6)]
    source.poll(page)
    source.poll([kit.post(1, 1, text="The bridge is open.\n\nSirens sound in the old town."), *page])
    assert source.known.memory.furniture == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('He called it "a miracle".', "He called it “a miracle”."),
        ("The 7–8 o'clock train", "The 7-8 o’clock train"),
        ("It is  raining\u00a0hard.", "It is raining hard."),
        ("٤٠ شاحنة", "40 شاحنة"),
    ],
)
def test_other_characters_for_the_same_content_are_cosmetic(kit, old, new):
    source = kit.source()
    page = kit.timeline(4)
    page[1] = replace(page[1], text=old)
    source.poll(page)
    page[1] = replace(page[1], text=new)
    (change,) = source.poll(page)
    assert change.significance is Significance.COSMETIC
    assert source.poll(page) == ()


def test_page_restyled_as_a_whole_is_recorded_and_not_told(kit):
    source = kit.source()
    page = [replace(e, text=f'{e.text} "So it is," he said.') for e in kit.timeline(14)]
    source.poll(page)
    curly = [replace(e, text=e.text.replace('"So it is,"', "“So it is,”")) for e in page]
    assert source.poll(curly) == ()
    assert len(source.last.rows) == 14
    assert "characters" in source.last.remarks[0]


def test_markup_of_the_time_changes_nothing(source, kit):
    page = [
        replace(e, published=replace(e.published, text=e.published.at.strftime("%I.%M %p"))) for e in kit.timeline()
    ]
    assert source.told(page) == []


def test_most_entries_stamped_anew_at_once_are_recorded_and_not_told(kit):
    source = kit.source()
    page = kit.timeline(14)
    source.poll(page)
    stamped = [kit.post(n, -10 * n - 1 - (n * 7) % 5) for n in range(14)]
    assert source.told(stamped) == []
    assert "new times" in source.last.remarks[0]
