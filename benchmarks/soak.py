"""A day with 500 sources in a quarter of an hour: does anything grow that should not?

    python benchmarks/soak.py [--minutes 14.4] [--hours 24] [--sources 500] [--every 2m]

The real daemon runs on a clock that is faster than the world's; sockets, parser, store, Valkey and receiver are real. The
sources are feeds on local addresses: mostly 304, now and then a new entry or a correction; some are down, cut off or garbage
for an hour each. Retention is set to three hours instead of the usual 90 days, so that the database, too, must come to rest:
rows, bytes in use and bytes of the file. Every simulated hour memory (daemon, and with its children), descriptors, threads,
tasks and database are taken. After a quarter of the day all is warm; exits 1 when one of them grew from then to the end by
more than its bound.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import psutil
import structlog

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.daemon.app import Monitor
from monitor.daemon.delivery import deliverer
from monitor.daemon.delivery.clock import Time
from monitor.daemon.schedule import Clock
from monitor.settings import load_settings

WINDOW = 8  # entries a feed shows: six hours of them, so that a page has turned over when the first quarter is past
PERIOD = 2700.0  # seconds between new entries of a source, on average
BOUNDS = {"rss": 1.10, "all_rss": 1.10, "fds": 1.25, "threads": 1.0, "tasks": 1.5, "rows": 1.10, "used": 1.10}
FILE_BOUND = 1.10  # from the first half to the end: a file's size is a high-water mark, and rises with the busiest hour
TABLES = ("sources", "known", "revisions", "outbox", "outbox_waiting", "alerts", "deliveries", "messages")
SETTINGS = """\
version: 1
state_dir: {home}/state
reload: {{watch: false}}
http: {{listen: "127.0.0.1:0"}}
fetch: {{spacing: 0s, per_host: 50}}
retention: {{revisions: 3h, alerts: 3h, outbox: 1h, stream_length: 200}}
defaults: {{every: {every}, allow_private: true, robots: false, kind: feed}}
sources:
{sources}
rules:
  halted: {{match: suspended, max_age: 0, notify: [hook]}}
  truce: {{match: ceasefire violation, max_age: 0, notify: [hook], cooldown: 10m}}
receivers:
  hook: {{webhook: "http://127.0.0.1:{port}/hook", secret: "whsec_dGhpcyBpcyBhIHRlc3Qgc2VjcmV0", allow_private: true, rate: 50/s}}
"""


def feed(source: int, elapsed: float, start: float) -> tuple[str, bytes]:
    """A source's feed at a simulated time and its ETag: one entry a period, corrected a third of a period later."""
    phase = source * 7919 % PERIOD
    newest, into = divmod(elapsed + phase, PERIOD)
    corrected = into > PERIOD / 3
    items = []
    for number in range(int(newest), int(newest) - WINDOW, -1):
        said = "was suspecnded" if number == int(newest) and not corrected else "was suspended"
        story = said if number % 7 == 0 else "goes on"
        at = datetime.fromtimestamp(start + number * PERIOD - phase, UTC)
        items.append(
            f"<item><guid>s{source}-{number}</guid><title>Report {number} of desk {source}</title>"
            f"<pubDate>{format_datetime(at)}</pubDate>"
            f"<description>The work of crew {number * 31 + source} {story}. {'All is calm. ' * (number % 9)}</description></item>"
        )
    tag = f'"{source}-{int(newest)}-{int(corrected)}"'
    return (
        tag,
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>Desk {source}</title>{"".join(items)}</channel></rss>'.encode(),
    )


class Publishers:
    """The sources' servers and the webhook, in a process of their own."""

    def __init__(self, began: float, start: float, scale: float) -> None:
        self.began, self.start, self.scale = began, start, scale

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request, *lines = head.decode("latin-1").split("\r\n")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                if length := int(fields.get("content-length", 0)):
                    await reader.readexactly(length)
                reply = self.reply(request.split()[1], fields.get("if-none-match", ""))
                if reply is None:
                    break
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def reply(self, path: str, etag: str) -> bytes | None:
        if path == "/hook":
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        source, elapsed = int(path[2:]), (time.time() - self.began) * self.scale
        hour = int(elapsed // 3600)
        trouble = (source + hour) % 40  # one source in forty has a bad hour, each another
        if trouble == 1:
            return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        if trouble == 2:
            return None
        tag, body = feed(source, elapsed, self.start)
        if trouble == 3:
            body = b"<html>checking your browser" + body[:200]
        elif trouble == 4:
            return b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: 99999\r\n\r\n" + body[:900]
        elif etag == tag:
            return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        return (
            f"HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Type: application/rss+xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )


def host(source: int) -> str:
    """Each source has a host of its own: one that asks to be left alone must not hold up others."""
    return f"127.0.{source // 250}.{source % 250 + 1}"


async def publish(began: float, start: float, scale: float, sources: float) -> None:
    servers = Publishers(began, start, scale)
    first = await asyncio.start_server(servers.answer, "127.0.0.1", 0)
    port = first.sockets[0].getsockname()[1]
    for source in range(1, int(sources)):
        await asyncio.start_server(servers.answer, host(source), port)
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the benchmark ends
    os._exit(0)


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is at one simulated hour."""

    hour: float
    polls: int
    deltas: int
    rss: float
    all_rss: float
    fds: int
    threads: int
    tasks: int
    rows: int  # of every table that changes write to
    used: float  # MB of the database's pages that hold something
    db: float  # MB of its file
    wal: float

    def line(self) -> str:
        return (
            f"{self.hour:>5.1f}{self.polls:>9}{self.deltas:>8}{self.rss:>8.1f}{self.all_rss:>8.1f}{self.fds:>6}"
            f"{self.threads:>5}{self.tasks:>6}{self.rows:>8}{self.used:>8.2f}{self.db:>8.2f}{self.wal:>8.2f}"
        )


HEAD = f"{'hour':>5}{'polls':>9}{'deltas':>8}{'RSS MB':>8}{'+child':>8}{'fds':>6}{'thr':>5}{'tasks':>6}{'rows':>8}{'used MB':>8}{'db MB':>8}{'wal MB':>8}"


class Count:
    """What the polls found."""

    def __init__(self) -> None:
        self.polls = self.deltas = self.bad = 0
        self.codes: Counter[str] = Counter()

    def __call__(self, result) -> None:
        self.polls += 1
        self.deltas += len(result.deltas)
        if result.verdict.kind.value in ("failed", "suspect"):
            self.bad += 1
            self.codes[result.verdict.code] += 1


def database(file: Path) -> tuple[int, float]:
    """Rows of the tables that grow, and MB of pages in use."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        one = lambda question: connection.execute(question).fetchone()[0]  # noqa: E731
        rows = sum(one(f"SELECT count(*) FROM {table}") for table in TABLES)  # noqa: S608 - our own names
        pages = one("PRAGMA page_count") - one("PRAGMA freelist_count")
        return rows, pages * one("PRAGMA page_size") / 2**20


def sample(hour: float, count: Count, home: Path, spare: int) -> Sample:
    gc.collect()
    me = psutil.Process()
    own = me.memory_info().rss / 2**20
    children = sum(child.memory_info().rss for child in me.children(recursive=True) if child.pid != spare) / 2**20
    size = lambda name: path.stat().st_size / 2**20 if (path := home / "state" / name).exists() else 0.0  # noqa: E731
    return Sample(
        hour, count.polls, count.deltas, own, own + children, me.num_fds(), threading.active_count(),
        len(asyncio.all_tasks()), *database(home / "state" / "monitor.db"), size("monitor.db"), size("monitor.db-wal"),
    )  # fmt: skip


class SimulatedTime(Time):
    """The deliverer's time on the simulated clock; what is to be waited for is waited for in the world's time."""

    def __init__(self, clock: Clock, scale: float) -> None:
        super().__init__()
        self._clock, self._scale = clock, scale

    def now(self) -> datetime:
        return self._clock.now()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        await super().wait(event, None if seconds is None else seconds / self._scale)


async def soak(home: Path, options: argparse.Namespace) -> int:
    scale = options.hours * 60 / options.minutes
    began, zero = time.time(), time.monotonic()
    start = began - options.hours * 3600  # the simulated day ends now: no receiver sees a time to come
    clock = Clock(
        monotonic=lambda: zero + (time.monotonic() - zero) * scale,
        wall=lambda: start + (time.monotonic() - zero) * scale,
    )
    command = [sys.executable, __file__, "--publish", f"{began},{start},{scale},{options.sources}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as world:
        port = int(world.stdout.readline())
        lines = [f'  s{n}: {{url: "http://{host(n)}:{port}/s{n}"}}' for n in range(options.sources)]
        file = home / "monitor.yaml"
        file.write_text(SETTINGS.format(home=home, port=port, every=options.every, sources="\n".join(lines)))
        deliverer.Time = lambda: SimulatedTime(clock, scale)
        count, stop, samples = Count(), asyncio.Event(), []
        monitor = Monitor(load_settings(file, environ={}), clock=clock, on_poll=count)
        running = asyncio.create_task(monitor.run(stop))
        await monitor.started.wait()
        monitor.store._clock = clock.now  # retention counts in simulated time
        print(HEAD)
        for hour in range(1, int(options.hours) + 1):
            await asyncio.sleep(max(0.0, zero + hour * 3600 / scale - time.monotonic()))
            await monitor._upkeep()
            samples.append(sample(hour, count, home, world.pid))
            print(samples[-1].line(), flush=True)
        stop.set()
        await running
        world.stdin.close()
    if options.hours < 8:
        return 0
    return judge(samples, count, options)


def judge(samples: list[Sample], count: Count, options: argparse.Namespace) -> int:
    warm, late = samples[len(samples) // 4 : len(samples) // 2], samples[-len(samples) // 4 :]
    grew = []
    for name, bound in BOUNDS.items():
        before = statistics.median(getattr(one, name) for one in warm)
        after = statistics.median(getattr(one, name) for one in late)
        print(
            f"{name:<8} second quarter {before:>8.1f}   last quarter {after:>8.1f}   ×{after / before:.3f} (bound {bound})"
        )
        if after > before * bound:
            grew.append(name)
    warmed, half, last = samples[len(samples) // 4], samples[len(samples) // 2], samples[-1]
    print(f"database file: {half.db:.2f} MB after the first half, {last.db:.2f} MB at the end (bound {FILE_BOUND})")
    if last.db > half.db * FILE_BOUND:
        grew.append("file")
    wal = max(one.wal for one in samples)
    print(f"{last.deltas - warmed.deltas} deltas since the first quarter; wal at most {wal:.1f} MB")
    print(
        f"{count.polls} polls, {count.bad} of them bad ({dict(count.codes.most_common(8))}), {count.deltas} deltas; "
        + (f"GREW: {', '.join(grew)}" if grew else "flat")
    )
    return 1 if grew else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=14.4)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--every", default="2m")
    parser.add_argument("--publish", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.publish:
        asyncio.run(publish(*map(float, options.publish.split(","))))
        return 0
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(processors=[lambda *_: (_ for _ in ()).throw(structlog.DropEvent)])
    os.umask(0o077)
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        return asyncio.run(soak(Path(home), options))


if __name__ == "__main__":
    sys.exit(main())
