"""What the bus costs: the relay beside a bare pipelined XADD + PUBLISH, commit to subscriber, and the awkward cases.

    python benchmarks/bus.py [throughput] [latency] [scale] [--deltas 20000]

throughput  deltas a second and CPU µs a delta of the relay (outbox in memory, and the real store) and, on the same server
            in the same run, of redis-py pipelining XADD and PUBLISH of the same bytes, which may repeat and lose them
latency     store.commit returned → `subscribe` in another process has the delta, at 10, 200 and 2,000 deltas a second
scale       a subscriber that never reads, 200 subscribers, 64 KB deltas, 5,000 sources: latency and server memory
Read ratios, not figures; every line of a table is of the same run. Exit 1 where a core publishes less than half of what it
does bare.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.bus import EmbeddedServer, Position, Relay, StreamKey, connect, subscribe, subscribe_raw
from monitor.bus.relay import BATCH
from monitor.model import Change, ChangeType, Delta, Entry, Outgoing, SourceRef
from monitor.store import Committed, PollCommit, PollState, Store
from monitor.wire import Names, encode_delta

LENGTH = 1000
LEAST_RATIO = 0.5
TEXT = "The convoy reached the crossing and turned back. " * 9  # about 0.95 KB as a message


class MemoryOutbox:
    """The least an outbox can cost."""

    def __init__(self, rows: Sequence[Outgoing]) -> None:
        self.rows, self.next = rows, 0
        self._heads = {(row.topic, row.source_id): (row.epoch, row.sequence) for row in rows}

    async def pending(self, limit: int, skip: Collection[tuple[str, str]] = ()) -> Sequence[Outgoing]:
        return self.rows[self.next : self.next + limit]

    async def mark_published(self, rows: Sequence[Outgoing]) -> None:
        self.next += len(rows)

    async def heads(self) -> Mapping[tuple[str, str], tuple[int, int]]:
        return self._heads

    async def waiting(self, topic: str, source_id: str, limit: int) -> Sequence[Outgoing]:
        return [row for row in self.rows[self.next :] if (row.topic, row.source_id) == (topic, source_id)][:limit]

    async def messages_at(self, places: Collection[tuple[StreamKey, Position]]) -> Sequence[Outgoing]:
        return []

    async def rewind(self, topic: str, source_id: str, epoch: int, after_sequence: int) -> int:
        return 0


def delta(source: str, sequence: int, text: str = TEXT) -> Delta:
    change = Change(ChangeType.NEW, f"e{sequence}", Entry(0, text, "On the road"), 1)
    return Delta(SourceRef(source, "Live", "https://example.org/live"), 1, sequence, datetime.now(UTC), change)


def row(source: str, sequence: int) -> Outgoing:
    return Outgoing("deltas", source, 1, sequence, encode_delta(delta(source, sequence)))


def poll(source: str, heads: dict[str, int], text: str = TEXT, count: int = 1) -> PollCommit:
    first = heads.get(source, 0)
    deltas = tuple(delta(source, first + n, text) for n in range(1, count + 1))
    heads[source] = first + count
    now = deltas[0].seen_at
    changes = tuple(d.change for d in deltas)
    return PollCommit(
        SourceRef(source), first // count, changes, deltas, {}, None, PollState(last_poll_at=now), (), now
    )


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


async def server_cpu(url: str) -> float:
    connection = connect(url)
    about = (await connection.info())[0]
    await connection.aclose()
    return float(str(about["used_cpu_user"])) + float(str(about["used_cpu_sys"]))


async def timed(url: str, work: Callable[[], Awaitable[object]]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds of this process and of the server."""
    server, began, used = await server_cpu(url), time.perf_counter(), cpu()
    await work()
    return time.perf_counter() - began, cpu() - used, await server_cpu(url) - server


# Throughput


async def bare(url: str, rows: Sequence[Outgoing]) -> None:
    """The peer: what a program without our promises would do, with the same client library."""
    connection = connect(url)
    names = Names("bare")
    for start in range(0, len(rows), BATCH):
        pipeline = connection.client.pipeline(transaction=False)
        for message in rows[start : start + BATCH]:
            name = names.deltas_of(message.source_id)
            pipeline.xadd(name, {"d": message.payload}, maxlen=LENGTH, approximate=True)
            pipeline.publish(name, message.payload)
        await pipeline.execute()
    await connection.aclose()


async def relayed(url: str, rows: Sequence[Outgoing], prefix: str) -> None:
    relay = Relay(url, MemoryOutbox(rows), Names(prefix), stream_length=LENGTH)
    assert await relay.drain() == len(rows)
    await relay.aclose()


async def from_store(url: str, store: Store, count: int) -> None:
    relay = Relay(url, store, Names("stored"), stream_length=LENGTH)
    assert await relay.drain() == count
    await relay.aclose()


async def filled_store(path: Path, count: int) -> Store:
    store = await Store.open(str(path))
    sources = [f"s{n}" for n in range(20)]
    await store.ensure_sources([SourceRef(source) for source in sources], datetime.now(UTC))
    heads: dict[str, int] = {}
    for start in range(0, count, 20 * 10):
        await asyncio.gather(*(store.commit(poll(source, heads, count=10)) for source in sources))
        assert start < count
    return store


async def throughput(url: str, home: Path, count: int) -> bool:
    count -= count % 200
    rows = [row(f"s{n % 20}", n // 20 + 1) for n in range(count)]
    figures: dict[str, list[tuple[float, float, float]]] = {"bare": [], "relay": []}
    for turn in range(3):  # in turns: a neighbour's load falls on both
        figures["bare"].append(await timed(url, lambda: bare(url, rows)))
        figures["relay"].append(await timed(url, lambda turn=turn: relayed(url, rows, f"relay{turn}")))
    async with await filled_store(home / "bench.db", count) as store:
        figures["store"] = [await timed(url, lambda: from_store(url, store, count))]
    titles = {
        "bare": "bare redis-py, XADD + PUBLISH pipelined",
        "relay": "relay, outbox in memory",
        "store": "relay, the real store (SQLite)",
    }
    base = [statistics.median(f[i] for f in figures["bare"]) for i in range(3)]
    print(f"\n{count} deltas of {len(rows[0].payload)} bytes, {BATCH} at a time, 20 sources, AOF everysec, unix socket")
    print(
        f"{'':<42}{'deltas/s':>10}{'ratio':>7}{'client µs each':>16}{'ratio':>7}{'server µs each':>16}{'ratio':>7}"
        f"{'deltas/s a core':>17}{'ratio':>7}"
    )
    least = 1.0
    for name, runs in figures.items():
        wall, used, server = (statistics.median(f[i] for f in runs) for i in range(3))
        core = (base[1] + base[2]) / (used + server)
        least = min(least, core)
        print(
            f"{titles[name]:<42}{count / wall:>10.0f}{base[0] / wall:>7.2f}{used / count * 1e6:>16.1f}"
            f"{base[1] / used:>7.2f}{server / count * 1e6:>16.1f}{base[2] / server:>7.2f}"
            f"{count / (used + server):>17.0f}{core:>7.2f}"
        )
    good = least >= LEAST_RATIO
    print(
        f"a core, client and server together, publishes at least {least:.2f} of what it does bare: "
        f"{'enough' if good else 'TOO LITTLE'} ({LEAST_RATIO} is asked)"
    )
    return good


# Latency: the subscriber is another process; CLOCK_MONOTONIC is one clock for the whole machine


def subscriber_process(url: str, count: int, pipe: Pipe) -> None:
    async def read() -> list[tuple[str, float]]:
        got = []
        async with subscribe(url, since="0") as deltas:
            pipe.send("ready")
            while len(got) < count:
                found = await anext(deltas)
                got.append((found.id, time.monotonic()))
        return got

    pipe.send(asyncio.run(read()))


async def paced_run(
    url: str, home: Path, name: str, rate: float, seconds: float, text: str = TEXT, sources: int = 20
) -> tuple[float, float, float]:
    """p50 and p99 in ms from a commit's return to the subscriber, and the rate really reached."""
    count = max(20, int(rate * seconds))
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=subscriber_process, args=(url, count, theirs))
    process.start()
    await asyncio.to_thread(ours.recv)
    await asyncio.sleep(0.3)
    woken: list[Relay] = []
    committed: dict[str, float] = {}
    store = await Store.open(str(home / f"{name}.db"), on_outbox=lambda: woken[0].wake())
    async with store:
        await store.ensure_sources([SourceRef(f"{name}{n}") for n in range(sources)], datetime.now(UTC))
        relay = Relay(url, store)
        woken.append(relay)
        stop = asyncio.Event()
        task = asyncio.create_task(relay.run(stop))
        heads: dict[str, int] = {}
        began = time.monotonic()

        async def commit(source: str, count: int) -> None:
            found = poll(source, heads, text, count)
            assert isinstance(await store.commit(found), Committed)
            now = time.monotonic()
            committed.update((delta.id, now) for delta in found.deltas)

        # A poll brings one delta at the slow rates and ten at the fast one; polls of different sources overlap.
        each = 10 if rate > 200 else 1
        commits: set[asyncio.Task[None]] = set()
        for start in range(0, count, each):
            await asyncio.sleep(max(0.0, began + start / rate - time.monotonic()))
            source = f"{name}{start // each % sources}"
            await asyncio.gather(*(task for task in commits if task.get_name() == source))  # none overtakes itself
            task = asyncio.create_task(commit(source, each), name=source)
            commits.add(task)
            task.add_done_callback(commits.discard)
        await asyncio.gather(*commits)
        reached = count / (time.monotonic() - began)
        got = await asyncio.to_thread(ours.recv)
        stop.set()
        await task
        await relay.aclose()
    process.join()
    waits = [max(0.0, at - committed[id_]) * 1e3 for id_, at in got]
    return percentile(waits, 0.5), percentile(waits, 0.99), reached


async def latency(url: str, home: Path, _count: int) -> bool:
    print("\nstore.commit returned → subscribe() in another process has the delta (ms)")
    print(f"{'deltas/s asked':>14}{'reached':>10}{'p50':>8}{'p99':>8}")
    for rate, seconds in ((10, 10), (200, 10), (2000, 5)):
        await emptied(url)
        p50, p99, reached = await paced_run(url, home, f"rate{rate}", rate, seconds)
        print(f"{rate:>14}{reached:>10.0f}{p50:>8.2f}{p99:>8.2f}")
    return True


# The awkward cases


async def emptied(url: str) -> None:
    connection = connect(url)
    await connection.command("FLUSHALL", "SYNC")
    await connection.aclose()


async def memory(url: str) -> float:
    connection = connect(url)
    about = (await connection.info())[0]
    await connection.aclose()
    return int(str(about["used_memory"])) / 2**20


async def never_reading(url: str) -> None:
    """One subscriber reads nothing at all: what the server holds for it, and what that does to others."""
    rows = [row("slow", n) for n in range(1, 60_001)]
    path = url.removeprefix("unix://")
    stuck = socket.socket(socket.AF_UNIX)
    stuck.connect(path)
    stuck.sendall(b"SUBSCRIBE monitor:deltas\r\n")
    before = await memory(url)
    relay = Relay(url, MemoryOutbox(rows), stream_length=LENGTH)
    draining = asyncio.create_task(relay.drain())
    peak = before
    while not draining.done():
        peak = max(peak, await memory(url))
        await asyncio.sleep(0.05)
    after = await memory(url)
    await relay.aclose()
    stuck.close()
    print(
        f"{'a subscriber that never reads, 60,000 deltas':<46}server memory {before:.1f} MB, at most {peak:.1f}, then "
        f"{after:.1f}: cut off, the relay went on"
    )


async def slow_reader(url: str) -> None:
    """Ours, busy elsewhere: what it holds meanwhile, and that nothing is missing when it comes back."""
    rows = [row("busy", n) for n in range(1, 20_001)]
    async with subscribe_raw(url, ["busy"], since="0", buffer=1000) as deltas:
        relay = Relay(url, MemoryOutbox(rows[:1]), stream_length=100_000)
        await relay.drain()
        await anext(deltas)
        rest = Relay(url, MemoryOutbox(rows[1:]), stream_length=100_000)
        await rest.drain()
        await asyncio.sleep(0.3)
        held = len(deltas._follower._ready)
        began = time.perf_counter()
        for expected in range(2, 20_001):
            assert f'"busy/1-{expected}"'.encode() in await anext(deltas)
        took = time.perf_counter() - began
        await relay.aclose()
        await rest.aclose()
    print(
        f"{'subscribe() busy elsewhere for 20,000 deltas':<46}held {held} meanwhile, then read all in {took:.2f} s, none missing"
    )


async def many_subscribers(url: str, count: int = 200) -> None:
    """200 connections on one channel."""
    waits: list[float] = []
    path = url.removeprefix("unix://")
    before = await memory(url)
    streams = [await asyncio.open_unix_connection(path, limit=2**20) for _ in range(count)]

    async def listen(reader: asyncio.StreamReader) -> None:
        while True:
            line = await reader.readline()
            if line.startswith(b'{"sent"'):
                waits.append((time.monotonic() - json.loads(line)["sent"]) * 1e3)

    for _, writer in streams:
        writer.write(b"SUBSCRIBE monitor:deltas\r\n")
    readers = [asyncio.create_task(listen(reader)) for reader, _ in streams]
    await asyncio.sleep(0.3)
    for n in range(1, 101):
        payload = json.dumps({"sent": time.monotonic(), "text": TEXT}).encode()
        relay_rows = [Outgoing("deltas", "many", 1, n, payload)]
        relay = Relay(url, MemoryOutbox(relay_rows))
        await relay._publisher.publish(relay_rows)
        await relay.aclose()
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    print(
        f"{f'{count} subscribers in one process, 20 deltas/s':<46}p50 {percentile(waits, 0.5):.1f} ms, "
        f"p99 {percentile(waits, 0.99):.1f} ms, {len(waits)} of {100 * count} received, "
        f"server memory {await memory(url) - before:+.1f} MB"
    )
    for task in readers:
        task.cancel()
    for _, writer in streams:
        writer.close()
    await asyncio.gather(*readers, return_exceptions=True)


async def large_deltas(url: str, home: Path) -> None:
    p50, p99, _ = await paced_run(url, home, "large", 20, 5, text="x" * 64_000)
    print(f"{'64 KB deltas, 20/s, commit to subscriber':<46}p50 {p50:.1f} ms, p99 {p99:.1f} ms")


async def many_sources(url: str, home: Path) -> None:
    """5,000 streams: what they cost, what looking at all of them costs, how long a reader of everything takes to begin."""
    rows = [row(f"src{n:04d}", 1) for n in range(5000)]
    before = await memory(url)
    relay = Relay(url, MemoryOutbox(rows))
    await relay.drain()
    cost = (await memory(url) - before) * 2**20 / 5000
    keys = [StreamKey("deltas", f"src{n:04d}") for n in range(5000)]
    began = time.perf_counter()
    await relay._publisher.tops(keys)
    looked = time.perf_counter() - began
    await relay.aclose()
    began = time.perf_counter()
    async with subscribe_raw(url, since="0") as deltas:
        for _ in range(5000):
            await anext(deltas)
        read = time.perf_counter() - began
        used = cpu()
        follower = deltas._follower
        await follower._look_around()
        while follower._to_read:
            await follower._read_back()
        looked_all = cpu() - used
    print(
        f"{'5,000 sources with one delta each':<46}{cost:.0f} bytes each on the server; relay compares all in {looked:.2f} s; "
        f"a reader of everything has all in {read:.2f} s, its look around costs {looked_all * 1e3:.0f} ms CPU"
    )


async def scale(url: str, home: Path, _count: int) -> bool:
    print()
    await emptied(url)
    await never_reading(url)
    await emptied(url)
    await slow_reader(url)
    await emptied(url)
    await many_subscribers(url)
    await emptied(url)
    await large_deltas(url, home)
    await emptied(url)
    await many_sources(url, home)
    return True


PARTS = {"throughput": throughput, "latency": latency, "scale": scale}


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[], help="all of them, where none is named")
    parser.add_argument("--deltas", type=int, default=20_000)
    parser.add_argument("--program", default=None, help="server program; the embedded one by default")
    options = parser.parse_args()
    good = True
    for part in options.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="bus") as home:
            async with EmbeddedServer(Path(home), program=options.program) as server:
                good = await PARTS[part](server.url, Path(home), options.deltas) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
