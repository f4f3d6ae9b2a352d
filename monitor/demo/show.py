"""The demo end to end: the real daemon with its own state directory and server, a subscriber, and a terminal.

Rule: nothing is staged but the story: pages come over HTTP, deltas over a Redis stream, alerts by signed webhook.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.bus import subscribe
from monitor.daemon.app import Monitor
from monitor.daemon.schedule import Clock
from monitor.demo.blog import LiveBlog, load_blog, zone_of_the_story
from monitor.demo.server import DemoServer
from monitor.settings import Settings, load_settings
from monitor.wire import delta_event

STEP_SECONDS = 1.6  # at speed 1; the whole story takes about half a minute
POLL_SECONDS = 0.4
PATIENCE_SECONDS = 20.0
RULES = ("evacuation-halted", "truce-broken")
SETTINGS = """\
version: 1
state_dir: {state}
sources:
  aleppo:
    url: http://127.0.0.1:{port}/live
    title: Eastern Aleppo, live
    timezone: {zone}
    every: {every}s
    allow_fast: true
    allow_private: true
    robots: false
rules:
  evacuation-halted: {{match: suspended OR halted OR "called off", severity: critical, notify: [hook]}}
  truce-broken: {{match: ceasefire violation, notify: [hook]}}
receivers:
  hook: {{webhook: "http://127.0.0.1:{port}/hook", secret: "{secret}", allow_private: true}}
fetch: {{spacing: 0.05s}}
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What the demo showed, for its closing lines and its exit code."""

    new: int
    edited: int
    removed: int
    alerts: int
    rules: frozenset[str]

    @property
    def complete(self) -> bool:
        return self.rules == frozenset(RULES) and self.new > 0 and self.edited > 0


async def run_demo(speed: float, show: Callable[[dict[str, Any]], None], say: Callable[[str], None]) -> Told:
    """Play the story `speed` times as fast as usual; `show` gets each delta and alert as an event, `say` gets words.

    Leaves no process and no file behind, however it ends.
    """
    clock, blog = Clock(), load_blog()
    shown: list[dict[str, Any]] = []

    def tell(event: dict[str, Any]) -> None:
        shown.append(event)
        show(event)

    secret = secrets.token_bytes(24)
    with tempfile.TemporaryDirectory(prefix="monitor-demo-", ignore_cleanup_errors=True) as home:
        async with DemoServer(blog, secret=secret, on_alert=tell) as server:
            settings = _settings(Path(home), server.port, secret, zone_of_the_story(clock.now()), speed)
            async with _daemon(settings) as monitor:
                say(f"A live blog at http://127.0.0.1:{server.port}/live, a Valkey server at {monitor.bus_url}")
                await _play(monitor, server, blog, STEP_SECONDS / speed, tell, shown)
    return _told(shown)


async def _play(
    monitor: Monitor,
    server: DemoServer,
    blog: LiveBlog,
    step_seconds: float,
    tell: Callable[[dict[str, Any]], None],
    shown: list[dict[str, Any]],
) -> None:
    expected = _expected(blog)

    async def follow() -> None:
        count = 0
        async for delta in subscribe(monitor.bus_url, sources=["aleppo"], since="1-0"):
            tell(delta_event(delta))
            count += 1
            if count == expected:
                return

    following = asyncio.create_task(follow())
    await asyncio.wait_for(_baseline(monitor), PATIENCE_SECONDS)
    for step in range(1, blog.last_step + 1):
        await asyncio.sleep(step_seconds)
        server.step = step
    await asyncio.wait_for(following, PATIENCE_SECONDS)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not frozenset(RULES) <= _told(shown).rules:
            await asyncio.sleep(0.05)


def _expected(blog: LiveBlog) -> int:
    """Every entry after the first look is new once, every correction an edit, every withdrawal a removal."""
    later = [post for post in blog.posts if post.appears > 0]
    withdrawn = [post for post in blog.posts if post.withdrawn is not None]
    return len(later) + len(blog.corrections) + len(withdrawn)


async def _baseline(monitor: Monitor) -> None:
    while not (await monitor.store.counts("aleppo")).entries:
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def _daemon(settings: Settings) -> AsyncIterator[Monitor]:
    stop = asyncio.Event()
    monitor = Monitor(settings)
    running = asyncio.create_task(monitor.run(stop))
    try:
        while not monitor.started.is_set():
            if running.done():
                running.result()
            await asyncio.sleep(0.02)
        yield monitor
    finally:
        stop.set()
        await running


def _settings(home: Path, port: int, secret: bytes, zone: str, speed: float) -> Settings:
    import base64

    file = home / "monitor.yaml"
    file.write_text(
        SETTINGS.format(
            state=home / "state",
            port=port,
            zone=zone,
            every=max(0.05, POLL_SECONDS / speed),
            secret="whsec_" + base64.b64encode(secret).decode(),
        ),
        encoding="utf-8",
    )
    return load_settings(file, environ={})


def _told(shown: list[dict[str, Any]]) -> Told:
    kinds = [event["type"] for event in shown]
    alerts = [event for event in shown if event["type"].startswith("monitor.alert.")]
    return Told(
        new=kinds.count("monitor.entry.new"),
        edited=kinds.count("monitor.entry.edited"),
        removed=kinds.count("monitor.entry.removed"),
        alerts=len(alerts),
        rules=frozenset(event["data"]["rule"] for event in alerts),
    )
