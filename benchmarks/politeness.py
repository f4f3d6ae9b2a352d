"""1,000 sources on 200 local hosts: is every host asked as gently as agreed, are answers reused, does anybody starve?

    python benchmarks/politeness.py [--minutes 10] [--sources 1000] [--hosts 200] [--every 15]

The hosts are addresses 127.x.y.z of one server in another process, which keeps the log the figures come from: for each host
the requests at once and the time between their starts, for each source how long it was not asked. A tenth of the hosts is
slow, some say 429, some answer only without validators. The sources are polled as the daemon does: each at its next time,
with what the last answer brought. Exits 1 when a limit of a host was broken, a validator was not sent back, most answers were no 304, or a source starved.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.daemon.cadence import DEFERRED, next_delay
from monitor.fetch import FetchFailed, FetchRequest, FetchSettings, Fresh, HostPolicy, NotModified
from monitor.fetch.fetcher import Fetcher
from tests.fetch.wire import RawServer, http

CONCURRENCY = 2
SPACING = 1.0
RETRY_AFTER = 20  # seconds
ON_THE_WAY = 0.5  # seconds in which a request may cross the answer that asks for rest
SLOW_ANSWER = 1.5  # seconds
CHANGE = 0.05  # part of the polls that find something new
UNCHANGED = http(status="304 Not Modified", length=False)


def host(n: int) -> str:
    return f"127.{1 + n // 250}.{n % 250}.{1 + n % 200}"


# --- the server -----------------------------------------------------------------------------------------------------


class Log:
    """What the server saw, per host and per source."""

    def __init__(self) -> None:
        self.starts: dict[str, list[float]] = defaultdict(list)
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.asked: dict[str, list[float]] = defaultdict(list)
        self.statuses: Counter[int] = Counter()
        self.robots: Counter[str] = Counter()
        self.early = 0  # requests to a host within its Retry-After
        self.unconditional = 0  # requests without the validator their last answer brought
        self.closed_until: dict[str, float] = {}
        self.stall = 0.0


async def watch_stalls(seen: Log | Tally) -> None:
    """Keep the longest time this process's loop came late: what its log may be wrong by."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.02)
        seen.stall = max(seen.stall, time.monotonic() - began - 0.02)


async def serve(hosts: int) -> None:
    log, chance = Log(), random.Random(1)
    server = RawServer()
    names = {host(n): n for n in range(hosts)}
    versions: Counter[str] = Counter()
    given: dict[str, str] = {}  # source → the ETag of its last answer

    async def answer(request, writer):
        now, name = request.at, request.local
        log.starts[name].append(now)
        log.running[name] += 1
        log.most[name] = max(log.most[name], log.running[name])
        until = log.closed_until.get(name, 0.0)
        log.early += until - RETRY_AFTER + ON_THE_WAY < now < until
        try:
            status, body = _answer(request, names[name], now)
            if names[name] % 10 == 3:
                await asyncio.sleep(SLOW_ANSWER)
            log.statuses[status] += 1
            writer.write(body)
            await writer.drain()
        finally:
            log.running[name] -= 1
        server.requests.clear()
        return True

    def _answer(request, n, now):
        if request.target == "/robots.txt":
            log.robots[request.local] += 1
            return 404, http(b"", "404 Not Found")
        source = f"{request.local}{request.target}"
        log.asked[source].append(now)
        if n % 20 == 7 and chance.random() < 0.02:
            log.closed_until[request.local] = now + RETRY_AFTER
            return 429, http(b"", "429 Too Many Requests", Retry_After=str(RETRY_AFTER))
        versions[source] += chance.random() < CHANGE
        etag = f'"{versions[source]}"'
        # What was given last must come back with the next question, whether or not it is still right.
        log.unconditional += source in given and request.headers.get("if-none-match") != given[source]
        given[source] = etag
        if request.headers.get("if-none-match") == etag and n % 20 != 11:
            return 304, UNCHANGED
        return 200, http(f"entry {versions[source]} of {source} ".encode() * 200, ETag=etag)

    class Everything(dict):
        def get(self, key, default=None):
            return answer

    server.routes = Everything()
    await server.start("0.0.0.0")
    print(server.port, flush=True)
    watch = asyncio.create_task(watch_stalls(log))
    asked_to_stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_stop.set)
    await asked_to_stop.wait()
    watch.cancel()
    print(json.dumps(_report(log)), flush=True)


def _report(log: Log) -> dict:
    gaps = [
        later - earlier for starts in log.starts.values() for earlier, later in zip(starts, starts[1:], strict=False)
    ]
    return {
        "requests": sum(map(len, log.starts.values())),
        "statuses": log.statuses,
        "most_at_once": max(log.most.values()),
        "least_gap": min(gaps),
        "robots": [len(log.robots), max(log.robots.values())],
        "early": log.early,
        "unconditional": log.unconditional,
        "stall": log.stall,
        "short_gaps": sum(gap < SPACING - 0.1 for gap in gaps),
        "asked": log.asked,
    }


# --- the sources ----------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    polls: int = 0
    outcomes: Counter | None = None
    lateness: list[float] | None = None
    stall: float = 0.0


async def source(n: int, options, port: int, fetcher: Fetcher, until: float, tally: Tally) -> None:
    """Poll one source the way the daemon does, until the end."""
    chance = random.Random(n)
    name = host(n % options.hosts)
    request = FetchRequest(f"http://{name}:{port}/live/{n // options.hosts}", allow_private=True)
    failures, due = 0, time.monotonic() + options.every * n / options.sources
    while due < until:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tally.lateness.append(time.monotonic() - due)
        outcome = await fetcher.fetch(request)
        tally.polls += 1
        retry, code = None, ""
        if isinstance(outcome, FetchFailed):
            retry, code = outcome.retry_after, outcome.verdict.code
            failures += code not in DEFERRED
        else:
            failures = 0
            request = replace(request, etag=outcome.etag or request.etag, last_modified=outcome.last_modified)
            if isinstance(outcome, Fresh):
                request = replace(request, body_hash=outcome.body_hash)
        tally.outcomes[code or ("not modified" if isinstance(outcome, NotModified) else "fresh")] += 1
        due = time.monotonic() + next_delay(
            options.every, options.every, failures, jitter=chance.random(), retry_after=retry, code=code
        )


async def run(options) -> int:
    arguments = [sys.executable, __file__, "--serve", "--hosts", str(options.hosts)]
    server = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    settings = FetchSettings(
        hosts=HostPolicy(concurrency=CONCURRENCY, spacing=SPACING), contact="mailto:nobody@example.org"
    )
    tally, began = Tally(0, Counter(), []), time.monotonic()
    until = began + options.minutes * 60
    try:
        watch = asyncio.create_task(watch_stalls(tally))
        async with Fetcher(settings) as fetcher, asyncio.TaskGroup() as group:
            for n in range(options.sources):
                group.create_task(source(n, options, port, fetcher, until, tally))
        watch.cancel()
        cpu = time.process_time()
    finally:
        server.send_signal(signal.SIGTERM)
    seen = json.loads(server.stdout.readline())
    server.wait(10)
    return _judged(options, seen, tally, cpu, time.monotonic() - began, began)


def _judged(options, seen: dict, tally: Tally, cpu: float, seconds: float, began: float) -> int:
    asked = seen["asked"]
    ends = began + options.minutes * 60
    longest = {
        name: max(b - a for a, b in zip([began, *times], [*times, ends], strict=False)) for name, times in asked.items()
    }
    worst = max(longest.values())
    # one poll may be lost to a 429 of its host (20 s) on top of its interval, its jitter and the queue of its host
    starved = [name for name, gap in longest.items() if gap > options.every * 2 + 30]
    missing = options.sources - len(asked)
    late = sorted(tally.lateness)
    print(
        f"{options.sources} sources on {options.hosts} hosts, each every {options.every:g} s, {seconds:.0f} s; {seen['requests']} requests, {tally.polls} polls"
    )
    print(f"{'':44}{'limit':>8}{'seen':>10}")
    print(f"{'requests at once at one host':44}{CONCURRENCY:>8}{seen['most_at_once']:>10}")
    print(f"{'least seconds between starts at one host':44}{SPACING:>8}{seen['least_gap']:>10.3f}")
    print(f"{'requests within a Retry-After':44}{0:>8}{seen['early']:>10}")
    print(f"{'robots.txt asked of one host':44}{1:>8}{seen['robots'][1]:>10}")
    print(f"{'longest a source was not asked, s':44}{options.every * 2 + 30:>8g}{worst:>10.1f}")
    print(f"{'sources starved or never asked':44}{0:>8}{len(starved) + missing:>10}")
    print(f"{'requests without the ETag given last':44}{0:>8}{seen['unconditional']:>10}")
    print(f"{'304 answers':44}{'> half':>8}{seen['statuses'].get('304', 0):>10}")
    print(f"statuses {seen['statuses']}, outcomes {dict(tally.outcomes)}")
    print(
        f"polls began late by p50 {late[len(late) // 2] * 1e3:.1f} ms, p99 {late[int(len(late) * 0.99)] * 1e3:.1f} ms; CPU {cpu / tally.polls * 1e3:.2f} ms a poll"
    )
    # The log says when a request was read, not when it was sent: it is wrong by what either process came late.
    doubt = seen["stall"] + tally.stall
    print(
        f"gaps under {SPACING - 0.1:g} s: {seen['short_gaps']} of {seen['requests'] - options.hosts}; loops came late by up to {seen['stall']:.3f} s (server), {tally.stall:.3f} s (client)"
    )
    spaced = seen["least_gap"] >= SPACING - 0.1 - doubt and seen["short_gaps"] <= seen["requests"] / 1000
    broken = seen["most_at_once"] > CONCURRENCY or not spaced or seen["early"] or seen["robots"][1] > 1
    broken = broken or seen["unconditional"] or seen["statuses"].get("304", 0) * 2 < tally.polls
    return 1 if broken or starved or missing else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--every", type=float, default=15.0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.hosts))
        return 0
    return asyncio.run(run(options))


if __name__ == "__main__":
    if os.environ.get("UVLOOP"):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    sys.exit(main())
