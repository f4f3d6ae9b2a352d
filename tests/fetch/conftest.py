"""A raw server and a fetcher for it."""

import pytest

from monitor.fetch import FetchLimits, FetchRequest, FetchSettings, HostPolicy
from monitor.fetch.fetcher import Fetcher
from monitor.text.addresses import refusal
from tests.fetch.wire import RawServer

FAST = FetchLimits(connect=1.0, idle=0.6, total=1.2)


@pytest.fixture
async def server():
    server = await RawServer().start()
    yield server
    await server.stop()


@pytest.fixture
async def fetcher():
    async with Fetcher(FetchSettings(hosts=HostPolicy(concurrency=50, spacing=0.0))) as fetcher:
        yield fetcher


@pytest.fixture
def ask(server, fetcher):
    """Fetch a path of the raw server, robots.txt aside."""

    async def ask(path, **options):
        options = {"allow_private": True, "robots": "ignore", "limits": FAST, **options}
        return await fetcher.fetch(FetchRequest(server.url(path), **options))

    return ask


@pytest.fixture
async def public(monkeypatch):
    """A server on a loopback address that passes for public; everything else is judged as ever."""
    monkeypatch.setattr(
        "monitor.fetch.guard.refusal",
        lambda address, *, allow_private: (
            None if address == "127.0.0.2" else refusal(address, allow_private=allow_private)
        ),
    )
    server = await RawServer().start("127.0.0.2")
    yield server
    await server.stop()
