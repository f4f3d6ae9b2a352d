"""What the operators hear: what lasts, once each way, and many at once as one message."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.daemon.report import Report, source_report
from monitor.daemon.troubles import APART, FAILING_SECONDS, LASTING_SECONDS, Troubles, present_troubles
from monitor.model import VerdictKind
from monitor.store import Backlog, Counts, PollState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Operator:
    """Looks at the same time as the daemon, and hears what it says."""

    def __init__(self):
        self.troubles, self.time, self.heard = Troubles(), 0.0, []

    def look(self, present, later=0.0):
        self.time += later
        for word in self.troubles.due(present, self.time):
            self.troubles.told(word)
            self.heard.append((word.headline, word.words))

    @property
    def headlines(self):
        return [headline for headline, _ in self.heard]


@pytest.fixture
def operator():
    return Operator()


def source(name, kind=VerdictKind.OK, code="", **more):
    poll = PollState(verdict_kind=kind.value, reason=f"HTTP {code}", code=code, since=NOW, last_ok_at=NOW, **more)
    return source_report(name, poll, Counts(), NOW)


def report(*sources, waiting=0):
    return Report(NOW, sources, Backlog(waiting), 0)


def test_one_source_that_fails_for_long_is_told_once_each_way(operator):
    failing = present_troubles(report(source("a", VerdictKind.FAILED, "403"), source("b")), "")
    operator.look(failing)
    operator.look(failing, FAILING_SECONDS - 1)
    assert operator.heard == []
    operator.look(failing, 1)
    operator.look(failing, FAILING_SECONDS)
    operator.look({})
    operator.look({})
    assert operator.headlines == ["source a cannot be read", "over: source a cannot be read"]
    assert "HTTP 403" in operator.heard[0][1]


def test_a_source_that_is_gone_for_good_is_told_of(operator):
    gone = present_troubles(report(source("a", VerdictKind.FAILED, "gone"), source("b")), "")
    operator.look(gone)
    operator.look(gone, FAILING_SECONDS)
    assert operator.headlines == ["source a cannot be read"]


def test_a_short_failure_is_told_to_nobody(operator):
    failing = present_troubles(report(source("a", VerdictKind.FAILED, "503"), source("b")), "")
    for _ in range(3):
        operator.look(failing)
        operator.look({}, FAILING_SECONDS - 1)
    assert operator.heard == []


def test_while_nothing_can_be_read_only_the_blindness_is_told(operator):
    blind = present_troubles(report(source("a", VerdictKind.FAILED, "503"), source("b", VerdictKind.FAILED, "503")), "")
    operator.look(blind)
    operator.look(blind, 2 * FAILING_SECONDS)
    one_back = present_troubles(report(source("a"), source("b", VerdictKind.FAILED, "503")), "")
    operator.look(one_back)
    assert operator.headlines == [
        "the monitor is blind: no source can be read",
        "over: the monitor is blind: no source can be read",
        "source b cannot be read",
    ]


def test_many_that_fail_at_once_are_one_message(operator):
    many = [source(f"s{n}", VerdictKind.FAILED, "503") for n in range(APART + 1)]
    failing = present_troubles(report(*many, source("good")), "")
    operator.look(failing)
    operator.look(failing, FAILING_SECONDS)
    operator.look({})
    assert operator.headlines == ["4 sources cannot be read", "over: 4 sources cannot be read"]
    assert operator.heard[0][1].splitlines()[0].startswith("s0: HTTP 503")
    assert operator.heard[1][1].splitlines() == ["s0", "s1", "s2", "s3"]


def test_a_source_that_fails_is_not_told_of_as_silent(operator):
    habit = {"new_gap": 60.0, "new_seen": 50, "last_new_at": NOW - timedelta(hours=5)}
    failing = source("a", VerdictKind.FAILED, "403", **habit)
    assert set(present_troubles(report(failing, source("b", **habit)), "")) == {"failing a", "silent b"}


def test_a_rebuilt_page_is_told_once_and_by_its_name(operator):
    rebuilt = present_troubles(report(source("a", VerdictKind.SUSPECT, "no_entries"), source("b")), "")
    operator.look(rebuilt)
    operator.look(rebuilt, LASTING_SECONDS)
    operator.look(rebuilt, FAILING_SECONDS)
    assert operator.headlines == ["source a may be incomplete: no_entries"]


def test_deltas_that_wait_for_a_server_in_trouble_are_told(operator):
    stuck = present_troubles(report(source("a"), waiting=7), "connection refused")
    operator.look(stuck)
    operator.look(stuck, LASTING_SECONDS)
    assert operator.heard == [("deltas are not published", "7 deltas wait; redis: connection refused")]
