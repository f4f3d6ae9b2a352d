"""`subscribe`: the deltas of some or all sources as Python values, without a gap and without a repeat.

Rule: what a caller sees of the bus. Positions are ids (`source/epoch-sequence`), never something only this process knows,
so a reader can store one with its own work and go on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Self, TypeVar

from monitor.bus.connection import Connection, connect
from monitor.bus.follow import BUFFER, CHECK_SECONDS, Follower, Message
from monitor.bus.live import Following
from monitor.bus.outbox import START, Position
from monitor.bus.places import Since, parse_since, position_at, tops_of
from monitor.errors import HistoryTruncated
from monitor.model import Alert, Delta
from monitor.wire import Names, decode_alert, decode_delta

T = TypeVar("T")
EVERY = "*"


class Subscription(Generic[T]):
    """An endless async iterator. Close it (`async with`, or `aclose()`) when you are done.

    After `HistoryTruncated` it can be iterated again and goes on with the oldest message left.
    """

    def __init__(self, follower: Follower, decode: Callable[[bytes], T], name_of: Callable[[str], str]) -> None:
        self._follower = follower
        self._decode = decode
        self._name_of = name_of
        self._delivered: dict[str, Position] = {}

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next one.

        Raises BusUnavailable when the server cannot be reached, HistoryTruncated when messages were trimmed away,
        ValueError for a message in our stream that another writer made; iterating goes on after each of them.
        """
        message = await self._next()
        return self._decode(message.payload)

    async def _next(self) -> Message:
        try:
            message = await self._follower.next()
        except HistoryTruncated as hole:
            source = self._name_of(hole.resource or "")
            first = f"{source}/{hole.first_available}" if source else hole.first_available
            raise HistoryTruncated(hole.message, resource=source or "alerts", first_available=first) from hole
        self._delivered[message.stream] = message.position
        return message

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._follower.aclose()

    @property
    def positions(self) -> dict[str, str]:
        """The last id delivered of each source, as `since=` takes them to go on after a restart."""
        return {self._name_of(stream): str(place) for stream, place in self._delivered.items()}

    @property
    def connected(self) -> bool:
        """Whether the server answers, as far as is known."""
        return self._follower.trouble is None

    @property
    def trouble(self) -> str:
        """Why it does not, in words; "" while it does."""
        return str(self._follower.trouble or "")

    @property
    def silent_for(self) -> float:
        """Seconds since anything was heard, heartbeats (every 5 s) included: much more means that nobody publishes."""
        return time.monotonic() - self._follower.last_heard


def subscribe(
    url: str,
    sources: Sequence[str] | None = None,
    since: Since = None,
    *,
    prefix: str = "monitor",
    patience: float | None = None,
    buffer: int = BUFFER,
    check_every: float = CHECK_SECONDS,
) -> Subscription[Delta]:
    """Return an async iterator of deltas, each exactly once and in order per source.

    `sources`: ids or patterns such as `al*`, or None for all of them; new ones that match are included. `since`: None for what comes from now on; the id of the
    last delta seen; a mapping of source to that (`Subscription.positions`); an aware datetime; "0" for all the streams
    hold. `patience`: seconds of outage to wait out before BusUnavailable is raised, None for ever. `buffer`: how many
    messages are held for a slow reader before they are left in the stream. `check_every`: seconds between looks at the
    streams' ends.

    Iterating raises BusUnavailable when the server cannot be reached at first, HistoryTruncated when deltas that were
    asked for are no longer in a stream. Raises ValueError for a `since` without a meaning.
    """
    return _Wish(
        url=url, prefix=prefix, sources=sources, since=since, patience=patience, buffer=buffer, check_every=check_every
    ).subscription(decode_delta)


def subscribe_raw(
    url: str,
    sources: Sequence[str] | None = None,
    since: Since = None,
    *,
    prefix: str = "monitor",
    patience: float | None = None,
    buffer: int = BUFFER,
    check_every: float = CHECK_SECONDS,
) -> Subscription[bytes]:
    """Return what `subscribe` does, as the very bytes that were published."""
    return _Wish(
        url=url, prefix=prefix, sources=sources, since=since, patience=patience, buffer=buffer, check_every=check_every
    ).subscription(bytes)


def subscribe_alerts(
    url: str, since: str | datetime | None = None, *, prefix: str = "monitor", patience: float | None = None
) -> Subscription[Alert]:
    """Return an async iterator of alerts, each exactly once; `since` is an id of the alerts' stream, a time or "0"."""
    return _Wish(url=url, prefix=prefix, since=since, patience=patience, alerts=True).subscription(decode_alert)


def subscribe_alerts_raw(
    url: str, since: str | datetime | None = None, *, prefix: str = "monitor", patience: float | None = None
) -> Subscription[bytes]:
    """Return what `subscribe_alerts` does, as the very bytes that were published."""
    return _Wish(url=url, prefix=prefix, since=since, patience=patience, alerts=True).subscription(bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """A subscriber's wishes in terms of streams."""

    url: str
    prefix: str
    sources: Sequence[str] | None = None
    since: Since = None
    alerts: bool = False
    patience: float | None = None
    buffer: int = BUFFER
    check_every: float = CHECK_SECONDS

    def subscription(self, decode: Callable[[bytes], T]) -> Subscription[T]:
        start = parse_since(self.since, [""] if self.alerts else self.sources if self._patterns is None else None)
        names, connection = Names(self.prefix), connect(self.url)

        async def begin(existing: list[str]) -> dict[str, Position]:
            return await _begin(connection, start, existing, self.source_of)

        follower = Follower(
            connection,
            Following(names, self._streams(names), self._patterns or (EVERY,)),
            begin,
            patience=self.patience,
            buffer=self.buffer,
            check_every=self.check_every,
        )
        return Subscription(follower, decode, self.source_of)

    def source_of(self, stream: str) -> str:
        """Return the source id a stream's name holds, "" for the alerts' stream."""
        if self.alerts:
            return ""
        return stream.removeprefix(f"{self.prefix}:{{").removesuffix("}:deltas")

    @property
    def _patterns(self) -> tuple[str, ...] | None:
        """The sources, where any of them is a pattern: an id is one of itself."""
        return tuple(self.sources) if self.sources and any(set("*?[") & set(one) for one in self.sources) else None

    def _streams(self, names: Names) -> tuple[str, ...] | None:
        if self.alerts:
            return (names.alerts,)
        if self.sources is None or self._patterns is not None:
            return None
        return tuple(map(names.deltas_of, dict.fromkeys(self.sources)))


async def _begin(
    connection: Connection,
    start: Mapping[str, Position] | datetime | None,
    streams: list[str],
    source_of: Callable[[str], str],
) -> dict[str, Position]:
    """Return where reading begins in each of the streams."""
    if isinstance(start, datetime):
        return {stream: await position_at(connection, stream, start) for stream in streams}
    places = start or {}
    ends = {} if EVERY in places else await tops_of(connection, streams)
    return {stream: places.get(source_of(stream), places.get(EVERY, ends.get(stream, START))) for stream in streams}
