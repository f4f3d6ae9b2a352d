"""A poll's result into the tables, and back out as what the next poll starts from.

Rule: functions of a connection; called inside the writer's transaction or a reader's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from monitor.model import Change, Outgoing, SourceRef
from monitor.store.codec import (
    decode_poll,
    encode_detail,
    encode_entry,
    encode_poll,
    maybe_microseconds,
    microseconds,
)
from monitor.store.outbox import insert_messages
from monitor.store.statements import Prepared, upsert
from monitor.store.tables import known, revisions, sources, store_state
from monitor.store.values import Committed, PollCommit, PollNote, PollState, SourceState, Superseded
from monitor.wire import encode_delta

_POLL: dict[str, Any] = {name: bindparam(name) for name in ("poll", "polled_at", "next_poll_at")}
_MINE = sources.c.id == bindparam("b_id")
_SET = (
    update(sources)
    .where(_MINE, sources.c.version == bindparam("b_version"))
    .values(_POLL)
    .values(
        version=sources.c.version + 1,
        memory=func.coalesce(bindparam("b_memory"), sources.c.memory),
        lease_until=None,
    )
)
# With deltas, the first sequence must follow the head that the same row holds: dense by the same compare-and-set.
_NEXT = (sources.c.epoch == bindparam("b_epoch"), sources.c.sequence == bindparam("b_head"))
_ADVANCE = Prepared(lambda _: _SET)
_ADVANCE_WITH_DELTAS = Prepared(lambda _: _SET.where(*_NEXT).values(sequence=bindparam("b_sequence")))
_NEWER = or_(sources.c.polled_at.is_(None), sources.c.polled_at <= bindparam("b_polled_at"))
_NOTE = Prepared(lambda _: update(sources).where(_MINE, _NEWER).values(_POLL).values(lease_until=None))
_HEAD = select(*sources.c["version", "epoch", "sequence"]).where(_MINE)
_KNOW = upsert(known, ("source_id", "entry_id", "row"))
_FORGET = Prepared(
    lambda _: delete(known).where(
        known.c.source_id == bindparam("b_source_id"), known.c.entry_id == bindparam("b_entry_id")
    )
)
_REVISION = Prepared(
    lambda _: insert(revisions),
    ("source_id", "entry_id", "revision", "type", "seen_at", "entry", "detail", "epoch", "sequence"),
)
_NEW_STATE = ("version", "epoch", "sequence", "poll", "created_at")
_ENSURE = upsert(sources, ("id", "title", "url", *_NEW_STATE), keep=_NEW_STATE)


def ensure_sources(connection: Connection, refs: Sequence[SourceRef], now: datetime) -> None:
    """Make sure that each source has a row; titles and URLs follow the settings, state stays."""
    epoch = connection.scalar(select(store_state.c.epoch))
    fresh = {
        "version": 0,
        "epoch": epoch,
        "sequence": 0,
        "poll": encode_poll(PollState()),
        "created_at": microseconds(now),
    }
    # Everybody locks rows in the same order, so that two daemons that start at once do not deadlock.
    ordered = sorted(refs, key=lambda ref: ref.id)
    rows = [{"id": ref.id, "title": ref.title, "url": ref.url, **fresh} for ref in ordered]
    _ENSURE.run(connection, rows)


def load(connection: Connection, source_id: str) -> SourceState:
    """Return what a poll of the source starts from. Raises KeyError for a source `ensure_sources` was not told of."""
    row = connection.execute(select(sources).where(sources.c.id == source_id)).one_or_none()
    if row is None:
        raise KeyError(source_id)
    rows = connection.execute(select(*known.c["entry_id", "row"]).where(known.c.source_id == source_id))
    return SourceState(
        source_id=source_id,
        version=row.version,
        epoch=row.epoch,
        sequence=row.sequence,
        known=dict(rows.all()),
        memory=row.memory,
        poll=decode_poll(row.poll),
        title=row.title,
        url=row.url,
    )


def poll_states(connection: Connection) -> Mapping[str, PollState]:
    """Return the poll state of every source the store knows."""
    rows = connection.execute(select(*sources.c["id", "poll"]))
    return {source_id: decode_poll(stored) for source_id, stored in rows}


def commit(connection: Connection, found: PollCommit) -> Committed | Superseded:
    """Store one poll's result; see `Store.commit`. Alerts are the caller's."""
    if found.seen_at is None:
        raise ValueError("a poll commit needs the time its bytes were fetched")
    head = _advance(connection, found)
    if head is None:
        return Superseded(found.source.id)
    _store_rows(connection, found)
    _store_revisions(connection, found, found.seen_at)
    messages = [
        Outgoing("deltas", found.source.id, delta.epoch, delta.sequence, encode_delta(delta)) for delta in found.deltas
    ]
    insert_messages(connection, messages, found.seen_at)
    return Committed(found.expected_version + 1, *head)


def note_polls(connection: Connection, notes: Sequence[PollNote]) -> None:
    """Store poll states without raising versions; a note older than what the row already says is dropped."""
    rows = [
        {
            "b_id": note.source_id,
            "b_polled_at": maybe_microseconds(note.poll.last_poll_at) or 0,
            **_poll_columns(note.poll),
        }
        for note in sorted(notes, key=lambda note: note.source_id)
    ]
    _NOTE.run(connection, rows)


def _advance(connection: Connection, found: PollCommit) -> tuple[int, int] | None:
    """Compare and set the source's version; return its epoch and head afterwards, None when someone was here before."""
    key = {"b_id": found.source.id, "b_version": found.expected_version}
    values = {**key, "b_memory": found.memory, **_poll_columns(found.poll)}
    if not found.deltas:
        if _ADVANCE.run(connection, [values]) == 0:
            return None
        row = connection.execute(_HEAD, {"b_id": found.source.id}).one()
        return row.epoch, row.sequence
    epoch, first, last = _positions(found)
    values |= {"b_epoch": epoch, "b_head": first - 1, "b_sequence": last}
    if _ADVANCE_WITH_DELTAS.run(connection, [values]):
        return epoch, last
    held = connection.execute(_HEAD, {"b_id": found.source.id}).one_or_none()
    if held is not None and held.version == found.expected_version:
        raise ValueError(f"{found.source.id}: {epoch}-{first} does not follow {held.epoch}-{held.sequence}")
    return None


def _positions(found: PollCommit) -> tuple[int, int, int]:
    """Return the epoch, first and last sequence of the deltas, which must be dense and of one source and epoch."""
    first = found.deltas[0]
    for place, delta in enumerate(found.deltas):
        if (delta.epoch, delta.sequence, delta.source.id) != (first.epoch, first.sequence + place, found.source.id):
            raise ValueError(f"delta {delta.id} is not {found.source.id}/{first.epoch}-{first.sequence + place}")
    return first.epoch, first.sequence, first.sequence + len(found.deltas) - 1


def _poll_columns(poll: PollState) -> dict[str, Any]:
    return {
        "poll": encode_poll(poll),
        "polled_at": maybe_microseconds(poll.last_poll_at),
        "next_poll_at": maybe_microseconds(poll.next_poll_at),
    }


def _store_rows(connection: Connection, found: PollCommit) -> None:
    source_id = found.source.id
    kept = [{"source_id": source_id, "entry_id": id_, "row": row} for id_, row in found.rows.items() if row is not None]
    gone = [{"b_source_id": source_id, "b_entry_id": id_} for id_, row in found.rows.items() if row is None]
    _KNOW.run(connection, kept)
    _FORGET.run(connection, gone)


def _store_revisions(connection: Connection, found: PollCommit, seen_at: datetime) -> None:
    announced = {_key(delta.change): delta for delta in found.deltas}
    rows = []
    for change in found.changes:
        delta = announced.pop(_key(change), None)
        rows.append(
            {
                "source_id": found.source.id,
                "entry_id": change.entry_id,
                "revision": change.revision,
                "type": change.type.value,
                "seen_at": microseconds(seen_at),
                "entry": encode_entry(change.entry),
                "detail": encode_detail(change),
                "epoch": delta.epoch if delta else None,
                "sequence": delta.sequence if delta else None,
            }
        )
    if announced:
        raise ValueError(f"{found.source.id}: announced but not among the changes: {sorted(announced)}")
    _REVISION.run(connection, rows)


def _key(change: Change) -> tuple[str, int, str]:
    return change.entry_id, change.revision, change.type.value
