"""What was recorded, read back: revisions, the page at a time, deltas from a position or time, counts.

Rule: functions of a reader's connection; they never write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from monitor.model import ChangeType, Delta, Entry, Outgoing, SourceRef
from monitor.store.codec import decode_change, decode_entry, instant, maybe_instant, microseconds
from monitor.store.outbox import Position
from monitor.store.statements import FOLLOWED
from monitor.store.tables import outbox, revisions, sources
from monitor.store.values import Activity, Counts, StoredRevision

_IN_ORDER = select(revisions).order_by(revisions.c.id)


def stored_revisions(
    connection: Connection,
    source_id: str,
    entry_id: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> tuple[StoredRevision, ...]:
    """Return the recorded changes of a source, or of one entry, in the order they were recorded."""
    statement = _IN_ORDER.where(revisions.c.source_id == source_id).limit(limit)
    if entry_id is not None:
        statement = statement.where(revisions.c.entry_id == entry_id)
    if since is not None:
        statement = statement.where(revisions.c.seen_at >= microseconds(since))
    return tuple(_revision(row) for row in connection.execute(statement))


def page_at(connection: Connection, source_id: str, when: datetime) -> tuple[Entry, ...]:
    """Return the entries the page showed at a time, in page order, in the words it had then.

    The order is rebuilt by walking the changes: an entry that appeared at position p stands before what stood at p.
    """
    statement = _IN_ORDER.where(revisions.c.source_id == source_id, revisions.c.seen_at <= microseconds(when))
    columns = statement.with_only_columns(*revisions.c["seen_at", "type", "entry_id", "entry"])
    order: list[str] = []
    entries: dict[str, Entry] = {}
    for poll in _by_poll(connection.execute(columns)):
        _walk(order, entries, poll)
    return tuple(entries[entry_id] for entry_id in order)


def deltas_since(
    connection: Connection, source_id: str, since: Position | datetime | None, limit: int | None = None
) -> tuple[Delta, ...]:
    """Return the announced changes after a position `(epoch, sequence)`, or seen at or after a time, in stream order."""
    row = connection.execute(select(*sources.c["title", "url"]).where(sources.c.id == source_id)).one_or_none()
    ref = SourceRef(source_id, row.title, row.url) if row else SourceRef(source_id)
    position = tuple_(revisions.c.epoch, revisions.c.sequence)
    statement = select(revisions).where(revisions.c.source_id == source_id, revisions.c.sequence.is_not(None))
    if isinstance(since, datetime):
        statement = statement.where(revisions.c.seen_at >= microseconds(since))
    elif since is not None:
        statement = statement.where(position > since)
    found = connection.execute(statement.order_by(revisions.c.epoch, revisions.c.sequence).limit(limit))
    return tuple(
        Delta(ref, stored.epoch, stored.sequence, stored.seen_at, stored.change)
        for stored in map(_revision, found)
        if stored.epoch is not None and stored.sequence is not None
    )


def messages_since(
    connection: Connection, topic: str, source_id: str, after: Position | None, limit: int | None = None
) -> tuple[Outgoing, ...]:
    """Return the very bytes that were published after a position, as far back as retention keeps them."""
    statement: Select[Any] = select(*outbox.c["topic", "source_id", "epoch", "sequence", "payload"])
    statement = statement.where(outbox.c.topic == topic, outbox.c.source_id == source_id)
    if after is not None:
        statement = statement.where(tuple_(outbox.c.epoch, outbox.c.sequence) > after)
    found = connection.execute(statement.order_by(outbox.c.epoch, outbox.c.sequence).limit(limit))
    return tuple(Outgoing(*row) for row in found)


def counts(connection: Connection, since: datetime | None = None, source_id: str | None = None) -> dict[str, Counts]:
    """Return how much is stored of each source that has anything stored, or of one.

    With `since`, only changes seen at or after it are counted. Both queries are answered from indexes alone.
    """
    changes = select(revisions.c.source_id, revisions.c.type, func.count(), func.max(revisions.c.seen_at))
    changes = changes.group_by(revisions.c.source_id, revisions.c.type)
    present = _present()
    if since is not None:
        changes = changes.where(revisions.c.seen_at >= microseconds(since))
    if source_id is not None:
        changes = changes.where(revisions.c.source_id == source_id)
        present = present.where(revisions.c.source_id == source_id)
    entries: dict[str, int] = dict(connection.execute(present).all())
    found: dict[str, dict[str, tuple[int, int]]] = {id_: {} for id_ in entries}
    for id_, type_, count, last in connection.execute(changes):
        found.setdefault(id_, {})[type_] = (count, last)
    return {id_: _counts(entries.get(id_, 0), of_type) for id_, of_type in found.items()}


def activity(connection: Connection, since: datetime, *, slot: timedelta) -> tuple[Activity, ...]:
    """Return how many announced changes each source had from `since` on, by type and by `slot` of time; zeros left out.

    Asked source by source through the index on (source, time), so that a long history costs nothing.
    """
    start = microseconds(since)
    number = (revisions.c.seen_at - start) // (slot // timedelta(microseconds=1))
    statement = (
        select(revisions.c.source_id, revisions.c.type, number.label("slot"), func.count())
        .select_from(sources.join(revisions, revisions.c.source_id == sources.c.id))
        .where(revisions.c.seen_at >= start, revisions.c.sequence.is_not(None))
        .group_by(revisions.c.source_id, revisions.c.type, "slot")
    )
    return tuple(Activity(id_, ChangeType(type_), at, count) for id_, type_, at, count in connection.execute(statement))


def _counts(entries: int, of_type: Mapping[str, tuple[int, int]]) -> Counts:
    number = {type_: of_type.get(type_.value, (0, 0))[0] for type_ in ChangeType}
    return Counts(
        entries=entries,
        revisions=sum(number.values()),
        new=number[ChangeType.NEW],
        edited=number[ChangeType.EDITED],
        removed=number[ChangeType.REMOVED],
        restored=number[ChangeType.RESTORED],
        last_change_at=maybe_instant(max((last for _, last in of_type.values()), default=None)),
    )


def _present() -> Select[Any]:
    """Count the entries whose newest revision is no removal."""
    statement = select(revisions.c.source_id, func.count()).where(~FOLLOWED)
    return statement.where(revisions.c.type != ChangeType.REMOVED.value).group_by(revisions.c.source_id)


def _revision(row: Row[Any]) -> StoredRevision:
    change = decode_change(
        type_=row.type, entry_id=row.entry_id, revision=row.revision, entry=row.entry, detail=row.detail
    )
    return StoredRevision(
        source_id=row.source_id,
        seen_at=instant(row.seen_at),
        change=change,
        epoch=row.epoch,
        sequence=row.sequence,
        bodiless=bool(row.bodiless),
    )


def _by_poll(rows: Iterable[Row[Any]]) -> Iterable[list[Row[Any]]]:
    """Yield the rows of one poll together: they carry the same time."""
    poll: list[Row[Any]] = []
    for row in rows:
        if poll and row.seen_at != poll[0].seen_at:
            yield poll
            poll = []
        poll.append(row)
    if poll:
        yield poll


def _walk(order: list[str], entries: dict[str, Entry], poll: list[Row[Any]]) -> None:
    """Apply one poll's changes: first what left, then what appeared, from the top of the page down."""
    appeared: list[tuple[int, str]] = []
    for row in poll:
        if row.type == ChangeType.REMOVED.value:
            if entries.pop(row.entry_id, None) is not None:
                order.remove(row.entry_id)
            continue
        entry = decode_entry(row.entry)
        if row.entry_id not in entries:
            appeared.append((entry.position, row.entry_id))
        entries[row.entry_id] = entry
    for position, entry_id in sorted(appeared):
        order.insert(max(position, 0), entry_id)
