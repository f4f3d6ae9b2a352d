"""A source that answers and still hides something is named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.daemon.completeness import concerns, span_in_words
from monitor.store import PollState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BUSY = PollState(new_gap=120.0, new_seen=20, last_new_at=NOW - timedelta(minutes=5), interval=15.0)


def codes(poll):
    return [concern.code for concern in concerns(poll, NOW)]


def test_a_source_with_its_usual_pace_gives_no_concern():
    assert codes(BUSY) == []


def test_silence_against_its_own_habit_is_named_with_both_times():
    quiet = replace(BUSY, last_new_at=NOW - timedelta(minutes=40))
    (concern,) = concerns(quiet, NOW)
    assert concern.code == "silent"
    assert "40 min" in concern.words
    assert "every 2 min" in concern.words


def test_a_slow_source_may_be_silent_for_long():
    assert codes(replace(BUSY, new_gap=3600.0, last_new_at=NOW - timedelta(hours=6))) == []


def test_a_habit_is_not_judged_from_a_few_entries():
    assert codes(replace(BUSY, new_seen=3, last_new_at=NOW - timedelta(hours=5))) == []


def test_a_copy_that_a_cache_has_held_for_long_is_frozen():
    assert codes(replace(BUSY, served_age=7200)) == ["frozen"]
    assert codes(replace(BUSY, served_age=60)) == []


def test_a_possible_gap_is_shown_for_an_hour():
    assert codes(replace(BUSY, gap_at=NOW - timedelta(minutes=10))) == ["gap"]
    assert codes(replace(BUSY, gap_at=NOW - timedelta(hours=2))) == []


def test_entries_from_the_future_are_a_matter_of_clocks():
    assert codes(replace(BUSY, ahead=3600.0)) == ["clock"]


def test_a_page_without_entries_is_named():
    assert codes(replace(BUSY, code="no_entries", reason="the selector 'article' finds nothing")) == ["no_entries"]


def test_lengths_of_time_are_said_in_the_unit_that_fits():
    assert [span_in_words(s) for s in (5, 90, 600, 5400, 90_000)] == ["5 s", "90 s", "10 min", "2 h", "1 d"]


def test_a_selector_that_finds_nothing_is_named_in_its_words():
    (found,) = concerns(replace(BUSY, code="layout_changed", reason="no element matches"), NOW)
    assert (found.code, found.words) == ("no_entries", "no element matches")
