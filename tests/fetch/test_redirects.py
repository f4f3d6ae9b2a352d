"""Redirects are followed as far as they are harmless, and permanent ones are counted."""

import ssl

import pytest
import trustme

from monitor.fetch import FetchRequest, Fresh, Move, elsewhere, sight_move
from monitor.fetch.fetcher import Fetcher
from tests.fetch.conftest import FAST
from tests.fetch.wire import RawServer, http, redirect

SECRETS = {"Authorization": "Bearer secret", "Cookie": "session=secret", "X-Api-Key": "secret", "Accept-Language": "de"}


@pytest.fixture
async def other():
    server = await RawServer().start()
    yield server
    await server.stop()


async def test_a_redirect_is_followed_and_the_document_knows_where_it_came_from(server, ask):
    server.routes["/old"] = redirect("/new?x=1#part")
    server.routes["/new"] = http(b"page")
    outcome = await ask("/old")
    assert (outcome.document.body, outcome.document.url) == (b"page", server.url("/new?x=1"))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_every_redirecting_status_is_followed(status, server, ask):
    server.routes["/old"] = redirect("/new", status)
    server.routes["/new"] = http(b"page")
    assert (await ask("/old")).document.body == b"page"


async def test_secrets_do_not_follow_to_another_origin(server, other, ask):
    server.routes["/"] = redirect(other.url("/"))
    other.routes["/"] = http(b"page")
    await ask("/", headers=SECRETS)
    assert server.asked()[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in str(other.asked()[0].headers)
    assert other.asked()[0].headers["accept-language"] == "de"


async def test_secrets_follow_within_the_origin(server, ask):
    server.routes["/"] = redirect("/page")
    server.routes["/page"] = http(b"page")
    await ask("/", headers=SECRETS)
    assert server.asked("/page")[0].headers["x-api-key"] == "secret"


async def test_secrets_are_sent_again_when_a_foreign_origin_sends_us_back_home_only_to_home(server, other, ask):
    server.routes["/"] = redirect(other.url("/"))
    other.routes["/"] = redirect(server.url("/page"))
    server.routes["/page"] = http(b"page")
    assert isinstance(await ask("/", headers=SECRETS), Fresh)
    assert "secret" not in str(other.asked()[0].headers)


async def test_a_password_in_the_source_url_becomes_an_authorization_of_its_own_origin(server, other, fetcher):
    server.routes["/"] = redirect(other.url("/"))
    other.routes["/"] = http(b"page")
    url = server.url("/").replace("http://", "http://me:p%40ss@")
    outcome = await fetcher.fetch(FetchRequest(url, allow_private=True, robots="ignore", limits=FAST))
    assert server.asked()[0].headers["authorization"] == "Basic bWU6cEBzcw=="
    assert "authorization" not in other.asked()[0].headers
    assert "p@ss" not in str(outcome)


async def test_no_redirect_leads_from_https_to_http(server):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    secure = await RawServer().start(ssl=context)
    secure.routes["/down"] = redirect(server.url("/"))
    secure.routes["/stay"] = http(b"safe")
    async with Fetcher(tls=trust) as fetcher:
        base = f"https://127.0.0.1:{secure.port}"
        down = await fetcher.fetch(FetchRequest(base + "/down", allow_private=True, robots="ignore", limits=FAST))
        stay = await fetcher.fetch(FetchRequest(base + "/stay", allow_private=True, robots="ignore", limits=FAST))
    async with Fetcher() as strict:
        unknown = await strict.fetch(FetchRequest(base + "/stay", allow_private=True, robots="ignore", limits=FAST))
    await secure.stop()
    assert down.verdict.code == "refused_redirect"
    assert stay.document.body == b"safe"
    assert unknown.verdict.code == "tls"
    assert not server.connections


async def test_only_redirects_that_are_all_permanent_say_that_a_source_moved(server, ask):
    server.routes["/a"] = redirect("/b", "301 Moved Permanently")
    server.routes["/b"] = redirect("/c", "308 Permanent Redirect")
    server.routes["/c"] = redirect("/d", "302 Found")
    server.routes["/d"] = redirect("/e", "301 Moved Permanently")
    server.routes["/e"] = http(b"page", ETag='"1"')
    assert (await ask("/a")).moved_to == server.url("/c")
    assert (await ask("/c")).moved_to is None


def test_a_move_is_believed_when_it_was_seen_three_times_in_a_row():
    move = None
    for _ in range(2):
        move = sight_move(move, "http://new/")
        assert not move.settled
    assert sight_move(move, "http://new/").settled
    assert sight_move(move, "http://newer/") == Move("http://newer/", 1)
    assert sight_move(move, None) is None


async def test_six_hops_are_too_many_and_five_are_not(server, ask):
    for n in range(7):
        server.routes[f"/{n}"] = redirect(f"/{n + 1}")
    server.routes["/7"] = http(b"page")
    assert (await ask("/1")).verdict.code == "redirects"
    assert (await ask("/2")).document.body == b"page"


async def test_all_hops_share_one_total_time(server, ask):
    import asyncio

    async def slow(request, writer):
        await asyncio.sleep(0.5)
        writer.write(redirect("/slow"))
        await writer.drain()
        return True

    server.routes["/slow"] = slow
    assert (await ask("/slow")).verdict.code == "timeout"
    assert len(server.asked()) <= 3


def test_a_url_that_a_publisher_named_is_no_file_and_gets_no_secret_of_another_origin():
    source = FetchRequest("https://example.org/live", etag='"1"', headers=SECRETS)
    assert elsewhere(source, "https://example.org/older").headers == SECRETS
    assert elsewhere(source, "https://evil.example/").headers == {"Accept-Language": "de"}
    assert elsewhere(source, "https://example.org:444/").headers == {"Accept-Language": "de"}
    assert elsewhere(source, "https://example.org/older").etag is None


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "/etc/passwd", "file:/etc/passwd", "http://me:secret@127.0.0.1/"]
)
async def test_a_url_that_a_publisher_named_opens_nothing_here(url, fetcher, tmp_path):
    outcome = await fetcher.fetch(elsewhere(FetchRequest(str(tmp_path / "live.txt")), url))
    assert outcome.verdict.code == "refused_url"
