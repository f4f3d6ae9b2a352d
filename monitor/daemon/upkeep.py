"""What is done once an hour so that nothing grows for ever: retention of store, streams and messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import structlog

from monitor.bus import Relay
from monitor.daemon import plans
from monitor.errors import BusUnavailable
from monitor.reconcile import on_page
from monitor.settings import Settings
from monitor.store import Store
from monitor.store.messages import empty_bodies

log = structlog.get_logger(__name__)

BATCH = 500  # message bodies emptied in one transaction: polls are not held up


async def keep_up(store: Store, relay: Relay, settings: Settings, now: datetime) -> None:
    """Delete what retention allows. Raises StoreUnavailable; a server that is away is trimmed the next time."""
    pruned = await store.prune(plans.retention(settings), on_page=on_page)
    before = now - timedelta(seconds=settings.retention.outbox)
    emptied = 0
    while done := await store.run(partial(empty_bodies, before=before, limit=BATCH)):
        emptied += done
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
        alerts=pruned.alerts,
        outbox=pruned.outbox,
        messages=emptied,
        streams=trimmed,
    )
