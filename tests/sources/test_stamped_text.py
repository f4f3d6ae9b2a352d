"""Stamped text in the shapes live blogs have: times, titles, introduction, background, dates."""

import json
from datetime import datetime

import pytest


def blog(*blocks, gap="\n\n"):
    return gap.join(blocks)


PLAIN = blog(
    "Harbour live", "The harbour is closed since morning.",
    "3:47 pm", "Ferries turn back", "Two ferries turned back at the pier.", "Nobody was hurt.",
    "3:17 pm", "police say the road is open again.",
    "12:50 pm", "Power returns to the old town", "The grid operator reports that power is back.",
)  # fmt: skip


def test_title_introduction_and_entries_are_told_apart(reading):
    snapshot = reading(PLAIN, kind="text").snapshot
    assert (snapshot.title, snapshot.intro) == ("Harbour live", ("The harbour is closed since morning.",))
    assert [(entry.title, entry.text) for entry in snapshot.entries] == [
        ("Ferries turn back", "Two ferries turned back at the pier.\n\nNobody was hurt."),
        (None, "police say the road is open again."),
        ("Power returns to the old town", "The grid operator reports that power is back."),
    ]


def test_stamps_without_a_date_get_the_day_of_the_fetch(entries):
    found = entries(
        PLAIN, kind="text", timezone="Europe/Athens", seen_at=datetime.fromisoformat("2026-03-10T16:00:00+02:00")
    )
    assert [entry.published_at.isoformat() for entry in found] == [
        "2026-03-10T15:47:00+02:00", "2026-03-10T15:17:00+02:00", "2026-03-10T12:50:00+02:00",
    ]  # fmt: skip
    assert [entry.published_text for entry in found] == ["3:47 pm", "3:17 pm", "12:50 pm"]
    assert not found[0].published.dated


def test_a_plain_text_is_recognised_and_the_reason_told(reading):
    assert reading(PLAIN).chosen.startswith("text: ")


def test_midnight_rolls_over_to_the_day_before(entries):
    found = entries(
        blog("00:20", "One.", "23:50", "Two.", "18:00", "Three.", "23:10", "Four."),
        seen_at=datetime.fromisoformat("2026-03-10T00:30:00+00:00"),
    )
    assert [entry.published_at.strftime("%d %H:%M") for entry in found] == [
        "10 00:20",
        "09 23:50",
        "09 18:00",
        "08 23:10",
    ]


def test_small_inversions_are_entries_out_of_order_not_days(entries):
    found = entries(blog("11:00", "One.", "10:10", "Two.", "10:40", "Three.", "9:00", "Four."))
    assert {entry.published_at.day for entry in found} == {10}


def test_oldest_first_is_recognised_and_dated_from_its_end(reading):
    snapshot = reading(
        blog("22:00", "One.", "23:30", "Two.", "0:15", "Three.", "2:40", "Four."),
        seen_at=datetime.fromisoformat("2026-03-10T03:00:00+00:00"),
    ).snapshot
    assert snapshot.order == "oldest_first"
    assert [entry.published_at.strftime("%d %H:%M") for entry in snapshot.entries] == [
        "09 22:00",
        "09 23:30",
        "10 00:15",
        "10 02:40",
    ]


def test_a_date_line_dates_what_stands_below_it_and_is_no_entry(entries):
    found = entries(
        blog("Tuesday, 10 March 2026", "9:00", "One.", "Monday, 9 March 2026", "17:00", "Two.", "8:00", "Three.")
    )
    assert [(entry.text, entry.published_at.strftime("%d %H:%M")) for entry in found] == [
        ("One.", "10 09:00"),
        ("Two.", "09 17:00"),
        ("Three.", "09 08:00"),
    ]


def test_a_sentence_that_begins_with_a_time_is_text(entries):
    found = entries(
        blog(
            "11:00",
            "At 6 a.m. local time (0400 GMT) the buses left.",
            "12.30 percent voted.",
            "10:00",
            "2:1 in the derby.",
            "Nothing else happened today.",
        )
    )
    assert [entry.text for entry in found] == [
        "At 6 a.m. local time (0400 GMT) the buses left.\n\n12.30 percent voted.",
        "2:1 in the derby.\n\nNothing else happened today.",
    ]


def test_a_weak_form_beside_the_pages_style_is_text(entries):
    found = entries(
        blog("11:00", "Turnout in percent so far", "12.30", "10:00", "The count goes on.", "9:00", "Polls open.")
    )
    assert [entry.title for entry in found] == ["Turnout in percent so far", None, None]
    assert found[0].text == "12.30"


def test_a_weak_form_is_a_time_where_it_is_the_pages_style(entries):
    assert [entry.published_text for entry in entries(blog("11.05", "One.", "10.40", "Two.", "9.15", "Three."))] == [
        "11.05",
        "10.40",
        "9.15",
    ]


def test_times_at_the_head_of_the_line_are_read_where_they_are_the_house_style(entries):
    found = entries(
        "11:05 – First buses leave the town.\n\n10:40 – Convoy gathers at the gate.\n\n9:15 – Good morning."
    )
    assert [(entry.published_text, entry.text) for entry in found] == [
        ("11:05", "First buses leave the town."), ("10:40", "Convoy gathers at the gate."), ("9:15", "Good morning."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "times",
    [
        ("١١:٠٥", "١٠:٤٠"),
        ("11h05", "10h40"),
        ("午前11時05分", "午前10時40分"),
        ("55 minutes ago", "1 hour ago"),
        ("vor 55 Minuten", "vor einer Stunde"),
        ("11:05 GMT", "10:40 GMT"),
    ],
)
def test_every_style_of_time_parts_the_entries(entries, times):
    assert [entry.text for entry in entries(blog(times[0], "One.", times[1], "Two."))] == ["One.", "Two."]


def test_background_after_the_last_entry_is_kept_apart(reading):
    text = (
        blog("11:00", "One.", "More of one.", "10:00", "Two.", "9:00", "Three.")
        + "\n\n\n\nThe war began in 2011.\n\nMany left the city since."
    )
    snapshot = reading(text).snapshot
    assert snapshot.background == ("The war began in 2011.", "Many left the city since.")
    assert snapshot.entries[-1].text == "Three."


def test_hard_wrapped_lines_are_one_paragraph(entries):
    wrapped = (
        "11:00\nThe first convoy of buses left the eastern\nquarters this morning and reached the\ncrossing in the south of the city before noon\n"
        "according to witnesses there.\n\n10:00\nAmbulances wait at the southern crossing of\nthe city while talks about the wounded go\non between the two sides."
    )
    found = entries(wrapped)
    assert [entry.text.count("\n") for entry in found] == [0, 0]


def test_one_entry_alone_is_read(entries):
    assert [entry.text for entry in entries(blog("Harbour live", "11:05", "The first ferry left."))] == [
        "The first ferry left."
    ]


def test_text_without_a_time_line_is_no_live_blog(reading):
    found = reading("A letter.\n\nWithout any time in it.")
    assert (found.verdict.kind, found.verdict.code, found.snapshot) == ("failed", "no_entries", None)


def test_the_real_live_blog_is_read_exactly(entries, reading, data):
    truth = json.loads((data / "aleppo/truth.json").read_text(encoding="utf-8"))
    snapshot = reading(
        (data / "aleppo/live.txt").read_bytes(),
        timezone="Asia/Damascus",
        seen_at=datetime.fromisoformat("2016-12-15T15:55:00+02:00"),
    ).snapshot

    def tidy(text):
        return " ".join(text.split()) if text else text

    assert [(entry.title, entry.text, entry.published_at.isoformat()) for entry in snapshot.entries] == [
        (tidy(one["title"]), "\n\n".join(tidy(part) for part in one["body"]), f"2016-12-15T{one['hhmm']}:00+02:00")
        for one in truth["entries"]
    ]
    assert list(snapshot.intro) == truth["intro"]
    assert list(snapshot.background) == [tidy(part) for part in truth["tail"]]


def test_midnight_is_that_of_the_zone_the_labels_name(entries):
    found = entries(
        blog("00:20 BST", "One.", "00:10 BST", "Two.", "23:50 BST", "Three."),
        seen_at=datetime.fromisoformat("2026-06-10T23:30:00+00:00"),
    )
    assert [entry.published_at.strftime("%d %H:%M") for entry in found] == ["11 00:20", "11 00:10", "10 23:50"]


def test_a_pinned_copy_has_the_day_of_the_entry_it_copies(entries):
    times = ("8:00", "11:50", "11:30", "11:00", "2:00", "23:00", "8:00")
    texts = ("Pinned words.", "One.", "Two.", "Three.", "Four.", "Five.", "Pinned words.")
    found = entries(blog(*(part for pair in zip(times, texts, strict=True) for part in pair)))
    days = [entry.published_at.strftime("%d %H:%M") for entry in found]
    assert days == ["09 08:00", "10 11:50", "10 11:30", "10 11:00", "10 02:00", "09 23:00", "09 08:00"]


def test_a_date_a_dash_and_a_time_before_the_words_are_one_label(entries):
    text = "\n\n".join(f"10 March 2026 - {hour}:05 – Entry number {hour} tells what happened." for hour in (11, 10, 9))
    found = entries(text, kind="text")
    assert [entry.text for entry in found] == [f"Entry number {hour} tells what happened." for hour in (11, 10, 9)]
    assert [entry.published_at.hour for entry in found] == [11, 10, 9]
