"""Which parse process serves which document: first come, first served, and nobody waits long for somebody's slow one.

Rule: a process that is busy for long is replaced in the pool, so that those who wait get another one, goes last on the
machine, and leaves when it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator

from monitor.fetch.process import ParseProcess, ProcessLostError

_MAX_HOMES = 16_384  # sources; only a warm parse memory is lost when one is forgotten


class ProcessPool:
    """`size` processes, and up to `spare` more while some are busy for longer than `slow_after` seconds."""

    def __init__(
        self, create: Callable[[], ParseProcess], *, size: int, spare: int = 0, slow_after: float = 0.5
    ) -> None:
        self._create = create
        self._size = size
        self._most = size + spare
        self._slow_after = slow_after
        self.processes = [create() for _ in range(size)]  # none is started before it is needed
        self._idle = list(self.processes)
        self._closed = False
        self._slowed: set[ParseProcess] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._waiting: deque[asyncio.Future[ParseProcess]] = deque()
        self._homes: OrderedDict[str, ParseProcess] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, source_id: str) -> AsyncIterator[ParseProcess]:
        """Wait in line for a process: the one that knows the source while that is free, any other else."""
        process = await self._acquire(source_id)
        try:
            yield process
        finally:
            await self._release(process)

    @contextlib.contextmanager
    def watch(self, process: ParseProcess) -> Iterator[None]:
        """Run a parse of `process` inside: when it turns out slow, the process is replaced and goes last."""
        slow = asyncio.get_running_loop().call_later(self._slow_after, self._replace, process)
        try:
            yield
        finally:
            slow.cancel()

    async def close(self) -> None:
        """End every process, those in the middle of a document included; none is started after it."""
        self._closed = True
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        await asyncio.gather(*(process.kill() for process in self.processes))

    async def _acquire(self, source_id: str) -> ParseProcess:
        home = self._homes.get(source_id)
        if home is not None and home in self._idle:
            self._idle.remove(home)
            process = home
        elif self._idle:
            process = self._idle.pop()
        else:
            process = await self._in_line()
        self._homes[source_id] = process
        self._homes.move_to_end(source_id)
        if len(self._homes) > _MAX_HOMES:
            self._homes.popitem(last=False)
        return process

    async def _in_line(self) -> ParseProcess:
        turn: asyncio.Future[ParseProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # handed over in the moment of the cancellation
                self._hand_over(turn.result())
            raise

    async def _release(self, process: ParseProcess) -> None:
        if process in self._slowed:  # it cannot be made to go first again without privileges
            self._slowed.discard(process)
            await process.kill()
            if len(self.processes) > self._size:
                self.processes.remove(process)
                return
        if process.pid is None and not self._closed:
            self._start(process)
        else:
            self._hand_over(process)

    def _hand_over(self, process: ParseProcess) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(process)
                return
        self._idle.append(process)

    def _replace(self, process: ParseProcess) -> None:
        process.slow_down()
        self._slowed.add(process)
        if len(self.processes) < self._most:
            fresh = self._create()
            self.processes.append(fresh)
            self._start(fresh)

    def _start(self, process: ParseProcess) -> None:
        """Hand a process over when it is ready: who waits for a place may get a warm one before."""
        task = asyncio.create_task(self._started(process))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _started(self, process: ParseProcess) -> None:
        with contextlib.suppress(ProcessLostError):  # whoever gets it tries again and tells
            await process.ready()
        self._hand_over(process)
