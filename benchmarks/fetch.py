"""What fetching costs, and what hostile servers cost the others.

    python benchmarks/fetch.py cost  [--polls 3000]   CPU a poll of our fetcher beside a bare aiohttp session
    python benchmarks/fetch.py proof [--seconds 60]   the bad-input matrix while 50 good sources keep their cadence

`proof` runs its server in another process, polls every hostile source over and over and asks of each: the verdict it must
have, within its limit, in bounded memory. So it does with every hostile document, read where a daemon reads it; one that is
killed at the deadline where it need not be has the wrong verdict. The good sources' lateness is the time from when a poll
was due to its reading. Exits 1 when a promise does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import gzip
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.fetch import FetchLimits, FetchRequest, FetchSettings, Fresh, HostPolicy, NotModified, ParseWorker
from monitor.fetch.fetcher import Fetcher
from monitor.model import Document, ReadOptions
from tests.fetch import hostile
from tests.fetch.wire import RawServer, http
from tests.sources import hostile as documents

GOOD_SOURCES = 50
GOOD_INTERVAL = 1.0
BAD_INTERVAL = 10.0  # the floor of a source; ours would back off after the first
DOCUMENT_INTERVAL = 30.0
DOCUMENT_SECONDS = 60.0  # from handing a document over to its reading, the line included: a poll has no longer
GROWTH = 200 << 20  # bytes the fetching process may grow by: six large bodies at once, sent and decoded, and some room
LIMITS = FetchLimits(connect=5.0, idle=3.0, total=6.0)
ITEM = "<item><guid>{n}</guid><title>Entry {n}</title><pubDate>Thu, 15 Dec 2016 13:47:00 GMT</pubDate><description>{text}</description></item>"


def feed(items: int, text: str, first: int = 0) -> bytes:
    body = "".join(ITEM.format(n=first - n, text=text) for n in range(items))
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>live</title>{body}</channel></rss>".encode()


# --- servers, each in its own process -------------------------------------------------------------------------------


def giant_rows() -> list[hostile.Row]:
    """The rows whose size is the point; too slow to make for every test run."""
    member = hostile.gzip_bomb(1 << 25)
    return [
        hostile.Row("gzip bomb of 2 GiB", hostile.encoded("gzip", member * 64), "too_large"),
    ]


async def serve_hostile() -> None:
    server = await RawServer().start()
    for row in [*hostile.install(server), *giant_rows()]:
        server.routes[hostile.path_of(row)] = row.answer
    print(server.port, flush=True)
    await asyncio.Event().wait()


async def serve_good() -> None:
    server = await RawServer().start()

    async def good(request, writer):
        """A live blog of 20 entries with a new one every 5 seconds."""
        source = int(request.target.rpartition("=")[2])
        newest = int((time.time() + source / 10) / 5)
        etag = f'"{newest}"'
        if request.headers.get("if-none-match") == etag:
            writer.write(http(status="304 Not Modified", length=False))
        else:
            body = feed(20, "words of an entry " * 10, first=newest)
            writer.write(http(body, Content_Type="application/rss+xml", ETag=etag))
        await writer.drain()
        server.requests.clear()
        return True

    server.routes["/good"] = good
    print(server.port, flush=True)
    await asyncio.Event().wait()


async def serve_cost() -> None:
    server = await RawServer().start()
    body = feed(20, "words of an entry that is about as long as they are " * 24)
    page = http(gzip.compress(body), Content_Encoding="gzip", ETag='"1"', Content_Type="application/rss+xml")
    unchanged = http(status="304 Not Modified", length=False, ETag='"1"')

    async def answer(request, writer):
        writer.write(unchanged if request.headers.get("if-none-match") == '"1"' else page)
        server.requests.clear()
        return True

    server.routes["/feed"] = answer
    print(server.port, flush=True)
    await asyncio.Event().wait()


def started(what: str) -> tuple[subprocess.Popen[bytes], int]:
    process = subprocess.Popen([sys.executable, __file__, what], stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


# --- cost -----------------------------------------------------------------------------------------------------------


async def cost(polls: int) -> None:
    import aiohttp

    process, port = started("serve-cost")
    url = f"http://127.0.0.1:{port}/feed"
    rows: dict[str, list[float]] = defaultdict(list)
    try:
        settings = FetchSettings(hosts=HostPolicy(concurrency=50, spacing=0.0))
        async with Fetcher(settings) as fetcher, aiohttp.ClientSession(auto_decompress=False) as bare:

            async def ours(**validators: str) -> None:
                outcome = await fetcher.fetch(FetchRequest(url, allow_private=True, robots="ignore", **validators))
                assert isinstance(outcome, Fresh | NotModified), outcome

            async def theirs(**headers: str) -> None:
                async with bare.get(url, headers=headers) as response:
                    await response.read()

            for _ in range(3):
                for name, once in (
                    ("aiohttp, 304", lambda: theirs(**{"If-None-Match": '"1"'})),
                    ("fetcher, 304", lambda: ours(etag='"1"')),
                    ("aiohttp, 30 KB left gzipped", lambda: theirs(**{"Accept-Encoding": "gzip"})),
                    ("fetcher, 30 KB inflated, hashed", ours),
                ):
                    rows[name].append(await _cpu_per(once, polls))
    finally:
        process.terminate()
    print(f"{'one connection, one at a time':34} {'CPU ms a poll':>14}")
    for name, values in rows.items():
        print(f"{name:34} {statistics.median(values) * 1e3:14.3f}")
    medians = [statistics.median(values) for values in rows.values()]
    print(f"ratio to bare aiohttp: 304 {medians[1] / medians[0]:.2f}, 200 {medians[3] / medians[2]:.2f}")


async def _cpu_per(once, polls: int) -> float:
    for _ in range(20):
        await once()
    gc.collect()
    began = time.process_time()
    for _ in range(polls):
        await once()
    return (time.process_time() - began) / polls


# --- proof ----------------------------------------------------------------------------------------------------------


class Proof:
    def __init__(self, good: int, bad: int, seconds: float) -> None:
        self.good_url = f"http://127.0.0.1:{good}/good"
        self.bad_url = f"http://127.0.0.1:{bad}"
        self.until = time.monotonic() + seconds
        self.lateness: list[float] = []
        self.changes = 0
        self.ended: dict[str, list[tuple[str, float]]] = defaultdict(list)
        self.peak = 0
        self.stall = 0.0
        self.misread: set[str] = set()  # documents of the right verdict that show the wrong entries

    async def good(self, n: int, fetcher: Fetcher, worker: ParseWorker) -> None:
        request = FetchRequest(f"{self.good_url}?n={n}", allow_private=True, robots="ignore", limits=LIMITS)
        due = time.monotonic() + GOOD_INTERVAL * n / GOOD_SOURCES
        while due < self.until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            outcome = await fetcher.fetch(request)
            if isinstance(outcome, Fresh):
                reading = await worker.read(f"good {n}", outcome.document, ReadOptions())
                assert reading.snapshot is not None, reading.verdict
                assert len(reading.snapshot.entries) == 20
                request = replace(request, etag=outcome.etag)
                self.changes += 1
            else:
                assert isinstance(outcome, NotModified), outcome
            self.lateness.append(time.monotonic() - due)
            due += GOOD_INTERVAL

    async def bad(self, row: hostile.Row, fetcher: Fetcher, wait: float) -> None:
        request = FetchRequest(
            self.bad_url + hostile.path_of(row),
            etag='"same"' if row.validators else None,
            allow_private=True,
            robots="ignore",
            limits=LIMITS,
        )
        await asyncio.sleep(wait)
        while time.monotonic() < self.until:
            began = time.monotonic()
            outcome = await fetcher.fetch(request)
            self.ended[row.name].append((hostile.ended(outcome), time.monotonic() - began))
            await asyncio.sleep(BAD_INTERVAL)

    async def document(self, row: documents.Row, body: bytes, worker: ParseWorker, wait: float) -> None:
        n = 0
        await asyncio.sleep(wait)
        while time.monotonic() < self.until:
            n += 1  # another address each time, so that nothing is remembered of its items; other bytes for what is killed
            bytes_ = body + b"<!-- %d -->" % n if row.killed else body
            document = Document(bytes_, datetime.now(UTC), url=f"http://bad.example/{n}")
            began = time.monotonic()
            reading = await worker.read(row.name, document, row.options)
            told = f"{reading.verdict.kind.value} {reading.verdict.code}".strip()
            self.ended[row.name].append((told, time.monotonic() - began))
            if told == row.ends and row.check is not None and not row.check(reading.snapshot):
                self.misread.add(row.name)
            await asyncio.sleep(DOCUMENT_INTERVAL)

    async def watch(self) -> None:
        while (began := time.monotonic()) < self.until:
            self.peak = max(self.peak, _rss())
            await asyncio.sleep(0.02)
            self.stall = max(self.stall, time.monotonic() - began - 0.02)


async def proof(seconds: float) -> int:
    bad_server, bad = started("serve-hostile")
    good_server, good = started("serve-good")
    rows = [*hostile.rows(), *giant_rows()]
    pages = [(row, documents.body_of(row)) for row in documents.rows()]
    settings = FetchSettings(hosts=HostPolicy(concurrency=10_000, spacing=0.0), concurrency=10_000)
    try:
        async with Fetcher(settings) as fetcher, ParseWorker() as worker:
            fetcher.hosts.stay_away = lambda host, wait: None  # type: ignore[method-assign] # all share one host here
            await asyncio.gather(
                *(worker.read(f"warm {n}", Document(feed(1, "x"), datetime.now(UTC)), ReadOptions()) for n in range(2))
            )
            before = _rss()
            run = Proof(good, bad, seconds)
            async with asyncio.TaskGroup() as group:
                for n in range(GOOD_SOURCES):
                    group.create_task(run.good(n, fetcher, worker))
                for n, row in enumerate(rows):
                    group.create_task(run.bad(row, fetcher, BAD_INTERVAL * n / len(rows)))
                for n, (page, body) in enumerate(pages):
                    wait = min(DOCUMENT_INTERVAL, seconds / 2) * n / len(pages)
                    group.create_task(run.document(page, body, worker, wait))
                group.create_task(run.watch())
            kills = worker.kills
    finally:
        bad_server.terminate()
        good_server.terminate()
    return _judged(run, rows, [page for page, _ in pages], before, kills)


def _judged(run: Proof, rows: list[hostile.Row], pages: list[documents.Row], before: int, kills: int) -> int:
    wrong = 0
    print(f"{'hostile source':48} {'must end in':14} {'ended in':22} {'polls':>5} {'longest s':>9}")
    for row in rows:
        ended = run.ended[row.name]
        found = {code for code, _ in ended}
        longest = max(seconds for _, seconds in ended)
        good = found <= set(row.code.split("|")) and longest < LIMITS.total + 1.0
        wrong += not good
        print(
            f"{row.name[:48]:48} {row.code:14} {' '.join(sorted(found)):22} {len(ended):5} {longest:9.2f}{'' if good else '  WRONG'}"
        )
    print(f"\n{'hostile document':48} {'must end in':28} {'ended in':28} {'polls':>5} {'longest s':>9}")
    for page in pages:
        ended = run.ended[page.name]
        found = {code for code, _ in ended}
        longest = max((seconds for _, seconds in ended), default=0.0)
        allowed = {page.ends, "failed parse_timeout"} if page.dear else {page.ends}
        good = ended and found <= allowed and longest < DOCUMENT_SECONDS and page.name not in run.misread
        wrong += not good
        print(
            f"{page.name[:48]:48} {page.ends:28} {', '.join(sorted(found)):28} {len(ended):5} {longest:9.2f}{'' if good else '  WRONG'}"
        )
    late = sorted(run.lateness)
    p50, p99 = late[len(late) // 2], late[int(len(late) * 0.99)]
    grown = run.peak - before
    print(
        f"\n{GOOD_SOURCES} good sources each {GOOD_INTERVAL:g} s: {len(late)} polls, {run.changes} changes, lateness p50 {p50:.3f} s, p99 {p99:.3f} s, most {late[-1]:.3f} s (limit p99 1 s)"
    )
    print(
        f"memory of the fetching process: {before / 2**20:.0f} MB before, grown by {grown / 2**20:.0f} MB at most (limit {GROWTH >> 20} MB); longest stall of its loop {run.stall:.3f} s; parsers killed {kills} times"
    )
    broken = wrong or p99 >= 1.0 or grown > GROWTH
    print(f"{wrong} hostile sources and documents ended wrongly" if broken else "every promise holds")
    return 1 if broken else 0


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cost", "proof", "serve-hostile", "serve-good", "serve-cost"])
    parser.add_argument("--polls", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    match options.what:
        case "cost":
            asyncio.run(cost(options.polls))
        case "proof":
            return asyncio.run(proof(options.seconds))
        case "serve-hostile":
            asyncio.run(serve_hostile())
        case "serve-good":
            asyncio.run(serve_good())
        case "serve-cost":
            asyncio.run(serve_cost())
    return 0


if __name__ == "__main__":
    sys.exit(main())
