"""Whether the daemon itself is well: what health, metrics, the service manager and the operators are told.

Rule: looks and tells; changes nothing. What it tells comes from the last look, so nobody who asks waits for the database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

from monitor.daemon.metrics import Metrics
from monitor.daemon.poll import PollResult
from monitor.daemon.polled import GOOD
from monitor.daemon.report import Report
from monitor.daemon.troubles import Troubles, present_troubles
from monitor.errors import MonitorError

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
STALLED_SECONDS = 5.0  # without a tick of the schedule: the loop hangs or the scheduler is dead
# Codes of polls that reached nobody. When every source fails so, the trouble is ours: asking sooner costs no publisher.
NOBODY_REACHED = ("dns", "connect", "connect_timeout", "proxy")
PROBE_SECONDS = 30.0  # while nobody is reached, one source is asked so often: the way back is seen soon
# Codes of polls whose result the store did not take (see `Poller.poll`).
NOT_STORED = ("StoreUnavailable", "StateUnusable")

Say = Callable[[str, str, str], Awaitable[bool]]  # key, headline, words → whether anybody could be told


@dataclass(frozen=True, slots=True)
class Parts:
    """The running parts that are looked at."""

    report: Callable[[], Awaitable[Report]]
    last_tick: Callable[[], float]  # monotonic
    bus_trouble: Callable[[], str]  # in words; "" while the server takes messages
    hurry: Callable[[Iterable[str]], None]  # poll these soon
    figures: Callable[[], Mapping[str, float]]  # of relay, parser and clock, by metric name
    announce: Callable[[Mapping[str, object]], Awaitable[bool]]  # on the status channel
    say: Say  # to the operators
    store_trouble: Callable[[], str] = str  # in words; "" while the store takes what is written
    write_down: Callable[[tuple[str, ...]], None] = lambda troubles: None  # for other commands to read


class Vitals:
    """Looks every few seconds, and tells each trouble once when it begins and once when it ends."""

    def __init__(self, parts: Parts, metrics: Metrics, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.metrics = metrics
        self._parts = parts
        self._monotonic = monotonic
        self._store_trouble = ""
        self._unstored: dict[str, str] = {}  # source → why the store did not take its last poll
        self._logged: tuple[str, ...] | None = None
        self._written: tuple[str, ...] | None = None
        self._telling: set[asyncio.Task[bool]] = set()
        self._good: dict[str, bool] = {}
        self._codes: dict[str, str] = {}  # of the last poll
        self._probed_at = 0.0
        self._troubles = Troubles()

    def alive(self) -> tuple[str, ...]:
        """Return why the process should be started anew."""
        stalled = self._monotonic() - self._parts.last_tick()
        return (f"no tick of the schedule for {stalled:.0f} s",) if stalled > STALLED_SECONDS else ()

    def ready(self) -> tuple[str, ...]:
        """Return what keeps the daemon from doing all of its work."""
        unstored = next(iter(self._unstored.values()), "")
        store = self._store_trouble or self._parts.store_trouble() or unstored
        named = (("store", store), ("redis", self._parts.bus_trouble()))
        return (*self.alive(), *(f"{name}: {words}" for name, words in named if words))

    def well(self) -> bool:
        """Whether someone far away may be told that all is well: nothing is in the way of the work, and we are not blind."""
        return not self.ready() and not self._troubles.is_told("blind")

    async def polled(self, result: PollResult, seconds: float) -> None:
        """Take note of a poll; a source that began to fail, or is back, is announced once."""
        self.metrics.polled(result, seconds)
        if result.deferred:
            return
        if result.verdict.code in NOT_STORED:  # the source is not to blame, nor said to be
            self._unstored[result.source_id] = result.verdict.reason
            return
        self._unstored.pop(result.source_id, None)
        good = result.verdict.kind in GOOD
        cut_off = self._cut_off()
        self._codes[result.source_id] = result.verdict.code
        if good and cut_off:
            self._parts.hurry(cut_off)
        if self._good.get(result.source_id, True) == good:
            self._good[result.source_id] = good
            return
        self._good[result.source_id] = good
        tell = log.info if good else log.warning
        tell("source_back" if good else "source_failing", source=result.source_id, reason=result.verdict.reason)
        state = "ok" if good else result.verdict.kind.value
        self._announce({"source": result.source_id, "state": state, "reason": result.verdict.reason})

    async def look(self) -> None:
        """See how everything stands."""
        try:
            report = await self._parts.report()
            self._store_trouble = ""
        except MonitorError as error:
            self._store_trouble = str(error)
            return
        finally:
            self._write_down()
        self._keep_only({source.id for source in report.sources})
        self._probe()
        self.metrics.stands(report)
        self.metrics.takes(self._parts.figures(), redis_up=not self._parts.bus_trouble())
        await self._tell_operators(report)

    def _announce(self, event: Mapping[str, object]) -> None:
        """Tell on the status channel without waiting for it: a server that hangs must not hold up a poll."""
        task = asyncio.ensure_future(self._parts.announce(event))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _write_down(self) -> None:
        troubles = self.ready()
        changed, self._logged = troubles != self._logged, troubles
        if changed:
            log.warning("not_ready", reasons=troubles) if troubles else log.info("ready")
        if troubles == self._written:
            return
        try:
            self._parts.write_down(troubles)
            self._written = troubles
        except MonitorError as error:  # tried again at the next look, and told of once
            if changed:
                log.warning("troubles_not_written", error=str(error))

    def _cut_off(self) -> tuple[str, ...]:
        """Return the sources whose polls reached nobody, if that is all of them."""
        lost = tuple(id_ for id_, code in self._codes.items() if code in NOBODY_REACHED)
        return lost if len(lost) == len(self._codes) else ()

    def _probe(self) -> None:
        cut_off, now = self._cut_off(), self._monotonic()
        if cut_off and now - self._probed_at >= PROBE_SECONDS:
            self._probed_at = now
            self._parts.hurry(cut_off[:1])
            self._codes[cut_off[0]] = self._codes.pop(cut_off[0])  # another one next time

    def _keep_only(self, sources: Collection[str]) -> None:
        for gone in self._codes.keys() - sources:
            del self._codes[gone]
            self._good.pop(gone, None)

    async def _tell_operators(self, report: Report) -> None:
        present = present_troubles(report, self._parts.bus_trouble())
        for word in self._troubles.due(present, self._monotonic()):
            try:
                await self._parts.say(f"{word.key} {word.over} {int(report.at.timestamp())}", word.headline, word.words)
            except MonitorError as error:  # said at a later look
                log.warning("operators_not_told", about=word.headline, error=str(error))
            else:
                self._troubles.told(word)
