"""Opening what the settings name: the store, and the server that deltas are published to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import structlog

from monitor.bus import EmbeddedServer, Position, RelayEvents, StreamKey
from monitor.daemon.state_directory import store_place
from monitor.settings import Settings
from monitor.store import Store
from monitor.store.deliveries import insert_alerts

log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def open_store(settings: Settings, on_outbox: Callable[[], None]) -> AsyncIterator[Store]:
    """Open the store the settings name, alerts included; `on_outbox` is called after commits with messages."""
    async with await Store.open(store_place(settings), alert_writer=insert_alerts, on_outbox=on_outbox) as store:
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


def relay_events(store: Store, polls_begin_anew: Callable[[], None]) -> RelayEvents:
    """Return what the relay tells: to the log, and to the store when streams hold what it did not write.

    `polls_begin_anew` is called once the store has gone on after them: polls go on from what it holds then.
    """

    async def on_ahead(ends: Mapping[StreamKey, Position]) -> None:
        await _begin_after(store, ends)
        polls_begin_anew()

    return RelayEvents(
        on_state=lambda state: log.info("relay", connected=state.connected, trouble=state.trouble),
        on_warning=lambda words: log.warning("redis", warning=words),
        on_truncated=lambda hole: log.error("stream_truncated", stream=str(hole.key), after=str(hole.after)),
        on_ahead=on_ahead,
    )


async def _begin_after(store: Store, ends: Mapping[StreamKey, Position]) -> None:
    """Let the store go on after what streams hold that it did not write, and tell in the log what came of it."""
    key, end = max(ends.items(), key=lambda item: item[1])
    stream = f"the stream of {key.source_id or key.topic}"
    more = f", and {len(ends) - 1} more end so" if len(ends) > 1 else ""
    reason = f"{stream} ends at {end} in what this store did not write{more}"
    epoch, moved = await store.begin_after({(key.topic, key.source_id): end for key, end in ends.items()}, reason)
    log.error("streams_of_another_store", reason=reason, epoch=epoch, renumbered=moved)
