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
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.bus.connection import Connection, connect
from monitor.bus.outbox import Outbox, Position, StreamKey
from monitor.bus.publisher import DEFAULT_STREAM_LENGTH, Outcome, Publisher, key_of
from monitor.bus.status import StatusChannel
from monitor.bus.trimming import trim_before
from monitor.bus.verification import Verifier
from monitor.errors import BusUnavailable, ServiceUnavailable
from monitor.model import Outgoing
from monitor.wire import Names

BATCH = 500  # messages a round trip; from SQLite a fifth faster than 200, and 1000 gains nothing more
IDLE_SECONDS = 0.5  # another process may have committed: look without being woken
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
_SETTLED = frozenset({"stored", "known"})


@dataclass(frozen=True, slots=True)
class RelayState:
    """What the relay is doing, for status, logs and health."""

    connected: bool = False
    trouble: str = "not started"  # in words; "" when all is well
    published: int = 0  # messages stored since the start
    repeated: int = 0  # messages that were in their streams already
    conflicts: int = 0  # messages a stream had others for under the same ids: they wait for new places
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
    on_warning: Callable[[str], None] = lambda words: None  # about the server, in words
    on_truncated: Callable[[Truncated], None] = lambda hole: None
    # Streams end where they do in what the store did not write: it went back in time, or is not the one they had before.
    # It must begin an epoch after them and give what waits for places taken there new ones. Until it has, they get
    # nothing: the server would take new messages for old ones.
    on_ahead: Callable[[Mapping[StreamKey, Position]], Awaitable[None]] | None = None


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
        self._verifier = Verifier(
            self._publisher,
            outbox,
            on_ahead=self._events.on_ahead,
            on_warning=self._events.on_warning,
            clock=clock,
        )
        self._jitter = jitter
        self._wake = asyncio.Event()
        self._idle = False  # everything that waited is sent
        self._gaps: dict[StreamKey, Position] = {}
        self._forced: dict[StreamKey, Position] = {}

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
                    await self._verify()
                    pause = FIRST_PAUSE
                    await self._publish_until(stop)
                except ServiceUnavailable as error:
                    away = isinstance(error, BusUnavailable)  # else it is the store, which others tell of
                    self._note(connected=not away, trouble=str(error) if away else "")
                    self._idle = False
                    self._verifier.forget()
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
        await self._verify()
        while await self._step():
            pass
        return self.state.published - before

    async def trim_before(self, moment: datetime) -> int:
        """Remove messages from before `moment` from the streams; return how many. Raises BusUnavailable."""
        return await trim_before(self.connection, self.names, moment)

    async def aclose(self) -> None:
        """Close the connection."""
        await self.connection.aclose()

    async def _publish_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._wake.clear()
            moved = await self._step()
            if await self._verifier.when_due():
                self._note_blocked()
            if not moved:
                await self._rest(IDLE_SECONDS, stop, wakeable=True)

    async def _step(self) -> bool:
        """Publish one batch; return whether there may be more to do at once."""
        rows = await self._next_rows()
        self._idle = not rows
        if not rows:
            return False
        if await self._verifier.meet({key_of(row) for row in rows}):
            self._note_blocked()
            return True
        outcomes = await self._publisher.publish(rows, self._forced)
        if done := [row for row, outcome in zip(rows, outcomes, strict=True) if outcome.kind in _SETTLED]:
            await self._outbox.mark_published(done)
        await self._doubt(rows, outcomes)
        count = Counter(outcome.kind for outcome in outcomes)
        self.state = replace(
            self.state,
            published=self.state.published + count["stored"],
            repeated=self.state.repeated + count["known"],
            conflicts=self.state.conflicts + count["other"],
        )
        await self._learn(rows, outcomes)
        return True

    async def _doubt(self, rows: Sequence[Outgoing], outcomes: Sequence[Outcome]) -> None:
        """Find out why streams took no message under ids they are beyond; settle those that had these messages once."""
        of_kind: dict[str, list[Outgoing]] = {"other": [], "past": []}
        for row, outcome in zip(rows, outcomes, strict=True):
            of_kind.get(outcome.kind, []).append(row)
        replaced, passed = ({key_of(row) for row in of_kind[kind]} for kind in ("other", "past"))
        if replaced or passed:
            ours = await self._verifier.doubt(replaced, passed - replaced)
            await self._outbox.mark_published([row for row in of_kind["past"] if key_of(row) in ours])
            self._note_blocked()

    async def _next_rows(self) -> list[Outgoing]:
        waiting = await self._outbox.pending(BATCH, tuple(self._verifier.blocked))
        # Deltas before the alerts about them; within a stream in its order.
        return sorted(waiting, key=lambda row: (row.topic == "alerts", row.source_id, row.epoch, row.sequence))

    async def _learn(self, rows: Sequence[Outgoing], outcomes: Sequence[Outcome]) -> None:
        gaps: dict[StreamKey, Position] = {}
        for row, outcome in zip(rows, outcomes, strict=True):
            key, place = key_of(row), Position(row.epoch, row.sequence)
            if outcome.kind in _SETTLED:
                self._verifier.settled(key, place)
                self._gaps.pop(key, None)
                if (after := self._forced.pop(key, None)) is not None:
                    self._events.on_truncated(Truncated(key, after, place))
            elif outcome.kind == "gap" and outcome.top is not None:
                gaps.setdefault(key, outcome.top)
            elif outcome.kind == "refused":
                self._verifier.block(key, outcome.words)
                self._note_blocked()
        for key, top in gaps.items():
            if self._gaps.get(key) == top:  # sent again, and still a hole: the store does not keep that far back
                self._forced[key] = top
            else:
                self._gaps[key] = top
                await self._verifier.rewind(key, top)

    async def _verify(self) -> None:
        await self.connection.check()
        await self._verifier.everything()
        self._note_blocked()

    def _note_blocked(self) -> None:
        trouble = self._verifier.contested
        for key, words in self._verifier.blocked.items():
            trouble = f"{_where(key)} wait: {words}"
        self._note(connected=True, trouble=trouble)

    def _note(self, *, connected: bool, trouble: str) -> None:
        changed = (connected, trouble) != (self.state.connected, self.state.trouble)
        self.state = replace(
            self.state,
            connected=connected,
            trouble=trouble,
            rewinds=self._verifier.rewinds,
            blocked=dict(self._verifier.blocked),
        )
        if changed:
            self._events.on_state(self.state)

    def _facts(self) -> dict[str, object]:
        return {
            "published": self.state.published,
            "blocked": len(self._verifier.blocked),
            "waiting": not self._idle,
        }

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _rest(self, seconds: float, stop: asyncio.Event, *, wakeable: bool = False) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await (self._wake if wakeable else stop).wait()


def _where(key: StreamKey) -> str:
    return "the alerts" if key.topic == "alerts" else f"the deltas of {key.source_id}"
