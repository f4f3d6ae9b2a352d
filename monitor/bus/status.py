"""The status channel: a heartbeat that tells silence from outage, and what a source's state changed to.

Rule: fire and forget. Nothing here is stored; who needs the past reads the streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

from monitor.bus.connection import Connection
from monitor.errors import BusUnavailable
from monitor.wire import Names, encode_event, rfc3339

HEARTBEAT_SECONDS = 5.0
HEARTBEAT = "monitor.status.heartbeat"


def status_event(kind: str, data: Mapping[str, object], *, now: datetime, event_id: str) -> bytes:
    """Return a status message: CloudEvents like all others, of type `kind` (`monitor.status.…`)."""
    return encode_event(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/monitor",
            "type": kind,
            "time": rfc3339(now),
            "datacontenttype": "application/json",
            "data": dict(data),
        }
    )


class StatusChannel:
    """Sends heartbeats and state changes on `monitor:status`."""

    def __init__(self, connection: Connection, names: Names, facts: Callable[[], Mapping[str, object]] = dict) -> None:
        self._connection = connection
        self._channel = names.status
        self._facts = facts
        self._beats = 0
        self._run = uuid4().hex[:12]  # tells the beats of one daemon from those of another, or of its next start

    async def publish(self, event: Mapping[str, object], kind: str = "monitor.status.changed") -> bool:
        """Announce something; return False, and nothing worse, when nobody could be told."""
        message = status_event(kind, event, now=datetime.now(UTC), event_id=uuid4().hex)
        return await self._send(message)

    async def beat(self) -> bool:
        """Send one heartbeat."""
        self._beats += 1
        facts = {"interval": HEARTBEAT_SECONDS, "run": self._run, **self._facts()}
        message = status_event(HEARTBEAT, facts, now=datetime.now(UTC), event_id=f"{self._run}-{self._beats}")
        return await self._send(message)

    async def run(self, stop: asyncio.Event, *, every: float = HEARTBEAT_SECONDS) -> None:
        """Send heartbeats until `stop` is set."""
        while not stop.is_set():
            await self.beat()
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await stop.wait()

    async def _send(self, message: bytes) -> bool:
        try:
            await self._connection.command("PUBLISH", self._channel, message)
        except BusUnavailable:
            return False
        return True
