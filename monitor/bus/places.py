"""Where a subscriber starts: `since` → a position in each stream.

Rule: a position is the last message already seen; what comes after it is delivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from monitor.bus.connection import Connection
from monitor.bus.failures import unavailable
from monitor.bus.outbox import START, Position

Since = str | Mapping[str, str] | datetime | None
Entries = list[tuple[bytes, dict[bytes, bytes]]]
_PAGE = 200
_LATEST = datetime.max.replace(tzinfo=UTC)
# Where a stream is read from that appears while we listen: only the first message of an epoch may follow (no stream has a
# 0-2), anything else comes after a hole. START is for readers who take what there is.
BEFORE_THE_FIRST = Position(0, 1)


class _Timed(msgspec.Struct):
    time: datetime


def parse_since(since: Since, sources: Sequence[str] | None) -> Mapping[str, Position] | datetime | None:
    """Return `since` as positions by source, a time, or None for "from now on".

    Ids are `source/epoch-sequence`, or `epoch-sequence` where exactly one source is meant; `0` is the beginning of what
    the streams hold, for every source (key "*"). Raises ValueError.
    """
    if since is None:
        return None
    if isinstance(since, datetime):
        if since.tzinfo is None:
            raise ValueError("a time to start from needs its zone")
        return since.astimezone(UTC)
    if isinstance(since, Mapping):
        return {source: _position(place, source)[1] for source, place in since.items()} | {"*": START}
    if since in {"0", "0-0"}:
        return {"*": START}
    only = sources[0] if sources is not None and len(sources) == 1 else None
    source, position = _position(since, only)
    if source is None:
        raise ValueError(f"{since!r} does not say of which source: use SOURCE/{since}")
    return {source: position}


def _position(text: str, source: str | None) -> tuple[str | None, Position]:
    named, separator, place = text.rpartition("/")
    if place == "0":
        place = "0-0"
    if separator and source not in (None, named):
        raise ValueError(f"{text!r} is no id of {source}")
    return (named if separator else source), Position.parse(place)


def entries_of(reply: object, connection: Connection) -> Entries:
    """Return the entries of an XRANGE reply. Raises BusUnavailable for a refusal."""
    if isinstance(reply, Exception):
        raise unavailable(reply, connection.resource) from reply
    assert isinstance(reply, list)
    return reply


async def tops_of(connection: Connection, streams: Iterable[str]) -> dict[str, Position]:
    """Return where each stream ends now. Raises BusUnavailable."""
    names = list(streams)
    replies = await connection.pipelined(("XREVRANGE", name, "+", "-", "COUNT", 1) for name in names)
    ends = (entries_of(reply, connection) for reply in replies)
    return {name: Position.parse(end[0][0]) if end else START for name, end in zip(names, ends, strict=True)}


async def position_at(connection: Connection, stream: str, at: datetime) -> Position:
    """Return the last position in a stream of a message from before `at`, reading back from the stream's end.

    One poll's deltas have one time, and a reader that ended among them goes on from it: `at` itself is read again.

    Where only later messages are left of a longer stream this is BEFORE_THE_FIRST, and reading on from it tells of the hole.
    Raises BusUnavailable.
    """
    upper, first_after = "+", None
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # messages name milliseconds, rounded down
    while True:
        page = entries_of(await connection.command("XREVRANGE", stream, upper, "-", "COUNT", _PAGE), connection)
        for entry_id, fields in page:
            if _time_of(fields.get(b"d", b"")) < at:
                return Position.parse(entry_id)
            first_after = Position.parse(entry_id)
        if len(page) < _PAGE:
            break
        upper = f"({page[-1][0].decode()}"
    if first_after is not None and first_after.sequence > 1:
        return BEFORE_THE_FIRST
    return START


def _time_of(message: bytes) -> datetime:
    """Return when a message says it is from; one of another writer's is taken for the newest."""
    try:
        return msgspec.json.decode(message, type=_Timed).time
    except msgspec.DecodeError:
        return _LATEST
