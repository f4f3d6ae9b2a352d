"""Name servers that do not answer cost their own sources time, and nobody else."""

import asyncio
import socket
import threading

import pytest

from monitor.fetch import guard
from monitor.fetch.guard import MAX_LOOKUPS, system_resolve


@pytest.fixture
def silent_name_server(monkeypatch):
    """`getaddrinfo` of names under .silent waits until the test is over; the rest is asked as ever."""
    over, ask = threading.Event(), socket.getaddrinfo
    monkeypatch.setattr(guard, "_lookups", threading.BoundedSemaphore(MAX_LOOKUPS))

    def getaddrinfo(host, *arguments, **options):
        if str(host).endswith(".silent"):
            over.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "the name server is silent")
        return ask(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    over.set()


async def test_a_name_of_this_machine_resolves():
    assert set(await system_resolve("localhost")) & {"127.0.0.1", "::1"}


@pytest.mark.parametrize("name", ["", "a" * 64 + ".example", "x" * 300, "a..b"])
async def test_what_is_no_name_is_an_error_like_any_other(name):
    with pytest.raises(OSError):
        await system_resolve(name)


async def test_silent_name_servers_leave_room_and_the_loop_free(silent_name_server):
    waiting = [asyncio.ensure_future(system_resolve(f"{n}.silent")) for n in range(MAX_LOOKUPS - 1)]
    await asyncio.sleep(0)
    assert await system_resolve("127.0.0.1") == ["127.0.0.1"]
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()


async def test_when_all_look_ups_wait_the_next_is_refused_at_once(silent_name_server):
    waiting = [asyncio.ensure_future(system_resolve(f"{n}.silent")) for n in range(MAX_LOOKUPS)]
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="look-ups"):
        await system_resolve("localhost")
    for task in waiting:
        task.cancel()


async def test_a_look_up_given_up_holds_nothing_but_its_thread(silent_name_server):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await system_resolve("slow.silent")
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("lookup-"))
