"""The outbox: what waits for its stream, in order, until somebody says that it is there."""

from __future__ import annotations

from datetime import timedelta

from monitor.model import SourceRef
from monitor.store import Backlog, Retention, Store, outbox

OTHER = SourceRef("mosul")


async def commit_news(store, make, count=1, ref=None):
    return await store.commit(make.news(await store.load((ref or make.ref).id), count))


def sequences(messages):
    return [(message.topic, message.source_id, message.sequence) for message in messages]


async def test_messages_wait_until_they_are_marked(store, make):
    await commit_news(store, make, 3)
    waiting = await store.pending(10)
    assert sequences(waiting) == [("deltas", "aleppo", n) for n in (1, 2, 3)]
    await store.mark_published(waiting[:2])
    assert sequences(await store.pending(10)) == [("deltas", "aleppo", 3)]
    await store.mark_published([])
    await store.mark_published(waiting)
    assert await store.backlog() == Backlog(0, None)


async def test_each_stream_comes_in_its_order_and_the_oldest_first(store, make):
    await store.ensure_sources([OTHER], make.now)
    for ref in (make.ref, OTHER, make.ref):
        await commit_news(store, make, 2, ref)
    assert sequences(await store.pending(5)) == [
        ("deltas", "aleppo", 1),
        ("deltas", "aleppo", 2),
        ("deltas", "mosul", 1),
        ("deltas", "mosul", 2),
        ("deltas", "aleppo", 3),
    ]


async def test_a_stream_that_takes_nothing_can_be_left_out(store, make):
    await store.ensure_sources([OTHER], make.now)
    await commit_news(store, make, 5)
    await commit_news(store, make, 1, OTHER)
    assert sequences(await store.pending(3, skip=[("deltas", "aleppo")])) == [("deltas", "mosul", 1)]


async def test_rewinding_makes_everything_after_a_position_wait_again(store, make):
    await commit_news(store, make, 4)
    await store.mark_published(await store.pending(10))
    assert await store.rewind("deltas", "aleppo", 1, 2) == 2
    assert sequences(await store.pending(10)) == [("deltas", "aleppo", 3), ("deltas", "aleppo", 4)]
    assert await store.rewind("deltas", "aleppo", 1, 2) == 0, "they wait already"
    assert await store.rewind("deltas", "nobody", 0, 0) == 0


async def test_the_backlog_says_since_when_the_oldest_waits(store, make):
    began = make.now
    await commit_news(store, make)
    make.now += timedelta(minutes=5)
    await commit_news(store, make)
    assert await store.backlog() == Backlog(2, began)


async def test_heads_name_the_newest_position_of_every_stream(store, make):
    await store.ensure_sources([OTHER], make.now)
    await commit_news(store, make, 3)
    await store.run(lambda connection: outbox.append(connection, "alerts", [b"one", b"two"], now=make.now))
    assert await store.heads() == {("deltas", "aleppo"): (1, 3), ("deltas", "mosul"): (1, 0), ("alerts", ""): (1, 2)}


async def test_alerts_have_one_dense_sequence_for_all_sources(store, make):
    def append(*payloads):
        return store.run(lambda connection: outbox.append(connection, "alerts", payloads, now=make.now))

    assert await append(b"a", b"b") == ((1, 1), (1, 2))
    assert await append() == ()
    assert await append(b"c") == ((1, 3),)
    assert [message.payload for message in await store.pending(9)] == [b"a", b"b", b"c"]


async def test_whoever_drains_is_woken_after_the_commit_and_only_by_messages(address, make):
    seen = []
    async with await Store.open(address, on_outbox=lambda: seen.append("woken")) as store:
        await store.ensure_sources([make.ref], make.now)
        await store.commit(make.poll(await store.load("aleppo"), [make.new("e", "t")], silent=True))
        assert seen == []
        await commit_news(store, make)
        assert seen == ["woken"]
        await store.mark_published(await store.pending(9))
        assert seen == ["woken"]
        await store.rewind("deltas", "aleppo", 1, 0)
        assert seen == ["woken", "woken"]


async def test_retention_deletes_published_messages_and_never_waiting_ones(store, make):
    await commit_news(store, make, 3)
    await store.mark_published((await store.pending(10))[:2])
    make.now += timedelta(hours=47)
    assert (await store.prune(Retention())).outbox == 0
    make.now += timedelta(hours=2)
    assert (await store.prune(Retention())).outbox == 2
    assert sequences(await store.pending(10)) == [("deltas", "aleppo", 3)]
    assert sequences(await store.messages_since("deltas", "aleppo", None)) == [("deltas", "aleppo", 3)]


async def test_the_very_bytes_can_be_read_again_from_a_position(store, make):
    await commit_news(store, make, 4)
    everything = await store.pending(10)
    await store.mark_published(everything)
    assert await store.messages_since("deltas", "aleppo", (1, 2)) == tuple(everything[2:])
    assert await store.messages_since("deltas", "aleppo", None, limit=1) == tuple(everything[:1])
