"""The outbox's messages → Redis, in order, each in its stream exactly once, through every outage.

Rule: the store is the truth. The relay keeps no cursor: it sends what waits, and whenever the server may have lost
something (a new connection, a new process behind the old address, a gap, now and then) it compares where the streams
end with what the store knows and lets the store send again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.bus.connection import Connection, connect
from monitor.bus.outbox import START, Outbox, Position, StreamKey
from monitor.bus.publisher import DEFAULT_STREAM_LENGTH, Outcome, Publisher, key_of
from monitor.bus.status import StatusChannel
from monitor.bus.verification import compare
from monitor.errors import ServiceUnavailable
from monitor.model import Outgoing
from monitor.wire import Names

BATCH = 200
IDLE_SECONDS = 0.5  # another process may have committed: look without being woken
CHECK_SECONDS = 3.0
CHECK_ALL_SECONDS = 60.0
TOUCHED_SECONDS = 600.0  # how long a stream counts as recently touched
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 15.0
_SETTLED = frozenset({"stored", "known", "other"})


@dataclass(frozen=True, slots=True)
class RelayState:
    """What the relay is doing, for status, logs and health."""

    connected: bool = False
    trouble: str = "not started"  # in words; "" when all is well
    published: int = 0  # messages stored since the start
    repeated: int = 0  # messages that were in their streams already
    conflicts: int = 0  # messages a stream has others for under the same ids: the store went back in time unnoticed
    rewinds: int = 0  # times a stream had lost messages and was sent them again
    blocked: Mapping[StreamKey, str] = field(default_factory=dict)  # streams that take no messages, and why


@dataclass(frozen=True, slots=True)
class Truncated:
    """A stream goes on after a hole: the store no longer keeps what the server lost."""

    key: StreamKey
    after: Position
    first: Position


@dataclass(frozen=True, slots=True)
class RelayEvents:
    """Whom the relay tells what it cannot mend itself."""

    on_state: Callable[[RelayState], None] = lambda state: None
    on_truncated: Callable[[Truncated], None] = lambda hole: None
    # A stream ends after everything the store knows: the store went back in time, and its epoch must rise. Until the
    # store's head is beyond the stream's end, that stream gets nothing: the server would take new messages for old ones.
    on_ahead: Callable[[StreamKey, Position], Awaitable[None]] | None = None


class Relay:
    """Publishes what an outbox holds. Any number may run at once on one outbox; they only cost each other repeats."""

    def __init__(
        self,
        connection: Connection | str,
        outbox: Outbox,
        names: Names | None = None,
        *,
        stream_length: int = DEFAULT_STREAM_LENGTH,
        events: RelayEvents | None = None,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = connect(connection) if isinstance(connection, str) else connection
        self.names = names or Names()
        self.state = RelayState()
        self._outbox = outbox
        self._publisher = Publisher(self.connection, self.names, stream_length=stream_length)
        self._status = StatusChannel(self.connection, self.names, self._facts)
        self._events = events or RelayEvents()
        self._jitter, self._clock = jitter, clock
        self._wake = asyncio.Event()
        self._touched: dict[StreamKey, tuple[float, Position]] = {}
        self._gaps: dict[StreamKey, Position] = {}
        self._forced: dict[StreamKey, Position] = {}
        self._blocked: dict[StreamKey, str] = {}
        self._fruitless: dict[StreamKey, tuple[Position, Position]] = {}  # rewinds that brought nothing: ends of both
        self._server_run = ""
        self._next_check = self._next_full_check = 0.0

    def wake(self) -> None:
        """Say that something was committed."""
        self._wake.set()

    async def publish_status(self, event: Mapping[str, object]) -> bool:
        """Announce a change of state on the status channel; False, and nothing worse, when it could not be told."""
        return await self._status.publish(event)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set; an outage of the server or of the store is waited out."""
        helpers = [asyncio.create_task(self._status.run(stop)), asyncio.create_task(self._wake_at(stop))]
        pause = FIRST_PAUSE
        try:
            while not stop.is_set():
                try:
                    await self._verify_all()
                    pause = FIRST_PAUSE
                    await self._publish_until(stop)
                except ServiceUnavailable as error:
                    self._note(connected=False, trouble=str(error))
                    self._fruitless.clear()
                    await self.connection.reset()
                    await self._rest(pause * (0.5 + self._jitter()), stop)
                    pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def drain(self) -> int:
        """Publish everything that waits, once, and return how many messages that were.

        Raises BusUnavailable or StoreUnavailable. Streams in `state.blocked` still have theirs waiting.
        """
        before = self.state.published
        await self._verify_all()
        while await self._step():
            pass
        return self.state.published - before

    async def aclose(self) -> None:
        """Close the connection."""
        await self.connection.aclose()

    async def _publish_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._wake.clear()
            moved = await self._step()
            if self._clock() >= self._next_check:
                await self._check()
            if not moved:
                await self._rest(IDLE_SECONDS, stop, wakeable=True)

    async def _step(self) -> bool:
        """Publish one batch; return whether there may be more to do at once."""
        rows = await self._next_rows()
        if not rows:
            return False
        outcomes = await self._publisher.publish(rows, self._forced)
        done = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome.kind in _SETTLED]
        if done:
            await self._outbox.mark_published(done)
        count = Counter(outcome.kind for outcome in outcomes)
        self.state = replace(
            self.state,
            published=self.state.published + count["stored"],
            repeated=self.state.repeated + count["known"],
            conflicts=self.state.conflicts + count["other"],
        )
        await self._learn(rows, outcomes)
        return True

    async def _next_rows(self) -> list[Outgoing]:
        waiting = await self._outbox.pending(BATCH, tuple(self._blocked))
        # Deltas before the alerts about them; within a stream in its order.
        return sorted(waiting, key=lambda row: (row.topic == "alerts", row.source_id, row.epoch, row.sequence))

    async def _learn(self, rows: Sequence[Outgoing], outcomes: Sequence[Outcome]) -> None:
        now = self._clock()
        gaps: dict[StreamKey, Position] = {}
        for row, outcome in zip(rows, outcomes, strict=True):
            key, place = key_of(row), Position(row.epoch, row.sequence)
            if outcome.kind in _SETTLED:
                self._touched[key] = (now, place)
                self._gaps.pop(key, None)
                self._fruitless.pop(key, None)
                if (after := self._forced.pop(key, None)) is not None:
                    self._events.on_truncated(Truncated(key, after, place))
            elif outcome.kind == "gap" and outcome.top is not None:
                gaps.setdefault(key, outcome.top)
            else:
                self._block(key, outcome.words)
        for key, top in gaps.items():
            await self._close_gap(key, top)

    async def _close_gap(self, key: StreamKey, top: Position) -> None:
        if self._gaps.get(key) == top:  # sent again already, and still a hole: the store does not keep that far back
            self._forced[key] = top
            return
        self._gaps[key] = top
        self._publisher.forget()
        await self._rewind(key, top)

    async def _rewind(self, key: StreamKey, top: Position) -> int:
        count = await self._outbox.rewind(*key, *top)
        if count:
            self.state = replace(self.state, rewinds=self.state.rewinds + 1)
        return count

    async def _check(self) -> None:
        """Notice what nobody tells: another process behind the address, an emptied server, a stream that is free again."""
        now = self._clock()
        self._next_check = now + CHECK_SECONDS
        if now >= self._next_full_check or await self._run_of_server() != self._server_run:
            await self._verify_all()
            return
        self._touched = {key: seen for key, seen in self._touched.items() if now - seen[0] < TOUCHED_SECONDS}
        tops = await self._publisher.tops(list(self._touched))
        for key, top in compare(tops, {key: place for key, (_, place) in self._touched.items()}).behind:
            self._publisher.forget()
            await self._rewind(key, top)

    async def _verify_all(self) -> None:
        """Compare every stream with the store, on a connection that is known to work."""
        await self.connection.check()
        self._publisher.forget()
        run = await self._run_of_server()
        tops = await self._publisher.tops(list(await self._heads()))
        heads = await self._heads()
        comparison = compare(tops, heads)
        fruitless = self._fruitless if run and run == self._server_run else {}
        # A source without a message in the present epoch stays behind; its store is not asked again for nothing.
        self._fruitless = {
            key: (top, heads[key])
            for key, top in comparison.behind
            if fruitless.get(key) == (top, heads[key]) or not (await self._rewind(key, top) or heads[key].sequence)
        }
        self._server_run = run
        self._blocked.clear()
        for key, top in (await self._resolved(dict(comparison.ahead), heads)).items():
            self._block(key, f"the stream ends at {top}, after everything the store knows")
        now = self._clock()
        self._next_check = now + CHECK_SECONDS
        # A stream held up is looked at again soon: its store may have moved on, its key may have been cleared.
        self._next_full_check = now + (CHECK_SECONDS if self._blocked else CHECK_ALL_SECONDS)
        self._note(connected=True, trouble=next(iter(self._blocked.values()), ""))

    async def _resolved(
        self, ahead: dict[StreamKey, Position], heads: Mapping[StreamKey, Position]
    ) -> dict[StreamKey, Position]:
        """Tell of streams that end after the store until the epoch has risen above them; return those that still do."""
        while ahead and self._events.on_ahead is not None:
            key, top = next(iter(ahead.items()))
            before = heads.get(key, START)
            await self._events.on_ahead(key, top)
            heads = await self._heads()
            if heads.get(key, START) == before:
                break
            ahead = dict(compare(ahead, heads).ahead)
        return ahead

    async def _heads(self) -> dict[StreamKey, Position]:
        return {StreamKey(*key): Position(*head) for key, head in (await self._outbox.heads()).items()}

    async def _run_of_server(self) -> str:
        if self.connection.is_cluster:
            return ""
        about = await self.connection.command("INFO", "server")
        return str(about.get("run_id", "")) if isinstance(about, dict) else ""

    def _block(self, key: StreamKey, words: str) -> None:
        self._blocked[key] = words
        self._next_full_check = min(self._next_full_check, self._clock() + CHECK_SECONDS)
        where = "the alerts" if key.topic == "alerts" else f"the deltas of {key.source_id}"
        self._note(connected=True, trouble=f"{where} wait: {words}")

    def _note(self, *, connected: bool, trouble: str) -> None:
        changed = (connected, trouble) != (self.state.connected, self.state.trouble)
        self.state = replace(self.state, connected=connected, trouble=trouble, blocked=dict(self._blocked))
        if changed:
            self._events.on_state(self.state)

    def _facts(self) -> dict[str, object]:
        return {"published": self.state.published, "blocked": len(self._blocked)}

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _rest(self, seconds: float, stop: asyncio.Event, *, wakeable: bool = False) -> None:
        try:
            await asyncio.wait_for((self._wake if wakeable else stop).wait(), seconds)
        except TimeoutError:
            return
