"""The daemon's long-running tasks: how they are waited for and how they are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence


async def until_one_ends(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for `stop`; a task that ends by itself is a bug, and what it raised is raised here: it ends the daemon loudly."""
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done:
        if task is not waiting:
            task.result()


async def finish(tasks: Sequence[asyncio.Task[None]], patience: float) -> None:
    """Wait up to `patience` seconds for tasks that were told to end, then cancel those that did not."""
    _, late = await asyncio.wait(tasks, timeout=patience)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
