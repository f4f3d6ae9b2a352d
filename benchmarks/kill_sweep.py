"""Kill the daemon with SIGKILL at every n-th write, fsync and send of one scripted run, and look at what is left.

    python benchmarks/kill_sweep.py [--points 64] [--start 4] [--stride 5] [--at-once 2]      needs Linux and strace

The script: a live blog on a local server goes through all its steps while a daemon polls it every 0.2 s. At each point the
daemon dies at its n-th such system call, a second one is started on the same state, the story ends, everything settles.
Then the stream must hold every change exactly once, in order; each alert must have reached the webhook at least once and
at most once more for the kill. Prints a table and exits 1 if any point is not exact.

strace counts the calls of each thread apart, so the points take turns: one dies on its way to the disk (the thread that
writes the store), the next on its way to the page, the server or the webhook (the event loop). The embedded server and
the parse worker are programs of their own and are not followed: it is the daemon that dies. One run takes about 350 calls
to the disk and 180 to the wire; the defaults spread the points over all of it, starting up included. A daemon that outlives
the story is killed at its end.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import redis
from aiohttp import web

from monitor.demo.blog import load_blog, zone_of_the_story
from monitor.demo.server import DemoServer

CALLS = {"disk": "pwrite64,fdatasync,fsync,ftruncate", "wire": "write,writev,sendto,sendmsg"}
BLOG = load_blog()
STRIDES = {"disk": 2, "wire": 1}  # of --stride: a run has twice as many calls to the disk
STEP_SECONDS = 0.25
WAITING = (
    "SELECT count(*) FROM outbox_waiting",
    "SELECT count(*) FROM deliveries WHERE state = 'waiting'",
    "SELECT count(*) FROM messages WHERE state IN ('pending', 'leased')",
)
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


class Site(DemoServer):
    """The demo's page and webhook; counts how often each message arrives, repeats included."""

    posts: Counter[str]

    async def _hook(self, request: web.Request) -> web.Response:
        answer = await super()._hook(request)
        if answer.status == 204:
            self.posts[request.headers["webhook-id"]] += 1
        return answer


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
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        words = (*before, sys.executable, "-m", "monitor", "run", "-c", str(self.config))
        with (self.home / "daemon.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *words, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    def has_baseline(self) -> bool:
        """Whether the first page is stored: what was on it is known from then on, what comes later must be told."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.home}/state/monitor.db?mode=ro", uri=True)) as store:
                return bool(store.execute("SELECT count(*) FROM known").fetchone()[0])
        except sqlite3.Error:
            return False

    def waiting(self) -> int:
        """How many messages and deliveries are still to be sent."""
        with contextlib.closing(sqlite3.connect(f"file:{self.home}/state/monitor.db?mode=ro", uri=True)) as store:
            return sum(store.execute(question).fetchone()[0] for question in WAITING)

    def stream(self, name: str) -> list[tuple[str, dict]]:
        with contextlib.closing(redis.Redis(port=self.redis_port, socket_timeout=20)) as client:
            return [(key.decode(), json.loads(fields[b"d"])) for key, fields in client.xrange(name)]

    def holds(self, texts: frozenset[str]) -> bool:
        """Whether the stream has told of these texts; False while no server answers."""
        try:
            return final_texts(self.stream("monitor:{aleppo}:deltas")) >= texts
        except redis.RedisError:
            return False

    def is_run_by(self, pid: int) -> bool:
        """Whether this daemon has opened everything; until then the killed one's server may still answer."""
        try:
            return json.loads((self.home / "state" / "runtime.json").read_text())["pid"] == pid
        except (OSError, ValueError):
            return False


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


async def run_point(calls: str, when: int) -> dict[str, object]:
    secret = secrets.token_bytes(24)
    got: Counter[str] = Counter()
    home = Path(tempfile.mkdtemp(prefix="kill-sweep-"))
    first = second = None
    keep = True  # what went wrong is left behind, to be looked into
    try:
        async with Site(BLOG, secret=secret, on_alert=lambda alert: got.update([alert["data"]["rule"]])) as server:
            server.posts = Counter()
            point = Point(home, server, secret)
            trace = home / "strace"
            # -b execve lets go of the children, which are other programs.
            inject = f"inject={CALLS[calls]}:signal=KILL:when={when}"
            first = await point.start(
                "strace", "-f", "-b", "execve", "-o", str(trace), "-e", f"trace={CALLS[calls]}", "-e", inject
            )
            died_at = None
            while not point.has_baseline():
                if first.returncode is not None and second is None:
                    # It died before it had stored the first page: the next one starts from nothing, as it should.
                    died_at, second = 0, await point.start()
                await asyncio.sleep(0.1)
            for step in range(1, BLOG.last_step + 1):
                server.step = step
                await asyncio.sleep(STEP_SECONDS)
                if second is None and first.returncode is not None:
                    died_at, second = step, await point.start()
            if second is None:
                if first.returncode is None:
                    os.killpg(first.pid, signal.SIGKILL)
                await first.wait()
                second = await point.start()
            if not await until(lambda: point.is_run_by(second.pid), 60):
                raise RuntimeError(f"the second daemon does not start: see {home}")
            done = await until(lambda: point.holds(needed()), 60)
            alerted = await until(lambda: {"halted", "truce-broken"} <= set(got) and not point.waiting(), 60)
            deltas = point.stream("monitor:{aleppo}:deltas")
            alerts = point.stream("monitor:alerts")
            second.send_signal(signal.SIGTERM)
            await asyncio.wait_for(second.wait(), 60)
            ids = [key for key, _ in deltas]
            told = [(event["subject"], event["data"]["entry"]["revision"], event["type"]) for _, event in deltas]
            alert_ids = [event["data"]["id"] for _, event in alerts]
            result = {
                "calls": calls,
                "when": when,
                "died at step": died_at,
                "died in": fatal_call(trace),
                "deltas": len(deltas),
                "lost": not done,
                "dense": ids == [f"1-{n}" for n in range(1, len(ids) + 1)],
                "repeated": len(told) - len(set(told)) + len(alert_ids) - len(set(alert_ids)),
                "alerts": dict(got),
                "posts": max(server.posts.values(), default=0),
                "alerts right": alerted and len(server.posts) == len(alerts) and max(server.posts.values()) <= 2,
            }
            keep = is_bad(result)
            return result
    finally:
        for process in (first, second):
            if process is not None and process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if keep:
            print(f"       left behind: {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)


def fatal_call(trace: Path) -> str:
    """What the daemon was doing when it was killed; "" where it outlived the story."""
    ended = re.findall(
        r"^\d+ +(?:<\.\.\. )?(\w+).*(?:= \?|<unfinished \.\.\.>)$", trace.read_text(errors="replace"), re.MULTILINE
    )
    return ended[-1] if ended else ""


def needed() -> frozenset[str]:
    """Texts of the last page that the first did not show: each must have been told."""
    texts = set()
    for post in BLOG.posts:
        last = BLOG._corrected(post, BLOG.last_step)
        if post.withdrawn is None and (post.appears > 0 or last != post):
            texts.add("\n\n".join(last.paragraphs))
    return frozenset(texts)


def is_bad(result: dict[str, object]) -> bool:
    exact = result["deltas"] >= len(needed())
    return bool(not exact or result["lost"] or not result["dense"] or result["repeated"] or not result["alerts right"])


async def sweep(points: int, stride: int, start: int, at_once: int) -> int:
    print(
        f"{'call':>10} {'step':>5} {'died in':>10} {'deltas':>7} {'dense':>6} {'repeated':>9} {'lost':>5} {'posts':>6}  alerts"
    )
    room = asyncio.Semaphore(at_once)

    async def one(number: int) -> bool:
        calls = list(CALLS)[number % len(CALLS)]
        async with room:
            result = await run_point(calls, start + number // len(CALLS) * stride * STRIDES[calls])
        bad = is_bad(result)
        print(
            f"{calls:>5}{result['when']:>5} {result['died at step']!s:>5} {result['died in']:>10} {result['deltas']:>7} "
            f"{result['dense']!s:>6} {result['repeated']:>9} {result['lost']!s:>5} {result['posts']:>6}  "
            f"{result['alerts']}{'   <-- WRONG' if bad else ''}",
            flush=True,
        )
        return bad

    wrong = sum(await asyncio.gather(*(one(number) for number in range(points))))
    print(f"{points} points, {wrong} wrong")
    return 1 if wrong else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--stride", type=int, default=5)
    parser.add_argument("--start", type=int, default=4)
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("strace is needed (apt-get install strace)")
    sys.exit(asyncio.run(sweep(options.points, options.stride, options.start, options.at_once)))


if __name__ == "__main__":
    main()
