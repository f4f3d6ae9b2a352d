"""Several daemons on one database: leases spare work, the compare-and-set keeps everything else harmless."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta

import pytest

from monitor.errors import StoreUnavailable
from monitor.model import SourceRef
from monitor.store import Committed, PollNote, PollState, Store, Superseded

LEASE = timedelta(seconds=30)


@pytest.fixture
async def second(store, address):
    """Another daemon on the same database."""
    async with await Store.open(address) as opened:
        yield opened


async def test_of_two_daemons_that_poll_the_same_source_one_result_is_stored(store, second, make):
    for _ in range(10):
        here, there = await store.load("aleppo"), await second.load("aleppo")
        outcomes = await asyncio.gather(store.commit(make.news(here)), second.commit(make.news(there)))
        assert {type(outcome) for outcome in outcomes} == {Committed, Superseded}
    messages = await store.pending(99)
    assert [message.sequence for message in messages] == list(range(1, 11))
    assert len(await second.revisions("aleppo")) == 10


async def test_two_daemons_racing_over_many_sources_lose_nothing_and_repeat_nothing(store, second, make):
    refs = [SourceRef(f"s{n}") for n in range(8)]
    await store.ensure_sources(refs, make.now)

    async def daemon(mine: Store) -> int:
        stored = 0
        for _ in range(5):
            for ref in refs:
                try:
                    outcome = await mine.commit(make.news(await mine.load(ref.id), 2))
                except StoreUnavailable:  # PostgreSQL broke a deadlock: this poll is dropped, the next one works
                    continue
                stored += isinstance(outcome, Committed)
        return stored

    stored = sum(await asyncio.gather(daemon(store), daemon(second), daemon(store)))
    for ref in refs:
        heads = (await store.load(ref.id)).sequence
        assert [m.sequence for m in await store.messages_since("deltas", ref.id, None)] == list(range(1, heads + 1))
    assert (await store.backlog()).depth == 2 * stored > 0


async def test_a_due_source_is_claimed_once_and_again_when_its_lease_ran_out(store, second, make):
    (claim,) = await store.claim_due(make.now, limit=5, lease=LEASE)
    assert (claim.source_id, claim.lease_until) == ("aleppo", make.now + LEASE)
    assert await second.claim_due(make.now, limit=5, lease=LEASE) == ()
    assert len(await second.claim_due(make.now + LEASE, limit=5, lease=LEASE)) == 1


async def test_claims_taken_at_the_same_moment_never_overlap(store, second, make):
    await store.ensure_sources([SourceRef(f"s{n:02}") for n in range(30)], make.now)
    taken = await asyncio.gather(
        *(daemon.claim_due(make.now, limit=4, lease=LEASE) for daemon in (store, second) for _ in range(5))
    )
    ids = [claim.source_id for claims in taken for claim in claims]
    assert len(ids) == len(set(ids)) == 31


async def test_a_poll_that_is_over_gives_its_source_back_until_it_is_due(store, make):
    await store.claim_due(make.now, limit=1, lease=LEASE)
    await store.commit(make.news(await store.load("aleppo")))
    assert await store.claim_due(make.now, limit=1, lease=LEASE) == (), "due in 15 s"
    make.now += timedelta(seconds=15)
    assert len(await store.claim_due(make.now, limit=1, lease=LEASE)) == 1
    poll = PollState(last_poll_at=make.now, next_poll_at=make.now + timedelta(seconds=5))
    await store.note_polls([PollNote("aleppo", poll)])
    assert len(await store.claim_due(make.now + timedelta(seconds=5), limit=1, lease=LEASE)) == 1


async def test_the_source_that_waits_longest_is_claimed_first_and_others_are_left(store, make):
    await store.ensure_sources([SourceRef("b"), SourceRef("c")], make.now)
    for source_id, seconds in (("aleppo", 3), ("b", 1), ("c", 2)):
        due = PollState(last_poll_at=make.now, next_poll_at=make.now + timedelta(seconds=seconds))
        await store.note_polls([PollNote(source_id, due)])
    later = make.now + timedelta(minutes=1)
    claims = await store.claim_due(later, limit=2, lease=LEASE, among=["aleppo", "c"])
    assert [claim.source_id for claim in claims] == ["c", "aleppo"]
    assert [claim.source_id for claim in await store.claim_due(later, limit=2, lease=LEASE)] == ["b"]


async def test_a_new_epoch_begins_every_stream_at_one_and_drops_polls_under_way(store, second, make):
    await store.commit(make.news(await store.load("aleppo"), 3))
    under_way = make.news(await second.load("aleppo"))
    assert await store.raise_epoch("the streams are ahead") == 2
    assert await second.commit(under_way) == Superseded("aleppo")
    assert await second.commit(make.news(await second.load("aleppo"))) == Committed(3, 2, 1)
    assert [(m.epoch, m.sequence) for m in await store.pending(9)] == [(1, 1), (1, 2), (1, 3), (2, 1)]
    assert [delta.id for delta in await store.deltas_since("aleppo", (1, 2))] == ["aleppo/1-3", "aleppo/2-1"]


async def test_many_streams_found_ahead_raise_the_epoch_once_and_above_all_of_them(store):
    assert await store.raise_epoch("the streams are ahead", above=7) == 8
    assert [await store.raise_epoch("so is another", above=epoch) for epoch in (7, 3)] == [8, 8]
    assert await store.raise_epoch("asked to") == 9


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("claiming", [True, False], ids=["with leases", "each polls everything"])
async def test_an_hour_of_two_daemons_that_stall_and_overlap_is_exact(claiming, store, second, make):
    """Scripted time: both claim what is due every 15 s or poll it anyhow, some polls stall past the next and commit late.

    The page of each source only ever changes with time, so a stored page must never be older than one stored before it.
    """
    chance, start = random.Random(11), make.now
    names = [f"s{n}" for n in range(4)]
    await store.ensure_sources([SourceRef(name) for name in names], start)
    stalled: list[tuple[int, Store, object]] = []
    outcomes: Counter[str] = Counter()

    def page_at(tick: int) -> list[str]:
        return [f"entry {n}" for n in range(tick // 3 + 1)]

    async def poll(daemon: Store, name: str, tick: int):
        state = await daemon.load(name)
        fresh = [text for text in page_at(tick) if text not in state.known]
        return make.poll(state, [make.new(text, text, n) for n, text in enumerate(fresh)])

    async def finish(daemon: Store, result) -> None:
        outcomes[type(await daemon.commit(result)).__name__] += 1

    for tick in range(240):
        make.now = start + timedelta(seconds=15 * tick)
        for due in [late for late in stalled if late[0] <= tick]:
            stalled.remove(due)
            await finish(due[1], due[2])
        for daemon in chance.sample([store, second], 2):
            due = await daemon.claim_due(make.now, limit=3, lease=timedelta(seconds=20), among=names)
            for name in [claim.source_id for claim in due] if claiming else names:
                result = await poll(daemon, name, tick)
                if chance.random() < 0.2:
                    stalled.append((tick + chance.randrange(2, 6), daemon, result))
                else:
                    await finish(daemon, result)
    for _, daemon, result in stalled:
        await finish(daemon, result)
    assert outcomes["Superseded"] > 20, "some polls were overtaken"
    for name in names:
        changes = [stored.change.entry_id for stored in await store.revisions(name)]
        assert changes == page_at(239)[: len(changes)], "each entry once, in the order the page grew"
        assert len(changes) > 75
        messages = await store.messages_since("deltas", name, None)
        assert [message.sequence for message in messages] == list(range(1, len(changes) + 1))
