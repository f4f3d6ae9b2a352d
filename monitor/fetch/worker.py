"""The parent's side of parsing: documents go to processes that can be killed at a deadline.

Rule: no document of a stranger is parsed in the daemon's process; whatever a parse does, its source gets a reading
within the deadline and the other sources get theirs.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import xxhash

from monitor.fetch import quarantine
from monitor.fetch.frames import Order
from monitor.fetch.pool import ProcessPool
from monitor.fetch.process import ParseProcess, ProcessLostError, ProcessSpec
from monitor.model import Document, Reading, ReadOptions, Verdict, VerdictKind

_MAX_REMEMBERED = 16_384  # sources
_LARGE = 1 << 20  # bytes; live blogs and feeds are a tenth of it and less


@dataclass(frozen=True, slots=True)
class ParseWorkerSettings:
    """How parsing is bounded. Times in seconds, sizes in bytes."""

    processes: int = 2
    spare: int = 4  # more of them while some are busy for long
    cpu_seconds: int = 5  # processor time a document
    deadline: float = 15.0  # wall clock, from when a process takes it: more, for a machine with other work
    address_space: int = 512 << 20
    start_deadline: float = 30.0  # for a process to be ready
    # A parse that takes longer is replaced in the pool; one of more processor time sends its source to the slow lane.
    slow: float = 0.5
    strikes: int = 3  # lost processes after which the same bytes of a source are not tried again
    quarantine: Path | None = None  # directory that keeps documents which broke a parser, 20 MB at most
    reader: str = "monitor.sources:read"  # module:function run on each document

    def spec(self) -> ProcessSpec:
        """Return how one process is started and bounded."""
        return ProcessSpec(self.reader, self.address_space, self.cpu_seconds, self.deadline, self.start_deadline)


class ParseWorker:
    """Reads documents in child processes, started when first needed.

    Sources whose last parse was slow or lost, and large documents of sources not known yet, share one process of their
    own: they wait for each other, nobody else does.
    """

    def __init__(self, settings: ParseWorkerSettings | None = None) -> None:
        self._settings = settings or ParseWorkerSettings()
        spec = self._settings.spec()

        def create() -> ParseProcess:
            return ParseProcess(spec)

        size, spare, slow = self._settings.processes, self._settings.spare, self._settings.slow
        self._usual = ProcessPool(create, size=size, spare=spare, slow_after=slow)
        self._slow_lane = ProcessPool(create, size=1, slow_after=slow)
        self._slow: OrderedDict[str, bool] = OrderedDict()  # source → whether its last parse was slow
        self._strikes: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self.losses: Counter[str] = Counter()  # documents that broke their parser so far, by code of the verdict

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._usual.close()
        await self._slow_lane.close()

    @property
    def confined(self) -> bool | None:
        """Whether the kernel keeps parsers from network, programs and files; None until a process was started."""
        processes = [*self._usual.processes, *self._slow_lane.processes]
        known = [process.confined for process in processes if process.confined is not None]
        return all(known) if known else None

    @property
    def kills(self) -> int:
        """How many documents broke their parser so far."""
        return self.losses.total()

    async def read(self, source_id: str, document: Document, options: ReadOptions) -> Reading:
        """Return what the adapters make of `document`.

        A parse that is lost (deadline, memory, crash) is a failed reading with the code `parse_timeout`, `parse_memory`
        or `parse_crash`; the same bytes of the same source are given up after some losses with `parse_skipped`.
        """
        digest = xxhash.xxh3_128_hexdigest(document.body)
        if self._given_up(source_id, digest):
            reason = f"these bytes broke the parser {self._settings.strikes} times; waiting until they change"
            return _failed("parse_skipped", reason)
        # A document is known by its size before it can be known by its time: a dozen large ones at once, as after a
        # start, would hold every process for seconds.
        slow = self._slow.get(source_id, len(document.body) > _LARGE)
        lane = self._slow_lane if slow else self._usual
        async with lane.turn(source_id) as process:
            try:
                await process.ready()
                with lane.watch(process):
                    reading = await process.ask(Order(source_id, document, options))
            except ProcessLostError as lost:
                if lost.code != "parse_unavailable":
                    self.losses[lost.code] += 1
                    self._strike(source_id, digest)
                    if self._settings.quarantine is not None:
                        await asyncio.to_thread(
                            quarantine.keep, self._settings.quarantine, source_id, digest, document.body
                        )
                return _failed(lost.code, lost.reason)
            self._strikes.pop(source_id, None)
            self._mark(source_id, slow=process.cpu_seconds > self._settings.slow)
            return reading

    def _given_up(self, source_id: str, digest: str) -> bool:
        known, strikes = self._strikes.get(source_id, ("", 0))
        return known == digest and strikes >= self._settings.strikes

    def _strike(self, source_id: str, digest: str) -> None:
        known, strikes = self._strikes.get(source_id, ("", 0))
        self._strikes[source_id] = (digest, strikes + 1 if known == digest else 1)
        self._strikes.move_to_end(source_id)
        if len(self._strikes) > _MAX_REMEMBERED:
            self._strikes.popitem(last=False)
        self._mark(source_id, slow=True)

    def _mark(self, source_id: str, *, slow: bool) -> None:
        self._slow[source_id] = slow
        self._slow.move_to_end(source_id)
        if len(self._slow) > _MAX_REMEMBERED:
            self._slow.popitem(last=False)


def _failed(code: str, reason: str) -> Reading:
    return Reading(Verdict(VerdictKind.FAILED, reason, code))
