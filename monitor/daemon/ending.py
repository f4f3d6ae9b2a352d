"""The last seconds of a daemon: what still waits is sent if that can be, and nothing is waited for without end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from monitor.bus import Relay
from monitor.errors import ServiceUnavailable
from monitor.store import Store


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
