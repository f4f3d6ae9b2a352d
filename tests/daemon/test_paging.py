"""A burst longer than a page is read on to its end, or said to be possibly cut."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from monitor.daemon.judging import Watch, find_changes
from monitor.daemon.paging import MAX_PAGES, read_on
from monitor.model import Entry, Reading, Snapshot, SourceRef, Verdict, VerdictKind
from monitor.reconcile import reconcile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = "https://live.example/feed"


def entry(number):
    return Entry(position=0, text=f"Report number {number} from the bridge over the river", native_id=f"id-{number}")


def snapshot(numbers, next_url=None):
    entries = tuple(
        Entry(position=at, text=entry(n).text, native_id=entry(n).native_id) for at, n in enumerate(numbers)
    )
    return Snapshot(entries, "feed", NOW, next_url=next_url)


def known_of(numbers):
    ids = (f"e{n}" for n in range(1000))
    return reconcile(None, snapshot(numbers), new_id=ids.__next__).known


def pages(**by_url):
    asked = []

    async def read_page(url):
        asked.append(url)
        return by_url.get(url.rsplit("/", 1)[1])

    return asked, read_page


async def test_a_page_that_meets_what_is_known_is_left_as_it_is():
    first = snapshot([5, 4, 3], next_url=PAGE + "2")
    asked, read_page = pages()
    assert await read_on(known_of([3, 2, 1]), first, PAGE, read_page) is first
    assert asked == []


async def test_a_burst_is_read_on_until_a_known_entry():
    asked, read_page = pages(
        b=snapshot([6, 5], next_url="https://live.example/c"), c=snapshot([4, 3], next_url="https://live.example/d")
    )
    whole = await read_on(known_of([3, 2, 1]), snapshot([8, 7], next_url="https://live.example/b"), PAGE, read_page)
    assert [one.native_id for one in whole.entries] == ["id-8", "id-7", "id-6", "id-5", "id-4", "id-3"]
    assert [one.position for one in whole.entries] == [0, 1, 2, 3, 4, 5]
    assert not whole.gap_possible
    assert asked == ["https://live.example/b", "https://live.example/c"]


async def test_an_entry_that_moved_to_the_next_page_meanwhile_is_shown_once():
    _, read_page = pages(b=snapshot([7, 6, 3]))
    whole = await read_on(known_of([3, 2]), snapshot([8, 7], next_url="https://live.example/b"), PAGE, read_page)
    assert [one.native_id for one in whole.entries] == ["id-8", "id-7", "id-6", "id-3"]


async def test_what_an_older_page_declares_deleted_is():
    older = replace(snapshot([6, 3]), deleted=("id-2",))
    _, read_page = pages(b=older)
    whole = await read_on(known_of([3, 2]), snapshot([8, 7], next_url="https://live.example/b"), PAGE, read_page)
    assert whole.deleted == ("id-2",)


async def test_an_older_page_that_does_not_come_in_time_costs_nothing_of_the_first():
    async def never(url):
        await asyncio.Event().wait()

    first = snapshot([8, 7], next_url="https://live.example/b")
    whole = await read_on(known_of([3, 2]), first, PAGE, never, max_seconds=0.01)
    assert whole.entries == first.entries
    assert whole.gap_possible


async def test_a_burst_without_older_pages_says_that_a_gap_is_possible():
    _, read_page = pages()
    whole = await read_on(known_of([3, 2]), snapshot([8, 7]), PAGE, read_page)
    assert whole.gap_possible


async def test_a_page_never_sends_us_to_another_host():
    asked, read_page = pages(b=snapshot([3]))
    await read_on(known_of([3]), snapshot([8, 7], next_url="https://internal.example/b"), PAGE, read_page)
    assert asked == []


async def test_reading_on_ends_after_a_few_pages():
    count = 0

    async def endless(url):
        nonlocal count
        count += 1
        return snapshot([100 + count], next_url=f"https://live.example/{count}")

    whole = await read_on(known_of([3]), snapshot([99], next_url="https://live.example/x"), PAGE, endless)
    assert len(whole.entries) == MAX_PAGES
    assert whole.gap_possible


def test_the_oldest_new_entry_says_that_a_gap_is_possible_before_it():
    ids = (f"n{n}" for n in range(100))
    cut = replace(snapshot([8, 7, 6]), gap_possible=True)
    found = find_changes(
        Watch(SourceRef("s")),
        known_of([3, 2]),
        Reading(Verdict(VerdictKind.OK), cut),
        cut,
        epoch=1,
        head=0,
        new_id=ids.__next__,
    )
    notes = {delta.change.entry.native_id: delta.change.note for delta in found.deltas}
    assert notes["id-6"] == "a gap is possible before this entry"
    assert notes["id-8"] is None
