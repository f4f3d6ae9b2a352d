"""Whether the server still holds what was published, and what is to be done where it does not.

Rule: `compare` decides and is pure; `Verifier` asks both sides and acts. Tops are read before heads: a message published
in between then cannot look like one the store does not know.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from monitor.bus.inspection import judge
from monitor.bus.lineage import compared, settle_held, strangers
from monitor.bus.outbox import START, Outbox, Position, StreamKey
from monitor.bus.publisher import Publisher

CHECK_SECONDS = 3.0
CHECK_ALL_SECONDS = 60.0
TOUCHED_SECONDS = 600.0  # how long a stream counts as recently touched
_AT_ONCE = 8  # streams looked into together
CONTEST_SECONDS = 600.0
CONTEST_RISES = 3  # of the epoch within that time: not a store that went back, but another one at work
CONTESTED = "another monitor with a store of its own publishes here too: give each its own `prefix`"
Ahead = Callable[[Mapping[StreamKey, Position]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be done about each stream that does not end where the store's messages end."""

    behind: tuple[tuple[StreamKey, Position], ...]  # send again everything after this place
    ahead: tuple[tuple[StreamKey, Position], ...]  # the stream ends here, after everything the store knows


def compare(tops: Mapping[StreamKey, Position | None], heads: Mapping[StreamKey, Position]) -> Comparison:
    """Return which streams lost messages (emptied, rolled back) and which hold more than the store (restored)."""
    behind, ahead = [], []
    for key, top in tops.items():
        head = heads.get(key, START)
        place = START if top is None else top
        if place < head:
            behind.append((key, place))
        elif place > head:
            ahead.append((key, place))
    return Comparison(tuple(behind), tuple(ahead))


class Verifier:
    """Compares streams and store, and lets the store send again what the streams lost."""

    def __init__(
        self,
        publisher: Publisher,
        outbox: Outbox,
        *,
        on_ahead: Ahead | None = None,
        on_warning: Callable[[str], None] = lambda words: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.blocked: dict[StreamKey, str] = {}  # streams that take no messages, and why
        self.rewinds = 0
        self._publisher, self._outbox = publisher, outbox
        self._on_ahead, self._on_warning, self._clock = on_ahead, on_warning, clock
        self._touched: dict[StreamKey, tuple[float, Position]] = {}
        self._fruitless: dict[StreamKey, tuple[Position, Position]] = {}  # rewinds that brought nothing: ends of both
        self._met: set[StreamKey] = set()  # streams whose end was compared with the store's since this server is there
        self._rises: deque[float] = deque(maxlen=CONTEST_RISES)
        self._run = ""
        self._warned: set[str] = set()
        self._next = self._next_full = 0.0

    def settled(self, key: StreamKey, place: Position) -> None:
        """Note that a stream holds a message."""
        self._touched[key] = (self._clock(), place)
        self._fruitless.pop(key, None)

    @property
    def contested(self) -> str:
        """What is wrong when the epoch has to rise again and again, in words; "" when nothing is."""
        often = len(self._rises) == CONTEST_RISES and self._clock() - self._rises[0] < CONTEST_SECONDS
        return CONTESTED if often else ""

    def block(self, key: StreamKey, words: str) -> None:
        """Hold a stream's messages back until the next full look, which comes soon."""
        self.blocked[key] = words
        self._next_full = min(self._next_full, self._clock() + CHECK_SECONDS)

    def forget(self) -> None:
        """Assume nothing about the server any more."""
        self._fruitless.clear()
        self._run = ""

    async def rewind(self, key: StreamKey, top: Position) -> int:
        """Let the store send again what follows `top`; return how many messages that are."""
        self._publisher.forget()
        count = await self._outbox.rewind(*key, *top)
        self.rewinds += bool(count)
        return count

    async def when_due(self) -> bool:
        """Look at what nobody tells: another process behind the address, an emptied server, a stream that is free again.

        Returns whether everything was looked at.
        """
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + CHECK_SECONDS
        if now >= self._next_full or await self._new_process():
            await self.everything()
            return True
        self._touched = {key: seen for key, seen in self._touched.items() if now - seen[0] < TOUCHED_SECONDS}
        tops = await self._publisher.tops(list(self._touched))
        for key, top in compare(tops, {key: place for key, (_, place) in self._touched.items()}).behind:
            await self.rewind(key, top)
        return False

    async def everything(self) -> None:
        """Compare every stream with the store. Raises BusUnavailable or StoreUnavailable."""
        self._publisher.forget()
        if await self._new_process():
            self._fruitless.clear()
            self._met.clear()
        tops = await self._publisher.tops(list(await self._heads()))
        left = await self._leave(await self._foreign(tops))
        self.blocked = {key: _held_up(top) for key, top in left.items()}
        heads = await self._heads()
        comparison = compare(tops, heads)
        # A source without a message in the present epoch stays behind; its store is not asked again for nothing.
        ends = {key: (top, heads[key]) for key, top in comparison.behind}
        asked = [key for key in ends if self._fruitless.get(key) != ends[key]]
        counts = await asyncio.gather(*(self.rewind(key, ends[key][0]) for key in asked))  # one transaction for many
        useful = {key for key, count in zip(asked, counts, strict=True) if count or heads[key].sequence}
        self._fruitless = {key: both for key, both in ends.items() if key not in useful}
        now = self._clock()
        self._next = now + CHECK_SECONDS
        # A stream held up is looked at again soon: its store may have moved on, its key may have been cleared.
        self._next_full = now + (CHECK_SECONDS if self.blocked else CHECK_ALL_SECONDS)

    async def meet(self, keys: Collection[StreamKey]) -> bool:
        """Look at streams before the first message goes to them; return whether any was not this store's to go on with."""
        unmet = [key for key in keys if key not in self._met]
        foreign = await self._foreign(await self._publisher.tops(unmet)) if unmet else {}
        for key, top in (await self._leave(foreign)).items():
            self.block(key, _held_up(top))
        return bool(foreign)

    async def doubt(self, replaced: Collection[StreamKey], passed: Collection[StreamKey]) -> set[StreamKey]:
        """Find out about streams that took no message because of what they hold; return which are ours all the same.

        `replaced` hold other messages under ids of ours; `passed` end after such an id and no longer hold what they had
        there: a repeat of something trimmed, if the stream ends in a message of ours.
        """
        tops = await self._publisher.tops([*replaced, *passed])
        ends = {key: top for key, top in tops.items() if top is not None}
        ours = {key for key, same in (await compared(self._publisher, self._outbox, ends)).items() if same}
        ours -= set(replaced)
        for key, top in (await self._leave({key: ends[key] for key in ends.keys() - ours})).items():
            self.block(key, _held_up(top))
        return ours

    async def _foreign(self, tops: Mapping[StreamKey, Position | None]) -> dict[StreamKey, Position]:
        unmet = tops.keys() - self._met
        found = await strangers(self._publisher, self._outbox, tops, await self._heads(), unmet)
        self._met |= unmet
        return found

    async def _leave(self, foreign: dict[StreamKey, Position]) -> dict[StreamKey, Position]:
        """Go on after what streams hold that is not ours; return where those end for which that did not help."""
        if not foreign or self._on_ahead is None:
            return foreign
        keys = list(foreign)
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            await asyncio.gather(*(settle_held(self._publisher, self._outbox, key) for key in some))
        self._rises.append(self._clock())
        await self._on_ahead(foreign)
        heads = await self._heads()
        return {key: top for key, top in foreign.items() if heads.get(key, START).epoch <= top.epoch}

    async def _heads(self) -> dict[StreamKey, Position]:
        return {StreamKey(*key): Position(*head) for key, head in (await self._outbox.heads()).items()}

    async def _new_process(self) -> bool:
        """Return whether a process behind the address is not the one of the last look; tell what is wrong with it."""
        report = judge(await self._publisher.connection.info())
        if report.run == self._run:
            return False
        self._run = report.run
        for words in report.warnings:
            if words not in self._warned:
                self._warned.add(words)
                self._on_warning(words)
        return True


def _held_up(top: Position) -> str:
    return f"the stream ends at {top}, in what this store did not write"
