"""The dead-man switch is called while the monitor does its work, and only then."""

from __future__ import annotations

import asyncio

from monitor.daemon.delivery.heartbeat import Heartbeat


async def beating(world, well, seconds, **more):
    heart = Heartbeat(f"{world.receivers.url}/heart", well=well, time=world.time, **more)
    stop = asyncio.Event()
    running = asyncio.create_task(heart.run(stop))
    for _ in range(seconds):
        before = world.receivers.counts.get("heart", 0)
        for _ in range(200):
            await asyncio.sleep(0.001)
            if world.time.waiting:
                break
        world.time.current += world.time.current.resolution * 60_000_000
        for over in list(world.time.waiting):
            if not over.done():
                over.set_result(None)
        for _ in range(20):
            await asyncio.sleep(0.001)
            if world.receivers.counts.get("heart", 0) > before:
                break
    stop.set()
    await running
    return heart


async def test_it_is_called_every_minute_while_all_is_well(world):
    heart = await beating(world, lambda: True, 4)
    assert heart.calls == world.receivers.counts["heart"] >= 4


async def test_it_is_withheld_while_the_monitor_does_not_do_its_work(world):
    await beating(world, lambda: False, 3)
    assert "heart" not in world.receivers.counts


async def test_a_switch_that_does_not_answer_stops_nothing(world):
    world.receivers.answers["heart"] = lambda _: 500
    heart = await beating(world, lambda: True, 3)
    assert heart.calls == 0
    assert world.receivers.counts["heart"] >= 3
