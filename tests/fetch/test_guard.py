"""Nothing a source says makes the monitor connect to an address it may not."""

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.fetch import FetchRequest, FetchSettings, HostPolicy
from monitor.fetch.fetcher import Fetcher
from monitor.fetch.guard import system_resolve
from monitor.text.addresses import host_refusal, refusal
from tests.fetch.conftest import FAST
from tests.fetch.wire import http, redirect

REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.88.99.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "168.63.129.16",
    "100.100.100.200",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "fec0::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2606:4700::5efe:127.0.0.1",
    "2606:4700::200:5efe:10.0.0.1",
    "nonsense",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "168.63.129.16",
    "fd00:ec2::254",
]

SPELLINGS = [
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "127.1",
    "0177.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "localhost",
    "LOCALHOST.",
]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused_however_it_is_wrapped(address):
    assert refusal(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address):
    assert refusal(address) is None


@pytest.mark.parametrize("address", NEVER)
def test_metadata_and_multicast_stay_refused_for_private_sources(address):
    assert refusal(address, allow_private=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "fc00::1", "192.168.1.1", "::ffff:127.0.0.1"])
def test_a_private_source_may_be_private(address):
    assert refusal(address, allow_private=True) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.from_regex(r"(0x[0-9a-f]{1,8}|0?[0-9]{1,10})", fullmatch=True), min_size=1, max_size=5))
def test_numbers_mean_the_address_that_resolvers_read_from_them(numbers):
    host = ".".join(numbers)
    try:
        address = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        assert host_refusal(host) is None
    else:
        assert host_refusal(host) == refusal(address)


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_loopback_is_connected_to(host, server, fetcher):
    server.routes["/"] = http(b"secret")
    outcome = await fetcher.fetch(FetchRequest(server.url("/", host), robots="ignore", limits=FAST))
    assert outcome.verdict.code in ("refused_address", "refused_url", "dns"), outcome
    assert not server.connections


@pytest.mark.parametrize(
    "host", [*SPELLINGS, "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[::1]", "0", "inside.example"]
)
async def test_a_public_source_cannot_redirect_into_the_house(host, public, server):
    async def resolve(name):
        return ["127.0.0.1"] if name.endswith(".example") else await system_resolve(name)

    public.routes["/"] = redirect(f"http://{host}:{server.port}/inside")
    server.routes["/inside"] = http(b"secret")
    async with Fetcher(resolve=resolve) as fetcher:
        outcome = await fetcher.fetch(FetchRequest(public.url("/", "127.0.0.2"), robots="ignore", limits=FAST))
    assert public.asked("/")
    assert outcome.verdict.code in ("refused_address", "refused_url", "refused_redirect", "dns"), outcome
    assert not server.connections


async def test_a_name_that_turns_private_between_look_ups_is_refused(server):
    """DNS rebinding: the first answer is public, the second is not; each connect judges its own."""
    asked = []

    async def resolve(name):
        asked.append(name)
        return ["127.0.0.1"]

    server.routes["/"] = http(b"secret")
    async with Fetcher(resolve=resolve) as fetcher:
        outcome = await fetcher.fetch(FetchRequest(server.url("/", "rebind.example"), robots="ignore", limits=FAST))
    assert outcome.verdict.code == "refused_address"
    assert "rebind.example" in outcome.verdict.reason
    assert asked == ["rebind.example"]
    assert not server.connections


async def test_a_resolver_that_slips_a_private_address_past_the_first_look_meets_the_second(server, monkeypatch):
    async def resolve(name):
        return ["127.0.0.1"]

    monkeypatch.setattr(
        "monitor.fetch.transport.allowed_addresses", lambda host, addresses, allow_private: list(addresses)
    )
    async with Fetcher(resolve=resolve) as fetcher:
        outcome = await fetcher.fetch(FetchRequest(server.url("/", "x.example"), robots="ignore", limits=FAST))
    assert outcome.verdict.code == "refused_address"
    assert not server.connections


async def test_of_mixed_answers_only_the_public_ones_are_tried(server):
    from monitor.fetch.guard import AddressRefusedError, allowed_addresses

    assert allowed_addresses("x", ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1"], allow_private=False) == [
        "8.8.8.8",
        "2606:4700::1",
    ]
    with pytest.raises(AddressRefusedError):
        allowed_addresses("x", ["10.0.0.1", "fd00::1"], allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "gopher://example.org/",
        "javascript:alert(1)//://",
        "http://",
        "http://exa mple.org/",
        "http://example.org\\@127.0.0.1/",
        "http://127.0.0.1%2f@example.org/".replace("@", "%40"),
        "http://exa%6dple.org/",
        "http://example.org:99999/",
        "http://[::1/",
        "http://example.org/\r\nHost: x",
        "http://example.org/" + "x" * 9000,
    ],
)
async def test_a_url_that_is_not_plainly_http_is_refused_without_a_connection(url, fetcher):
    outcome = await fetcher.fetch(FetchRequest(url, robots="ignore", limits=FAST))
    assert outcome.verdict.code == "refused_url", outcome


async def test_environment_proxies_are_not_used(server, ask, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.routes["/"] = http(b"direct")
    assert (await ask("/")).document.body == b"direct"


async def test_a_proxy_named_in_the_settings_is_used_and_may_be_local(server):
    server.routes["http://public.example/page"] = http(b"through the proxy")
    async with Fetcher(FetchSettings(proxy=server.url(""), hosts=HostPolicy(spacing=0))) as fetcher:
        outcome = await fetcher.fetch(FetchRequest("http://public.example/page", robots="ignore", limits=FAST))
    assert outcome.document.body == b"through the proxy"


@pytest.mark.parametrize("host", [*SPELLINGS, "169.254.169.254", "[::1]", "[64:ff9b::7f00:1]", "0", "db.internal"])
async def test_a_proxy_is_not_asked_for_what_points_inward(host, server):
    server.routes["http://public.example/"] = redirect(f"http://{host}/")
    async with Fetcher(FetchSettings(proxy=server.url(""), hosts=HostPolicy(spacing=0))) as fetcher:
        for url in (f"http://{host}/", "http://public.example/"):
            outcome = await fetcher.fetch(FetchRequest(url, robots="ignore", limits=FAST))
            assert outcome.verdict.code in ("refused_address", "refused_url"), outcome
    assert [request.target for request in server.requests] == ["http://public.example/"]
