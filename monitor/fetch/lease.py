"""Room in memory for large bodies: only so many are received and decoded at once.

Rule: a body of ordinary size never waits; a hundred sources that all send bombs at once cost what a few cost.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

LARGE = 1 << 20  # bytes on the wire; live blogs and feeds are a tenth of it and less
LARGE_AT_ONCE = 6


class Lease:
    """One fetch's share; `async with` gives back what it took."""

    def __init__(self, room: asyncio.Semaphore) -> None:
        self._room = room
        self._held = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held:
            self._held = False
            self._room.release()

    async def for_size(self, size: int) -> None:
        """Wait for room before a body grows beyond what is ordinary."""
        if size > LARGE and not self._held:
            await self._room.acquire()
            self._held = True
