"""The deliverer's time: a wall clock that neither jumps nor stands still, waiting, and chance.

Rule: the only place of the delivery that reads a clock. Instants are anchored to the wall clock once and then follow the
monotonic one: setting the clock back an hour must not hold retries for an hour.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta


class Time:
    """Where the deliverer's time and chance come from; tests hand in another."""

    def __init__(self) -> None:
        self._wall = datetime.now(UTC)
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        """Return the time, aware, in UTC; it never goes back."""
        return self._wall + timedelta(seconds=time.monotonic() - self._monotonic)

    def random(self) -> float:
        """Return a number from 0 to 1, for jitter."""
        return random.random()  # noqa: S311 - spreads retries, protects nothing

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        """Return when the event is set or the seconds are over; None waits for the event alone."""
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
