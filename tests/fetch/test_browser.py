"""A page that only scripts fill is read through a real Chromium that has no network of its own."""

import asyncio
import importlib.util

import pytest

from monitor.fetch import FetchLimits, FetchRequest, FetchSettings, Fresh, HostPolicy, NotModified
from monitor.fetch.browser import find_chromium
from monitor.fetch.fetcher import Fetcher
from tests.fetch.wire import http, redirect

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium or Chrome on the PATH"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="the extra [browser] is not installed"),
]
LIMITS = FetchLimits(total=25.0)
PAGE = b"""<!doctype html><title>Live</title><ul id=live></ul><script src=/app.js></script>"""
APP = b"""fetch('/api/entries').then(r => r.json()).then(entries => {
  for (const text of entries) { const li = document.createElement('li'); li.textContent = text; live.append(li) } })"""
JSON = http(b'["evacuation suspended", "convoy leaves"]', Content_Type="application/json")


@pytest.fixture
async def chrome():
    async with Fetcher(FetchSettings(hosts=HostPolicy(concurrency=4, spacing=0.0))) as fetcher:
        yield fetcher


def wanted(server, path="/", **options):
    return FetchRequest(
        server.url(path), allow_private=True, robots="ignore", limits=LIMITS, render="browser", **options
    )


async def test_a_page_that_only_scripts_fill_is_read_as_a_reader_sees_it(server, chrome):
    server.routes |= {"/": http(PAGE, Content_Type="text/html"), "/app.js": http(APP), "/api/entries": JSON}
    outcome = await chrome.fetch(wanted(server))
    assert isinstance(outcome, Fresh), outcome
    assert b"<li>evacuation suspended</li><li>convoy leaves</li>" in outcome.document.body
    assert outcome.document.content_type == "text/html; charset=utf-8"
    again = await chrome.fetch(wanted(server, body_hash=outcome.body_hash))
    assert isinstance(again, NotModified)
    assert all(request.headers["user-agent"].startswith("live-update-monitor/") for request in server.requests)


async def test_what_a_page_asks_for_meets_the_same_guard(public, server, chrome):
    """`server` is inside, `public` is the page's; the page's scripts try every way in."""
    targets = [
        server.url("/secret"),
        "http://localhost:1/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "ftp://x/",
    ]
    script = "".join(
        f"fetch({target!r}).then(r => r.text(), e => 'refused').then(t => out.append(t + ' '));" for target in targets
    )
    script += f"new WebSocket('ws://127.0.0.1:{server.port}/ws').onclose = () => out.append('socket ');"
    script += f"fetch({server.url('/post')!r}, {{method: 'POST', mode: 'no-cors'}}).catch(() => out.append('post '));"
    page = f"<p id=out></p><img src={server.url('/pixel')}><iframe src={server.url('/frame')}></iframe><script>{script}</script>"
    public.routes["/"] = http(page.encode(), Content_Type="text/html")
    outcome = await chrome.fetch(
        FetchRequest(public.url("/", "127.0.0.2"), robots="ignore", limits=LIMITS, render="browser")
    )
    assert isinstance(outcome, Fresh), outcome
    shown = outcome.document.body.partition(b'<p id="out">')[2].partition(b"</p>")[0]
    assert sorted(shown.split()) == [b"post", *[b"refused"] * 5, b"socket"]
    assert not server.connections


class Datagrams(asyncio.DatagramProtocol):
    """A port inside that counts what reaches it by UDP."""

    received = 0

    def datagram_received(self, data, address):
        self.received += 1


async def test_no_other_door_of_a_browser_leads_inside(public, server, chrome):
    """WebRTC, WebTransport, workers, streams, beacons, forms, windows, frames and hints all meet a network that is none."""
    loop = asyncio.get_running_loop()
    port, inside = await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", server.port))
    base = server.url("")
    script = f"""
      const tries = [
        () => {{ const peer = new RTCPeerConnection({{iceServers: [
                   {{urls: 'stun:127.0.0.1:{server.port}'}},
                   {{urls: 'turn:127.0.0.1:{server.port}?transport=tcp', username: 'u', credential: 'c'}}]}});
                 peer.createDataChannel('x'); peer.createOffer().then(offer => peer.setLocalDescription(offer)) }},
        () => new WebTransport('https://127.0.0.1:{server.port}/').ready.catch(() => 0),
        () => new Worker(URL.createObjectURL(new Blob(["fetch('{base}/worker').catch(() => 0); importScripts('{base}/import')"]))),
        () => new SharedWorker(URL.createObjectURL(new Blob(["fetch('{base}/shared').catch(() => 0)"]))),
        () => new EventSource('{base}/events'),
        () => navigator.sendBeacon('{base}/beacon', 'x'),
        () => window.open('{base}/window'),
        () => fetch('{base}/keepalive', {{keepalive: true, mode: 'no-cors'}}).catch(() => 0),
        () => document.forms[0].submit(),
      ];
      for (const attempt of tries) try {{ attempt() }} catch (error) {{ }}
      setInterval(() => fetch('/tick'), 200)"""  # what is asked for late is seen too
    head = (
        f"<link rel=preconnect href={base}><link rel=prefetch href={base}/prefetch><link rel=preload as=script href={base}/preload>"
        f'<script type=speculationrules>{{"prerender": [{{"urls": ["{base}/prerender"]}}]}}</script>'
        f"<meta http-equiv=refresh content='4; url={base}/refresh'>"
    )
    body = (
        f"<form action={base}/form method=post target=elsewhere></form><object data={base}/object></object><embed src={base}/embed>"
        f"<video src={base}/video autoplay></video><style>@import '{base}/style'; p {{ background: url({base}/background) }}</style><p>x"
    )
    public.routes["/"] = http(f"{head}<body>{body}<script>{script}</script>".encode(), Content_Type="text/html")
    try:
        await chrome.fetch(FetchRequest(public.url("/", "127.0.0.2"), robots="ignore", limits=LIMITS, render="browser"))
    finally:
        port.close()
    assert len(public.asked("/tick")) > 3
    assert not server.connections
    assert not inside.received


@pytest.mark.parametrize(
    "lead",
    [
        "<meta http-equiv=refresh content='0; url=http://127.0.0.1:9/'>",
        "<script>location = 'file:///etc/passwd'</script>",
    ],
)
async def test_a_page_that_leads_elsewhere_is_never_read_as_the_browsers_own_words(lead, server, chrome):
    server.routes["/"] = http(lead.encode() + b"<p>shown</p>", Content_Type="text/html")
    outcome = await chrome.fetch(wanted(server))
    assert (
        outcome.verdict.code == "render" if not isinstance(outcome, Fresh) else b"<p>shown</p>" in outcome.document.body
    )


async def test_a_rendered_page_and_its_parts_come_through_the_proxy(server):
    host = "http://live.example"
    server.routes |= {
        f"{host}/": http(PAGE, Content_Type="text/html"), f"{host}/app.js": http(APP), f"{host}/api/entries": JSON,
    }  # fmt: skip
    async with Fetcher(FetchSettings(proxy=server.url(""), hosts=HostPolicy(concurrency=4, spacing=0.0))) as fetcher:
        outcome = await fetcher.fetch(FetchRequest(f"{host}/", robots="ignore", limits=LIMITS, render="browser"))
    assert b"<li>convoy leaves</li>" in outcome.document.body
    assert {request.target for request in server.requests} == {f"{host}/", f"{host}/app.js", f"{host}/api/entries"}


async def test_a_page_that_never_ends_is_left_at_its_total_time(server, chrome):
    server.routes["/"] = http(b"<script>while (true) {}</script>", Content_Type="text/html")
    outcome = await chrome.fetch(
        FetchRequest(
            server.url("/"), allow_private=True, robots="ignore", limits=FetchLimits(total=4.0), render="browser"
        )
    )
    assert outcome.verdict.code == "render_timeout"
    server.routes["/ok"] = http(b"<p>fine</p>", Content_Type="text/html")
    assert isinstance(await chrome.fetch(wanted(server, "/ok")), Fresh)


async def test_dialogs_and_polling_do_not_hold_a_page(server, chrome):
    script = b"alert('stop'); setInterval(() => fetch('/poll'), 100); document.write('<p>shown</p>')"
    server.routes |= {"/": http(b"<script>" + script + b"</script>", Content_Type="text/html"), "/poll": http(b"x")}
    outcome = await chrome.fetch(wanted(server))
    assert b"shown" in outcome.document.body


async def test_the_page_after_a_redirect_knows_its_own_address(server, chrome):
    server.routes |= {
        "/": redirect("/live/"),
        "/live/": http(b"<p id=p></p><script>p.textContent = location.pathname</script>", Content_Type="text/html"),
    }
    outcome = await chrome.fetch(wanted(server))
    assert b'<p id="p">/live/</p>' in outcome.document.body
    assert outcome.document.url == server.url("/live/")


async def test_a_page_that_cannot_be_fetched_starts_no_browser(server, chrome):
    assert (await chrome.fetch(wanted(server, "/nothing"))).verdict.code == "http_404"
    assert chrome._pages()._browser is None


async def test_a_missing_browser_is_told_with_what_to_do(server):
    server.routes["/"] = http(b"<p>x</p>", Content_Type="text/html")
    async with Fetcher(FetchSettings(browser="/nowhere/chromium")) as fetcher:
        outcome = await fetcher.fetch(wanted(server))
    assert outcome.verdict.code == "no_browser"
