"""Values ↔ the JSON and integers that columns hold.

Rule: everything written here must read back equal, and rows written by an older version must stay readable: fields are
only added, with defaults.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from monitor.model import Change, ChangeType, Entry, FieldChange, Revision, Significance
from monitor.store.values import PollState

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _Detail(msgspec.Struct, omit_defaults=True):
    """What a change says beside the entry itself."""

    previous: Revision | None = None
    changes: tuple[FieldChange, ...] = ()
    significance: Significance | None = None
    tags: tuple[str, ...] = ()
    confidence: float = 1.0
    note: str | None = None


_poll = msgspec.json.Decoder(PollState)
_entry = msgspec.json.Decoder(Entry)
_detail = msgspec.json.Decoder(_Detail)


def microseconds(instant: datetime) -> int:
    """Return an aware datetime as whole microseconds since 1970 UTC."""
    return (instant - _UNIX) // _MICROSECOND


def instant(stored: int) -> datetime:
    """Return stored microseconds as an aware datetime in UTC."""
    return _UNIX + stored * _MICROSECOND


def maybe_microseconds(value: datetime | None) -> int | None:
    """`microseconds`, None staying None."""
    return None if value is None else microseconds(value)


def maybe_instant(stored: int | None) -> datetime | None:
    """`instant`, None staying None."""
    return None if stored is None else instant(stored)


def encode_poll(poll: PollState) -> str:
    """Return a poll state as JSON."""
    return _text(poll)


def decode_poll(stored: str) -> PollState:
    """Return the poll state `encode_poll` wrote; unknown fields of a newer version are ignored."""
    return _poll.decode(stored)


def encode_entry(entry: Entry) -> str:
    """Return an entry as JSON with every claim about its time whole (wire messages keep only instant and text)."""
    return _text(entry)


def decode_entry(stored: str) -> Entry:
    """Return the entry `encode_entry` wrote."""
    return _entry.decode(stored)


def encode_detail(change: Change) -> str:
    """Return everything of a change but its entry, type, id and revision as JSON."""
    return _text(
        _Detail(
            previous=change.previous,
            changes=change.changes,
            significance=change.significance,
            tags=change.tags,
            confidence=change.confidence,
            note=change.note,
        )
    )


def decode_change(*, type_: str, entry_id: str, revision: int, entry: str, detail: str) -> Change:
    """Return the change whose columns these are."""
    rest = _detail.decode(detail)
    return Change(
        type=ChangeType(type_),
        entry_id=entry_id,
        entry=decode_entry(entry),
        revision=revision,
        previous=rest.previous,
        changes=rest.changes,
        significance=rest.significance,
        tags=rest.tags,
        confidence=rest.confidence,
        note=rest.note,
    )


def _text(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8 form (RFC 3629 §3); the wire replaces it by "?" and so do we.
        return msgspec.json.encode(_clean(msgspec.to_builtins(value))).decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
