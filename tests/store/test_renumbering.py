"""Streams that hold what the store did not write: where new deltas go, and what becomes of those that wait."""

from __future__ import annotations

import json
from datetime import timedelta

from monitor.model import SourceRef
from monitor.store import Superseded, outbox

LIVE = ("deltas", "aleppo")
OTHER = SourceRef("mosul")


async def commit_news(store, make, count=1, ref=None):
    return await store.commit(make.news(await store.load((ref or make.ref).id), count))


def places(messages):
    return [(message.source_id, message.epoch, message.sequence) for message in messages]


async def test_what_waits_under_taken_ids_gets_new_ones_in_message_and_history(store, make):
    await commit_news(store, make, 3)
    before = [json.loads(message.payload) for message in await store.pending(9)]
    assert await store.begin_after({LIVE: (1, 500)}, "another's") == (2, 3)
    waiting = await store.pending(9)
    assert places(waiting) == [("aleppo", 2, n) for n in (1, 2, 3)]
    for n, (message, old) in enumerate(zip(waiting, before, strict=True), 1):
        place = {"id": f"aleppo/2-{n}", "epoch": "2", "sequence": f"{n:020d}"}
        assert json.loads(message.payload) == old | place
    assert [delta.id for delta in await store.deltas_since("aleppo", None)] == [f"aleppo/2-{n}" for n in (1, 2, 3)]
    assert await store.messages_at([(LIVE, (1, 1))]) == ()
    await commit_news(store, make)
    assert places(await store.pending(9))[-1] == ("aleppo", 2, 4)


async def test_what_is_published_keeps_its_place(store, make):
    await commit_news(store, make, 4)
    waiting = await store.waiting(*LIVE, 9)
    await store.mark_published(waiting[:1])
    await store.mark_published(waiting[2:3])
    assert await store.begin_after({LIVE: (1, 9)}, "another's") == (2, 2)
    assert places(await store.messages_since(*LIVE, None)) == [
        ("aleppo", 1, 1), ("aleppo", 1, 3), ("aleppo", 2, 1), ("aleppo", 2, 2),
    ]  # fmt: skip
    told = {stored.change.entry_id: (stored.epoch, stored.sequence) for stored in await store.revisions("aleppo")}
    assert sorted(told.values()) == [(1, 1), (1, 3), (2, 1), (2, 2)]
    assert [json.loads(m.payload)["subject"] for m in await store.pending(9)] == [
        entry for entry, place in told.items() if place[0] == 2
    ]


async def test_what_waits_beyond_the_streams_end_keeps_its_place_and_new_deltas_follow_in_a_new_epoch(store, make):
    await commit_news(store, make, 3)
    await store.mark_published((await store.pending(9))[:2])
    assert await store.begin_after({LIVE: (1, 2)}, "another's") == (2, 0)
    await commit_news(store, make)
    assert places(await store.pending(9)) == [("aleppo", 1, 3), ("aleppo", 2, 1)]


async def test_many_streams_begin_one_epoch_and_a_second_look_none(store, make):
    await store.ensure_sources([OTHER], make.now)
    for ref in (make.ref, OTHER):
        await commit_news(store, make, 2, ref)
    ends = {LIVE: (7, 3), ("deltas", "mosul"): (1, 9)}
    assert await store.begin_after(ends, "another's") == (8, 4)
    assert await store.begin_after(ends, "another daemon saw it too") == (8, 0)
    assert (await store.heads())["deltas", "mosul"] == (8, 2)


async def test_what_waits_in_two_epochs_stays_in_order(store, make):
    await commit_news(store, make, 2)
    await store.raise_epoch("restored")
    await commit_news(store, make, 2)
    entries = [json.loads(message.payload)["subject"] for message in await store.pending(9)]
    assert await store.begin_after({LIVE: (1, 50)}, "another's") == (3, 4)
    waiting = await store.pending(9)
    assert places(waiting) == [("aleppo", 3, n) for n in (1, 2, 3, 4)]
    assert [json.loads(message.payload)["subject"] for message in waiting] == entries


async def test_a_poll_under_way_is_superseded(store, make):
    await store.raise_epoch("restored")
    await commit_news(store, make)
    under_way = make.news(await store.load("aleppo"))
    await store.begin_after({LIVE: (2, 1)}, "another's")
    assert await store.commit(under_way) == Superseded("aleppo")
    assert places(await store.pending(9)) == [("aleppo", 3, 1)]


async def test_alerts_move_as_deltas_do_and_keep_their_bytes(store, make):
    await store.run(lambda connection: outbox.append(connection, "alerts", [b"one", b"two"], now=make.now))
    assert await store.begin_after({("alerts", ""): (1, 8)}, "another's") == (2, 2)
    assert [(m.epoch, m.sequence, m.payload) for m in await store.pending(9)] == [(2, 1, b"one"), (2, 2, b"two")]
    await store.run(lambda connection: outbox.append(connection, "alerts", [b"three"], now=make.now))
    assert (await store.heads())["alerts", ""] == (2, 3)


async def test_a_long_backlog_moves_whole(store, make):
    make.now += timedelta(minutes=1)
    for _ in range(6):
        await commit_news(store, make, 200)
    assert await store.begin_after({LIVE: (1, 4)}, "another's") == (2, 1200)
    assert places(await store.waiting(*LIVE, 2000)) == [("aleppo", 2, n) for n in range(1, 1201)]
    assert [delta.sequence for delta in await store.deltas_since("aleppo", None)] == list(range(1, 1201))
