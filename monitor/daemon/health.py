"""The page for machines: `/healthz` the loop turns, `/readyz` everything works and if not why, `/metrics`.

Rule: answers from what is in memory; a question asked of it never waits for the database or the network.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import web

from monitor.errors import ServiceUnavailable

Reasons = Callable[[], tuple[str, ...]]


class HealthPage:
    """A small HTTP server; use as an async context manager."""

    def __init__(
        self, listen: tuple[str, int], *, alive: Reasons, ready: Reasons, metrics: Callable[[], bytes]
    ) -> None:
        """`alive` and `ready` return what is wrong, in words; nothing is well when they return nothing."""
        self._listen = listen
        self._metrics = metrics
        self._application = web.Application()
        self._application.router.add_get("/healthz", _told(alive))
        self._application.router.add_get("/readyz", _told(ready))
        self._application.router.add_get("/metrics", self._show_metrics)

    async def __aenter__(self) -> Self:
        host, port = self._listen
        self._runner = web.AppRunner(self._application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ServiceUnavailable(
                f"cannot listen: {error.strerror or error}", resource=f"{host}:{port}", mend="change `http.listen`"
            ) from error
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    @property
    def address(self) -> str:
        """Where it listens, host:port."""
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    async def _show_metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def _told(reasons: Reasons) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        wrong = reasons()
        body = {"status": "failing" if wrong else "ok", "reasons": list(wrong)}
        return web.json_response(body, status=503 if wrong else 200, headers={"Cache-Control": "no-store"})

    return answer
