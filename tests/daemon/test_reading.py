"""A document is read once for a person who names its address."""

import pytest

from monitor.daemon.reading import read_source
from monitor.errors import ServiceUnavailable
from monitor.model import ReadOptions
from tests.fetch.conftest import public, server  # noqa: F401
from tests.fetch.wire import http, redirect
from tests.sources import hostile

FEED = http(hostile.feed().encode(), Content_Type="application/rss+xml")


async def read(url, now):
    return await read_source(url, ReadOptions(), url=None, seen_at=now)


@pytest.fixture
def now():
    from datetime import UTC, datetime

    return datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_an_address_on_a_private_network_is_meant_when_a_person_names_it(server, now):  # noqa: F811
    server.routes["/"] = FEED
    assert len((await read(server.url("/"), now)).snapshot.entries) == 3


async def test_a_public_address_that_redirects_into_the_house_is_refused(public, server, now):  # noqa: F811
    public.routes["/"] = redirect(server.url("/"))
    server.routes["/"] = FEED
    with pytest.raises(ServiceUnavailable, match="loopback"):
        await read(public.url("/", "127.0.0.2"), now)
    assert not server.connections
