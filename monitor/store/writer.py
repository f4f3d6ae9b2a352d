"""One thread that writes: whatever waits when a transaction begins shares it, and shares its fsync.

Rule: a unit of work sees a connection and nothing else of the store. Each has its own SAVEPOINT: one that fails takes
nothing with it; when the transaction itself fails, all of its units fail and nothing of any is on disk.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from monitor.errors import StateUnusable, StoreUnavailable
from monitor.store.engine import Engines, identity
from monitor.store.translate import in_doubt, translate

T = TypeVar("T")
CLOSING_SECONDS = 10.0
OUTBOX_GREW = "outbox_grew"  # key of Connection.info: set by whoever adds to the outbox


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    work: Callable[[Connection], Any]
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: Any = None
    error: BaseException | None = None


class Writer:
    """Runs units of work, grouped into transactions, in one thread.

    `limit`: how many units may wait before `submit` makes its caller wait too. `group`: the most units of one
    transaction. `on_outbox` is called on the event loop after a transaction that added to the outbox.
    """

    def __init__(self, engines: Engines, *, limit: int, group: int, on_outbox: Callable[[], None]) -> None:
        self._engines = engines
        self._group = group
        self._on_outbox = on_outbox
        self._room = asyncio.Semaphore(limit)
        self._loop = asyncio.get_running_loop()
        self._file = None if engines.place.path is None else identity(engines.place.path)
        self._waiting: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def submit(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returned, once it is on disk.

        Raises what `work` raised, StoreUnavailable or StateUnusable. Work of a caller that is cancelled is not begun
        any more; where it had begun, the caller cannot know whether it was stored, and reads the state again.
        """
        async with self._room:
            future: asyncio.Future[T] = self._loop.create_future()
            job = _Job(work, future)
            with self._wake:
                if self._closing:
                    raise StoreUnavailable("the store is closed", resource=self._engines.place.name)
                self._waiting.append(job)
                self._wake.notify()
            try:
                return await future
            except asyncio.CancelledError:
                with self._wake, suppress(ValueError):
                    self._waiting.remove(job)
                raise

    async def close(self) -> None:
        """Finish what waits, then end the thread. Raises StoreUnavailable when the database keeps it too long."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join, CLOSING_SECONDS)
        if self._thread.is_alive():
            words = f"did not take what was submitted within {CLOSING_SECONDS:.0f} s"
            raise StoreUnavailable(words, resource=self._engines.place.name)

    def _run(self) -> None:
        while jobs := self._next_group():
            outcomes, outbox_grew = self._transact(jobs)
            try:
                self._loop.call_soon_threadsafe(self._deliver, jobs, outcomes, outbox_grew)
            except RuntimeError:  # the loop was closed without closing the store: nobody waits any more
                return

    def _next_group(self) -> list[_Job]:
        with self._wake:
            while not self._waiting and not self._closing:
                self._wake.wait()
            size = min(len(self._waiting), self._group)
            return [self._waiting.popleft() for _ in range(size)]

    def _transact(self, jobs: list[_Job]) -> tuple[list[_Outcome], bool]:
        try:
            self._require_same_file()
            with self._engines.writer.begin() as connection:
                connection.info[OUTBOX_GREW] = False
                outcomes = [self._attempt(connection, job) for job in jobs]
                outbox_grew = bool(connection.info[OUTBOX_GREW])
        except Exception as error:  # noqa: BLE001 - a writer thread that dies would hang every caller
            self._forget_connection(error)
            return [_Outcome(error=self._translated(error)) for _ in jobs], False
        return outcomes, outbox_grew

    def _require_same_file(self) -> None:
        """SQLite goes on writing to a file that was removed, and all of it is lost with the last descriptor."""
        path = self._engines.place.path
        if path is not None and identity(path) != self._file:
            mend = "stop the daemon, put the file back or restore a copy, start again"
            raise StateUnusable("was removed or replaced while it was in use", resource=str(path), mend=mend)

    def _attempt(self, connection: Connection, job: _Job) -> _Outcome:
        _tell(connection, "SAVEPOINT unit")
        try:
            outcome = _Outcome(job.work(connection))
        except Exception as error:
            if in_doubt(error):
                raise
            _tell(connection, "ROLLBACK TO SAVEPOINT unit")
            outcome = _Outcome(error=self._translated(error))
        _tell(connection, "RELEASE SAVEPOINT unit")
        return outcome

    def _forget_connection(self, error: Exception) -> None:
        """Let the next group begin on a fresh connection."""
        try:
            self._engines.writer.dispose()
        except Exception as second:  # noqa: BLE001 - closing a broken connection may fail in any way
            error.add_note(f"closing the connection failed too: {second!r}")

    def _translated(self, error: Exception) -> Exception:
        """Return our error for one caller; each gets its own, because raising adds to its traceback."""
        translated = translate(error, self._engines.place.name)
        if translated is None or translated is error:
            return error
        translated.__cause__ = error
        return translated

    def _deliver(self, jobs: list[_Job], outcomes: list[_Outcome], outbox_grew: bool) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.future.done():
                continue
            if outcome.error is not None:
                job.future.set_exception(outcome.error)
            else:
                job.future.set_result(outcome.value)
        if outbox_grew:
            self._on_outbox()


def _tell(connection: Connection, command: str) -> None:
    """Run a command on the driver's own cursor: `exec_driver_sql` costs thirty times as much."""
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(command)
