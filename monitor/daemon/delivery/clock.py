"""The deliverer's time: a wall clock that never goes back and does not stand still, waiting, and chance.

Rule: the only place of the delivery that reads a clock. Instants are anchored to the wall clock and then follow the monotonic
one: setting the clock back an hour must not hold retries for an hour. Setting it forward moves the anchor: alerts carry
the wall's time, and one raised in an hour that is not yet ours would wait for it.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta

FORWARD_STEP = timedelta(seconds=1)  # less is slewing


class Time:
    """Where the deliverer's time and chance come from; tests hand in another."""

    def __init__(self) -> None:
        self._wall = datetime.now(UTC)
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        """Return the time, aware, in UTC; it never goes back."""
        anchored = self._wall + timedelta(seconds=time.monotonic() - self._monotonic)
        wall = self.stamp()
        if wall - anchored < FORWARD_STEP:
            return anchored
        self._wall, self._monotonic = wall, time.monotonic()
        return wall

    def stamp(self) -> datetime:
        """Return what the wall clock shows: what receivers compare with their own (Standard Webhooks allows minutes)."""
        return datetime.now(UTC)

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
