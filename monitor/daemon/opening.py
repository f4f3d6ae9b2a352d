"""Opening what the settings name: the store, and the server that deltas are published to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import structlog

from monitor.bus import EmbeddedServer, Position, RelayEvents, StreamKey
from monitor.daemon.state_directory import DATABASE
from monitor.settings import Settings
from monitor.store import Store
from monitor.store.deliveries import insert_alerts

log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def open_store(settings: Settings, directory: Path, on_outbox: Callable[[], None]) -> AsyncIterator[Store]:
    """Open the store the settings name, alerts included; `on_outbox` is called after commits with messages."""
    place = str(directory / DATABASE) if settings.store == "sqlite" else settings.store
    async with await Store.open(place, alert_writer=insert_alerts, on_outbox=on_outbox) as store:
        yield store


@contextlib.asynccontextmanager
async def open_bus(settings: Settings, directory: Path) -> AsyncIterator[str]:
    """Yield the URL of the configured server, or start our own and yield where it listens."""
    redis = settings.redis
    if redis.mode == "url" and redis.url is not None:
        yield redis.url.reveal()
        return
    program = os.environ.get("MONITOR_VALKEY_BIN")
    server = EmbeddedServer(
        directory, port=redis.port, program=program, on_event=lambda words: log.warning("embedded_server", words=words)
    )
    async with server:
        yield server.url


def relay_events(on_ahead: Callable[[StreamKey, Position], Awaitable[None]]) -> RelayEvents:
    """Return what the relay tells: to the log, and to `on_ahead` when a stream ends after everything the store knows."""

    async def ahead(key: StreamKey, position: Position) -> None:
        log.error("stream_ahead_of_store", stream=str(key), position=str(position))
        await on_ahead(key, position)

    return RelayEvents(
        on_state=lambda state: log.info("relay", connected=state.connected, trouble=state.trouble),
        on_warning=lambda words: log.warning("redis", warning=words),
        on_truncated=lambda hole: log.error("stream_truncated", stream=str(hole.key), after=str(hole.after)),
        on_ahead=ahead,
    )
