"""robots.txt is asked for once, understood as RFC 9309 says, and kept to unless the source says otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fetch import FetchRequest, FetchSettings, Fresh, HostPolicy
from monitor.fetch.fetcher import Fetcher
from monitor.fetch.robots import parse_robots
from tests.fetch.conftest import FAST
from tests.fetch.wire import http, redirect

ME = "live-update-monitor"


def allows(text, path):
    return parse_robots(text.encode(), ME).allows(f"https://example.org{path}")


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /live", "/live/1", False),
        ("User-agent: *\nDisallow: /live", "/other", True),
        ("User-agent: *\nDisallow: /\nAllow: /live", "/live/1", True),  # the longest match, not the first
        ("User-agent: *\nAllow: /live\nDisallow: /live", "/live", True),  # allow wins a tie
        ("User-agent: *\nDisallow: /*?page=", "/live?page=2", False),
        ("User-agent: *\nDisallow: /*.json$", "/a/b.json", False),
        ("User-agent: *\nDisallow: /*.json$", "/a/b.json?x", True),
        ("User-agent: *\nDisallow: /a*b*c", "/a-b-c", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a-c-b", True),
        ("User-agent: *\nDisallow: /$", "/", False),
        ("User-agent: *\nDisallow: /$", "/live", True),
        ("User-agent: *\nDisallow:", "/live", True),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: Live-Update-Monitor\nAllow: /\n\nUser-agent: *\nDisallow: /", "/live", True),
        ("User-agent: a\nUser-agent: live-update-monitor\nDisallow: /\n\nUser-agent: *\nAllow: /", "/live", False),
        ("User-agent: other\nDisallow: /", "/live", True),
        ("User-agent: *\nDisallow: /a # why\n", "/a", False),
        ("User-agent: *\nDisallow: /%7Ejoe/caf%c3%a9", "/~joe/café", False),
        ("\ufeffUser-agent: *\nDisallow: /", "/live", False),
        ("user-agent:*\r\ndisallow:/\r\n", "/live", False),
        ("Disallow: /", "/live", True),  # outside any group
        ("User-agent: *\nDisallow: /x\nUser-agent: *\nDisallow: /y", "/x", False),  # groups of one name are one
        ("<html>not found</html>", "/live", True),
        ("", "/live", True),
    ],
)
def test_rules_mean_what_rfc_9309_says(text, path, allowed):
    assert allows(text, path) is allowed


@given(st.binary(max_size=400), st.text(max_size=40))
def test_no_robots_txt_raises(body, path):
    assert parse_robots(body, ME).allows("http://x/" + path.replace("[", "").replace("]", "")) in (True, False)


def test_a_pattern_of_stars_costs_no_time():
    assert not allows("User-agent: *\nDisallow: /" + "*a" * 900, "/" + "a" * 5000)
    assert allows("User-agent: *\nDisallow: /" + "*a" * 900 + "b", "/" + "a" * 5000)


@pytest.fixture
async def polite():
    async with Fetcher(FetchSettings(hosts=HostPolicy(concurrency=5, spacing=0.0, max_crawl_delay=0.3))) as fetcher:
        yield fetcher


def wanted(server, path="/live", **options):
    return FetchRequest(server.url(path), allow_private=True, limits=FAST, **options)


async def test_robots_txt_is_asked_for_once_for_all_sources_of_an_origin(server, polite):
    server.routes |= {
        "/robots.txt": http(b"User-agent: *\nDisallow: /private"),
        "/live": http(b"a"),
        "/blog": http(b"b"),
    }
    assert isinstance(await polite.fetch(wanted(server)), Fresh)
    assert isinstance(await polite.fetch(wanted(server, "/blog")), Fresh)
    refused = await polite.fetch(wanted(server, "/private/x"))
    assert [request.target for request in server.requests] == ["/robots.txt", "/live", "/blog"]
    assert refused.verdict.code == "robots"


async def test_a_source_may_be_told_to_ignore_it(server, polite):
    server.routes |= {"/robots.txt": http(b"User-agent: *\nDisallow: /"), "/live": http(b"a")}
    assert isinstance(await polite.fetch(wanted(server, robots="ignore")), Fresh)
    assert [request.target for request in server.requests] == ["/live"]


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "410 Gone", "401 Unauthorized"])
async def test_without_a_robots_txt_everything_is_allowed(status, server, polite):
    server.routes |= {"/robots.txt": http(b"", status), "/live": http(b"a")}
    assert isinstance(await polite.fetch(wanted(server)), Fresh)


async def test_a_robots_txt_that_cannot_be_had_means_no_until_it_can(server):
    now = 0.0
    async with Fetcher(FetchSettings(hosts=HostPolicy(spacing=0.0)), clock=lambda: now) as fetcher:
        server.routes |= {"/robots.txt": http(b"", "500 Oops"), "/live": http(b"a")}
        first = await fetcher.fetch(wanted(server))
        assert first.verdict.code == "robots_unavailable"
        assert "robots: false" in first.verdict.reason
        server.routes["/robots.txt"] = http(b"User-agent: *\nAllow: /")
        now = 61.0
        assert isinstance(await fetcher.fetch(wanted(server)), Fresh)
        server.routes["/robots.txt"] = http(b"", "500 Oops")
        now = 90_000.0
        assert isinstance(await fetcher.fetch(wanted(server)), Fresh), "an older copy is at hand"


async def test_robots_txt_follows_redirects_within_the_same_guard(server, polite):
    server.routes |= {"/robots.txt": redirect("/r"), "/r": http(b"User-agent: *\nDisallow: /live"), "/live": http(b"a")}
    assert (await polite.fetch(wanted(server))).verdict.code == "robots"


async def test_a_redirect_to_another_origin_asks_that_origins_robots_txt(server, polite):
    server.routes |= {"/live": redirect(f"http://localhost:{server.port}/there"), "/there": http(b"a")}
    server.routes["/robots.txt"] = http(b"User-agent: *\nDisallow: /there")
    assert (await polite.fetch(wanted(server))).verdict.code == "robots"
    assert not server.asked("/there")


async def test_a_crawl_delay_spaces_requests_up_to_our_own_bound(server, polite):
    server.routes |= {"/robots.txt": http(b"User-agent: *\nCrawl-delay: 60"), "/live": http(b"a")}
    for _ in range(3):
        await polite.fetch(wanted(server))
    times = [request.at for request in server.asked("/live")]
    assert 0.28 < times[2] - times[1] < 1.5
