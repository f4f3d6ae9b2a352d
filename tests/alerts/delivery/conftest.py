"""A world for every test: its store is on disk, its receivers on real sockets, its clock moves only when told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.store import Store
from monitor.store.deliveries import insert_alerts
from tests.alerts.delivery.newsroom import outfit
from tests.alerts.delivery.world import START, FakeTime, Receivers, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    time = FakeTime(START)
    async with Receivers(time).listening() as receivers:
        store = await Store.open(str(tmp_path / "store.db"), alert_writer=insert_alerts, clock=time.now)
        made = World(tmp_path, time, receivers, store)
        yield made
        for receiver in made.chosen:
            await receiver.sink.close()
        await store.close()


@pytest.fixture
def newsroom(world: World) -> World:
    outfit(world)
    return world
