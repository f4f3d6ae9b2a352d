"""A source is asked as often as it changes, gently when in trouble, and always again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.daemon.cadence import ERROR_CEILING, next_delay, shortest
from monitor.daemon.plans import source_plans
from monitor.settings import load_settings

FLOOR, CEILING = 15.0, 300.0


def delay(failures=0, floor=FLOOR, ceiling=CEILING, jitter=0.0, **known):
    return next_delay(floor, ceiling, failures, jitter=jitter, **known)


def blog(gap, hours):
    """Poll a blog with an entry every `gap` seconds; return the intervals, the rate smoothed over an hour."""
    now, seen, last, rate, intervals = 0.0, 0, None, None, []
    while now < hours * 3600:
        there = int(now // gap)
        if last is not None:
            weight = min(1.0, last / 3600)
            rate = (rate or 0.0) * (1 - weight) + (there - seen) / last * 3600 * weight
        last = delay(last=last, entry_rate=rate, changed=there > seen)
        seen, now = there, now + last
        intervals.append(last)
    return intervals


def test_a_new_source_is_asked_at_its_floor():
    assert delay() == FLOOR
    assert delay(last=FLOOR, entry_rate=None) == FLOOR


@pytest.mark.parametrize(("gap", "most"), [(30, 15), (120, 16), (600, 45), (3600, 180), (7 * 86_400, 300)])
def test_the_interval_follows_the_pace_of_the_blog(gap, most):
    late = blog(gap, hours=6)[-10:]
    assert sum(late) / len(late) <= most * 1.3


def test_a_silent_blog_is_asked_less_and_less_down_to_its_ceiling():
    intervals = blog(10**9, hours=3)
    assert intervals == sorted(intervals)
    assert (intervals[0], intervals[-1]) == (FLOOR, CEILING)
    assert len([interval for interval in intervals if interval < CEILING]) > 10


def test_one_entry_after_a_long_silence_brings_close_looks_back():
    woken = delay(changed=True, last=CEILING, entry_rate=0.5)
    assert woken == CEILING / 4
    assert delay(changed=True, last=woken, entry_rate=1.0) == pytest.approx(woken / 4)
    assert delay(changed=False, last=woken, entry_rate=1.0) < 2 * woken


def test_equal_bounds_are_a_fixed_interval():
    assert {
        delay(floor=20.0, ceiling=20.0, last=20.0, entry_rate=rate, changed=c) for rate in (0.0, 1e6) for c in (0, 1)
    } == {20.0}


def test_failures_double_the_interval_and_never_end_it():
    assert [delay(n) for n in range(7)] == [15.0, 30.0, 60.0, 120.0, 240.0, 480.0, ERROR_CEILING]
    assert delay(10_000) == ERROR_CEILING


def test_a_floor_above_the_error_ceiling_stays_the_floor():
    assert delay(3, floor=3600.0, ceiling=7200.0) == 3600.0


def test_a_few_suspect_polls_keep_the_pace_and_a_wall_is_not_knocked_at():
    assert [delay(n, suspect=True) for n in range(1, 7)] == [15.0, 15.0, 15.0, 30.0, 60.0, 120.0]


def test_a_source_that_is_gone_is_looked_at_every_hour():
    assert delay(1, code="gone") == 3600.0
    assert delay(50, code="gone") == 3600.0


def test_a_deferred_poll_is_nobodys_failure():
    assert delay(5, code="host_backoff", retry_after=40.0) == 40.0
    assert delay(5, code="host_busy", retry_after=4.0) == FLOOR


def test_retry_after_is_kept_to_even_beyond_the_ceiling():
    assert delay(1, retry_after=3600.0) == 3600.0
    assert delay(0, retry_after=1.0) == FLOOR


def test_a_server_that_says_how_long_is_asked_again_then_and_backed_off_only_when_it_goes_on():
    assert [delay(n, retry_after=20.0) for n in range(1, 7)] == [20.0, 20.0, 20.0, 30.0, 60.0, 120.0]


def test_a_freshness_hint_slows_a_source_a_little():
    assert [delay(fresh_for=hint) for hint in (5.0, 40.0, 86_400.0)] == [15.0, 40.0, 60.0]


def test_a_hint_that_the_entries_belie_is_not_believed():
    assert delay(last=FLOOR, entry_rate=120.0, fresh_for=86_400.0) == FLOOR


def test_jitter_only_delays():
    delays = [delay(jitter=jitter) for jitter in (0.0, 0.5, 0.999)]
    assert delays[0] == FLOOR
    assert delays == sorted(delays)
    assert delays[-1] < FLOOR * 1.1


def test_the_shortest_hint_counts():
    assert shortest([None, 60.0, 30.0]) == 30.0
    assert shortest([None]) is None


seconds = st.floats(0, 1e6)


@given(
    st.floats(1, 3600), st.floats(1, 7200), st.integers(0, 1000), st.floats(0, 0.999), st.none() | st.floats(0, 3600),
    st.sampled_from(["", "gone", "host_backoff", "timeout"]), st.booleans(), st.booleans(), st.none() | seconds,
    st.none() | seconds, st.none() | seconds,
)  # fmt: skip
def test_whatever_happens_there_is_a_next_poll_between_the_floor_and_an_hour_or_two(
    floor, ceiling, failures, jitter, retry_after, code, suspect, changed, last, entry_rate, fresh_for
):
    found = next_delay(
        floor, ceiling, failures, jitter=jitter, retry_after=retry_after, code=code, suspect=suspect, changed=changed,
        last=last, entry_rate=entry_rate, fresh_for=fresh_for,
    )  # fmt: skip
    assert max(floor, retry_after or 0) <= found <= max(floor, ceiling, 3600.0) * 1.1


@pytest.mark.parametrize(
    ("written", "floor", "ceiling"),
    [({"every": "15s"}, 15.0, 60.0), ({"every": "15s", "slowest": "15s"}, 15.0, 15.0),
     ({"every": "10s", "slowest": "5m"}, 10.0, 300.0)],
)  # fmt: skip
def test_a_quiet_source_slows_down_to_what_the_settings_say_and_no_further(written, floor, ceiling, tmp_path):
    lines = "".join(f", {key}: {value}" for key, value in written.items())
    path = tmp_path / "monitor.yaml"
    path.write_text(f"version: 1\nsources: {{a: {{url: https://example.org/live{lines}}}}}\n", encoding="utf-8")
    timing = source_plans(load_settings(path, environ={}))["a"].timing
    assert (timing.floor, timing.ceiling) == (floor, ceiling)
    pace = timing.floor
    for _ in range(50):
        pace = next_delay(timing.floor, timing.ceiling, jitter=0.0, last=pace, entry_rate=0.0)
    assert pace == ceiling
