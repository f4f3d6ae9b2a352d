"""A dead-man switch: a URL that is called while all is well, so that someone else notices when the calls stop.

Rule: calls only what the settings name, through the same guarded POST as every webhook; a failed call is no trouble of ours,
its absence is the message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from monitor.daemon.delivery.clock import Time
from monitor.sinks.http import Answer, Poster

log = structlog.get_logger(__name__)

EVERY = 60.0  # seconds; services that wait for heartbeats count in minutes


class Heartbeat:
    """Calls one URL every so often, as long as `well()` says so."""

    def __init__(
        self,
        url: str,
        *,
        well: Callable[[], bool],
        every: float = EVERY,
        time: Time | None = None,
    ) -> None:
        """`well`: whether the monitor does its work now; False withholds the call."""
        self.calls = 0  # that were answered well
        self._url = url
        self._well = well
        self._every = every
        self._time = time or Time()
        # The operator's own choice of address, and nothing of a source goes there: it may well be in the house.
        self._poster = Poster(allow_private=True, timeout=min(10.0, every))
        self._failing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Call until `stop` is set."""
        try:
            while not stop.is_set():
                if self._well():
                    await self.beat()
                await self._time.wait(stop, self._every)
        finally:
            await self._poster.close()

    async def beat(self) -> bool:
        """Call once; return whether it was answered with 2xx."""
        answer = await self._poster.post(self._url, b"", {})
        good = isinstance(answer, Answer) and 200 <= answer.status < 300
        self.calls += good
        if good == self._failing:
            words = f"it answered {answer.status}" if isinstance(answer, Answer) else answer.reason
            # Said once when it begins and once when it ends; the URL is a secret and is not said.
            log.info("heartbeat_answered") if good else log.warning("heartbeat_unanswered", reason=words)
        self._failing = not good
        return good
