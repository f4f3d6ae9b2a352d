"""A process that lives through the newsroom hour and can be killed at any moment: the next one goes on where it was.

    python -m tests.alerts.delivery.hour DIRECTORY RECEIVERS-URL REDIS-URL SEED

Its clock is a file, so that no life begins before another ended. At the twentieth minute it asks for Redis to be taken
away, and at the thirtieth to be brought back.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from monitor.bus import Relay
from monitor.model import SourceRef
from monitor.store import Store
from monitor.store.deliveries import insert_alerts
from monitor.wire import Names
from tests.alerts.delivery.newsroom import Step, newsroom_hour, outfit, play
from tests.alerts.delivery.world import START, FakeTime, Receivers, World

AWAY, BACK = 1200.0, 1800.0  # seconds of the hour without Redis
SETTLED = {"sent", "dead", "expired", "cancelled", "suppressed"}


class KeptTime(FakeTime):
    """Time that stands where an earlier life left it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)
        written = os.pread(self._file, 20, 0)
        super().__init__(datetime.fromtimestamp(int(written) / 1e6, UTC) if written else START)
        self.chance = 0.3

    @property
    def current(self) -> datetime:
        return self._current

    @current.setter
    def current(self, instant: datetime) -> None:
        self._current = instant
        os.pwrite(self._file, b"%020d" % round(instant.timestamp() * 1e6), 0)

    @property
    def seconds(self) -> float:
        """Of the hour."""
        return (self.current - START).total_seconds()


async def resume(world: World, steps: list[Step]) -> int:
    """Find out what earlier lives committed; return how many steps that were."""
    sources = sorted({step.source for step in steps})
    refs = [SourceRef(source, f"{source} live", f"https://example.org/{source}") for source in sources]
    await world.store.ensure_sources(refs, world.time.now())
    for source in sources:
        state = await world.store.load(source)
        world.polls[source] = (state.version, state.sequence)
    done = sum(sequence for _, sequence in world.polls.values())
    for step in steps[:done]:
        key = (step.source, step.entry)
        revision = world.texts.get(key, ("", 0))[1] + 1
        if step.text is None:
            world.texts.pop(key)
        else:
            world.texts[key] = (step.text, revision)
    return done


async def ask(url: str) -> None:
    async with aiohttp.ClientSession() as session, session.post(url) as answer:
        answer.raise_for_status()


async def live(world: World, steps: list[Step], relay: Relay) -> None:
    """Play what is left of the hour, then let everything settle."""
    stop, time = asyncio.Event(), world.time
    published = asyncio.create_task(relay.run(stop))
    async with world.delivering():
        for until, what in ((AWAY, "redis-away"), (BACK, "redis-back"), (3600.0, None)):
            if time.seconds > until:
                continue
            await play(world, [step for step in steps if step.at <= until], after=0)
            await world.advance(until - time.seconds)
            steps = [step for step in steps if step.at > until]
            if what is not None:
                await ask(f"{world.receivers.url}/{what}")
        for _ in range(48):
            await world.advance(1800)
            open_ = {one.receiver for one in await world.listed() if one.state not in SETTLED}
            if open_ <= {"gone"}:  # what waits for a receiver that is gone waits for a person
                break
    while (await world.store.backlog()).depth:
        await asyncio.sleep(0.05)
    stop.set()
    await published
    await relay.aclose()


async def main(directory: Path, url: str, bus: str, seed: int) -> None:
    time, steps = KeptTime(directory / "clock"), newsroom_hour(seed)
    wake = [lambda: None]
    store = await Store.open(
        str(directory / "store.db"),
        alert_writer=insert_alerts,
        clock=time.now,
        on_outbox=lambda: wake[0](),
        check=False,
    )
    world = World(directory, time, Receivers(time, url=url), store)
    outfit(world, troubled=True)
    done = await resume(world, steps)
    relay = Relay(bus, store, Names("monitor"))
    wake[0] = relay.wake
    await live(world, steps[done:], relay)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
