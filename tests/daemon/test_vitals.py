"""What the daemon makes of its own state: troubles told once each way, and the way back from being cut off."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.daemon.metrics import Metrics
from monitor.daemon.poll import PollResult
from monitor.daemon.report import Report, source_report
from monitor.daemon.troubles import LASTING_SECONDS
from monitor.daemon.vitals import PROBE_SECONDS, Parts, Vitals
from monitor.errors import StoreUnavailable
from monitor.model import Verdict, VerdictKind
from monitor.store import Backlog, Counts, PollState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OK = Verdict(VerdictKind.OK)
CUT_OFF = Verdict(VerdictKind.FAILED, "no connection", "connect")
REFUSED = Verdict(VerdictKind.FAILED, "HTTP 503", "http_503")


class World:
    def __init__(self, *names):
        self.names, self.time = names, 100.0
        self.hurried, self.said, self.announced, self.written = [], [], [], []
        self.store_trouble = ""
        self.mute = False
        self.states = {}
        self.vitals = Vitals(self.parts(), Metrics(), monotonic=lambda: self.time)

    def parts(self):
        async def report():
            sources = [source_report(name, self.states.get(name, PollState()), Counts(), NOW) for name in self.names]
            return Report(NOW, tuple(sources), Backlog(0), 0)

        async def announce(status):
            self.announced.append((status["source"], status["state"]))
            return True

        async def say(key, headline, words):
            if self.mute:
                raise StoreUnavailable("locked")
            self.said.append(headline)
            return True

        return Parts(
            report=report, last_tick=lambda: self.time, hurry=lambda ids: self.hurried.append(tuple(ids)),
            bus_trouble=lambda: "", figures=lambda: {"published": 0, "kills": 0, "jumps": 0}, announce=announce, say=say,
            store_trouble=lambda: self.store_trouble, write_down=self.written.append,
        )  # fmt: skip

    async def polled(self, verdict, *names):
        for name in names:
            self.states[name] = PollState(
                verdict_kind=verdict.kind.value, reason=verdict.reason, code=verdict.code, since=NOW, last_ok_at=NOW
            )
            await self.vitals.polled(PollResult(name, verdict), 0.1)
        await asyncio.sleep(0)  # announcements go out by themselves


@pytest.fixture
def world():
    return World("a", "b", "c")


async def test_when_everybody_was_out_of_reach_the_first_good_poll_hurries_the_others(world):
    await world.polled(CUT_OFF, "a", "b", "c")
    await world.polled(OK, "b")
    assert world.hurried == [("a", "b", "c")]
    await world.polled(OK, "a", "c")
    assert len(world.hurried) == 1


async def test_sources_that_answered_with_a_refusal_are_left_their_pause(world):
    await world.polled(REFUSED, "a", "b", "c")
    await world.polled(OK, "b")
    assert world.hurried == []


async def test_one_source_out_of_reach_among_good_ones_keeps_its_pause(world):
    await world.polled(OK, "a", "b")
    await world.polled(CUT_OFF, "c")
    await world.polled(OK, "a")
    assert world.hurried == []


async def test_while_nobody_is_reached_one_source_after_the_other_is_tried(world):
    await world.polled(CUT_OFF, "a", "b", "c")
    for _ in range(4):
        await world.vitals.look()
        await world.vitals.look()
        world.time += PROBE_SECONDS
    assert world.hurried == [("a",), ("b",), ("c",), ("a",)]


async def test_a_source_taken_out_of_the_settings_no_longer_counts(world):
    await world.polled(CUT_OFF, "a", "b")
    await world.polled(OK, "c")
    world.names = ("a", "b")
    await world.vitals.look()
    await world.polled(OK, "a")
    assert set(world.hurried[-1]) == {"a", "b"}


async def test_failing_and_back_are_announced_once_each_way(world):
    for verdict in (OK, CUT_OFF, CUT_OFF, OK, OK):
        await world.polled(verdict, "a")
    assert world.announced == [("a", "failed"), ("a", "ok")]


async def test_while_we_are_blind_the_dead_man_switch_is_not_told_that_all_is_well(world):
    await world.polled(OK, "a", "b", "c")
    await world.vitals.look()
    assert world.vitals.well()
    await world.polled(REFUSED, "a", "b", "c")
    await world.vitals.look()
    world.time += LASTING_SECONDS
    await world.vitals.look()
    assert not world.vitals.well()
    await world.polled(OK, "a")
    await world.vitals.look()
    assert world.vitals.well()


async def test_blindness_that_lasts_is_told_to_the_operators_once_each_way(world):
    await world.polled(REFUSED, "a", "b", "c")
    await world.vitals.look()
    assert world.said == []
    for _ in range(3):
        world.time += LASTING_SECONDS
        await world.vitals.look()
    await world.polled(OK, "a")
    await world.vitals.look()
    await world.vitals.look()
    assert world.said == [
        "the monitor is blind: no source can be read",
        "over: the monitor is blind: no source can be read",
    ]


async def test_what_could_not_be_said_is_said_at_a_later_look(world):
    await world.polled(REFUSED, "a", "b", "c")
    await world.vitals.look()
    world.time += LASTING_SECONDS
    world.mute = True
    await world.vitals.look()
    world.mute = False
    await world.vitals.look()
    await world.vitals.look()
    assert world.said == ["the monitor is blind: no source can be read"]


async def test_a_store_that_takes_nothing_is_the_daemons_trouble_and_not_said_of_the_source(world):
    await world.polled(Verdict(VerdictKind.FAILED, "monitor.db: the disk is full", "StoreUnavailable"), "a")
    assert world.vitals.ready() == ("store: monitor.db: the disk is full",)
    assert not world.announced
    await world.polled(OK, "a")
    assert world.vitals.ready() == ()


async def test_what_keeps_the_daemon_from_its_work_is_written_down_when_it_changes(world):
    await world.vitals.look()
    world.store_trouble = "is locked by another process"
    await world.vitals.look()
    await world.vitals.look()
    world.store_trouble = ""
    await world.vitals.look()
    assert world.written == [(), ("store: is locked by another process",), ()]


async def test_a_status_channel_that_hangs_holds_up_no_poll(world):
    never = asyncio.Event()

    async def hangs(status):
        return await never.wait()

    world.vitals = Vitals(replace(world.parts(), announce=hangs), Metrics(), monotonic=lambda: world.time)
    async with asyncio.timeout(5):
        await world.polled(CUT_OFF, "a")
    never.set()
