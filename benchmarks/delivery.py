"""How long an alert takes from the commit that raised it to the POST that tells it.

    python benchmarks/delivery.py [--rate 200] [--seconds 15] [--receivers 5]

Polls of many sources commit to a real store (SQLite, synchronous=FULL) at a steady rate, each raising one alert; signed
webhooks with their usual pace deliver to an HTTP server in another process. Both processes read the same monotonic clock.
Beside it stands the floor: the same POSTs at the same rate from a bare client, nothing planned and nothing stored.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.alerts import RuleOptions, raise_alerts
from monitor.daemon.delivery.deliverer import Deliverer, DeliverySetup
from monitor.daemon.delivery.values import Receiver
from monitor.model import Change, ChangeType, Delta, Entry, Judgement, Match, SourceRef, Stamp
from monitor.sinks import SINKS, Target
from monitor.sinks.http import Answer, Poster
from monitor.store import PollCommit, PollState, Store
from monitor.store.deliveries import insert_alerts

LIMITS = {"p50": 50.0, "p99": 250.0}  # milliseconds, at 200 alerts a second
SERVER = """
import asyncio, json, sys, time
heard = []
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            at = time.monotonic()
            length = next(int(l.split(b":")[1]) for l in head.split(b"\\r\\n") if l.lower().startswith(b"content-length"))
            body = await reader.readexactly(length)
            heard.append((json.loads(body)["id"], at))
            writer.write(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(heard), flush=True)
asyncio.run(main())
"""
RULES = 50


def alert_of(number: int, names: list[str]):
    """A poll's delta and the alert it raises: every rule, many sources, one receiver each."""
    now = datetime.now(UTC)
    rule = f"rule-{number % RULES}"
    ref = SourceRef(f"source-{number}", "A live blog", "https://example.org/live")
    text = f"Report {number}: the evacuation has been suspended because of an attack. " * 4
    change = Change(ChangeType.NEW, f"e{number}", Entry(0, text, title="Evacuation", published=Stamp(now)), 1)
    delta = Delta(ref, 1, 1, now, change)
    judgement = Judgement(rule, "fired", (Match("text", 36, 45, "suspended", "suspended"),), 0, 1)
    options = {rule: RuleOptions(notify=(names[number % len(names)],))}
    (alert,) = raise_alerts(delta, [judgement], options, now=now, delivered={})
    return PollCommit(ref, 0, (change,), (delta,), poll=PollState(), alerts=(alert,), seen_at=now), alert


async def paced(rate: float, seconds: float, act) -> None:
    """Call `act(number)` at a steady rate without waiting for it."""
    began, tasks = time.monotonic(), []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(act(number)))
    await asyncio.gather(*tasks)


async def delivered(rate: float, seconds: float, receivers: int, directory: str) -> tuple[list[float], float]:
    """Milliseconds from commit to POST of each alert, through the whole delivery; and of CPU, polls' commits included."""
    with Listening() as server:
        names = [f"hook-{number}" for number in range(receivers)]
        targets = [Target(name, server.url, secrets=("whsec_" + "A" * 32,), allow_private=True) for name in names]
        kind = SINKS["webhook"]
        chosen = tuple(Receiver(one.name, kind.make(one), kind.policy, one, "1") for one in targets)
        committed: dict[str, float] = {}
        async with await Store.open(f"{directory}/store.db", alert_writer=insert_alerts, check=False) as store:
            polls = [alert_of(number, names) for number in range(int(rate * seconds))]
            await store.ensure_sources([poll.source for poll, _ in polls], datetime.now(UTC))
            async with Deliverer(store, DeliverySetup(chosen, {})) as deliverer:
                stop = asyncio.Event()
                running = asyncio.create_task(deliverer.run(stop))

                async def act(number: int) -> None:
                    poll, alert = polls[number]
                    await store.commit(poll)
                    committed[alert.id] = time.monotonic()
                    deliverer.wake(alert.notify)

                worked = time.process_time()
                await paced(rate, seconds, act)
                while sum(deliverer.counts.values()) < len(polls):
                    await asyncio.sleep(0.01)
                worked = time.process_time() - worked
                stop.set()
                await running
        heard = server.heard()
    assert len(heard) == len(polls), f"{len(heard)} of {len(polls)} arrived"
    return [(heard[alert_id] - at) * 1000 for alert_id, at in committed.items()], worked * 1000 / len(polls)


async def posted(rate: float, seconds: float) -> list[float]:
    """Milliseconds to the POST with nothing before it: the floor on this machine, now."""
    with Listening() as server:
        poster = Poster(allow_private=True, timeout=10)
        began: dict[str, float] = {}

        async def act(number: int) -> None:
            body = json.dumps({"id": str(number), "text": "x" * 1000}).encode()
            began[str(number)] = time.monotonic()
            assert isinstance(await poster.post(server.url, body, {}), Answer)

        await paced(rate, seconds, act)
        await poster.close()
        heard = server.heard()
    return [(heard[key] - at) * 1000 for key, at in began.items()]


class Listening:
    """The HTTP server in its own process."""

    def __enter__(self) -> Listening:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/hook"
        return self

    def heard(self) -> dict[str, float]:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=1000)
    return {"p50": cuts[499], "p90": cuts[899], "p99": cuts[989], "max": max(values)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--receivers", type=int, default=5)
    chosen = parser.parse_args()
    floor = percentiles(asyncio.run(posted(chosen.rate, min(chosen.seconds, 5.0))))
    with tempfile.TemporaryDirectory() as directory:
        waits, cpu = asyncio.run(delivered(chosen.rate, chosen.seconds, chosen.receivers, directory))
    found = percentiles(waits)
    print(
        f"{chosen.rate:g} alerts/s for {chosen.seconds:g} s to {chosen.receivers} webhooks; milliseconds from commit to POST"
    )
    print(f"{'':6}{'delivery':>10}{'bare POST':>11}{'limit':>8}")
    for name, value in found.items():
        limit = LIMITS.get(name)
        print(
            f"{name:6}{value:>10.1f}{floor[name]:>11.1f}{limit or '':>8}{'  over' if limit and value > limit else ''}"
        )
    print(
        f"CPU: {cpu:.2f} ms an alert, its poll's commit included ({cpu * chosen.rate / 10:.0f} % of a core at this rate)"
    )
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
