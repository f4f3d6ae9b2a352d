"""What left its page is forgotten after its time; what stands there stays."""

from __future__ import annotations

from datetime import timedelta

from monitor.store import Retention

MONTH = timedelta(days=30)
KEEP = Retention(revisions=MONTH)


def is_live(row: bytes) -> bool:
    return row.startswith(b"live")


async def commit(store, make, *changes, **more):
    return await store.commit(make.poll(await store.load("aleppo"), changes, **more))


async def two_entries_and_a_later_poll(store, make):
    """One entry that left its page and one that is there still, both a year old; the source was polled just now."""
    first, second = make.new("left", "it left"), make.new("stays", "it stays")
    await commit(store, make, first, second, rows={"left": b"gone", "stays": b"live"})
    make.now += timedelta(days=365)
    await commit(store, make, make.new("news", "news"), rows={"news": b"live"})


async def entry_ids(store) -> list[str]:
    return [stored.change.entry_id for stored in await store.revisions("aleppo")]


async def test_an_entry_that_left_its_page_is_forgotten_and_one_that_is_there_stays(store, make):
    await two_entries_and_a_later_poll(store, make)
    assert (await store.prune(KEEP, on_page=is_live)).entries == 1
    assert await entry_ids(store) == ["stays", "news"]
    assert sorted((await store.load("aleppo")).known) == ["news", "stays"]
    assert (await store.prune(KEEP, on_page=is_live)).entries == 0


async def test_without_a_limit_nothing_is_forgotten(store, make):
    await two_entries_and_a_later_poll(store, make)
    await store.prune(Retention(), on_page=is_live)
    assert await entry_ids(store) == ["left", "stays", "news"]


async def test_an_entry_that_left_lately_is_kept(store, make):
    await commit(store, make, make.new("left", "it left"), rows={"left": b"gone"})
    make.now += timedelta(days=29)
    await commit(store, make, make.new("news", "news"), rows={"news": b"live"})
    assert (await store.prune(KEEP, on_page=is_live)).entries == 0


async def test_a_source_that_is_polled_no_more_is_forgotten_after_the_same_time(store, make):
    await commit(store, make, make.new("old", "it stays"), rows={"old": b"live"})
    make.now += timedelta(days=31)
    assert (await store.prune(KEEP, on_page=is_live)).entries == 1


async def test_more_entries_than_fit_a_transaction_are_forgotten_at_once(store, make):
    many = [make.new(f"e{n}", f"entry {n}", n) for n in range(1200)]
    rows = {change.entry_id: b"live" if n % 2 else b"gone" for n, change in enumerate(many)}
    await commit(store, make, *many, rows=rows)
    make.now += timedelta(days=31)
    await commit(store, make, make.new("news", "news"), rows={"news": b"live"})
    assert (await store.prune(KEEP, on_page=is_live)).entries == 600


async def test_sequences_go_on_after_everything_was_forgotten(store, make):
    await commit(store, make, make.new("old", "old"), rows={"old": b"gone"})
    make.now += timedelta(days=31)
    await store.prune(Retention(revisions=MONTH, outbox=MONTH), on_page=is_live)
    assert (await commit(store, make, make.new("news", "news"))).sequence == 2
