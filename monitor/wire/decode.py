"""CloudEvents JSON → values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.model import (
    Alert,
    AlertKind,
    Change,
    ChangeType,
    Delta,
    Entry,
    FieldChange,
    Match,
    Revision,
    Significance,
    SourceRef,
    Stamp,
)


def decode_delta(message: bytes | str) -> Delta:
    """Return the delta that `encode_delta` wrote.

    Raises ValueError when the message is not such an event; fields added by later versions are ignored.
    """
    try:
        return _delta_of(json.loads(message))
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"not a delta event: {error!r}") from error


def decode_alert(message: bytes | str) -> Alert:
    """Return the alert that `encode_alert` wrote. Raises ValueError when the message is not such an event."""
    try:
        event = json.loads(message)
        data = event["data"]
        delta_id = data["delta"]["id"]
        epoch, sequence = delta_id.rsplit("/", 1)[1].split("-")
        delta = _delta_from(data["delta"], ChangeType(data["delta"]["type"]), int(epoch), int(sequence))
        return Alert(
            id=event["id"],
            rule=data["rule"],
            severity=data["severity"],
            kind=AlertKind(data["kind"]),
            delta=delta,
            matches=tuple(
                Match(field=m["field"], start=m["start"], end=m["end"], text=m["text"], term=m["term"])
                for m in data["matches"]
            ),
            note=data.get("note"),
            raised_at=_instant(event["time"]),
            corrects=data.get("corrects"),
        )
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"not an alert event: {error!r}") from error


def _delta_of(event: Mapping[str, Any]) -> Delta:
    change_type = ChangeType(event["type"].removeprefix("monitor.entry."))
    return _delta_from(event["data"], change_type, int(event["epoch"]), int(event["sequence"]))


def _delta_from(data: Mapping[str, Any], change_type: ChangeType, epoch: int, sequence: int) -> Delta:
    source, previous = data["source"], data.get("previous")
    seen_at = _instant(data["seen_at"])
    if seen_at is None:
        raise ValueError("not a delta event: no seen_at")
    change = Change(
        type=change_type,
        entry_id=data["entry"]["id"],
        entry=_entry_of(data["entry"]),
        revision=data["entry"]["revision"],
        previous=None
        if previous is None
        else Revision(
            number=previous["revision"],
            title=previous["title"],
            text=previous["text"],
            published_at=_instant(previous.get("published_at")),
        ),
        changes=tuple(
            FieldChange(field=c["field"], diff=tuple((op[0], op[1]) for op in c["diff"])) for c in data["changes"]
        ),
        significance=Significance(data["significance"]) if data.get("significance") else None,
        tags=tuple(data.get("tags", ())),
        confidence=data.get("confidence", 1.0),
        note=data.get("note"),
    )
    ref = SourceRef(id=source["id"], title=source.get("title"), url=source.get("url"))
    return Delta(source=ref, epoch=epoch, sequence=sequence, seen_at=seen_at, change=change)


def _entry_of(data: Mapping[str, Any]) -> Entry:
    at = _instant(data.get("published_at"))
    return Entry(
        position=-1 if data["position"] is None else data["position"],
        text=data["text"],
        title=data.get("title"),
        native_id=data.get("native_id"),
        url=data.get("url"),
        published=None if at is None else Stamp(at=at, text=data.get("published_text")),
        updated_at=_instant(data.get("updated_at")),
        author=data.get("author"),
        tags=tuple(data.get("tags", ())),
        pinned=bool(data.get("pinned", False)),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
