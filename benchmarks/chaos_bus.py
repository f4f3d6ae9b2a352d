"""Does a delta ever get lost, repeated or out of order while servers, relays and subscribers are killed with -9?

    python benchmarks/chaos_bus.py [--deltas 20000] [--kills 30] [--program redis-server] [--no-persistence] [--relays 2]

The writer commits deltas to a real store; relays publish them to a real server; two subscribers write down each id they
are given, one of them is killed too and goes on from what it wrote down. Kills come at random; a killed server comes back
with its append-only file or, every other time, empty. At the end the ids both subscribers wrote down and the ids in every
stream are compared with what was committed. Exit 1 unless all are exact. The peer is the naive relay (`--naive`): XADD *
and PUBLISH in one MULTI, a subscriber that only listens.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from monitor.bus import Relay, connect, subscribe_raw  # noqa: E402
from monitor.bus.launch import ServerSettings, arguments, find_program  # noqa: E402
from monitor.errors import BusUnavailable, HistoryTruncated  # noqa: E402
from monitor.model import Change, ChangeType, Delta, Entry, SourceRef  # noqa: E402
from monitor.store import Committed, PollCommit, PollState, Store  # noqa: E402
from monitor.wire import Names, decode_delta  # noqa: E402

SOURCES = [f"source{n:02d}" for n in range(20)]
UNTRIMMED = 10_000_000
SETTLE_SECONDS = 90.0


# The processes that are killed


async def relay(database: str, url: str) -> None:
    async with await Store.open(database, check=False, busy_timeout=30) as store:
        worker = Relay(url, store, stream_length=UNTRIMMED)
        await worker.run(asyncio.Event())


async def naive_relay(database: str, url: str) -> None:
    names = Names()
    async with await Store.open(database, check=False, busy_timeout=30) as store:
        while True:
            connection = connect(url)
            with contextlib.suppress(BusUnavailable):
                while True:
                    for row in await store.pending(200):
                        name = names.deltas_of(row.source_id)
                        pipeline = connection.client.pipeline(transaction=True)
                        pipeline.xadd(name, {"d": row.payload}).publish(name, row.payload)
                        try:
                            await pipeline.execute()
                        except Exception as error:
                            raise BusUnavailable(str(error)) from error
                        await store.mark_published([row])
                    await asyncio.sleep(0.05)
            await connection.aclose()
            await asyncio.sleep(0.2)


async def subscriber(url: str, log_path: str) -> None:
    """Write down every id given, each with one write; begin after what an earlier life wrote down."""
    log = os.open(log_path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    positions = {source: ids[-1] for source, ids in written_down(Path(log_path)).items()}
    while True:
        try:
            async with subscribe_raw(url, SOURCES, since=positions or "0", check_every=1.0) as subscription:
                while True:
                    try:
                        delta = decode_delta(await anext(subscription))
                    except HistoryTruncated as hole:
                        os.write(log, f"truncated {hole.resource}\n".encode())
                        continue
                    os.write(log, f"{delta.source.id} {delta.epoch}-{delta.sequence}\n".encode())
                    positions[delta.source.id] = f"{delta.epoch}-{delta.sequence}"
        except BusUnavailable:
            await asyncio.sleep(0.1)  # the server is down at our start


async def naive_subscriber(url: str, log_path: str) -> None:
    log = os.open(log_path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    while True:
        connection = connect(url)
        with contextlib.suppress(Exception):
            pubsub = connection.pubsub()
            await pubsub.psubscribe("monitor:*:deltas")
            while True:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5)
                if message is not None:
                    delta = decode_delta(message["data"])
                    os.write(log, f"{delta.source.id} {delta.epoch}-{delta.sequence}\n".encode())
        await connection.aclose()
        await asyncio.sleep(0.05)


def written_down(path: Path) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            source, _, place = line.partition(" ")
            if place:
                ids.setdefault(source, []).append(place)
    return ids


# Who starts and kills them


@dataclass
class Stage:
    home: Path
    program: Path
    durable: bool
    naive: bool
    relays: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return f"unix://{self.home}/server.sock"

    @property
    def database(self) -> str:
        return str(self.home / "store.db")

    def start(self, name: str) -> None:
        with (self.home / f"{name}.out").open("ab") as output:
            self.processes[name] = subprocess.Popen(self.command(name), stdout=output, stderr=output, cwd=ROOT)

    def command(self, name: str) -> list[str]:
        if name == "server":
            words = arguments(ServerSettings(durable=self.durable), self.home, self.home / "server.sock")
            return [str(self.program), *words]
        role = ("naive-" if self.naive else "") + name.rstrip("0123456789AB-")
        target = self.database if "relay" in name else str(self.home / f"{name}.log")
        return [sys.executable, __file__, f"--role={role}", self.url, target]

    def everyone(self) -> list[str]:
        return ["server", *(f"relay{n}" for n in range(self.relays)), "subscriber-A", "subscriber-B"]

    def kill(self, name: str, *, emptied: bool = False) -> None:
        process = self.processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        if emptied:
            shutil.rmtree(self.home / "appendonlydir", ignore_errors=True)
        self.kills["server, back empty" if emptied else name.rstrip("0123456789")] += 1

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


def victims(kills: int, relays: int, chance: random.Random) -> Iterator[tuple[str, bool]]:
    """Each kind in turn, in a random order: server with its file, server emptied, relay, subscriber B."""
    while True:
        kinds = [
            ("server", False),
            ("server", True),
            (f"relay{chance.randrange(relays)}", False),
            ("subscriber-B", False),
        ]
        chance.shuffle(kinds)
        yield from kinds


async def commit_all(stage: Stage, store: Store, deltas: int, rate: float, chance: random.Random) -> Counter[str]:
    """Commit polls of one to four deltas at about `rate` deltas a second; return how many each source has."""
    heads: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    began, done = time.monotonic(), 0
    while done < deltas:
        source = chance.choice(SOURCES)
        count = min(chance.randint(1, 4), deltas - done)
        now = datetime.now(UTC)
        changes = tuple(
            Change(ChangeType.NEW, f"e{heads[source] + n}", Entry(0, f"Entry {heads[source] + n}. " + "word " * 100), 1)
            for n in range(1, count + 1)
        )
        ref = SourceRef(source)
        found = tuple(Delta(ref, 1, heads[source] + n, now, change) for n, change in enumerate(changes, 1))
        poll = PollCommit(ref, versions[source], changes, found, {}, None, PollState(last_poll_at=now), (), now)
        assert isinstance(await store.commit(poll), Committed)
        versions[source] += 1
        heads[source] += count
        done += count
        await asyncio.sleep(max(0.0, began + done / rate - time.monotonic()))
    return heads


async def torment(stage: Stage, kills: int, seconds: float, chance: random.Random) -> None:
    for _, (name, emptied) in zip(range(kills), victims(kills, stage.relays, chance), strict=False):
        await asyncio.sleep(seconds / kills * chance.uniform(0.5, 1.5))
        stage.kill(name, emptied=emptied)
        await asyncio.sleep(chance.uniform(0, 0.8))
        stage.start(name)


async def streams(stage: Stage) -> dict[str, list[str]]:
    connection = connect(stage.url)
    try:
        # The naive relay lets the server choose ids: there the message itself says which it is.
        of_entry = '(string.match(e[2][2], \'"id":"[^/]*/([0-9-]*)\'))' if stage.naive else "e[1]"
        ids = f"local t = {{}} for i, e in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do t[i] = {of_entry} end return t"
        names = {source: Names().deltas_of(source) for source in SOURCES}
        return {
            source: [entry_id.decode() for entry_id in await connection.command("EVAL", ids, 1, name)]
            for source, name in names.items()
        }
    finally:
        await connection.aclose()


def verdict(found: dict[str, list[str]], heads: Counter[str]) -> tuple[int, int, int]:
    """How many ids are lost, there more than once, out of order."""
    lost = twice = disordered = 0
    for source, head in heads.items():
        ids = [tuple(map(int, place.split("-"))) for place in found.get(source, [])]
        lost += len({(1, n) for n in range(1, head + 1)} - set(ids))
        twice += len(ids) - len(set(ids))
        disordered += sum(later <= earlier for earlier, later in zip(ids, ids[1:], strict=False))
    return lost, twice, disordered


async def settled(stage: Stage, heads: Counter[str]) -> float:
    """Wait until both subscribers and the streams have everything; return how long that took."""
    began = time.monotonic()
    total = sum(heads.values())
    while time.monotonic() - began < (5 if stage.naive else SETTLE_SECONDS):
        await asyncio.sleep(0.2)
        found = [written_down(stage.home / f"subscriber-{letter}.log") for letter in "AB"]
        with contextlib.suppress(BusUnavailable):
            found.append(await streams(stage))
            if all(sum(len(set(ids)) for ids in places.values()) >= total for places in found):
                break
    return time.monotonic() - began


async def run(options: argparse.Namespace) -> bool:
    chance = random.Random(options.seed)
    home = Path(tempfile.mkdtemp(prefix="chaos"))
    program = find_program(options.program)
    stage = Stage(home, program, not options.no_persistence, options.naive, options.relays)
    try:
        async with await Store.open(stage.database, busy_timeout=30) as store:
            await store.ensure_sources([SourceRef(source) for source in SOURCES], datetime.now(UTC))
            for name in stage.everyone():
                stage.start(name)
            seconds = options.deltas / options.rate
            _, heads = await asyncio.gather(
                torment(stage, options.kills, seconds, chance),
                commit_all(stage, store, options.deltas, options.rate, chance),
            )
            took = await settled(stage, heads)
            return report(stage, options, heads, took, await streams(stage))
    finally:
        stage.end()
        if not options.keep:
            shutil.rmtree(home, ignore_errors=True)


def report(
    stage: Stage, options: argparse.Namespace, heads: Counter[str], took: float, held: dict[str, list[str]]
) -> bool:
    version = subprocess.run([stage.program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"server    {version}")
    print(
        f"deltas    {sum(heads.values())} at about {options.rate:g} a second over {len(heads)} sources, seed {options.seed}"
    )
    print("kill -9   " + ", ".join(f"{name}: {count}" for name, count in sorted(stage.kills.items())), end="")
    print(f" ({stage.kills.total()} in all); settled {took:.1f} s after the last commit\n")
    print(f"{'':<14}{'ids':>8}{'lost':>8}{'twice':>8}{'disordered':>12}")
    exact = True
    rows = {f"subscriber {x}": written_down(stage.home / f"subscriber-{x}.log") for x in "AB"} | {"streams": held}
    for name, found in rows.items():
        lost, twice, disordered = verdict(found, heads)
        exact = exact and not (lost or twice or disordered) and "truncated" not in found
        print(f"{name:<14}{sum(map(len, found.values())):>8}{lost:>8}{twice:>8}{disordered:>12}")
    print("\nexact" if exact else "\nNOT exact")
    return exact


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deltas", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=400.0, help="deltas a second")
    parser.add_argument("--kills", type=int, default=32)
    parser.add_argument("--relays", type=int, default=1)
    parser.add_argument("--program", default=None, help="server program; the embedded one by default")
    parser.add_argument("--no-persistence", action="store_true", help="every restart of the server is an empty one")
    parser.add_argument("--naive", action="store_true", help="the peer: XADD * and PUBLISH in a MULTI, Pub/Sub only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the directory with logs")
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("places", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        url, target = options.places
        roles = {
            "relay": lambda: relay(target, url),
            "naive-relay": lambda: naive_relay(target, url),
            "subscriber": lambda: subscriber(url, target),
            "naive-subscriber": lambda: naive_subscriber(url, target),
        }
        asyncio.run(roles[options.role]())
        return 0
    return 0 if asyncio.run(run(options)) else 1


if __name__ == "__main__":
    sys.exit(main())
