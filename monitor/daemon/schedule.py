"""When each source is polled: a 50 ms APScheduler tick starts what is due, and its triggers say when next.

Rule: due times are monotonic, so a wall clock that jumps moves no poll. APScheduler itself thinks in wall time and is
silent for an hour after the clock steps back an hour (measured with 3.11.3); the clock guard shifts its jobs with it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

TICK_SECONDS = 0.05  # about half a per cent of a core; a poll starts 25 ms late at the median
GUARD_SECONDS = 0.5
JUMP_SECONDS = 1.0  # a smaller step of the clock is left alone: slewing and rounding
HURRY_SECONDS = 5.0  # over which hurried polls are spread
AFTER_A_BUG_SECONDS = 60.0
STARTS_PER_TICK = 50  # spreads a herd (a resumed machine, a reload) over seconds instead of stalling the loop

log = structlog.get_logger(__name__)


def since_boot() -> float:
    """Return seconds on a clock that nobody sets and that counts a machine's sleep, where the system has one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time comes from; tests hand in another."""

    monotonic: Callable[[], float] = time.monotonic
    boottime: Callable[[], float] = since_boot
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = random.random  # 0 to 1, for jitter and spreading

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""
        return datetime.fromtimestamp(self.wall(), UTC)


class DueSources:
    """A heap of sources by due time. No IO: time comes in as an argument."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str]] = []
        self._due: dict[str, float] = {}
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._due)

    def set(self, source_id: str, due: float) -> None:
        """Make a source due at a monotonic time, in place of any earlier setting."""
        self._due[source_id] = due
        heapq.heappush(self._heap, (due, next(self._order), source_id))

    def forget(self, source_id: str) -> None:
        """Take a source out."""
        self._due.pop(source_id, None)

    def due_at(self, source_id: str) -> float | None:
        """Return when a source is due, None while it is being polled or unknown."""
        return self._due.get(source_id)

    def take(self, now: float, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` sources due at `now` and when each was, longest due first, and take them out."""
        taken: list[tuple[str, float]] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < limit:
            due, _, source_id = heapq.heappop(self._heap)
            if self._due.get(source_id) == due:
                del self._due[source_id]
                taken.append((source_id, due))
        return taken


class Schedule:
    """Starts polls when they are due, one at a time for each source, and runs housekeeping jobs."""

    def __init__(
        self,
        poll: Callable[[str], Awaitable[float | None]],
        *,
        clock: Clock,
        on_start: Callable[[float], None] = lambda lateness: None,
    ) -> None:
        """`poll` polls one source and returns the seconds until its next poll, None to poll it no more.

        `on_start` hears with each poll how many seconds after its due time it starts.
        """
        self._poll = poll
        self._clock = clock
        self._on_start = on_start
        self._due = DueSources()
        self._wanted: set[str] = set()
        self._polling: dict[str, asyncio.Task[None]] = {}
        self._housekeeping: set[asyncio.Task[Any]] = set()
        self._offset = clock.wall() - clock.monotonic()
        self._jobs = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
        self.jumps = 0
        self.started = 0
        self.last_tick = clock.monotonic()

    def add(self, source_id: str, delay: float) -> None:
        """Poll a source for the first time in `delay` seconds."""
        self._wanted.add(source_id)
        self._due.set(source_id, self._clock.monotonic() + delay)

    def remove(self, source_id: str) -> None:
        """Poll a source no more; a poll under way ends by itself."""
        self._wanted.discard(source_id)
        self._due.forget(source_id)

    def hurry(self, source_ids: Iterable[str]) -> None:
        """Poll these within some seconds, however long they were to wait; those being polled and unknown ones are let be."""
        for source_id in source_ids:
            if source_id in self._wanted and (waits := self.seconds_until(source_id)) is not None:
                self.add(source_id, min(waits, self._clock.random() * HURRY_SECONDS))

    def seconds_until(self, source_id: str) -> float | None:
        """Return how long until a source is polled, None while it is being polled."""
        due = self._due.due_at(source_id)
        return None if due is None else due - self._clock.monotonic()

    def every(self, seconds: float, job: Callable[[], Awaitable[Any]], name: str) -> None:
        """Run a housekeeping job every so many seconds, never twice at once."""

        async def tracked() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._housekeeping.add(task)
            try:
                await job()
            finally:
                self._housekeeping.discard(task)

        self._jobs.add_job(tracked, "interval", seconds=seconds, id=name, max_instances=1)

    def start(self) -> None:
        """Begin ticking."""
        self._jobs.add_job(self._tick, "interval", seconds=TICK_SECONDS, id="tick", max_instances=1)
        self._jobs.start()
        self._guard_task = asyncio.create_task(self._guard(), name="clock-guard")

    async def stop(self, patience: float) -> None:
        """Start nothing more, give polls and housekeeping under way `patience` seconds, then cancel them."""
        self._wanted.clear()
        self._guard_task.cancel()
        await asyncio.gather(self._guard_task, return_exceptions=True)
        self._jobs.pause()
        if self._housekeeping:  # a flush that is cancelled loses what it took, and APScheduler tells it as a crash
            await asyncio.wait(self._housekeeping, timeout=patience)
        self._jobs.shutdown(wait=False)
        running = list(self._polling.values())
        if running:
            _, late = await asyncio.wait(running, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _tick(self) -> None:
        now = self._clock.monotonic()
        self.last_tick = now
        for source_id, due in self._due.take(now, STARTS_PER_TICK):
            if source_id not in self._polling:
                self.started += 1
                self._on_start(now - due)
                self._polling[source_id] = asyncio.create_task(self._poll_once(source_id), name=f"poll {source_id}")

    async def _poll_once(self, source_id: str) -> None:
        delay: float | None = AFTER_A_BUG_SECONDS
        try:
            delay = await self._poll(source_id)
        except Exception:
            log.exception("poll_raised", source=source_id)
        finally:
            self._polling.pop(source_id, None)
            if source_id in self._wanted and delay is not None:
                self._due.set(source_id, self._clock.monotonic() + delay)

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(GUARD_SECONDS)
            offset = self._clock.wall() - self._clock.monotonic()
            jump = offset - self._offset
            if abs(jump) >= JUMP_SECONDS:
                self.jumps += 1
                self._offset = offset
                log.warning("clock_jumped", seconds=round(jump, 3))
                self._shift_jobs(timedelta(seconds=jump))

    def _shift_jobs(self, jump: timedelta) -> None:
        """Move the jobs with the clock, none further away than its interval.

        After a step forward APScheduler has run what it took for overdue and timed it anew before we look; moving such a
        job by the whole jump would silence it for that long.
        """
        now = self._clock.now()
        for job in self._jobs.get_jobs():
            if job.next_run_time is not None:
                self._jobs.modify_job(job.id, next_run_time=min(job.next_run_time + jump, now + job.trigger.interval))
