"""What a page in the browser asks for, fetched by us: the errands of one rendering.

Rule: GET only, text that makes the page only; bounded in number and bytes; the page's own host is spared what it need not
send. Nothing a page asks for carries a secret of the source beyond its own origin, because the fetcher drops it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.fetch import links
from monitor.fetch.request import FetchOutcome, FetchRequest, Fresh

if TYPE_CHECKING:
    from playwright.async_api import Dialog, Route, WebSocketRoute

MAX_ERRANDS = 150
MAX_BYTES = 32 << 20  # of all errands of a page, decoded
_AT_ONCE = 6
_WANTED = frozenset({"document", "script", "xhr", "fetch", "stylesheet"})  # images, media and fonts hold no text


class Errands:
    """Requests of one page."""

    def __init__(
        self, fetch: Callable[[FetchRequest], Awaitable[FetchOutcome]], source: FetchRequest, shell: Fresh
    ) -> None:
        self._fetch = fetch
        self._source = source
        self._ready = {shell.document.url or source.url: shell}  # the page itself is at hand
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._run = 0
        self._bytes = 0

    async def run(self, route: Route) -> None:
        """Answer one request of the page."""
        asked = route.request
        self._run += 1
        wanted = (
            asked.method == "GET" and asked.resource_type in _WANTED and asked.url.startswith(("http://", "https://"))
        )
        if not wanted or self._run > MAX_ERRANDS or self._bytes > MAX_BYTES:
            await route.abort()
            return
        answer = self._ready.pop(asked.url, None) or await self._fetched(asked.url, asked.resource_type)
        if not isinstance(answer, Fresh):
            await route.abort()
            return
        self._bytes += len(answer.document.body)
        origin = asked.headers.get("origin")
        await route.fulfill(status=200, headers=_headers(answer, origin), body=answer.document.body)

    async def refuse_socket(self, socket: WebSocketRoute) -> None:
        """End a web socket before it begins."""
        await socket.close()

    async def dismiss(self, dialog: Dialog) -> None:
        """Answer alert, confirm and prompt, which would hold the page for ever."""
        await dialog.dismiss()

    async def _fetched(self, url: str, kind: str) -> FetchOutcome:
        robots = "ignore" if kind in ("script", "stylesheet") else self._source.robots
        request = replace(links.elsewhere(self._source, url), render="none", robots=robots, hurried=True)
        async with self._room:
            return await self._fetch(request)


def _headers(answer: Fresh, origin: str | None) -> dict[str, str]:
    """Return what the browser needs to know of an answer. Any origin may read it: this browser has nothing to steal."""
    headers = {"Content-Type": answer.document.content_type or "text/plain"}
    if origin:
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
    return headers
