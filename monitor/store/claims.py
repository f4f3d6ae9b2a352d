"""Which due sources are ours to poll: leases, for several machines on one database.

Rule: a lease spares double work, it promises nothing; the compare-and-set of the commit does.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, update

from monitor.store.codec import maybe_instant, microseconds
from monitor.store.tables import sources
from monitor.store.values import Claim


def claim_due(
    connection: Connection, now: datetime, limit: int, lease: timedelta, among: Collection[str] | None = None
) -> tuple[Claim, ...]:
    """Lease up to `limit` due sources, earliest first; see `Store.claim_due`.

    Other machines' claims in flight are stepped over, not waited for (FOR UPDATE SKIP LOCKED; SQLite has one writer at
    a time and leaves the clause out).
    """
    moment = microseconds(now)
    due = (
        select(*sources.c["id", "next_poll_at"])
        .where(
            or_(sources.c.next_poll_at.is_(None), sources.c.next_poll_at <= moment),
            or_(sources.c.lease_until.is_(None), sources.c.lease_until <= moment),
        )
        .order_by(sources.c.next_poll_at.nulls_first(), sources.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if among is not None:
        due = due.where(sources.c.id.in_(list(among)))
    rows = connection.execute(due).all()
    until = now + lease
    if rows:
        mine = update(sources).where(sources.c.id.in_([row.id for row in rows]))
        connection.execute(mine.values(lease_until=microseconds(until)))
    return tuple(Claim(row.id, maybe_instant(row.next_poll_at), until) for row in rows)
