"""One call from a source's URL to its bytes: politeness, redirects, limits, decoding.

Rule: decides nothing about entries; every way a fetch can end is a value, cancellation excepted.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from monitor.fetch import files, links
from monitor.fetch.decoding import ACCEPT_ENCODING
from monitor.fetch.guard import Resolve, system_resolve
from monitor.fetch.headers import retry_after
from monitor.fetch.hosts import HostBusyError, HostLimiter, HostPolicy
from monitor.fetch.lease import LARGE_AT_ONCE, Lease
from monitor.fetch.links import Link, Refused
from monitor.fetch.outcome import Chain, judged
from monitor.fetch.request import Answer, FetchFailed, FetchOutcome, FetchRequest, failed
from monitor.fetch.robots_cache import RobotsCache
from monitor.text.addresses import host_refusal

if TYPE_CHECKING:
    from monitor.fetch.browser import Renderer
    from monitor.fetch.transport import Transport

PRODUCT = "live-update-monitor"
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/json;q=0.9, text/html;q=0.9, "
    "*/*;q=0.8"
)
_STAY_AWAY = 30.0  # seconds without a Retry-After, doubled with every further 429 or 503 of the host
_STAY_AWAY_MAX = 900.0
_INLINE = 524_288  # bytes, sent or inflated; 64 KB can inflate to 16 MiB, which takes 50 ms and more


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How the fetcher presents itself and behaves, the same for all sources."""

    contact: str | None = None  # URL or mail address of who runs this, for publishers who have a question
    user_agent: str | None = None  # in place of the whole honest one
    proxy: str | None = None  # http://host:port for every source; the environment is never asked
    concurrency: int = 100  # requests under way at once, at all hosts together
    browser: str | None = None  # path of Chromium or Chrome for `render: browser`; None: looked for on the PATH
    hosts: HostPolicy = field(default_factory=HostPolicy)

    def agent(self) -> str:
        """Return the User-Agent: product, version and contact (RFC 9110 §10.1.5)."""
        from monitor import __version__

        contact = f" (+{self.contact})" if self.contact else ""
        return self.user_agent or f"{PRODUCT}/{__version__}{contact}"


class Fetcher:
    """Fetches sources; one for the whole process, because hosts are shared.

    `resolve`, `now`, `clock` and `tls` are the outside world: name look-up, wall clock (UTC), monotonic seconds, trust.
    """

    def __init__(
        self,
        settings: FetchSettings | None = None,
        *,
        resolve: Resolve = system_resolve,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings or FetchSettings()
        self._agent = self._settings.agent()
        self._resolve = resolve
        self._tls = tls
        self._now = now
        self._clock = clock
        self._refusals: dict[str, int] = {}  # host → 429 and 503 answers in a row
        self._robots = RobotsCache(self.fetch, robot=PRODUCT, clock=clock)
        self._transport: Transport | None = None
        self._renderer: Renderer | None = None
        self._room = asyncio.Semaphore(LARGE_AT_ONCE)
        self._at_once = asyncio.Semaphore(self._settings.concurrency)
        self.hosts = HostLimiter(self._settings.hosts, clock=clock)

    async def __aenter__(self) -> Self:
        self._connections()  # loads the HTTP client now and not in the middle of somebody's poll
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renderer is not None:
            await self._renderer.close()
            self._renderer = None
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Return the source's bytes, that they did not change, or why there are none.

        Takes at most `limits.total` seconds, and the same again where robots.txt has to be asked first, plus the wait
        for the host's turn (`HostPolicy.max_wait`).
        """
        path = None if request.foreign else files.file_path(request.url)
        if path is not None:
            return await asyncio.to_thread(files.read_file, path, request, self._now())
        link = links.check_url(request.url, credentials=not request.foreign)
        if isinstance(link, Refused):
            return failed("refused_url", f"refused: {link.reason}")
        if request.render == "browser":
            return await self._pages().render(request)
        link, who = links.without_credentials(link)
        if who is not None:
            basic = base64.b64encode(":".join(who).encode()).decode("ascii")
            request = replace(request, headers={"Authorization": f"Basic {basic}", **request.headers})
        async with Lease(self._room) as lease:
            chain = await self._follow(link, request, lease)
            if isinstance(chain, FetchFailed):
                if chain.verdict.code != "bad_http" or not (request.etag or request.last_modified):
                    return chain
                # Some servers send a body after 304, which is no HTTP. Validators only save work: ask for all of it.
                chain = await self._follow(link, replace(request, etag=None, last_modified=None), lease)
                if isinstance(chain, FetchFailed):
                    return chain
            return await self._judged(chain, request)

    async def _judged(self, chain: Chain, request: FetchRequest) -> FetchOutcome:
        """Judge small bodies here and large ones in a thread, where decoding keeps nobody waiting."""
        now = self._now()
        outcome = judged(chain, request, now, patience=_INLINE) if len(chain.answer.body) <= _INLINE else None
        if outcome is None:
            outcome = await asyncio.to_thread(judged, chain, request, now)
        assert outcome is not None  # only with `patience` is there none
        return outcome

    async def _follow(self, link: Link, request: FetchRequest, lease: Lease) -> Chain | FetchFailed:
        """Fetch `link` and follow redirects, each hop with its own checks, all hops within one total time."""
        start = link.origin
        left = request.limits.total
        moved_to: str | None = None
        permanent = True
        for _ in range(request.limits.redirects + 1):
            began = self._clock()
            answer, waited = await self._hop(link, start, request, left, lease)
            left -= max(0.0, self._clock() - began - waited)
            if isinstance(answer, FetchFailed):
                return answer
            if answer.status not in links.REDIRECTS:
                return Chain(answer, link.url, moved_to)
            target = links.follow(link, answer.headers.get("Location"), start=start)
            if isinstance(target, Refused):
                return failed("refused_redirect", f"refused: {target.reason}", status=answer.status)
            permanent = permanent and answer.status in links.PERMANENT
            moved_to = target.url if permanent else moved_to
            link = target
        return failed("redirects", f"more than {request.limits.redirects} redirects")

    async def _hop(
        self, link: Link, start: links.Origin, request: FetchRequest, seconds: float, lease: Lease
    ) -> tuple[Answer | FetchFailed, float]:
        """Make one request within `seconds`; return its answer and how long the host's turn was waited for."""
        host = link.origin.host
        closed = self._closed(host)
        if closed is not None:
            return closed, 0.0
        asked = self._clock()
        if request.robots == "respect":
            refusal = await self._robots.refusal(link, request, self.hosts)
            if refusal is not None:
                return refusal, 0.0
        try:
            async with self.hosts.turn(host, hurried=request.hurried) as connected, self._at_once:
                waited = self._clock() - asked
                closed = self._closed(host)  # it may have asked for rest while we stood in line
                if closed is not None:
                    return closed, waited
                answer = await self._exchange(link, start, request, seconds=seconds, lease=lease, connected=connected)
        except HostBusyError as busy:
            return failed("host_busy", f"too many sources wait for {host}", retry_after=busy.retry_after), 0.0
        return self._heed(host, answer), waited

    def _closed(self, host: str) -> FetchFailed | None:
        rest = self.hosts.closed_for(host)
        if rest <= 0:
            return None
        return failed("host_backoff", f"{host} asked us to stay away for {rest:.0f} s", retry_after=rest)

    async def _exchange(
        self,
        link: Link,
        start: links.Origin,
        request: FetchRequest,
        *,
        seconds: float,
        lease: Lease,
        connected: Callable[[], None],
    ) -> Answer | FetchFailed:
        proxy = request.proxy or self._settings.proxy
        if proxy is not None:
            # The proxy connects for us and looks names up; what its spelling shows to point inward is refused as ever.
            reason = host_refusal(link.origin.host, allow_private=request.allow_private)
            if reason is not None:
                return failed("refused_address", f"refused to connect: {reason}")
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                return await self._connections().exchange(
                    link,
                    self._headers(link, start, request),
                    request.limits,
                    allow_private=request.allow_private,
                    proxy=proxy,
                    lease=lease,
                    connected=connected,
                )
        except TimeoutError:
            return failed("timeout", f"not finished within {request.limits.total:g} s")

    def _headers(self, link: Link, start: links.Origin, request: FetchRequest) -> dict[str, str]:
        headers = {"User-Agent": self._agent, "Accept": _ACCEPT, "Accept-Encoding": ACCEPT_ENCODING}
        if request.etag:
            headers["If-None-Match"] = request.etag
        if request.last_modified:
            headers["If-Modified-Since"] = request.last_modified
        return headers | links.headers_for(link, start, request.headers)

    def _heed(self, host: str, answer: Answer | FetchFailed) -> Answer | FetchFailed:
        """Stay away from a host that says 429 or 503, longer each time in a row."""
        if isinstance(answer, FetchFailed):
            return answer
        if answer.status not in (429, 503):
            self._refusals.pop(host, None)
            return answer
        if len(self._refusals) > 10_000:
            self._refusals.clear()
        times = self._refusals[host] = self._refusals.get(host, 0) + 1
        asked = retry_after(answer.headers.get("Retry-After"), self._now())
        self.hosts.stay_away(host, min(_STAY_AWAY * 2 ** min(times - 1, 8), _STAY_AWAY_MAX) if asked is None else asked)
        return answer

    def _pages(self) -> Renderer:
        if self._renderer is None:
            from monitor.fetch.browser import Renderer

            self._renderer = Renderer(self.fetch, program=self._settings.browser)
        return self._renderer

    def _connections(self) -> Transport:
        if self._transport is None:
            from monitor.fetch.transport import Transport

            self._transport = Transport(resolve=self._resolve, tls=self._tls)
        return self._transport
