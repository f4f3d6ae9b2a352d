"""How a daemon ends: what ends it, what still waits is sent if that can be, and nothing is waited for without end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from monitor.bus import Relay
from monitor.errors import ServiceUnavailable
from monitor.store import Store


async def until_one_ends(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for `stop`; a task that ends by itself is a bug, and what it raised is raised here: it ends the daemon loudly."""
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done:
        if task is not waiting:
            task.result()


async def last_drain(store: Store, relay: Relay, patience: float) -> None:
    """Send what waits if the server is there; what is not sent now is sent at the next start."""
    with contextlib.suppress(TimeoutError, ServiceUnavailable):
        async with asyncio.timeout(patience):
            while (await store.backlog()).depth and relay.state.connected:
                relay.wake()
                await asyncio.sleep(0.02)


async def finish(tasks: Sequence[asyncio.Task[None]], patience: float) -> None:
    """Wait for tasks that were told to end; those that are late are cancelled."""
    _, late = await asyncio.wait(tasks, timeout=patience)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
