"""Reloads, valid and broken, in a storm while a page grows: is a delta lost or repeated, does anything leak?

    python benchmarks/reload_storm.py [--reloads 200] [--pause 0.15] [--seed 20161215]

A real daemon in this process polls a page on a local server that gets an entry every other moment. Meanwhile its settings file
is rewritten at random: sources, rules and receivers come, go and change; the file is cut off in the middle, misspelt, emptied,
unreadable or gone; and each time it is reloaded as SIGHUP does. At the end the stream must hold every entry once, in order, and
each alert must have arrived once. File descriptors, tasks, threads and memory are taken after a fifth of the reloads, when all
is warm, and at the end. Exits 1 when anything was lost, repeated or grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog

from monitor.bus import subscribe
from monitor.daemon.app import Monitor
from monitor.daemon.reloading import Reloader
from monitor.settings import load_settings

ALLOWED_GROWTH_MB = 16.0  # allocator's slack; a leak of a reload's settings and rules would be ten times that
BASE = """\
version: 1
state_dir: {home}/state
reload: {{watch: false}}
fetch: {{spacing: 0s, per_host: 8}}
sources:
  grows: {{url: "http://127.0.0.1:{port}/grows", every: {every}, {local}}}
{sources}
rules:
  halted: {{match: suspended, max_age: 0, notify: [hook]}}
{rules}
receivers:
  hook: {{webhook: "http://127.0.0.1:{port}/hook", secret: "whsec_dGhpcyBpcyBhIHRlc3Qgc2VjcmV0", allow_private: true}}
{receivers}
"""
LOCAL = "allow_fast: true, allow_private: true, robots: false, kind: text"


class World:
    """The page that grows, pages that stand still, and the webhook."""

    def __init__(self) -> None:
        self.entries = 3
        self.alerts: Counter[str] = Counter()
        self.port = 0

    def page(self, count: int) -> str:
        blocks = ["Harbour bridge: live"]
        for number in range(count, 0, -1):
            said = "All work was suspended." if number % 5 == 0 else "Traffic is moving."
            stamp = f"{(number // 60) % 12 or 12}:{number % 60:02d} am"
            blocks.append(f"{stamp}\n\nReport {number}\n\n{said} Crew {number} has report {number * 7919} in hand.")
        return "\n\n\n".join(blocks) + "\n"

    async def live(self, request: web.Request) -> web.Response:
        count = self.entries if request.path == "/grows" else 3
        return web.Response(text=self.page(count))

    async def hook(self, request: web.Request) -> web.Response:
        self.alerts[request.headers["webhook-id"]] += 1
        return web.Response(status=204)


@contextlib.asynccontextmanager
async def served(world: World):
    application = web.Application()
    application.router.add_post("/hook", world.hook)
    application.router.add_get("/{name}", world.live)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.port = runner.addresses[0][1]
    try:
        yield
    finally:
        await runner.cleanup()


def valid(chance: random.Random, home: Path, port: int) -> str:
    """Settings that load: the page that grows always in them, the rest by chance."""
    sources = [
        f'  still{n}: {{url: "http://127.0.0.1:{port}/still{n}", every: {chance.choice(("0.3s", "0.5s", "2s"))}, {LOCAL}}}'
        for n in range(4)
        if chance.random() < 0.5
    ]
    rules = [
        f"  extra{n}: {{match: {chance.choice(('halted', 'crew', 'nothing at all'))}}}"
        for n in range(3)
        if chance.random() < 0.5
    ]
    receivers = [
        f'  other{n}: {{webhook: "http://127.0.0.1:{port}/{chance.choice("abc")}", allow_private: true, secret: "whsec_dGhpcyBpcyBhIHRlc3Qgc2VjcmV0"}}'
        for n in range(2)
        if chance.random() < 0.5
    ]
    every = chance.choice(("0.15s", "0.2s", "0.25s"))
    return BASE.format(
        home=home, port=port, every=every, local=LOCAL,
        sources="\n".join(sources), rules="\n".join(rules), receivers="\n".join(receivers),
    )  # fmt: skip


def broken(chance: random.Random, good: str) -> bytes | None:
    """Settings that do not; None for a file that is gone."""
    lines = good.splitlines()
    spoilt = [
        good[: good.index("rules:") + chance.randrange(6, 40)] + " {",
        good.replace("sources:", "sorces:"),
        good.replace("every:", "evry:"),
        good.replace("notify: [hook]", "notify: [nobody]"),
        good + "\nreceivers: {}\n",
        "\n".join([*lines[:4], "\t- what", *lines[4:]]),
        good.replace("match: suspended", 'match: "(suspended"'),
        "- a list\n",
    ]
    pick = chance.randrange(len(spoilt) + 2)
    if pick == len(spoilt):
        return None
    return b"\xff\xfe\x00" if pick > len(spoilt) else spoilt[pick].encode()


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds."""

    fds: int
    tasks: int
    threads: int
    rss_mb: float


def sample() -> Sample:
    gc.collect()
    process = psutil.Process()
    return Sample(
        process.num_fds(), len(asyncio.all_tasks()), threading.active_count(), process.memory_info().rss / 2**20
    )


async def storm(home: Path, reloads: int, pause: float, seed: int) -> int:
    chance, world, stop = random.Random(seed), World(), asyncio.Event()
    file = home / "monitor.yaml"
    async with served(world):
        file.write_text(valid(chance, home, world.port))
        load = lambda: load_settings(file, environ={})  # noqa: E731
        monitor = Monitor(load())
        running = asyncio.create_task(monitor.run(stop))
        await monitor.started.wait()
        reloader = Reloader(monitor, load)
        url = monitor.bus_url
        deltas: list[dict] = []
        listening = asyncio.create_task(listen(url, deltas))
        await baseline(monitor)
        warm, took, kept, refused = sample(), [], 0, 0
        for number in range(reloads):
            good = valid(chance, home, world.port)
            bad = broken(chance, good) if chance.random() < 0.5 else good.encode()
            put(file, bad)
            if chance.random() < 0.5 and world.entries < 110:
                world.entries += 1
            began = time.perf_counter()
            done = await reloader.reload()
            took.append(time.perf_counter() - began)
            kept, refused = kept + done.ok, refused + (not done.ok)
            if done.ok != (bad == good.encode()):
                print(f"reload {number} was {'taken' if done.ok else 'refused'}: {done.words}\n{bad!r}")
                return 1
            if number == reloads // 5:
                put(file, good.encode())
                await reloader.reload()
                await asyncio.sleep(2)
                warm = sample()
            await asyncio.sleep(pause * chance.random() * 2)
        put(file, valid(random.Random(0), home, world.port).encode())
        await reloader.reload()
        expected = world.entries - 3
        for _ in range(300):
            if len(deltas) >= expected and len(world.alerts) >= world.entries // 5:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        end = sample()
        stop.set()
        await running
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    took.sort()
    print(
        f"{reloads} reloads: {kept} put in force, {refused} refused; median {1000 * took[len(took) // 2]:.0f} ms, worst {1000 * took[-1]:.0f} ms"
    )
    print(f"{'':<24}{'fds':>6}{'tasks':>7}{'threads':>9}{'RSS MB':>9}")
    for name, one in (("after a fifth", warm), ("at the end", end)):
        print(f"{name:<24}{one.fds:>6}{one.tasks:>7}{one.threads:>9}{one.rss_mb:>9.1f}")
    return judge(world, deltas, warm, end)


def judge(world: World, deltas: list[dict], warm: Sample, end: Sample) -> int:
    told = [one["data"]["entry"]["title"] for one in deltas if one["type"] == "monitor.entry.new"]
    wanted = [f"Report {number}" for number in range(4, world.entries + 1)]
    ids = [one["id"] for one in deltas]
    wrong = []
    if sorted(told) != sorted(wanted):
        wrong.append(f"entries: {len(wanted)} appeared, {len(told)} told; lost {sorted(set(wanted) - set(told))[:5]}")
    if ids != [f"grows/1-{number}" for number in range(1, len(ids) + 1)]:
        wrong.append("the stream is not dense and in order")
    if len(told) != len(ids):
        wrong.append(f"{len(ids) - len(told)} deltas of a page that only grew are not new entries")
    alerts = sum(1 for number in range(4, world.entries + 1) if number % 5 == 0)
    if len(world.alerts) != alerts or set(world.alerts.values()) - {1}:
        wrong.append(
            f"alerts: {alerts} raised, {len(world.alerts)} arrived, repeats {sum(world.alerts.values()) - len(world.alerts)}"
        )
    for name in ("fds", "tasks", "threads"):
        if (
            getattr(end, name) > getattr(warm, name) + 6
        ):  # sources and receivers by chance have connections of their own
            wrong.append(f"{name} grew")
    if end.rss_mb > warm.rss_mb + ALLOWED_GROWTH_MB:
        wrong.append("memory grew")
    print(
        f"{len(ids)} deltas, {len(world.alerts)} alerts: "
        + ("; ".join(wrong) or "none lost, none repeated, nothing grew")
    )
    return 1 if wrong else 0


async def baseline(monitor: Monitor) -> None:
    for _ in range(200):
        states = await monitor.store.poll_states()
        if states["grows"].last_ok_at is not None:
            return
        await asyncio.sleep(0.1)
    raise SystemExit("the page was never read")


async def listen(url: str, deltas: list[dict]) -> None:
    from monitor.wire import delta_event

    async with subscribe(url, sources=["grows"], since="1-0") as subscription:
        async for delta in subscription:
            deltas.append(delta_event(delta))


def put(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink(missing_ok=True)
        return
    draft = file.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(file)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reloads", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.15)
    parser.add_argument("--seed", type=int, default=20161215)
    options = parser.parse_args()
    structlog.configure(processors=[lambda *_: (_ for _ in ()).throw(structlog.DropEvent)])
    os.umask(0o077)
    with tempfile.TemporaryDirectory(prefix="reload-storm-") as home:
        return asyncio.run(storm(Path(home), options.reloads, options.pause, options.seed))


if __name__ == "__main__":
    sys.exit(main())
