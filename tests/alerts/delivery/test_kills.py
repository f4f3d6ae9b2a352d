"""Killed with -9 at any moment, again and again, the deliverer loses nothing and repeats only what was in the air."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path

import pytest

from monitor.store import Store
from monitor.store.alert_lists import list_alerts

VICTIM = Path(__file__).parent / "victim.py"
ROOT = Path(__file__).parents[3]
KILLS, EVENTS = 20, 320


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_twenty_kills_lose_nothing_and_repeat_only_under_the_same_id(world):
    chance = random.Random(20)
    world.receivers.answers["shaky"] = lambda _: 503 if chance.random() < 0.2 else 200
    database = str(world.path / "victim.db")
    command = [sys.executable, str(VICTIM), database, world.receivers.url, str(EVENTS)]
    killed = 0
    for _ in range(KILLS * 3):
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
        before = len(world.receivers.heard)
        while len(world.receivers.heard) == before and process.returncode is None:
            await asyncio.sleep(0.005)
        await asyncio.sleep(chance.uniform(0, 0.25))
        if killed < KILLS and process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
            killed += 1
            continue
        assert await process.wait() == 0
        break
    assert killed == KILLS
    async with await Store.open(database, check=True) as store:
        listed = await store.read(partial(list_alerts, limit=10_000))
    heard_right(world, listed)


def heard_right(world, listed) -> None:
    assert {one.state for one in listed} <= {"sent", "cancelled"}
    assert len({one.alert_id for one in listed}) == EVENTS
    for name in ("hook", "shaky"):
        bodies, arrived = defaultdict(set), Counter()
        for one in world.receivers.of(name):
            bodies[one.id].add(one.body)
            if one.status == 200:
                arrived[one.id] += 1
        assert all(len(some) == 1 for some in bodies.values()), "the same id is the same message"
        sent = {one.message_id for one in listed if one.receiver == name and one.state == "sent"}
        assert set(arrived) == sent, "everything arrived"
        repeats = sum(count - 1 for count in arrived.values())
        assert repeats <= KILLS * 8, "only what was in flight at a kill was repeated"
        fired_before_corrected(world, name)
    desk = Counter(one.body for one in world.receivers.of("desk"))
    assert len(desk) == len({one.message_id for one in listed if one.receiver == "desk" and one.state == "sent"})


def fired_before_corrected(world, name) -> None:
    known = set()
    for one in world.receivers.of(name):
        if one.status != 200:
            continue
        event = json.loads(one.body)
        if event["type"] == "monitor.alert.corrected":
            assert event["data"]["id"] in known
        elif event["type"] == "monitor.alert.fired":
            known.add(event["data"]["id"])


async def test_two_deliverers_on_one_store_send_each_message_once(world):
    from monitor.daemon.deliver import Deliverer, DeliverySetup

    world.receiver("hook", rate=500.0, rate_burst=500)
    world.rule("halted", "suspended")
    setup = DeliverySetup(tuple(world.chosen), world.rules)
    await world.poll("a", *((f"e{number}", "suspended") for number in range(60)))
    async with (
        Deliverer(world.store, setup, time=world.time, alone=False) as one,
        Deliverer(world.store, setup, time=world.time, alone=False) as other,
    ):
        await asyncio.gather(one.drain(), other.drain())
    assert await world.states() == {"sent": 60}
    assert len({heard.id for heard in world.receivers.heard}) == len(world.receivers.heard) == 60
