"""The demo's two ends of the world: a live blog over HTTP that grows, and a webhook receiver that checks signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from monitor.demo.blog import LiveBlog


class DemoServer:
    """Serves `/live` and receives `/hook` on a free loopback port."""

    def __init__(self, blog: LiveBlog, *, secret: bytes, on_alert: Callable[[dict[str, Any]], None]) -> None:
        """`secret` signs the webhook's messages; `on_alert` is called once for each alert that arrives well signed."""
        self._blog = blog
        self._secret = secret
        self._on_alert = on_alert
        self._seen: set[str] = set()
        self.step = 0
        self.port = 0
        self.refused = 0

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/live", self._live)
        application.router.add_post("/hook", self._hook)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    async def _live(self, request: web.Request) -> web.Response:
        page = self._blog.page(self.step).encode()
        etag = f'"{hashlib.sha256(page).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=page, content_type="text/plain", charset="utf-8", headers={"ETag": etag})

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        message_id, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        signed = hmac.new(self._secret, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        expected = f"v1,{base64.b64encode(signed).decode()}"
        if not any(hmac.compare_digest(expected, one) for one in request.headers["webhook-signature"].split()):
            self.refused += 1
            return web.Response(status=401)
        if message_id not in self._seen:
            self._seen.add(message_id)
            self._on_alert(json.loads(body))
        return web.Response(status=204)
