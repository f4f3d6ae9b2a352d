"""The newsroom hour with everything going wrong at once: receivers in every kind of trouble, Redis gone for ten minutes
and back with nothing, the daemon killed with -9 twenty times. Nothing is lost and nothing is out of order.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import redis
from aiohttp import web

from monitor.bus import EmbeddedServer
from monitor.store import Store
from monitor.store.alert_lists import list_alerts
from monitor.wire import Names
from tests.alerts.delivery.newsroom import (
    FAULTS,
    Fault,
    at_the_archive,
    at_the_desk,
    in_order,
    last_words,
    newsroom_hour,
    told,
    what_happens,
)
from tests.alerts.delivery.world import START, FakeTime, Receivers

ROOT = Path(__file__).parents[3]
KILLS, SEED = 20, 3
IN_THE_AIR = 8 + 1  # messages of one receiver that a kill can catch between the receiver's answer and its record


@dataclass
class Bus:
    """A Redis that is taken away and comes back empty."""

    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="mon")))
    server: EmbeddedServer | None = None

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def away(self, _=None) -> web.Response:
        if self.server is not None:
            await self.server.stop()
            self.server = None
            shutil.rmtree(self.home)
        return web.Response()

    async def back(self, _=None) -> web.Response:
        if self.server is None:
            self.home.mkdir(mode=0o700, exist_ok=True)
            self.server = EmbeddedServer(self.home, port=self.port)
            await self.server.start()
        return web.Response()


@dataclass
class Lived:
    """What is left when the hour is over."""

    receivers: Receivers
    listed: tuple
    streams: dict[str, list[tuple[str, bytes]]]  # name → (id, message)
    heads: dict
    killed: int
    killed_without_redis: int

    def states(self, receiver: str) -> Counter:
        return Counter(one.state for one in self.listed if one.receiver == receiver)


async def live_through(tmp_path: Path, receivers: Receivers, bus: Bus, steps) -> Lived:
    chance, expected = random.Random(20), at_the_archive(steps).total()
    killed = without_redis = 0
    command = [sys.executable, "-m", "tests.alerts.delivery.hour", str(tmp_path), receivers.url, bus.url, str(SEED)]
    for _ in range(KILLS + 1):
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        due = expected * (killed + 1) / (KILLS + 1)  # spread over the hour by what the archive has heard
        while process.returncode is None and (killed == KILLS or receivers.counts.get("archive", 0) < due):
            await asyncio.sleep(0.002)
        await asyncio.sleep(chance.uniform(0, 0.05))
        if process.returncode is not None:
            assert process.returncode == 0
            break
        process.send_signal(signal.SIGKILL)
        await process.wait()
        killed += 1
        without_redis += bus.server is None
    async with await Store.open(str(tmp_path / "store.db"), check=True) as store:
        listed = await store.read(partial(list_alerts, limit=100_000))
        heads = await store.heads()
    return Lived(receivers, listed, read_streams(bus, steps), heads, killed, without_redis)


def read_streams(bus: Bus, steps) -> dict[str, list[tuple[str, bytes]]]:
    names = Names("monitor")
    wanted = {"alerts": names.alerts, **{step.source: names.deltas_of(step.source) for step in steps}}
    with redis.Redis.from_url(bus.url) as client:
        return {
            key: [(id_.decode(), fields[b"d"]) for id_, fields in client.xrange(name)] for key, name in wanted.items()
        }


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_the_hour_with_everything_going_wrong_loses_nothing(tmp_path):
    steps, chance, bus = newsroom_hour(SEED), random.Random(7), Bus()
    async with Receivers(FakeTime(START)).listening() as receivers:
        for fault in FAULTS:
            receivers.answers[fault] = (lambda _: 302) if fault == "redirects" else Fault(fault, chance)
        receivers.answers |= {"redis-away": lambda _: bus.away, "redis-back": lambda _: bus.back}
        await bus.back()
        try:
            lived = await live_through(tmp_path, receivers, bus, steps)
        finally:
            await bus.away()
    assert lived.killed == KILLS
    assert lived.killed_without_redis >= 1, "some of the kills fell into the minutes without Redis"
    the_streams_are_dense(lived, steps)
    the_desk_heard_each_message_at_its_minute(lived, steps)
    for name in ("archive", *FAULTS):
        a_repeat_is_the_same_message(lived, name)
        in_order(first_time(lived, name))
    assert Counter(what for _, what in first_time(lived, "archive")) == at_the_archive(steps)
    assert repeats(lived, "archive") <= KILLS * IN_THE_AIR, "only what was in the air at a kill was repeated"
    for name in FAULTS[:-2]:
        a_struggling_receiver_knows_how_it_ended(lived, name, steps)
    for name in ("redirects", "gone"):
        assert lived.states(name)["dead"] > 0
        assert set(lived.states(name)) <= {"sent", "dead", "waiting", "suppressed", "expired", "cancelled"}
    assert lived.receivers.counts["gone"] <= 21 + IN_THE_AIR, "a receiver that is gone is left alone"


def the_streams_are_dense(lived: Lived, steps) -> None:
    for key, entries in lived.streams.items():
        assert [id_ for id_, _ in entries] == [f"1-{number}" for number in range(1, len(entries) + 1)], key
    for source in {step.source for step in steps}:
        assert len(lived.streams[source]) == sum(step.source == source for step in steps), source
    said = told_by_stream(lived.streams["alerts"])
    assert Counter(what for _, what in said) == Counter(what for _, what in what_happens(steps))
    in_order(said)


def told_by_stream(entries):
    for id_, message in entries:
        event = json.loads(message)
        what = "corrected" if event["type"] == "monitor.alert.corrected" else "fired"
        yield id_, (event["data"]["rule"], event["data"]["delta"]["entry"]["id"], what)


def the_desk_heard_each_message_at_its_minute(lived: Lived, steps) -> None:
    """Slack has no key: what counts is that each message was composed of the right alerts, at the right time, and posted."""
    messages, corrections = at_the_desk(steps)
    by_message = defaultdict(list)
    for one in lived.listed:
        if one.receiver == "desk" and one.state == "sent":
            by_message[one.message_id].append(one)
    alerts = [some for some in by_message.values() if some[0].kind in {"new", "edited"}]
    assert Counter(((some[0].sent_at - START).total_seconds(), some[0].rule, len(some)) for some in alerts) == Counter(
        messages
    )
    taken_back = [one for some in by_message.values() if some not in alerts for one in some]
    assert Counter((one.rule, one.entry, "corrected") for one in taken_back) == corrections
    posted = {heard.body for heard in lived.receivers.of("desk")}
    assert len(posted) == len(by_message)
    assert lived.receivers.counts["desk"] <= len(by_message) + KILLS * IN_THE_AIR


def first_time(lived: Lived, name: str):
    """What a receiver was told, repeats left out."""
    seen = set()
    for id_, what in told(lived.receivers.of(name)):
        if (id_, what) not in seen:
            seen.add((id_, what))
            yield id_, what


def repeats(lived: Lived, name: str) -> int:
    arrived = Counter(one.id for one in lived.receivers.of(name) if one.status == 200)
    return sum(count - 1 for count in arrived.values())


def a_repeat_is_the_same_message(lived: Lived, name: str) -> None:
    bodies = defaultdict(set)
    for one in lived.receivers.of(name):
        bodies[one.id].add(one.body)
    assert all(len(some) == 1 for some in bodies.values()), f"{name}: the same id is the same message"


def a_struggling_receiver_knows_how_it_ended(lived: Lived, name: str, steps) -> None:
    """What was taken back before it heard of it is told to it neither time; all else it knows as it is at the end."""
    states = lived.states(name)
    assert set(states) <= {"sent", "cancelled", "suppressed"}, (name, states)
    said = list(first_time(lived, name))
    assert len(said) == states["sent"], name
    knows = {(rule, entry): what for _, (rule, entry, what) in said}
    assert {key for key, what in knows.items() if what == "fired"} == last_words(steps), name
