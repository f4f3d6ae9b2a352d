"""A label is a time as a whole or not at all, in every clock, language and digit."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.times import epoch_stamp, read_claim, read_stamp, stamp_of, zone_named

DAMASCUS = ZoneInfo("Asia/Damascus")
FETCHED = datetime.fromisoformat("2016-12-15T15:55:00+02:00")


def at(label):
    stamp = read_stamp(label, reference=FETCHED, zone=DAMASCUS)
    return None if stamp is None else stamp.at.isoformat()


@pytest.mark.parametrize(
    "label",
    [
        "3:47 pm", "3:47 PM", "3.47pm", "3:47 p.m.", "15:47", "15.47", "15h47", "15 h 47", "[15:47]", "(15:47)", "15:47 Uhr", "15.47 Uhr",
        "kl. 15.47", "klo 15.47", "15時47分", "15시 47분", "午後3時47分", "오후 3:47", "下午3:47", "١٥:٤٧", "۱۵:۴۷", "٣:٤٧ م", "1347 GMT", "13:47 GMT",
        "14:47 CET", "16:47 (UTC+3)", "15:47+02:00", "Updated 15:47", "Published at 13:47 GMT", "today 15:47", "15 December 2016, 15:47",
        "Thursday, December 15, 2016 3:47 PM", "15. Dezember 2016, 15:47 Uhr", "15 décembre 2016 à 15h47", "15 dicembre 2016 ore 15:47",
        "15 de diciembre de 2016 15:47", "15 декабря 2016 г. 15:47", "15 Aralık 2016 15:47", "2016年12月15日 15:47", "2016-12-15 15:47",
        "2016-12-15T13:47:00Z", "Thu, 15 Dec 2016 13:47:00 GMT", "Thu, 15 Dec 2016 15:47:00 +0200", "15.12.2016 15:47", "12/15/2016 3:47 PM",
        "1347 hrs GMT", "## 15:47", "15:47 hod", "1h ago 13.47 GMT", "Dec. 15, 2016, 8:47 a.m. ET",
    ],
)  # fmt: skip
def test_every_way_to_write_a_clock_time_is_the_same_instant(label):
    assert datetime.fromisoformat(at(label)) == datetime.fromisoformat("2016-12-15T15:47:00+02:00")


@pytest.mark.parametrize(
    "label",
    [
        "5 minutes ago", "5m ago", "5m", "5 min", "vor 5 Minuten", "il y a 5 minutes", "hace 5 minutos", "5 minuti fa", "há 5 minutos",
        "5 минут назад", "5 dakika önce", "قبل 5 دقائق", "منذ ٥ دقائق", "5分前", "5分钟前", "5분 전", "5 хвилин тому", "5 minuten geleden",
        "för 5 minuter sedan", "5 minutter siden", "5 minuuttia sitten", "5 minut temu", "před 5 minutami", "πριν 5 λεπτά", "לפני 5 דקות",
        "5 मिनट पहले", "5 menit lalu", "5 perce", "5 นาทีที่แล้ว", "৫ মিনিট আগে", "fa 5 minuts", "prije 5 minuta", "преди 5 минути",
    ],
)  # fmt: skip
def test_a_relative_time_is_an_interval_counted_back_from_the_fetch(label):
    stamp = read_stamp(label, reference=FETCHED, zone=DAMASCUS)
    assert (stamp.at.isoformat(), stamp.precision, stamp.relative) == ("2016-12-15T15:49:00+02:00", 60, True)


@pytest.mark.parametrize(
    ("label", "instant", "precision"),
    [
        ("2 hours ago", "2016-12-15T12:55:00+02:00", 3600), ("an hour ago", "2016-12-15T13:55:00+02:00", 3600),
        ("vor einer Stunde", "2016-12-15T13:55:00+02:00", 3600), ("час назад", "2016-12-15T13:55:00+02:00", 3600),
        ("منذ ساعتين", "2016-12-15T12:55:00+02:00", 3600), ("2h 5m ago", "2016-12-15T13:49:00+02:00", 60),
        ("πριν 2 ώρες", "2016-12-15T12:55:00+02:00", 3600), ("2시간 전", "2016-12-15T12:55:00+02:00", 3600),
        ("1 วันที่แล้ว", "2016-12-13T15:55:00+02:00", 86400), ("2 órája", "2016-12-15T12:55:00+02:00", 3600),
        ("just now", "2016-12-15T15:54:00+02:00", 60), ("刚刚", "2016-12-15T15:54:00+02:00", 60), ("3 days ago", "2016-12-11T15:55:00+02:00", 86400),
    ],
)  # fmt: skip
def test_the_unit_of_a_relative_time_is_its_precision(label, instant, precision):
    stamp = read_stamp(label, reference=FETCHED, zone=DAMASCUS)
    assert (stamp.at.isoformat(), stamp.precision) == (instant, precision)


@pytest.mark.parametrize(
    "text",
    [
        "At 6 a.m local time on Thursday (0400 GMT)", "2 hours after the attack", "12.30 percent", "2:1", "4,000", "90+3", "1984", "May", "25:99",
        "12:61", "13 minutes", "Share 59 comments", "20 of 30", "II", "Live", "Summary", "74' Yellow card", "30 February 2016 25:00", "", " ", "—",
        "Evacuation at 15:47", "15:47 buses leave", "3 pm buses", "Thursday's talks", "now or never",
    ],
)  # fmt: skip
def test_what_is_not_wholly_a_time_is_text(text):
    assert read_claim(text) is None


@pytest.mark.parametrize(
    "label",
    [
        "Thursday, December 15, 2016",
        "15. Dezember 2016",
        "jueves, 15 de diciembre de 2016",
        "١٥ ديسمبر ٢٠١٦",
        "2016年12月15日",
        "15/12/2016",
        "Dec 15",
    ],
)
def test_a_date_without_a_clock_is_a_header(label):
    claim = read_claim(label)
    assert claim.is_date
    assert stamp_of(claim, reference=FETCHED, zone=DAMASCUS).at.date() == date(2016, 12, 15)


@pytest.mark.parametrize(
    ("label", "weak"),
    [("15.47", True), ("5m", True), ("15:47", False), ("15.47 BST", False), ("3.47pm", False), ("5m ago", False)],
)
def test_forms_that_other_things_are_written_in_are_weak(label, weak):
    assert read_claim(label).weak is weak


def test_a_bare_time_later_than_the_fetch_is_yesterdays():
    assert at("16:30") == "2016-12-14T16:30:00+02:00"


def test_a_clock_a_little_ahead_of_ours_is_still_todays():
    assert at("16:10") == "2016-12-15T16:10:00+02:00"


def test_yesterday_and_weekdays_name_the_day():
    assert at("Yesterday, 3:47pm") == "2016-12-14T15:47:00+02:00"
    assert at("Tuesday 15:47") == "2016-12-13T15:47:00+02:00"


def test_a_date_without_a_year_is_the_latest_one_not_in_the_future():
    assert at("16 May 15:47") == "2016-05-16T15:47:00+03:00"
    assert at("30 December 15:47") == "2015-12-30T15:47:00+02:00"


def test_an_impossible_date_is_no_stamp():
    assert at("30 February 2016, 15:47") is None


def test_what_was_written_is_kept_as_written():
    assert read_claim("  3:47\u00a0pm ").text == "3:47 pm"


def test_seconds_make_a_time_exact():
    assert read_claim("12:07:33").precision == 0
    assert read_claim("12:07").precision == 60


@pytest.mark.parametrize("number", [1481809620, 1481809620000, 1481809620000000, 1481809620.0])
def test_counts_since_1970_are_read_by_their_magnitude(number):
    assert epoch_stamp(number).at == datetime(2016, 12, 15, 13, 47, tzinfo=UTC)


@pytest.mark.parametrize("number", [0, 5, 20161215, 1e40, -1e40, float("inf")])
def test_other_numbers_are_no_times(number):
    assert epoch_stamp(number) is None


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "\0", "x" * 400])
def test_an_unknown_zone_is_utc(name):
    assert zone_named(name) is UTC


@given(st.text(max_size=100))
def test_any_text_is_a_time_or_none(text):
    claim = read_claim(text)
    assert claim is None or claim.text


PIECES = st.sampled_from(
    [
        "3",
        "15",
        "47",
        ":",
        "h",
        "pm",
        "am",
        " ",
        ".",
        "2016",
        "Dec",
        "ago",
        "minutes",
        "Thu",
        "GMT",
        "+02",
        "午後",
        "م",
        "-",
        "[",
        "]",
        "yesterday",
        "99",
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_mix_of_the_pieces_of_times_is_a_stamp_or_none(text):
    stamp = read_stamp(text, reference=FETCHED, zone=DAMASCUS)
    assert stamp is None or stamp.at.tzinfo is not None


def test_a_date_with_slashes_that_would_be_to_come_is_read_month_first():
    reference = datetime(2016, 3, 10, 16, tzinfo=UTC)
    read = {
        text: read_stamp(text, reference=reference, zone=UTC)
        for text in ("3/10/2016 12:05", "2/3/2016 12:05", "9/12/2016 12:05")
    }
    assert [stamp.at.date().isoformat() for stamp in read.values() if stamp] == [
        "2016-03-10",
        "2016-03-02",
        "2016-12-09",
    ]


def test_with_a_length_in_minutes_it_is_no_time():
    assert at("01:43 min") is None
