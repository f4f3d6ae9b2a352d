"""The parent's side of parsing: a pool of processes that can be killed at a deadline.

Rule: no document of a stranger is parsed in the daemon's process; whatever a parse does, its source gets a reading
within the deadline and the other sources get theirs.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import xxhash

from monitor.fetch.frames import Order
from monitor.fetch.process import ParseProcess, ProcessLostError, ProcessSpec
from monitor.model import Document, Reading, ReadOptions, Verdict, VerdictKind

_MAX_REMEMBERED = 16_384  # sources; only hints are lost when one is forgotten


@dataclass(frozen=True, slots=True)
class ParseWorkerSettings:
    """How parsing is bounded. Times in seconds, sizes in bytes."""

    processes: int = 2
    deadline: float = 5.0  # wall clock a document, from when a process takes it
    cpu_seconds: int = 5  # processor time a document
    address_space: int = 512 << 20
    start_deadline: float = 30.0  # for a process to be ready
    strikes: int = 3  # lost processes after which the same bytes of a source are not tried again
    reader: str = "monitor.sources:read"  # module:function run on each document


class ParseWorker:
    """Reads documents in child processes, started when first needed.

    A source goes back to the process that knows it while that is free, because it holds the source's parse memory.
    """

    def __init__(self, settings: ParseWorkerSettings | None = None) -> None:
        self._settings = settings or ParseWorkerSettings()
        spec = ProcessSpec(
            self._settings.reader,
            self._settings.address_space,
            self._settings.cpu_seconds,
            self._settings.deadline,
            self._settings.start_deadline,
        )
        self._processes = [ParseProcess(spec) for _ in range(self._settings.processes)]
        self._idle = list(self._processes)
        self._waiting: deque[asyncio.Future[ParseProcess]] = deque()
        self._homes: OrderedDict[str, ParseProcess] = OrderedDict()
        self._strikes: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self.kills = 0  # processes lost to a document so far

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(process.kill() for process in self._processes))

    @property
    def confined(self) -> bool | None:
        """Whether the kernel keeps parsers from network, programs and files; None until a process was started."""
        known = [process.confined for process in self._processes if process.confined is not None]
        return all(known) if known else None

    async def read(self, source_id: str, document: Document, options: ReadOptions) -> Reading:
        """Return what the adapters make of `document`.

        A parse that is lost (deadline, memory, crash) is a failed reading with the code `parse_timeout`, `parse_memory`
        or `parse_crash`; the same bytes of the same source are given up after some losses with `parse_skipped`.
        """
        digest = xxhash.xxh3_128_hexdigest(document.body)
        if self._given_up(source_id, digest):
            reason = f"these bytes broke the parser {self._settings.strikes} times; waiting until they change"
            return _failed("parse_skipped", reason)
        process = await self._acquire(source_id)
        try:
            reading = await process.ask(Order(source_id, document, options))
        except ProcessLostError as lost:
            if lost.code != "parse_unavailable":
                self.kills += 1
                self._strike(source_id, digest)
            return _failed(lost.code, lost.reason)
        else:
            self._strikes.pop(source_id, None)
            return reading
        finally:
            self._release(process)

    async def _acquire(self, source_id: str) -> ParseProcess:
        """Return a free process, the source's own if possible; wait in line for one otherwise."""
        home = self._homes.get(source_id)
        if home is not None and home in self._idle:
            self._idle.remove(home)
            process = home
        elif self._idle:
            process = self._idle.pop()
        else:
            turn: asyncio.Future[ParseProcess] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                process = await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # handed over in the moment of the cancellation
                    self._release(turn.result())
                raise
        self._homes[source_id] = process
        self._homes.move_to_end(source_id)
        if len(self._homes) > _MAX_REMEMBERED:
            self._homes.popitem(last=False)
        return process

    def _release(self, process: ParseProcess) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(process)
                return
        self._idle.append(process)

    def _given_up(self, source_id: str, digest: str) -> bool:
        known, strikes = self._strikes.get(source_id, ("", 0))
        return known == digest and strikes >= self._settings.strikes

    def _strike(self, source_id: str, digest: str) -> None:
        known, strikes = self._strikes.get(source_id, ("", 0))
        self._strikes[source_id] = (digest, strikes + 1 if known == digest else 1)
        self._strikes.move_to_end(source_id)
        if len(self._strikes) > _MAX_REMEMBERED:
            self._strikes.popitem(last=False)


def _failed(code: str, reason: str) -> Reading:
    return Reading(Verdict(VerdictKind.FAILED, reason, code))
