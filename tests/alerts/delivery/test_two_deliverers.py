"""Several deliverers on one store: whoever takes a message sends it, and nobody else."""

from __future__ import annotations

import asyncio


async def test_two_deliverers_on_one_store_send_each_message_once(world):
    from monitor.daemon.delivery.deliverer import Deliverer, DeliverySetup

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
