"""robots.txt of each origin, asked for once a day and shared by its sources.

Rule: RFC 9309 §2.3.1: a robots.txt that does not exist (4xx) allows everything; one that cannot be had (5xx, 429)
forbids everything until it can, unless an older copy is at hand.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from monitor.fetch.hosts import HostLimiter
from monitor.fetch.links import Link
from monitor.fetch.request import FetchFailed, FetchLimits, FetchOutcome, FetchRequest, Fresh, failed
from monitor.fetch.robots import Robots, parse_robots
from monitor.model import VerdictKind

_DAY = 86_400.0  # §2.4: no copy is used for longer
_RETRY = 60.0  # after a failure, doubled up to an hour
_RETRY_MAX = 3_600.0
_MAX_ORIGINS = 4_096
_LIMITS = FetchLimits(wire_bytes=1 << 20, decoded_bytes=2 << 20, total=15.0)


@dataclass(slots=True)
class _Known:
    robots: Robots | None = None
    until: float = 0.0  # monotonic; ask again then
    retry: float = _RETRY
    trouble: FetchFailed | None = None  # why there is no copy
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class RobotsCache:
    """What each origin's robots.txt says to us."""

    def __init__(
        self,
        fetch: Callable[[FetchRequest], Awaitable[FetchOutcome]],
        *,
        robot: str,
        clock: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._robot = robot
        self._clock = clock
        self._known: OrderedDict[tuple[str, bool], _Known] = OrderedDict()

    async def refusal(self, link: Link, request: FetchRequest, hosts: HostLimiter) -> FetchFailed | None:
        """Return why `link` must not be fetched, or None. Applies the origin's Crawl-delay to `hosts`."""
        known = self._entry((str(link.origin), request.allow_private))
        async with known.lock:  # sources of one origin ask once
            if self._clock() >= known.until:
                await self._ask(known, link, request)
                if known.robots is not None and known.robots.crawl_delay:
                    hosts.space(link.origin.host, known.robots.crawl_delay)
        if known.robots is not None:
            if known.robots.allows(link.url):
                return None
            return failed("robots", f"robots.txt of {link.origin} asks robots to leave this page alone")
        return known.trouble

    async def _ask(self, known: _Known, link: Link, request: FetchRequest) -> None:
        outcome = await self._fetch(
            replace(
                request,
                url=f"{link.origin}/robots.txt",
                etag=None,
                last_modified=None,
                body_hash=None,
                headers={},
                limits=_LIMITS,
                robots="ignore",
                render="none",
            )
        )
        now = self._clock()
        if isinstance(outcome, Fresh):
            known.robots, known.trouble, known.retry = parse_robots(outcome.document.body, self._robot), None, _RETRY
            known.until = now + _DAY
        elif isinstance(outcome, FetchFailed) and _absent(outcome):
            known.robots, known.trouble, known.retry, known.until = Robots(), None, _RETRY, now + _DAY
        elif isinstance(outcome, FetchFailed):
            known.trouble = _unavailable(outcome, link)
            known.until = now + known.retry
            known.retry = min(known.retry * 2, _RETRY_MAX)

    def _entry(self, key: tuple[str, bool]) -> _Known:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known()
            if len(self._known) > _MAX_ORIGINS:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return known


def _absent(outcome: FetchFailed) -> bool:
    """§2.3.1.3: any 4xx but 429 means that there are no rules; so does a robots.txt that redirects into the void."""
    status = outcome.status
    if outcome.verdict.code in ("redirects", "refused_redirect", "http_204"):
        return True
    return status is not None and 400 <= status < 500 and status != 429


def _unavailable(outcome: FetchFailed, link: Link) -> FetchFailed:
    """A server's fault is told as robots.txt's; a host that cannot be reached at all is told as it is."""
    if outcome.status is None:
        return outcome
    verdict = replace(
        outcome.verdict,
        kind=VerdictKind.FAILED,
        code="robots_unavailable",
        reason=f"robots.txt of {link.origin} cannot be had, which means no ({outcome.verdict.reason}); "
        "`robots: false` on the source overrides it",
    )
    return replace(outcome, verdict=verdict)
