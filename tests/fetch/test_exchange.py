"""What is asked and what is made of a good answer."""

import asyncio
import gzip
from datetime import UTC, datetime

import brotli
import pytest
import zstandard

from monitor import __version__
from monitor.fetch import FetchRequest, FetchSettings, Fresh, NotModified
from monitor.fetch.fetcher import Fetcher
from tests.fetch.conftest import FAST
from tests.fetch.wire import http, sends

ODD_DATE = "Thu, 15-Dec-2016 13:47:00 GMT"  # not the form of RFC 9110; a server compares its own string all the same


async def test_the_document_tells_what_the_transport_knew(server, ask):
    server.routes["/"] = http(
        b"page", Content_Type="text/html; charset=utf-8", Age="12", Last_Modified="Thu, 15 Dec 2016 13:47:00 GMT"
    )
    document = (await ask("/")).document
    assert (document.content_type, document.served_age, document.status) == ("text/html; charset=utf-8", 12, 200)
    assert document.modified_at == datetime(2016, 12, 15, 13, 47, tzinfo=UTC)
    assert document.complete
    assert document.seen_at.tzinfo is not None


async def test_validators_go_back_exactly_as_they_came(server, ask):
    server.routes["/"] = http(b"page", ETag='W/"a,b c"', Last_Modified=ODD_DATE)
    first = await ask("/")
    server.routes["/"] = http(status="304 Not Modified", length=False)
    second = await ask("/", etag=first.etag, last_modified=first.last_modified)
    headers = server.asked()[1].headers
    assert (headers["if-none-match"], headers["if-modified-since"]) == ('W/"a,b c"', ODD_DATE)
    assert isinstance(second, NotModified)


async def test_a_304_brings_new_validators_and_hints(server, ask):
    server.routes["/"] = http(status="304 Not Modified", length=False, ETag='"2"', Cache_Control="max-age=60")
    outcome = await ask("/", etag='"1"')
    assert (outcome.etag, outcome.hints.fresh_for) == ('"2"', 60)


async def test_the_same_bytes_again_are_not_modified_even_with_another_etag(server, ask):
    server.routes["/"] = http(b"page", ETag='"1"')
    first = await ask("/")
    server.routes["/"] = http(gzip.compress(b"page"), ETag='"2"', Content_Encoding="gzip")
    second = await ask("/", etag=first.etag, body_hash=first.body_hash)
    assert isinstance(second, NotModified)
    assert second.etag == '"2"'


async def test_a_validator_that_cannot_be_sent_back_is_not_kept(server, ask):
    server.routes["/"] = http(b"page", ETag='"\xe9"')
    assert (await ask("/")).etag is None


@pytest.mark.parametrize(
    ("name", "compress"),
    [("gzip", gzip.compress), ("br", brotli.compress), ("zstd", zstandard.compress), ("x-gzip", gzip.compress)],
)
async def test_every_accepted_encoding_is_undone(name, compress, server, ask):
    body = b"<rss>" + b"x" * 300_000 + b"</rss>"
    server.routes["/"] = http(compress(body), Content_Encoding=name)
    outcome = await ask("/")
    assert outcome.document.body == body
    assert outcome.document.complete
    assert outcome.wire_bytes < 10_000


async def test_the_request_says_honestly_who_asks(server):
    server.routes["/"] = http(b"page")
    async with Fetcher(FetchSettings(contact="mailto:desk@example.org")) as fetcher:
        await fetcher.fetch(FetchRequest(server.url("/"), allow_private=True, robots="ignore", limits=FAST))
    headers = server.asked()[0].headers
    assert headers["user-agent"] == f"live-update-monitor/{__version__} (+mailto:desk@example.org)"
    assert headers["accept-encoding"] == "gzip, br, zstd"
    assert not headers.keys() & {"cookie", "referer", "if-none-match", "if-modified-since"}


async def test_polls_share_a_connection_and_keep_no_cookie(server, ask):
    server.routes["/"] = http(b"page", Set_Cookie="id=1; Path=/")
    for _ in range(5):
        assert isinstance(await ask("/"), Fresh)
    assert server.connections == 1
    assert not any("cookie" in request.headers for request in server.asked())


async def test_a_kept_connection_that_the_server_closed_meanwhile_is_no_failure(server, ask):
    server.routes["/"] = sends(http(b"page"))
    for _ in range(3):
        assert isinstance(await ask("/"), Fresh)
        await asyncio.sleep(0.02)
    assert server.connections == 3


async def test_a_query_is_sent_as_it_was_written(server, ask):
    server.routes["/live"] = http(b"page")
    await ask("/live?a=%2f&b=x+y&c=%C3%A9")
    assert server.asked()[0].target == "/live?a=%2f&b=x+y&c=%C3%A9"


async def test_non_ascii_in_the_path_is_escaped(server, ask):
    server.routes["/caf%C3%A9"] = http(b"page")
    assert (await ask("/café")).document.body == b"page"


async def test_a_connection_refused_and_a_name_without_address_are_told_apart(server, fetcher):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused = await fetcher.fetch(
        FetchRequest(f"http://127.0.0.1:{port}/", allow_private=True, robots="ignore", limits=FAST)
    )

    async def nowhere(name):
        raise OSError("Name or service not known")

    async with Fetcher(resolve=nowhere) as lost:
        unknown = await lost.fetch(FetchRequest("http://nowhere.example/", robots="ignore", limits=FAST))
    assert (refused.verdict.code, unknown.verdict.code) == ("connect", "dns")


async def test_a_name_server_that_never_answers_costs_the_total_time_and_no_more():
    async def silent(name):
        await asyncio.sleep(3600)

    async with Fetcher(resolve=silent) as fetcher:
        outcome = await fetcher.fetch(FetchRequest("http://slow.example/", robots="ignore", limits=FAST))
    assert outcome.verdict.code == "timeout"
