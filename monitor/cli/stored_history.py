"""`monitor replay --source`: what the store remembers of a source, as the messages that were published."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.context import open_context
from monitor.cli.deltas import print_events
from monitor.cli.moments import moment
from monitor.cli.stored import must_know

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Delta


async def replay_stored(source_id: str, since: str | None, *, config: Path | None, as_json: bool) -> None:
    """Print the stored deltas of a source after `since`: a delta's id, an ISO time or an age such as 2h.

    Raises UnusableInput for a source the store does not know, click.BadParameter for a `since` without meaning.
    """
    from monitor.store import Store
    from monitor.wire import delta_event

    place = _place(since, source_id, datetime.now(UTC))
    async with await Store.open(open_context(config).store_url(), read_only=True) as store:
        await must_know(store, source_id)
        deltas: Sequence[Delta] = await store.deltas_since(source_id, place)
    print_events(({**delta_event(delta), "poll": 0} for delta in deltas), as_json=as_json)


def _place(text: str | None, source_id: str, now: datetime) -> tuple[int, int] | datetime | None:
    if text is None:
        return None
    if position := re.fullmatch(r"(\d+)-(\d+)", text.removeprefix(f"{source_id}/")):
        return int(position[1]), int(position[2])
    return moment(text, now, also="an id (1-42)")
