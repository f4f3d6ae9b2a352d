"""Listening to channels: acknowledged subscriptions on one connection, or on one per node of a Cluster.

Rule: a listener never waits for its reader. What it hears it hands over at once; it ends with an error as soon as any of
its connections may have missed something.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from monitor.bus.connection import ANSWER_SECONDS, Connection
from monitor.bus.failures import translated
from monitor.errors import BusUnavailable
from monitor.wire import Names

if TYPE_CHECKING:
    from redis.asyncio.client import PubSub

QUIET_SECONDS = 10.0  # twice the heartbeat's interval: then the connection itself is asked
_CHANNELS_AT_ONCE = 500
_MESSAGES = frozenset({"message", "pmessage", "smessage"})
_CONFIRMATIONS = frozenset({"subscribe", "psubscribe", "ssubscribe"})

Heard = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Following:
    """What to follow: some streams, or those of all sources that match, new ones included."""

    names: Names
    streams: tuple[str, ...] | None  # None: those that match
    patterns: tuple[str, ...] = ("*",)  # of source ids, as a shell matches names

    def matches(self, stream: str) -> bool:
        """Return whether the stream of a source is one to follow."""
        return any(fnmatchcase(stream, self.names.deltas_of(pattern)) for pattern in self.patterns)

    def channels(self, *, cluster: bool) -> tuple[list[str], list[str]]:
        """Return the ordinary and the sharded channels to listen to."""
        ordinary = [self.names.status]
        if self.streams is None:
            return [*ordinary, self.names.deltas], []
        if cluster:
            sharded = [name for name in self.streams if name != self.names.alerts]
            return [*ordinary, *(name for name in self.streams if name == self.names.alerts)], sharded
        return [*ordinary, *self.streams], []


class Listener:
    """Subscribed connections and the tasks that read them."""

    def __init__(self, connection: Connection, heard: Heard, failed: Callable[[BusUnavailable], None]) -> None:
        self._connection = connection
        self._heard = heard
        self._failed = failed
        self._tasks: list[asyncio.Task[None]] = []
        self._pubsubs: list[PubSub] = []
        self._closing = False

    async def start(self, channels: Sequence[str], sharded: Sequence[str] = ()) -> None:
        """Subscribe and return once the server has acknowledged every channel: nothing published later is missed.

        Raises BusUnavailable.
        """
        with translated(self._connection.resource):
            if channels:
                ordinary = self._connection.pubsub()
                self._pubsubs.append(ordinary)
                for start in range(0, len(channels), _CHANNELS_AT_ONCE):
                    await ordinary.subscribe(*channels[start : start + _CHANNELS_AT_ONCE])
                await self._acknowledged(ordinary, len(channels))
            for pubsub, theirs in self._connection.pubsubs_by_node(sharded) if sharded else ():
                self._pubsubs.append(pubsub)
                for channel in theirs:  # one command each: the channels of one command must share a slot
                    await pubsub.ssubscribe(channel)
                await self._acknowledged(pubsub, len(theirs))
        self._tasks = [asyncio.create_task(self._read(pubsub), name="bus listener") for pubsub in self._pubsubs]

    async def aclose(self) -> None:
        """Stop listening."""
        self._closing = True  # a cancellation that arrives together with a time-out can be taken for the time-out
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pubsub in self._pubsubs:
            try:
                with translated(self._connection.resource):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            except BusUnavailable:
                continue  # it is gone, which is what was asked for
        self._tasks, self._pubsubs = [], []

    async def _acknowledged(self, pubsub: PubSub, count: int) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while count > 0:
            message = await pubsub.get_message(timeout=ANSWER_SECONDS)
            if message is None:
                if time.monotonic() > deadline:
                    raise BusUnavailable("subscriptions are not acknowledged", resource=self._connection.resource)
            elif message["type"] in _CONFIRMATIONS:
                count -= 1
            else:
                self._take(message)

    async def _read(self, pubsub: PubSub) -> None:
        try:
            with translated(self._connection.resource):
                await self._read_until_lost(pubsub)
        except BusUnavailable as error:
            self._failed(error)

    async def _read_until_lost(self, pubsub: PubSub) -> None:
        asked = False
        while not self._closing:
            message = await pubsub.get_message(timeout=ANSWER_SECONDS if asked else QUIET_SECONDS)
            if message is not None:
                asked = False
                self._take(message)
            elif asked:
                raise BusUnavailable("the connection went silent", resource=self._connection.resource)
            else:
                asked = True
                await pubsub.ping()

    def _take(self, message: dict[str, object]) -> None:
        kind = message["type"]
        if kind in _MESSAGES:
            channel, data = message["channel"], message["data"]
            assert isinstance(channel, bytes)
            assert isinstance(data, bytes)
            self._heard(channel.decode("utf-8", "replace"), data)
        elif kind == "sunsubscribe":  # the server's word that a slot has moved to another node
            raise BusUnavailable("a slot of the cluster moved", resource=self._connection.resource)
