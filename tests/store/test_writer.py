"""The writing thread: groups that share a transaction, callers that wait, give up or are held back."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest

from monitor.errors import StoreUnavailable
from monitor.store import Store


async def test_a_group_that_fails_fails_for_each_of_its_commits(path, make):
    async with await Store.open(path, busy_timeout=0.01) as store:
        await store.ensure_sources([make.ref], make.now)
        state = await store.load("aleppo")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            outcomes = await asyncio.gather(*(store.commit(make.news(state)) for _ in range(5)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert (await store.load("aleppo")).version == 0


async def test_callers_are_held_back_when_the_disk_is_slower_than_they_are(path, make):
    async with await Store.open(path, waiting=4) as store:
        release = threading.Event()
        slow = asyncio.create_task(store.run(lambda _: release.wait(5)))
        await asyncio.sleep(0.05)
        callers = [asyncio.create_task(store.run(lambda _: None)) for _ in range(40)]
        await asyncio.sleep(0.05)
        assert len(store._writer._waiting) <= 4
        release.set()
        await asyncio.gather(slow, *callers)


async def test_a_caller_that_is_cancelled_disturbs_nobody(path, make):
    async with await Store.open(path) as store:
        release = threading.Event()
        slow = asyncio.create_task(store.run(lambda _: release.wait(5)))
        await asyncio.sleep(0.02)
        impatient = asyncio.create_task(store.ensure_sources([make.ref], make.now))
        patient = asyncio.create_task(store.ensure_sources([make.ref], make.now))
        await asyncio.sleep(0.02)
        impatient.cancel()
        release.set()
        await asyncio.gather(slow, patient)
        with pytest.raises(asyncio.CancelledError):
            await impatient
        assert (await store.load("aleppo")).version == 0


async def test_work_whose_caller_gave_up_before_it_began_is_not_done(path):
    async with await Store.open(path) as store:
        release, done = threading.Event(), []
        slow = asyncio.create_task(store.run(lambda _: release.wait(5)))
        await asyncio.sleep(0.02)
        impatient = asyncio.create_task(store.run(lambda _: done.append("impatient")))
        patient = asyncio.create_task(store.run(lambda _: done.append("patient")))
        await asyncio.sleep(0.02)
        impatient.cancel()
        await asyncio.wait([impatient])
        release.set()
        await asyncio.gather(slow, patient)
    assert done == ["patient"]


async def test_an_error_in_the_work_itself_is_the_callers_own(store):
    class Mine(Exception):
        pass

    def fail(_):
        raise Mine

    with pytest.raises(Mine):
        await store.run(fail)
    with pytest.raises(Mine):
        await store.read(fail)


async def test_what_waits_together_is_written_together(path):
    from sqlalchemy import event

    async with await Store.open(path, group=16) as store:
        transactions = []
        event.listen(store._engines.writer, "commit", lambda _: transactions.append("commit"))
        release = threading.Event()
        first = asyncio.create_task(store.run(lambda _: release.wait(5)))
        await asyncio.sleep(0.02)
        rest = [asyncio.create_task(store.run(lambda _: None)) for _ in range(40)]
        await asyncio.sleep(0.02)
        release.set()
        await asyncio.gather(first, *rest)
    assert len(transactions) == 4, "one alone, then 16, 16 and 8"
