"""Following streams without a gap and without a repeat: listen first, then read back, and keep comparing.

    channel ──▶ offer ──▶ ready ──▶ reader          a message that is next in its stream goes straight through
                 │ not next            ▲
                 ▼                     │
              to read ──▶ XRANGE from the last one seen

Rule: only `_offer` moves a stream's position, and only by one message in order. Everything else merely says which
streams to read back. The listener never waits: while the reader is busy, messages beyond the buffer are left to be read
back from the stream, so a slow reader costs the server nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from random import random
from typing import NamedTuple

import msgspec

from monitor.bus.beats import Beats
from monitor.bus.connection import Connection
from monitor.bus.live import Following, Listener
from monitor.bus.outbox import START, Position
from monitor.bus.places import BEFORE_THE_FIRST, entries_of, tops_of
from monitor.errors import BusUnavailable, HistoryTruncated

BUFFER = 1000
_STREAMS_AT_ONCE = 500
CHECK_SECONDS = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0


class Message(NamedTuple):
    """One stored message."""

    stream: str
    position: Position
    payload: bytes


class _Header(msgspec.Struct):
    """What tells a message's place in its stream; alerts do not carry theirs and are read from the stream."""

    source: str = ""
    epoch: str = ""
    sequence: str = ""


Begin = Callable[[list[str]], Awaitable[dict[str, Position]]]


class Follower:
    """The messages of some streams, one after the other."""

    def __init__(
        self,
        connection: Connection,
        following: Following,
        begin: Begin,
        *,
        patience: float | None = None,
        buffer: int = BUFFER,
        check_every: float = CHECK_SECONDS,
    ) -> None:
        """`begin` gives the starting positions of the streams that exist; `patience` is how many seconds of outage are
        waited out before BusUnavailable is raised (None: for ever, once connected)."""
        self.connection = connection
        self.positions: dict[str, Position] = {}
        self.trouble: BusUnavailable | None = None
        self.last_heard = time.monotonic()
        self._following, self._begin = following, begin
        self._patience, self._buffer, self._check_every = patience, buffer, check_every
        self._ready: deque[Message] = deque()
        self._to_read: set[str] = set()
        self._news = asyncio.Event()
        self._listener: Listener | None = None
        self._begun = False
        self._next_check = 0.0
        self._beats = Beats()
        self._compare_ends = False
        self._short: set[str] = set()  # streams that ended before our place at the last comparison
        self._anew: set[str] = set()  # those that did so twice

    async def next(self) -> Message:
        """Return the next message. Raises BusUnavailable, or HistoryTruncated once for each hole."""
        while not self._ready:
            try:
                await self._work()
            except BusUnavailable as error:
                self.trouble = error
                if not self._begun:
                    raise
                await self._reconnect()
        return self._ready.popleft()

    async def aclose(self) -> None:
        """Stop listening and close the connections."""
        try:
            await self._drop_listener()
        finally:
            await self.connection.aclose()

    async def _work(self) -> None:
        if self._listener is None:
            await self._listen()
        if self.trouble is not None:
            raise self.trouble
        if time.monotonic() >= self._next_check:
            await self._look_around()
        if self._compare_ends:
            await self._find_begun_anew()
        if self._anew:
            await self._go_back_to_the_first(self._anew.pop())
        if self._to_read:
            await self._read_back()
            return
        self._news.clear()
        if not (self._ready or self._to_read or self._compare_ends or self.trouble):
            # Not wait_for: before Python 3.12 it takes a cancellation for a result that arrives with it.
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._next_check - time.monotonic())):
                    await self._news.wait()

    async def _listen(self) -> None:
        await self.connection.check()
        listener = Listener(self.connection, self._heard, self._lost)
        try:
            await listener.start(*self._following.channels(cluster=self.connection.is_cluster))
            if not self._begun:
                self.positions = await self._begin(await self._streams())
                self._begun = True
            await self._look_around()
        except BaseException:
            await listener.aclose()
            raise
        self._listener = listener

    async def _streams(self) -> list[str]:
        if self._following.streams is not None:
            return list(self._following.streams)
        names = self._following.names
        members: Iterable[bytes] = await self.connection.command("SMEMBERS", names.sources)
        return sorted(filter(self._following.matches, (names.deltas_of(member.decode()) for member in members)))

    async def _look_around(self) -> None:
        """Read back every stream from its position: a lost last message has no successor that tells of it."""
        for stream in await self._streams():
            self.positions.setdefault(stream, BEFORE_THE_FIRST)
        self._to_read.update(self.positions)
        # A full look costs the server about 3 µs a stream: keep that under one part in a hundred of a core.
        self._next_check = time.monotonic() + max(self._check_every, len(self.positions) * 3e-4)

    async def _read_back(self) -> None:
        streams = [self._to_read.pop() for _ in range(min(_STREAMS_AT_ONCE, len(self._to_read)))]
        page = max(1, self._buffer // len(streams))
        try:
            replies = await self.connection.pipelined(
                ("XRANGE", stream, f"({self.positions[stream]}", "+", "COUNT", page) for stream in streams
            )
            for stream, reply in zip(streams, replies, strict=True):
                entries = entries_of(reply, self.connection)
                if len(entries) == page:
                    self._to_read.add(stream)
                for entry_id, fields in entries:
                    if (payload := fields.get(b"d")) is not None:  # else another writer's, and none of our messages
                        await self._offer_stored(Message(stream, Position.parse(entry_id), payload))
        except BaseException:
            self._to_read.update(streams)
            raise

    async def _find_begun_anew(self) -> None:
        """Look for streams that end before our place though nothing more is to come: another store writes them now."""
        self._compare_ends = False
        tops = await tops_of(self.connection, list(self.positions))
        short = {stream for stream, top in tops.items() if START < top < self.positions[stream]}
        self._anew |= short & self._short
        self._short = short - self._anew

    async def _go_back_to_the_first(self, stream: str) -> None:
        reply = await self.connection.command("XRANGE", stream, "-", "+", "COUNT", 1)
        last, oldest = self.positions[stream], entries_of(reply, self.connection)
        first = Position.parse(oldest[0][0]) if oldest else last
        if first >= last:
            return
        self.positions[stream] = Position(first.epoch, first.sequence - 1)
        self._to_read.add(stream)
        words = f"the stream was begun anew: it ends before {last}, the last message seen"
        raise HistoryTruncated(words, resource=stream, first_available=str(first))

    async def _offer_stored(self, message: Message) -> None:
        last = self.positions[message.stream]
        if self._offer(message) or message.position <= last:
            return
        if message.position.epoch > last.epoch and await self._holds_up_to(message.stream, last):
            self._accept(message)
            return
        self.positions[message.stream] = Position(message.position.epoch, message.position.sequence - 1)
        raise HistoryTruncated(
            f"messages after {last} are no longer in the stream",
            resource=message.stream,
            first_available=str(message.position),
        )

    async def _holds_up_to(self, stream: str, last: Position) -> bool:
        """Return whether the stream still holds something as old as `last`, so that nothing after it was trimmed."""
        oldest = entries_of(await self.connection.command("XRANGE", stream, "-", "+", "COUNT", 1), self.connection)
        return bool(oldest) and Position.parse(oldest[0][0]) <= last

    def _offer(self, message: Message) -> bool:
        """Take a message if it is the next of its stream."""
        last, place = self.positions[message.stream], message.position
        next_here = place.epoch == last.epoch and place.sequence == last.sequence + 1
        next_epoch = place.epoch > last.epoch and place.sequence == 1
        if next_here or next_epoch or (last == START and place > START):
            self._accept(message)
            return True
        return False

    def _accept(self, message: Message) -> None:
        self.positions[message.stream] = message.position
        self._ready.append(message)
        self._news.set()

    def _heard(self, channel: str, payload: bytes) -> None:
        self.last_heard = time.monotonic()
        names = self._following.names
        if channel == names.status:
            if self._beats.heard(payload):
                self._compare_ends = True
                self._news.set()
            return
        if not self._begun:
            return
        try:
            header = msgspec.json.decode(payload, type=_Header)
            stream = channel if channel != names.deltas else names.deltas_of(header.source.removeprefix("/sources/"))
            place = Position(int(header.epoch), int(header.sequence))
        except ValueError:
            stream, place = channel, None
        if self._following.streams is None and self._following.matches(stream):
            self.positions.setdefault(stream, BEFORE_THE_FIRST)
        if stream in self.positions:
            self._heard_of(stream, place, payload)

    def _heard_of(self, stream: str, place: Position | None, payload: bytes) -> None:
        last = self.positions[stream]
        if place is not None and place <= last:
            return
        direct = place is not None and place.epoch == last.epoch and place.sequence == last.sequence + 1
        if direct and place is not None and stream not in self._to_read and len(self._ready) < self._buffer:
            self._accept(Message(stream, place, payload))
        else:
            self._to_read.add(stream)
            self._news.set()

    def _lost(self, error: BusUnavailable) -> None:
        self.trouble = error
        self._news.set()

    async def _reconnect(self) -> None:
        """Come back after an outage, however long it takes within the patience."""
        since, pause = time.monotonic(), FIRST_PAUSE
        while True:
            await self._drop_listener()
            await self.connection.reset()
            try:
                self.trouble = None
                await self._listen()
            except BusUnavailable as error:
                self.trouble = error
                if self._patience is not None and time.monotonic() - since > self._patience:
                    raise
                await asyncio.sleep(pause * (0.5 + random()))  # noqa: S311 -- spreads reconnects, no secret
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return

    async def _drop_listener(self) -> None:
        if self._listener is not None:
            await self._listener.aclose()
            self._listener = None
