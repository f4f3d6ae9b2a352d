"""Sources are polled when they are due, one at a time each, whatever the wall clock does."""

import asyncio
import time

import pytest

from monitor.daemon.schedule import Clock, DueSources, Schedule


def test_sources_come_out_when_due_longest_due_first():
    due = DueSources()
    due.set("late", 3.0)
    due.set("early", 1.0)
    due.set("middle", 2.0)
    assert [name for name, _ in due.take(2.5, 10)] == ["early", "middle"]
    assert due.take(2.5, 10) == []


def test_a_source_set_again_is_due_at_the_new_time_only():
    due = DueSources()
    due.set("a", 1.0)
    due.set("a", 5.0)
    assert due.take(2.0, 10) == []
    assert due.take(5.0, 10) == [("a", 5.0)]


def test_no_more_than_the_limit_start_at_once():
    due = DueSources()
    for number in range(10):
        due.set(f"s{number}", 0.0)
    assert len(due.take(1.0, 4)) == 4
    assert len(due) == 6


def test_a_forgotten_source_never_comes_out():
    due = DueSources()
    due.set("a", 1.0)
    due.forget("a")
    assert due.take(9.0, 10) == []


async def run_schedule(poll, sources, enough, clock=None):
    """Run until `enough()` is true, and a little longer."""
    schedule = Schedule(poll, clock=clock or Clock())
    for source in sources:
        schedule.add(source, 0.0)
    schedule.start()
    async with asyncio.timeout(30):
        while not enough():
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.15)
    await schedule.stop(1.0)
    return schedule


async def test_a_source_is_polled_again_after_the_delay_its_poll_returned():
    polls = []

    async def poll(source_id):
        polls.append(time.monotonic())
        return 0.2

    await run_schedule(poll, ["a"], lambda: len(polls) >= 3)
    gaps = [after - before for before, after in zip(polls, polls[1:], strict=False)]
    assert min(gaps) >= 0.2


async def test_a_source_is_never_polled_twice_at_once():
    done = running = most = 0

    async def poll(source_id):
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.2)
        running -= 1
        done += 1
        return 0.0

    await run_schedule(poll, ["a"], lambda: done >= 3)
    assert most == 1


async def test_a_source_that_hangs_does_not_hold_up_the_others():
    polls = []

    async def poll(source_id):
        if source_id == "hangs":
            await asyncio.sleep(60)
        polls.append(source_id)
        return 0.05

    await run_schedule(poll, ["hangs", "b"], lambda: polls.count("b") >= 3)
    assert "hangs" not in polls


async def test_a_source_without_a_next_time_is_polled_no_more():
    polls = []

    async def poll(source_id):
        polls.append(source_id)

    await run_schedule(poll, ["a"], lambda: len(polls) >= 1)
    assert polls == ["a"]


async def test_a_bug_met_in_one_poll_does_not_end_the_polling_of_others():
    polls = []

    async def poll(source_id):
        if source_id == "broken":
            raise ValueError("a bug")
        polls.append(source_id)
        return 0.05

    await run_schedule(poll, ["broken", "b"], lambda: len(polls) >= 3)


class SteppingClock:
    """The real clock, whose wall can be moved."""

    def __init__(self):
        self.offset = 0.0
        self.clock = Clock(wall=lambda: time.time() + self.offset)


@pytest.mark.parametrize("hours", [-1, 1], ids=["back", "on"])
async def test_polling_goes_on_when_the_wall_clock_steps_an_hour(monkeypatch, hours):
    # APScheduler reads the wall through datetime.now in its own module: move that one and ours together.
    import datetime as real

    from apscheduler.schedulers import base

    stepping = SteppingClock()

    class Moved(real.datetime):
        @classmethod
        def now(cls, tz=None):
            return real.datetime.fromtimestamp(time.time() + stepping.offset, tz)

    monkeypatch.setattr(base, "datetime", Moved)
    ticks = []

    async def poll(source_id):
        ticks.append(time.monotonic())
        return 0.05

    schedule = Schedule(poll, clock=stepping.clock)
    schedule.add("a", 0.0)
    schedule.start()

    async def more_ticks():
        before = len(ticks)
        async with asyncio.timeout(20):
            while len(ticks) < before + 3:
                await asyncio.sleep(0.01)

    await more_ticks()
    stepping.offset = 3600.0 * hours
    async with asyncio.timeout(20):
        while schedule.jumps == 0:
            await asyncio.sleep(0.01)
    await more_ticks()
    await schedule.stop(1.0)
    assert schedule.jumps == 1
