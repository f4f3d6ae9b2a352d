"""Whatever happens in whatever order to store, relay and server: a subscriber gets every delta once and in order, or is
told of the hole."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.bus import Relay, RelayEvents, connect, subscribe
from monitor.errors import HistoryTruncated
from monitor.wire import Names

SOURCES = ("a", "b")
OPERATIONS = (
    "commit", "commit", "commit", "commit", "drain", "drain", "unmark", "flush", "trim", "forget scripts", "cut", "save",
    "set back", "retain", "restore", "copy back", "stranger", "second relay", "pause",
)  # fmt: skip


@dataclass
class World:
    """A store's outbox, a server, a relay and a subscriber, and what was ever committed."""

    url: str
    outbox: object
    row: object
    client: object
    relay: Relay = None
    epoch: dict = field(default_factory=lambda: dict.fromkeys(SOURCES, 1))
    committed: dict = field(default_factory=lambda: {source: [] for source in SOURCES})
    lost_by_store: set = field(default_factory=set)
    received: dict = field(default_factory=lambda: {source: [] for source in SOURCES})
    holes: list = field(default_factory=list)
    saved: dict = field(default_factory=dict)
    strange: set = field(default_factory=set)
    emptied: bool = False
    visited: bool = False

    def head(self, source):
        places = [key[2:] for key in self.outbox.rows if key[1] == source and key[2] == self.epoch[source]]
        return max((sequence for _, sequence in places), default=0)

    async def rise(self, ends):
        for key, end in ends.items():
            before = [place[2:] for place in sorted(self.outbox.rows) if place[:2] == tuple(key)]
            await self.outbox.begin_after({key: end})
            after = [place[2:] for place in sorted(self.outbox.rows) if place[:2] == tuple(key)]
            moved = dict(zip(before, after, strict=True))  # in their order, so each under its new place
            self.committed[key.source_id] = [moved.get(place, place) for place in self.committed[key.source_id]]
            self.epoch[key.source_id] = max([self.outbox.epochs.get(key, 0), *(epoch for epoch, _ in after)])

    async def do(self, operation, source):
        await getattr(self, operation.replace(" ", "_"))(source)

    async def commit(self, source):
        epoch, sequence = self.epoch[source], self.head(source) + 1
        if self.outbox.epochs.get(("deltas", source)) == epoch and sequence == 1:
            del self.outbox.epochs["deltas", source]
        self.outbox.add(self.row(source, sequence, epoch=epoch, text=f"{source} {len(self.committed[source])}"))
        self.committed[source].append((epoch, sequence))

    async def drain(self, source):
        await self.relay.drain()

    async def second_relay(self, source):
        other = Relay(self.url, self.outbox, events=RelayEvents(on_ahead=self.rise))
        await asyncio.gather(self.relay.drain(), other.drain())
        await other.aclose()

    async def unmark(self, source):
        """The relay died between publishing and marking."""
        self.outbox.published -= set(sorted(self.outbox.published)[-3:])

    async def flush(self, source):
        if not self.visited:
            self.emptied = True
            await self.client.command("FLUSHALL")

    async def trim(self, source):
        await self.client.command("XTRIM", Names().deltas_of(source), "MAXLEN", 2)

    async def forget_scripts(self, source):
        await self.client.command("SCRIPT", "FLUSH")

    async def cut(self, source):
        await self.client.command("CLIENT", "KILL", "TYPE", "pubsub")

    async def save(self, source):
        self.saved[source] = await self.client.command("DUMP", Names().deltas_of(source))

    async def set_back(self, source):
        """A failover to a replica that was behind."""
        if self.visited:
            return
        self.emptied = True
        await self.client.command("DEL", Names().deltas_of(source))
        if self.saved.get(source):
            await self.client.command("RESTORE", Names().deltas_of(source), 0, self.saved[source])

    async def retain(self, source):
        """The store keeps published messages for a while only."""
        for key in sorted(self.outbox.published):
            if key[1] == source and (key[2], key[3]) < (self.epoch[source], self.head(source) - 1):
                self.outbox.rows.pop(key, None)
                self.outbox.published.discard(key)

    def forget_newest(self, source):
        newest = sorted(key for key in self.outbox.rows if key[1] == source)[-2:]
        for key in newest:
            del self.outbox.rows[key]
            self.outbox.published.discard(key)
            self.lost_by_store.add((source, key[2:]))

    async def restore(self, source):
        """`monitor restore`: an older store, whose epoch is higher than any before."""
        self.forget_newest(source)
        self.epoch[source] = max([self.epoch[source], *(epoch for epoch, _ in self.committed[source])]) + 1
        self.outbox.epochs["deltas", source] = self.epoch[source]

    async def copy_back(self, source):
        """An older store put in place by hand, while the stream holds everything: only the stream's end can tell."""
        await self.relay.drain()
        self.forget_newest(source)
        await self.relay.drain()

    async def stranger(self, source):
        """Another monitor, with a store that knows nothing, publishes under the same names for a moment.

        Not while the server still lacks what it lost, nor does it lose anything afterwards: a reader who saw a stranger's
        1-2 takes our own 1-1 for a repeat until heartbeats say that the stream was begun anew.
        """
        if self.emptied:
            await self.relay.drain()
            self.emptied = False
        theirs = type(self.outbox)()
        relay = Relay(self.url, theirs, events=RelayEvents(on_ahead=theirs.begin_after))
        for sequence in (1, 2):
            theirs.add(self.row(source, sequence, text="a stranger's"))
        await relay.drain()
        await relay.aclose()
        self.visited = True

    async def pause(self, source):
        await asyncio.sleep(0.02)

    async def read(self, subscription):
        while True:
            try:
                delta = await anext(subscription)
            except HistoryTruncated as hole:
                epoch, sequence = hole.first_available.rsplit("/", 1)[1].split("-")
                self.holes.append((hole.resource, (int(epoch), int(sequence))))
            else:
                self.received[delta.source.id].append((delta.epoch, delta.sequence))
                if delta.change.entry.text == "a stranger's":
                    self.strange.add((delta.source.id, (delta.epoch, delta.sequence)))

    def excused(self, source, place):
        """Whether a missing delta lies in a hole that was told, or was lost by the store before anybody heard of it."""
        if (source, place) in self.lost_by_store:
            return True
        return any(
            hole_source == source and place < first and not any(place < seen < first for seen in self.received[source])
            for hole_source, first in self.holes
        )

    def check(self):
        for source in SOURCES:
            got = self.received[source]
            assert all(earlier < later for earlier, later in zip(got, got[1:], strict=False)), (source, got)
            ours = {place for place in got if (source, place) not in self.strange}
            missing = [place for place in self.committed[source] if place not in ours]
            assert all(self.excused(source, place) for place in missing), (source, missing, got, self.holes)


async def live(url, outbox, row, story, renew):
    await renew()
    world = World(url, outbox, row, connect(url))
    world.relay = Relay(url, outbox, events=RelayEvents(on_ahead=world.rise))
    async with subscribe(url, since="0", check_every=0.02) as subscription:
        reading = asyncio.create_task(world.read(subscription))
        async with asyncio.timeout(10):
            while not subscription._follower._begun:  # before that, a cut connection is an error of the start
                await asyncio.sleep(0.002)
        for operation, source in story:
            await world.do(operation, source)
        await world.relay.drain()
        async with asyncio.timeout(10):
            while not all(reached(world, source) for source in SOURCES):
                assert not reading.done(), reading.exception()
                await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    await world.relay.aclose()
    await world.client.aclose()
    world.check()


def reached(world, source):
    kept = [key[2:] for key in world.outbox.rows if key[1] == source]
    return not kept or (bool(world.received[source]) and world.received[source][-1] >= max(kept))


stories = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(SOURCES)), min_size=3, max_size=25)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_any_story_ends_with_every_delta_seen_once_or_a_hole_told(embedded_process, outbox, row):
    @given(stories)
    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def tell(story):
        asyncio.run(live(embedded_process.url, type(outbox)(), row, story, embedded_process.renew))

    tell()
