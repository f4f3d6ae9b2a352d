"""Kill the daemon with SIGKILL at every n-th write, fsync and send of one scripted run, and look at what is left.

    python benchmarks/kill_sweep.py [--points 60]      needs Linux and strace

The script: a live blog on a local server goes through all its steps while a daemon polls it every 0.2 s. At each point the
daemon dies at its n-th such system call, a second one is started on the same state, the story ends, everything settles.
Then the stream must hold every change exactly once, in order; each alert must have reached the webhook at least once and
at most once more for the kill. Prints a table and exits 1 if any point is not exact.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import redis

from monitor.demo.blog import load_blog, zone_of_the_story
from monitor.demo.server import DemoServer

CALLS = "pwrite64,write,writev,fdatasync,fsync,sendto,sendmsg"
BLOG = load_blog()
STEP_SECONDS = 0.25
SETTINGS = """\
version: 1
state_dir: {state}
redis: {{embedded: {{port: {redis_port}}}}}
sources:
  aleppo: {{url: "http://127.0.0.1:{port}/live", timezone: {zone}, every: 0.2s, allow_fast: true, allow_private: true, robots: false}}
rules:
  halted: {{match: suspended, notify: [hook]}}
  truce-broken: {{match: ceasefire violation, notify: [hook]}}
receivers:
  hook: {{webhook: "http://127.0.0.1:{port}/hook", secret: "whsec_{secret}", allow_private: true}}
fetch: {{spacing: 0.01s}}
"""


class Point:
    """One run that dies at one system call."""

    def __init__(self, home: Path, server: DemoServer, secret: bytes) -> None:
        self.home = home
        self.redis_port = free_port()
        self.config = home / "monitor.yaml"
        self.config.write_text(
            SETTINGS.format(
                state=home / "state",
                redis_port=self.redis_port,
                port=server.port,
                zone=zone_of_the_story(datetime.now(UTC)),
                secret=base64.b64encode(secret).decode(),
            )
        )

    async def start(self, *before: str) -> asyncio.subprocess.Process:
        log = (self.home / "daemon.log").open("ab")
        return await asyncio.create_subprocess_exec(
            *before, sys.executable, "-m", "monitor", "run", "-c", str(self.config),
            stdout=log, stderr=log, start_new_session=True,
        )

    def has_baseline(self) -> bool:
        """Whether the first page is stored: what was on it is known from then on, what comes later must be told."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.home}/state/monitor.db?mode=ro", uri=True)) as store:
                return bool(store.execute("SELECT count(*) FROM known").fetchone()[0])
        except sqlite3.Error:
            return False

    def stream(self, name: str) -> list[tuple[str, dict]]:
        client = redis.Redis(port=self.redis_port, socket_timeout=3)
        try:
            return [(key.decode(), json.loads(fields[b"d"])) for key, fields in client.xrange(name)]
        except redis.RedisError:
            return []
        finally:
            client.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def final_texts(deltas: list[tuple[str, dict]]) -> frozenset[str]:
    texts: dict[str, str] = {}
    for _, event in deltas:
        texts[event["subject"]] = event["data"]["entry"]["text"]
        if event["type"].endswith("removed"):
            del texts[event["subject"]]
    return frozenset(texts.values())


async def until(predicate, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if predicate():
            return True
        await asyncio.sleep(0.1)
    return False


async def run_point(when: int) -> dict[str, object]:
    secret = secrets.token_bytes(24)
    got: Counter[str] = Counter()
    home = Path(tempfile.mkdtemp(prefix="kill-sweep-"))
    try:
        async with DemoServer(BLOG, secret=secret, on_alert=lambda alert: got.update([alert["data"]["rule"]])) as server:
            point = Point(home, server, secret)
            inject = f"inject={CALLS}:signal=KILL:when={when}" if when else "trace=none"
            first = await point.start("strace", "-f", "-o", "/dev/null", "-e", inject)
            died_at, second = None, None
            while not point.has_baseline():
                if first.returncode is not None and second is None:
                    # It died before it had stored the first page: the next one starts from nothing, as it should.
                    died_at, second = 0, await point.start()
                await asyncio.sleep(0.1)
            for step in range(1, BLOG.last_step + 1):
                server.step = step
                await asyncio.sleep(STEP_SECONDS)
                if died_at is None and first.returncode is not None:
                    died_at = step
                    second = await point.start()
            if died_at is None:
                if first.returncode is None:
                    os.killpg(first.pid, signal.SIGKILL)
                await first.wait()
                second = await point.start()
            done = await until(lambda: final_texts(point.stream("monitor:{aleppo}:deltas")) >= needed(point), 30)
            alerted = await until(lambda: {"halted", "truce-broken"} <= set(got), 20)
            deltas = point.stream("monitor:{aleppo}:deltas")
            second.send_signal(signal.SIGTERM)
            await asyncio.wait_for(second.wait(), 30)
            ids = [key for key, _ in deltas]
            told = [(event["subject"], event["data"]["entry"]["revision"], event["type"]) for _, event in deltas]
            return {
                "when": when,
                "died at step": died_at,
                "deltas": len(deltas),
                "lost": not done,
                "dense": ids == [f"1-{n}" for n in range(1, len(ids) + 1)],
                "repeated": len(told) - len(set(told)),
                "alerts": dict(got),
                "alerts right": alerted and all(count <= 2 for count in got.values()),
            }
    finally:
        shutil.rmtree(home, ignore_errors=True)


def needed(point: Point) -> frozenset[str]:
    """Texts that were not in the first page as they stand at the end: each must have been told."""
    first = BLOG.page(0)
    texts = set()
    for post in BLOG.posts:
        text = "\n\n".join(BLOG._corrected(post, BLOG.last_step).paragraphs)
        if post.withdrawn is None and post.appears > 0 and post.paragraphs[0] not in first:
            texts.add(text)
    return frozenset(texts)


async def sweep(points: int, stride: int, start: int) -> int:
    wrong = 0
    print(f"{'call':>6} {'step':>5} {'deltas':>7} {'dense':>6} {'repeated':>9} {'lost':>5}  alerts")
    for number in range(points):
        with contextlib.suppress(ProcessLookupError):
            result = await run_point(start + number * stride)
        bad = result["lost"] or not result["dense"] or result["repeated"] or not result["alerts right"]
        wrong += bool(bad)
        print(
            f"{result['when']:>6} {result['died at step']!s:>5} {result['deltas']:>7} {result['dense']!s:>6} "
            f"{result['repeated']:>9} {result['lost']!s:>5}  {result['alerts']}{'   <-- WRONG' if bad else ''}",
            flush=True,
        )
    print(f"{points} points, {wrong} wrong")
    return 1 if wrong else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--stride", type=int, default=3)
    parser.add_argument("--start", type=int, default=4)
    options = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("strace is needed (apt-get install strace)")
    subprocess.run(["strace", "-V"], stdout=subprocess.DEVNULL, check=True)
    sys.exit(asyncio.run(sweep(options.points, options.stride, options.start)))


if __name__ == "__main__":
    main()
