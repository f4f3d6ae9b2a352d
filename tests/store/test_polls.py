"""A poll is stored whole, once, and in order; or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import Change, ChangeType, SourceRef
from monitor.store import Committed, PollNote, PollState, Superseded
from monitor.wire import encode_delta


async def test_what_a_poll_stored_is_what_the_next_one_starts_from(store, make):
    fresh = await store.load("aleppo")
    assert (fresh.version, fresh.epoch, fresh.sequence, fresh.known, fresh.memory) == (0, 1, 0, {}, None)
    assert await store.commit(make.news(fresh, 2)) == Committed(version=1, epoch=1, sequence=2)
    state = await store.load("aleppo")
    assert (state.version, state.sequence, state.memory) == (1, 2, b"memory")
    assert state.known == {"e0": b"entry 0", "e1": b"entry 1"}
    assert state.poll.etag == '"1"'


async def test_a_poll_that_began_before_another_committed_is_dropped_whole(store, make):
    state = await store.load("aleppo")
    first, second = make.news(state), make.news(state)
    assert isinstance(await store.commit(first), Committed)
    assert await store.commit(second) == Superseded("aleppo")
    assert [r.change.entry_id for r in await store.revisions("aleppo")] == ["e0"]
    assert (await store.backlog()).depth == 1
    assert (await store.load("aleppo")).known == {"e0": b"entry 0"}


async def test_of_many_polls_of_one_state_exactly_one_is_stored(store, make):
    state = await store.load("aleppo")
    outcomes = await asyncio.gather(*(store.commit(make.news(state)) for _ in range(20)))
    assert sum(isinstance(outcome, Committed) for outcome in outcomes) == 1
    assert (await store.backlog()).depth == 1


async def test_none_as_memory_leaves_what_was_there(store, make):
    await store.commit(make.news(await store.load("aleppo")))
    await store.commit(replace(make.news(await store.load("aleppo")), memory=None))
    assert (await store.load("aleppo")).memory == b"memory"


async def test_a_row_given_as_none_is_forgotten(store, make):
    await store.commit(make.news(await store.load("aleppo"), 2))
    await store.commit(make.poll(await store.load("aleppo"), [make.removed("e0", "entry 0")]))
    assert (await store.load("aleppo")).known == {"e1": b"entry 1"}


async def test_deltas_that_leave_a_gap_are_refused(store, make):
    state = await store.load("aleppo")
    with pytest.raises(ValueError, match="does not follow"):
        await store.commit(make.news(replace(state, sequence=4)))
    assert (await store.load("aleppo")).version == 0


async def test_deltas_that_are_not_dense_among_themselves_are_refused(store, make):
    poll = make.news(await store.load("aleppo"), 3)
    with pytest.raises(ValueError, match="is not"):
        await store.commit(replace(poll, deltas=(poll.deltas[0], poll.deltas[2])))


async def test_a_delta_of_no_recorded_change_is_refused(store, make):
    poll = make.news(await store.load("aleppo"), 2)
    with pytest.raises(ValueError, match="announced but not among the changes"):
        await store.commit(replace(poll, changes=poll.changes[:1]))
    assert await store.revisions("aleppo") == ()


async def test_one_failing_commit_takes_nothing_with_it(store, make):
    others = [SourceRef(f"s{n}") for n in range(6)]
    await store.ensure_sources(others, make.now)
    bad = make.news(replace(await store.load("aleppo"), sequence=9))
    polls = [make.news(await store.load(ref.id)) for ref in others]
    outcomes = await asyncio.gather(*map(store.commit, [*polls[:3], bad, *polls[3:]]), return_exceptions=True)
    assert isinstance(outcomes.pop(3), ValueError)
    assert outcomes == [Committed(1, 1, 1)] * 6


async def test_unannounced_changes_are_recorded_and_take_no_sequence(store, make):
    baseline = replace(make.new("e0", "entry"), type=ChangeType.BASELINE)
    await store.commit(make.poll(await store.load("aleppo"), [baseline], silent=True))
    (stored,) = await store.revisions("aleppo")
    assert (stored.change, stored.sequence) == (baseline, None)
    assert (await store.load("aleppo")).sequence == 0


async def test_the_outbox_holds_the_bytes_of_the_wire(store, make):
    poll = make.news(await store.load("aleppo"), 2)
    await store.commit(poll)
    assert [m.payload for m in await store.pending(10)] == [encode_delta(delta) for delta in poll.deltas]


async def test_alerts_are_stored_in_the_polls_own_transaction(address, make):
    from monitor.store import Store

    def write(connection, alerts, *, seen_at):
        if "bad" in alerts:
            raise RuntimeError("cannot store this alert")

    async with await Store.open(address, alert_writer=write) as store:
        await store.ensure_sources([make.ref], make.now)
        poll = make.news(await store.load("aleppo"))
        with pytest.raises(RuntimeError, match="cannot store this alert"):
            await store.commit(replace(poll, alerts=("bad",)))
        assert (await store.load("aleppo")).version == 0
        assert isinstance(await store.commit(replace(poll, alerts=("good",))), Committed)


async def test_notes_of_polls_that_found_nothing_raise_no_version(store, make):
    poll = PollState(etag='"7"', failures=2, last_poll_at=make.now, reason="blocked", since=make.now, interval=22.5)
    await store.note_polls([PollNote("aleppo", poll)])
    state = await store.load("aleppo")
    assert (state.version, state.poll) == (0, poll)
    assert await store.poll_states() == {"aleppo": poll}


async def test_a_note_older_than_a_commit_does_not_overwrite_it(store, make):
    await store.commit(make.news(await store.load("aleppo")))
    stale = PollState(etag='"stale"', last_poll_at=make.now - timedelta(seconds=1))
    await store.note_polls([PollNote("aleppo", stale)])
    assert (await store.load("aleppo")).poll.etag == '"1"'


async def test_settings_rename_a_source_and_leave_its_state(store, make):
    await store.commit(make.news(await store.load("aleppo")))
    await store.ensure_sources([SourceRef("aleppo", "New title", None)], make.now)
    state = await store.load("aleppo")
    assert (state.title, state.url, state.version) == ("New title", None, 1)


async def test_an_unknown_source_is_a_key_error(store):
    with pytest.raises(KeyError):
        await store.load("nobody")


async def test_texts_that_have_no_utf8_form_do_not_lose_the_poll(store, make):
    change = Change(ChangeType.NEW, "e0", make.entry("half \ud800 of a pair \x00 and a null"), 1)
    await store.commit(make.poll(await store.load("aleppo"), [change], rows={"e0": b"x"}))
    (stored,) = await store.revisions("aleppo")
    assert stored.entry.text == "half ? of a pair \x00 and a null"
