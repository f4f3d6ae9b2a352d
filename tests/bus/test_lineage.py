"""A store that meets streams it did not write: a lost, copied or moved state directory, another monitor on the same names.

Whatever the streams hold, every change this store stored is told in them once, in order, without hand work.
"""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from monitor.bus import Relay, RelayEvents, subscribe
from monitor.bus.verification import CONTESTED
from monitor.model import Change, ChangeType, Delta, Entry, SourceRef
from monitor.store import Committed, PollCommit, PollState, Store

STREAM = "monitor:{live}:deltas"
REF = SourceRef("live", "Live", "https://example.org/live")


class Site:
    """One monitor's store and relay."""

    def __init__(self, store, url):
        self.store, self.told = store, []
        self.relay = Relay(url, store, events=RelayEvents(on_ahead=self.begin_after))

    async def begin_after(self, ends):
        self.told.append(dict(ends))
        await self.store.begin_after(dict(ends), "another's")

    async def commit(self, *texts, ref=REF):
        """Store one poll that found these entries."""
        state, now = await self.store.load(ref.id), datetime.now(UTC)
        changes = tuple(Change(ChangeType.NEW, text, Entry(0, text), 1) for text in texts)
        deltas = tuple(Delta(ref, state.epoch, state.sequence + n, now, one) for n, one in enumerate(changes, 1))
        poll = PollState(last_poll_at=now)
        done = await self.store.commit(PollCommit(ref, state.version, changes, deltas, {}, None, poll, (), now))
        assert isinstance(done, Committed)


@pytest.fixture
async def site(short_dir, any_server):
    """Make monitors, each with a store of its own, on one server."""
    made = []

    async def make(name):
        store = await Store.open(str(short_dir / name / "monitor.db"))
        await store.ensure_sources([REF], datetime.now(UTC))
        made.append(Site(store, any_server.url))
        return made[-1]

    yield make
    for one in made:
        await one.relay.aclose()
        await one.store.close()


def words(name, count, first=1):
    return [f"{name}{n}" for n in range(first, first + count)]


async def told(client, stream=STREAM):
    """Return (id, entry) of every message of a stream, each checked to carry the id it is stored under."""
    found = []
    for entry_id, fields in await client.command("XRANGE", stream, "-", "+"):
        event = json.loads(fields[b"d"])
        place = entry_id.decode()
        assert event["id"].endswith(f"/{place}")
        assert f"{event['epoch']}-{int(event['sequence'])}" == place
        found.append((place, event["subject"]))
    return found


@pytest.mark.parametrize("old", [3, 5, 9], ids=["shorter", "as long", "longer"])
async def test_what_a_fresh_store_has_when_it_first_meets_an_old_stream_is_told_after_it(site, client, old):
    before, fresh = await site("before"), await site("fresh")
    await before.commit(*words("old", old))
    await before.relay.drain()
    await fresh.commit(*words("new", 5))  # the server was away while these were found
    await fresh.relay.drain()
    await fresh.commit("new6")
    await fresh.relay.drain()
    assert (await told(client))[old:] == [(f"2-{n}", f"new{n}") for n in range(1, 7)]
    assert (await fresh.store.backlog()).depth == 0
    assert [delta.id for delta in await fresh.store.deltas_since("live", None)] == [f"live/2-{n}" for n in range(1, 7)]


async def test_an_old_stream_of_which_only_the_end_is_left_hides_nothing(site, client):
    before, fresh = await site("before"), await site("fresh")
    await before.commit(*words("old", 4))
    await before.relay.drain()
    await client.command("XTRIM", STREAM, "MAXLEN", 1)
    await fresh.commit(*words("new", 6))
    await fresh.relay.drain()
    assert await told(client) == [("1-4", "old4"), *((f"2-{n}", f"new{n}") for n in range(1, 7))]


async def test_a_subscriber_of_the_old_stream_gets_what_the_fresh_store_has_once_and_in_order(site, any_server):
    before, fresh = await site("before"), await site("fresh")
    await before.commit(*words("old", 3))
    await before.relay.drain()
    await fresh.commit(*words("new", 8))
    got = []
    async with subscribe(any_server.url, ["live"], since="live/1-1") as subscription, asyncio.timeout(10):
        await fresh.relay.drain()
        while len(got) < 10:
            got.append((await anext(subscription)).change.entry_id)
    assert got == [*words("old", 2, first=2), *words("new", 8)]


async def test_a_copy_of_the_store_that_went_its_own_way_loses_nothing(site, client, short_dir):
    before = await site("before")
    await before.commit(*words("both", 3))
    await before.store.backup(short_dir / "copy.db")
    await before.relay.drain()
    await before.commit(*words("gone", 4))
    await before.relay.drain()
    (short_dir / "copied").mkdir(mode=0o700)
    (short_dir / "copy.db").rename(short_dir / "copied" / "monitor.db")
    copied = await site("copied")  # what waited in it is in the stream already
    await copied.commit(*words("own", 2))
    await copied.relay.drain()
    assert [entry for _, entry in await told(client)] == [*words("both", 3), *words("gone", 4), *words("own", 2)]
    assert (await told(client))[-2:] == [("2-1", "own1"), ("2-2", "own2")]


async def test_a_source_added_later_meets_its_old_stream_before_its_first_delta_is_sent(site, client):
    before, fresh = await site("before"), await site("fresh")
    other = SourceRef("other")
    await before.store.ensure_sources([other], datetime.now(UTC))
    await before.commit(*words("old", 3), ref=other)
    await before.relay.drain()
    await fresh.relay.drain()
    await fresh.store.ensure_sources([other], datetime.now(UTC))
    await fresh.commit(*words("new", 5), ref=other)
    await fresh.relay.drain()
    assert [entry for _, entry in await told(client, "monitor:{other}:deltas")] == [*words("old", 3), *words("new", 5)]


async def test_alerts_of_a_fresh_store_come_after_the_old_ones_too(site, client):
    from monitor.store import outbox

    for name in ("before", "fresh"):
        one = await site(name)
        payloads = [f"{name}{n}".encode() for n in (1, 2)]
        await one.store.run(
            lambda connection, p=payloads: outbox.append(connection, "alerts", p, now=datetime.now(UTC))
        )
        await one.relay.drain()
    found = await client.command("XRANGE", "monitor:alerts", "-", "+")
    assert [(place, fields[b"d"]) for place, fields in found] == [
        (b"1-1", b"before1"), (b"1-2", b"before2"), (b"2-1", b"fresh1"), (b"2-2", b"fresh2"),
    ]  # fmt: skip


async def test_a_server_seen_again_is_no_stranger(site, client, any_server):
    one = await site("one")
    await one.commit(*words("a", 3))
    await one.relay.drain()
    again = Relay(any_server.url, one.store, events=RelayEvents(on_ahead=one.begin_after))
    await one.commit("a4")
    await again.drain()
    await again.aclose()
    assert one.told == []
    assert [place for place, _ in await told(client)] == ["1-1", "1-2", "1-3", "1-4"]


async def test_a_repeat_of_what_was_trimmed_since_is_no_stranger(site, client):
    one = await site("one")
    await one.commit(*words("a", 4))
    rows = await one.store.pending(10)
    await one.relay.drain()
    await client.command("XTRIM", STREAM, "MAXLEN", 1)
    await one.store.rewind("deltas", "live", 1, 0)  # as after a crash between publishing and marking
    assert await one.relay.drain() == 0
    assert (await one.store.backlog()).depth == 0
    assert one.told == []
    assert len(rows) == 4


async def test_two_monitors_on_the_same_names_lose_nothing_and_say_so(site, client):
    sites = [await site("here"), await site("there")]
    for n in range(1, 7):
        for name, one in zip(("here", "there"), sites, strict=True):
            await one.commit(f"{name}{n}")
            await one.relay.drain()
    found = await told(client)
    assert Counter(entry for _, entry in found) == Counter([*words("here", 6), *words("there", 6)])
    for name in ("here", "there"):
        assert [entry for _, entry in found if entry.startswith(name)] == words(name, 6)
    assert CONTESTED in {one.relay.state.trouble for one in sites}
