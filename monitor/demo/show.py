"""The demo end to end: the real daemon with its own state directory and server, a subscriber, and a terminal.

Rule: nothing is staged but the story: pages come over HTTP, deltas over a Redis stream, alerts by signed webhook.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.bus import subscribe
from monitor.daemon.app import Monitor
from monitor.daemon.poll import PollResult
from monitor.daemon.schedule import Clock
from monitor.demo.blog import LiveBlog, load_blog, zone_of_the_story
from monitor.demo.server import DemoServer
from monitor.errors import ServiceUnavailable
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


class _Stage:
    """What was shown so far, and the two moments the play waits for."""

    def __init__(self, show: Callable[[dict[str, Any]], None]) -> None:
        self._show = show
        self._kinds: Counter[str] = Counter()
        self._rules: set[str] = set()
        self.baseline = asyncio.Event()
        self.alerted = asyncio.Event()

    def polled(self, result: PollResult) -> None:
        if result.baseline:
            self.baseline.set()

    def tell(self, event: dict[str, Any]) -> None:
        self._show(event)
        self._kinds[event["type"].removeprefix("monitor.")] += 1
        if event["type"].startswith("monitor.alert."):
            self._rules.add(event["data"]["rule"])
        if self._rules >= set(RULES):
            self.alerted.set()

    def told(self) -> Told:
        kinds = self._kinds
        alerts = sum(count for kind, count in kinds.items() if kind.startswith("alert."))
        return Told(kinds["entry.new"], kinds["entry.edited"], kinds["entry.removed"], alerts, frozenset(self._rules))


async def run_demo(speed: float, show: Callable[[dict[str, Any]], None], say: Callable[[str], None]) -> Told:
    """Play the story `speed` times as fast as usual; `show` gets each delta and alert as an event, `say` gets words.

    Leaves no process and no file behind, however it ends.
    """
    clock, blog, stage = Clock(), load_blog(), _Stage(show)
    secret = secrets.token_bytes(24)
    with tempfile.TemporaryDirectory(prefix="monitor-demo-", ignore_cleanup_errors=True) as home:
        async with DemoServer(blog, secret=secret, on_alert=stage.tell) as server:
            settings = _settings(Path(home), server.port, secret, zone_of_the_story(clock.now()), speed)
            async with _daemon(settings, stage) as monitor:
                say(f"A live blog at http://127.0.0.1:{server.port}/live, a Valkey server at {monitor.bus_url}")
                try:
                    await _play(monitor, server, blog, stage, step_seconds=STEP_SECONDS / speed)
                except TimeoutError as error:
                    late = f"the story did not arrive within {PATIENCE_SECONDS:g} s of its end"
                    raise ServiceUnavailable(
                        late, resource="demo", mend="the machine may be busy: try again"
                    ) from error
    return stage.told()


async def _play(monitor: Monitor, server: DemoServer, blog: LiveBlog, stage: _Stage, *, step_seconds: float) -> None:
    following = asyncio.create_task(_follow(monitor.bus_url, _expected(blog), stage))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await stage.baseline.wait()
    for step in range(1, blog.last_step + 1):
        await asyncio.sleep(step_seconds)
        server.step = step
    async with asyncio.timeout(PATIENCE_SECONDS):
        await following
        await stage.alerted.wait()


async def _follow(bus_url: str, expected: int, stage: _Stage) -> None:
    async with subscribe(bus_url, sources=["aleppo"], since="1-0") as subscription:
        for _ in range(expected):
            stage.tell(delta_event(await anext(subscription)))


def _expected(blog: LiveBlog) -> int:
    """Every entry after the first look is new once, every correction an edit, every withdrawal a removal."""
    later = [post for post in blog.posts if post.appears > 0]
    withdrawn = [post for post in blog.posts if post.withdrawn is not None]
    return len(later) + len(blog.corrections) + len(withdrawn)


@contextlib.asynccontextmanager
async def _daemon(settings: Settings, stage: _Stage) -> AsyncIterator[Monitor]:
    stop = asyncio.Event()
    monitor = Monitor(settings, on_poll=stage.polled)
    running = asyncio.create_task(monitor.run(stop))
    started = asyncio.create_task(monitor.started.wait())
    try:
        await asyncio.wait([running, started], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        yield monitor
    finally:
        started.cancel()
        stop.set()
        await running


def _settings(home: Path, port: int, secret: bytes, zone: str, speed: float) -> Settings:
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
