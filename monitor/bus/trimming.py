"""Forgetting old messages by age; by number they are trimmed as they are written.

Rule: a stream keeps its newest message for ever, for it tells where the stream stands.
"""

from __future__ import annotations

from datetime import datetime

from monitor.bus.connection import Connection
from monitor.bus.outbox import START, Position
from monitor.bus.places import position_at, tops_of
from monitor.wire import Names


async def trim_before(connection: Connection, names: Names, moment: datetime) -> int:
    """Remove the messages from before `moment` from all our streams; return how many. Raises BusUnavailable."""
    members: set[bytes] = await connection.command("SMEMBERS", names.sources)
    streams = [names.alerts, *sorted(names.deltas_of(member.decode()) for member in members)]
    removed = 0
    for stream, top in (await tops_of(connection, streams)).items():
        if top == START:
            continue
        last = await position_at(connection, stream, moment)
        oldest_kept = min(Position(last.epoch, last.sequence + 1), top)
        removed += int(await connection.command("XTRIM", stream, "MINID", str(oldest_kept)))
    return removed
