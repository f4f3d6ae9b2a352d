"""A page as it stands after its scripts ran, in a Chromium that has no network of its own.

Rule: every request the page makes is made by our fetcher, with its guard and limits, and handed to the browser; what the
browser would send by itself goes to a proxy that does not exist and to names that do not resolve. So a script reaches no
internal host, however it asks (DNS rebinding included), posts nothing, and keeps nothing from one poll to the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import xxhash

from monitor.fetch.errands import Errands
from monitor.fetch.request import FetchFailed, FetchOutcome, FetchRequest, Fresh, NotModified, failed

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Playwright

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PAGES_AT_ONCE = 2
_QUIET = 5.0  # seconds a page may take to stop asking for things; pages that poll never do
_CLOSE = 5.0
_ARGUMENTS = (
    "--proxy-server=http://127.0.0.1:9",  # discard: nothing listens, nothing leaves
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",  # else STUN sends datagrams past the proxy, to any address
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # its name in older ones
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--js-flags=--max-old-space-size=256",
)

Fetch = Callable[[FetchRequest], Awaitable[FetchOutcome]]


class _LostError(Exception):
    """The page went elsewhere and the browser shows its own error page, which is no word of the publisher."""


def find_chromium() -> str | None:
    """Return the path of the system's Chromium or Chrome, or None."""
    return next((path for name in _PROGRAMS if (path := shutil.which(name))), None)


class Renderer:
    """Renders pages in one Chromium, started when first needed. `fetch` makes every request."""

    def __init__(self, fetch: Fetch, *, program: str | None = None) -> None:
        self._fetch = fetch
        self._program = program
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._starting = asyncio.Lock()
        self._room = asyncio.Semaphore(_PAGES_AT_ONCE)

    async def close(self) -> None:
        """End the browser."""
        browser, self._browser = self._browser, None
        driver, self._driver = self._driver, None
        with contextlib.suppress(Exception):  # whatever state it is in: the driver kills it when it goes
            if browser is not None:
                await asyncio.wait_for(browser.close(), _CLOSE)
        if driver is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(driver.stop(), _CLOSE)

    async def render(self, request: FetchRequest) -> FetchOutcome:
        """Return the page's document after its scripts ran; no validators, because the shell says nothing of its content."""
        shell = await self._fetch(replace(request, etag=None, last_modified=None, body_hash=None, render="none"))
        if not isinstance(shell, Fresh):
            return shell
        async with self._room:
            started = await self._started()
            if isinstance(started, FetchFailed):
                return started
            try:
                async with asyncio.timeout(request.limits.total):
                    content = await self._content(started, shell, request)
            except TimeoutError:
                return failed("render_timeout", f"the page was not ready within {request.limits.total:g} s")
            except _LostError:
                return failed("render", "the page led its browser to where it may not go")
            except Exception as error:  # noqa: BLE001 - playwright's Error: the browser died or the page killed it
                await self.close()
                return failed("render", f"the browser gave up: {str(error).splitlines()[0][:200]}")
        return _rendered(shell, content, request)

    async def _content(self, browser: Browser, shell: Fresh, request: FetchRequest) -> bytes:
        url = shell.document.url or request.url
        errands = Errands(self._fetch, request, shell)
        async with _page(browser, errands) as page:
            await page.goto(url, wait_until="domcontentloaded", timeout=request.limits.total * 1000)
            with contextlib.suppress(Exception):  # a page that never stops asking is taken as it is
                await page.wait_for_load_state("networkidle", timeout=_QUIET * 1000)
            if page.url.startswith("chrome-error:"):
                raise _LostError
            content: str = await page.content()  # its type is not known where the extra is not installed
            return content.encode("utf-8", "replace")

    async def _started(self) -> Browser | FetchFailed:
        async with self._starting:
            if self._browser is not None and self._browser.is_connected():
                return self._browser
            await self.close()
            program = self._program or find_chromium()
            if program is None:
                return failed("no_browser", "`render: browser` needs Chromium or Chrome on the PATH")
            try:
                from playwright.async_api import async_playwright
            except ImportError:
                return failed(
                    "no_browser", "`render: browser` needs the extra: pip install live-update-monitor[browser]"
                )
            try:
                self._driver = await async_playwright().start()
                # Chromium's own sandbox does not run for root; our confinement of its network does not depend on it.
                sandbox = os.geteuid() != 0
                self._browser = await self._driver.chromium.launch(
                    executable_path=program, args=list(_ARGUMENTS), chromium_sandbox=sandbox, handle_sigint=False
                )
            except Exception as error:  # noqa: BLE001 - playwright's Error
                await self.close()
                return failed("no_browser", f"{program} does not start: {str(error).splitlines()[0][:200]}")
            return self._browser


@contextlib.asynccontextmanager
async def _page(browser: Browser, errands: Errands) -> AsyncIterator[Page]:
    """Open a page without memory: no cookies, no storage, no service workers, no downloads."""
    context: BrowserContext = await browser.new_context(
        service_workers="block", accept_downloads=False, java_script_enabled=True, ignore_https_errors=True
    )
    try:
        await context.route("**/*", errands.run)
        await context.route_web_socket("**/*", errands.refuse_socket)
        page = await context.new_page()
        page.on("dialog", errands.dismiss)
        yield page
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(context.close(), _CLOSE)


def _rendered(shell: Fresh, content: bytes, request: FetchRequest) -> FetchOutcome:
    if len(content) > request.limits.decoded_bytes:
        return failed("too_large", f"the page is larger than {request.limits.decoded_bytes} bytes when rendered")
    digest = xxhash.xxh3_128_hexdigest(content)
    if digest == request.body_hash:
        return NotModified(shell.hints, moved_to=shell.moved_to, wire_bytes=shell.wire_bytes)
    document = replace(shell.document, body=content, content_type="text/html; charset=utf-8")
    return replace(shell, document=document, etag=None, last_modified=None, body_hash=digest)
