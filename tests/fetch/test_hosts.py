"""A host is asked no harder than agreed, by all its sources together, and every source gets its turn."""

import asyncio
import itertools

import pytest

from monitor.fetch import FetchRequest, FetchSettings, Fresh, HostPolicy
from monitor.fetch.fetcher import Fetcher
from monitor.fetch.hosts import HostBusyError, HostLimiter
from tests.fetch.conftest import FAST
from tests.fetch.wire import http


async def test_starts_at_one_host_keep_their_distance():
    loop = asyncio.get_running_loop()
    limiter = HostLimiter(HostPolicy(concurrency=5, spacing=0.05))
    starts = []

    async def one():
        async with limiter.turn("a"):
            starts.append(loop.time())

    await asyncio.gather(*(one() for _ in range(6)))
    assert all(later - earlier >= 0.049 for earlier, later in itertools.pairwise(starts))


async def test_no_more_requests_at_once_than_agreed():
    limiter = HostLimiter(HostPolicy(concurrency=2, spacing=0.0))
    running, most = 0, 0

    async def one(host):
        nonlocal running, most
        async with limiter.turn(host):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(*(one("a") for _ in range(10)))
    assert most == 2


async def test_hosts_do_not_wait_for_each_other():
    limiter = HostLimiter(HostPolicy(concurrency=1, spacing=60.0))
    async with asyncio.timeout(1.0), limiter.turn("a"), limiter.turn("b"), limiter.turn("c"):
        pass


async def test_turns_are_given_in_the_order_they_were_asked_for():
    limiter = HostLimiter(HostPolicy(concurrency=1, spacing=0.005))
    order = []

    async def one(n):
        async with limiter.turn("a"):
            order.append(n)
            await asyncio.sleep(0.002)

    await asyncio.gather(*(one(n) for n in range(20)))
    assert order == list(range(20))


async def test_a_queue_longer_than_the_wait_is_refused_at_once():
    limiter = HostLimiter(HostPolicy(spacing=10.0, max_wait=25.0), clock=lambda: 0.0)
    waiting = [asyncio.ensure_future(limiter.turn("a").__aenter__()) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(HostBusyError) as busy:
        async with limiter.turn("a"):
            pass
    assert busy.value.retry_after == 30.0
    for turn in waiting:
        turn.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_cancelled_wait_frees_its_slot():
    limiter = HostLimiter(HostPolicy(concurrency=1, spacing=0.0))

    async def hold():
        async with limiter.turn("a"):
            await asyncio.sleep(3600)

    holder, waiter = asyncio.create_task(hold()), asyncio.create_task(hold())
    await asyncio.sleep(0.01)
    for task in (waiter, holder):
        task.cancel()
    await asyncio.gather(holder, waiter, return_exceptions=True)
    async with asyncio.timeout(1.0), limiter.turn("a"):
        pass


def test_many_hosts_do_not_grow_without_bound():
    now = 0.0
    limiter = HostLimiter(clock=lambda: now)
    for n in range(10_000):
        now += 10.0
        limiter.space(f"host{n}", 1.0)
    assert len(limiter._hosts) <= 2048


@pytest.mark.parametrize("status", ["429 Too Many", "503 Unavailable"])
async def test_a_host_that_asks_for_rest_is_left_alone_by_all_its_sources(status, server):
    now = 0.0
    async with Fetcher(FetchSettings(hosts=HostPolicy(spacing=0.0)), clock=lambda: now) as fetcher:

        async def ask(path):
            return await fetcher.fetch(FetchRequest(server.url(path), allow_private=True, robots="ignore", limits=FAST))

        server.routes |= {"/a": http(b"", status, Retry_After="120"), "/b": http(b"page")}
        assert (await ask("/a")).retry_after == 120
        now = 60.0
        blocked = await ask("/b")
        assert (blocked.verdict.code, blocked.retry_after) == ("host_backoff", 60.0)
        assert not server.asked("/b")
        now = 121.0
        assert isinstance(await ask("/b"), Fresh)


async def test_who_stands_in_line_when_a_host_asks_for_rest_does_not_go(server):
    async def busy(request, writer):
        await asyncio.sleep(0.05)
        writer.write(http(b"", "429 Slow Down", Retry_After="60"))
        await writer.drain()
        return True

    server.routes |= {"/a": busy, "/b": http(b"page")}
    async with Fetcher(FetchSettings(hosts=HostPolicy(concurrency=1, spacing=0.0))) as fetcher:

        async def ask(path):
            return await fetcher.fetch(FetchRequest(server.url(path), allow_private=True, robots="ignore", limits=FAST))

        first, second = await asyncio.gather(ask("/a"), ask("/b"))
    assert (first.verdict.code, second.verdict.code) == ("http_429", "host_backoff")
    assert not server.asked("/b")


async def test_without_retry_after_the_rest_doubles_with_each_refusal_in_a_row(server):
    now = 0.0
    server.routes |= {"/busy": http(b"", "503 Busy"), "/ok": http(b"ok")}
    async with Fetcher(FetchSettings(hosts=HostPolicy(spacing=0.0)), clock=lambda: now) as fetcher:

        async def ask(path):
            return await fetcher.fetch(FetchRequest(server.url(path), allow_private=True, robots="ignore", limits=FAST))

        rests = []
        for _ in range(7):
            await ask("/busy")
            rests.append(fetcher.hosts.closed_for("127.0.0.1"))
            now += rests[-1]
        assert rests == [30, 60, 120, 240, 480, 900, 900]
        await ask("/ok")
        await ask("/busy")
        assert fetcher.hosts.closed_for("127.0.0.1") == 30
