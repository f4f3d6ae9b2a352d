"""What is done once an hour so that nothing grows for ever: retention of store, streams, messages and alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from monitor.bus import Relay
from monitor.daemon import plans
from monitor.errors import BusUnavailable
from monitor.reconcile import on_page
from monitor.settings import Settings
from monitor.store import Store
from monitor.store.alert_retention import empty_bodies, prune_alerts

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = structlog.get_logger(__name__)


async def keep_up(store: Store, relay: Relay, settings: Settings, now: datetime) -> int:
    """Delete what retention allows; return how many entries were forgotten.

    Raises StoreUnavailable; a Redis that is away is trimmed the next time.
    """
    pruned = await store.prune(plans.retention(settings), on_page=on_page)
    before = now - timedelta(seconds=settings.retention.outbox)
    emptied = await _all(store, partial(empty_bodies, before=before))
    alerts = 0
    if settings.retention.alerts:
        ended = now - timedelta(seconds=settings.retention.alerts)
        prune = partial(prune_alerts, before=ended, receivers=tuple(settings.receivers))
        alerts = await _all(store, prune)
    try:
        trimmed = await relay.trim_before(before)
    except BusUnavailable as error:
        trimmed = 0
        log.warning("streams_not_trimmed", reason=str(error))
    log.info(
        "upkeep",
        revisions=pruned.revisions,
        bodies=pruned.bodies,
        entries=pruned.entries,
        outbox=pruned.outbox,
        messages=emptied,
        alerts=alerts,
        streams=trimmed,
    )
    return pruned.entries


async def _all(store: Store, some: Callable[[Connection], int]) -> int:
    """Do some of a long work again and again until nothing is left of it; return how much it was."""
    total = 0
    while done := await store.run(some):
        total += done
    return total
