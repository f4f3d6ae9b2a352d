"""A poll's outcome becomes the source's state."""

from datetime import UTC, datetime, timedelta

from monitor.daemon.polled import Outcome, Timing, asked_at, comes_late
from monitor.daemon.polled import after_poll as decide
from monitor.fetch import FetchFailed, Fresh, NotModified
from monitor.model import Document, Snapshot, Verdict, VerdictKind
from monitor.store import PollState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
OK = Verdict(VerdictKind.OK)
UNCHANGED = Verdict(VerdictKind.UNCHANGED)
WALL = Verdict(VerdictKind.SUSPECT, "a challenge page", "challenge")


TIMING = Timing(15.0, 60.0)


def after_poll(state, outcome, now, timing=TIMING):
    return decide(state, outcome, timing, now=now, jitter=0.0)


def fresh(etag='"a"', moved_to=None):
    return Fresh(Document(b"", NOW), etag=etag, last_modified=None, body_hash="h", moved_to=moved_to)


def good(state=None, now=NOW, **answer):
    return after_poll(state or PollState(), Outcome(OK, fresh(**answer), Snapshot((), "feed", now)), now)


def test_validators_are_kept_from_a_body_that_was_believed():
    state = good()
    assert (state.etag, state.body_hash, state.kind, state.failures) == ('"a"', "h", "feed", 0)


def test_validators_of_a_challenge_page_are_never_kept():
    state = after_poll(good(), Outcome(WALL, fresh(etag='"wall"')), LATER)
    assert state.etag == '"a"'


def test_failures_are_counted_and_the_first_one_is_remembered():
    failing = after_poll(good(), Outcome(WALL, fresh()), LATER)
    again = after_poll(failing, Outcome(WALL, fresh()), LATER + timedelta(minutes=1))
    assert again.failures == 2
    assert again.since == LATER
    assert again.last_ok_at == NOW


def test_another_reason_begins_another_time():
    failing = after_poll(good(), Outcome(WALL, fresh()), LATER)
    other = FetchFailed(Verdict(VerdictKind.FAILED, "no such host", "dns"))
    after = after_poll(failing, Outcome(other.verdict, other), LATER + timedelta(minutes=5))
    assert after.since == LATER + timedelta(minutes=5)


def test_a_source_that_is_back_is_good_since_then():
    failing = after_poll(good(), Outcome(WALL, fresh()), LATER)
    back = good(failing, now=LATER + timedelta(minutes=1))
    assert (back.failures, back.since) == (0, LATER + timedelta(minutes=1))


def test_unchanged_after_ok_is_the_same_good_state():
    state = after_poll(good(), Outcome(UNCHANGED, NotModified()), LATER)
    assert (state.since, state.last_ok_at, state.etag) == (NOW, LATER, '"a"')


def test_a_permanent_redirect_is_kept_after_three_sightings_in_a_row():
    state = PollState()
    for _ in range(3):
        state = good(state, moved_to="https://new.example/")
    assert (state.moved_to, state.moved_seen) == ("https://new.example/", 3)


def test_a_redirect_that_stops_in_between_is_forgotten():
    state = good(good(), moved_to="https://new.example/")
    assert good(state).moved_to is None


def test_a_source_that_fails_where_it_moved_to_is_asked_at_its_own_address_again():
    state = PollState()
    for _ in range(3):
        state = good(state, moved_to="https://new.example/")
    lost = FetchFailed(Verdict(VerdictKind.FAILED, "no such page", "http_404"))
    places = []
    for _ in range(3):
        state = after_poll(state, Outcome(lost.verdict, lost), LATER)
        places.append(state.moved_to)
    assert places == ["https://new.example/", "https://new.example/", None]
    assert (state.etag, state.body_hash) == (None, None)


def test_a_feeds_ttl_slows_its_next_poll_a_little():
    quiet = PollState(entry_rate=0.0, interval=15.0)
    asked = Snapshot((), "feed", NOW, ttl=3600)
    assert after_poll(quiet, Outcome(OK, fresh(), asked), NOW).interval == 60.0


def test_the_next_poll_is_an_interval_after_a_good_one():
    assert good().next_poll_at == NOW + timedelta(seconds=15)


def test_a_cron_expression_takes_the_place_of_the_interval():
    cron = Timing(15.0, 60.0, cron="30 14 * * *", timezone="Europe/Berlin")
    state = after_poll(PollState(), Outcome(OK, fresh(), Snapshot((), "feed", NOW)), NOW, cron)
    assert state.next_poll_at == datetime(2026, 3, 1, 13, 30, tzinfo=UTC)


def test_a_deferred_poll_says_nothing_of_the_source():
    busy = FetchFailed(Verdict(VerdictKind.FAILED, "too many wait", "host_busy"), retry_after=30.0)
    state = after_poll(good(), Outcome(busy.verdict, busy), LATER)
    assert (state.verdict_kind, state.failures, state.last_poll_at) == ("ok", 0, NOW)
    assert state.next_poll_at == LATER + timedelta(seconds=30)


def test_another_address_of_the_same_source_is_asked_without_what_was_learned_from_the_old_one():
    learned = PollState(asked="https://a/", etag='"1"', body_hash="h", moved_to="https://b/", moved_seen=3, failures=2)
    assert asked_at(learned, "https://a/") == learned
    fresh = asked_at(learned, "https://c/")
    assert (fresh.asked, fresh.etag, fresh.body_hash, fresh.moved_to, fresh.moved_seen) == (
        "https://c/",
        None,
        None,
        None,
        0,
    )
    assert fresh.failures == 2


HOUR = timedelta(hours=1)


def late(*, now, silent_for, timing=TIMING):
    return comes_late(good(), timing, now=now, silent_for=silent_for)


def test_news_after_an_hour_without_a_good_poll_comes_late():
    assert late(now=NOW + HOUR, silent_for=3600.0)


def test_a_clock_set_forward_an_hour_is_no_outage():
    assert not late(now=NOW + HOUR, silent_for=15.0)


def test_a_clock_set_back_an_hour_hides_no_outage():
    assert late(now=NOW, silent_for=3600.0)


def test_after_a_restart_the_wall_clock_tells_how_long_nobody_looked():
    assert late(now=NOW + HOUR, silent_for=None)
    assert not late(now=NOW + timedelta(minutes=5), silent_for=None)


def test_the_own_pace_of_a_quiet_source_is_no_outage():
    assert not late(now=NOW + HOUR, silent_for=3600.0, timing=Timing(15.0, 7200.0))


def test_what_a_first_poll_finds_does_not_come_late():
    assert not comes_late(PollState(), TIMING, now=NOW, silent_for=None)
