"""Changes as they are told: field by field, with word diffs, tags and significance.

Rule: a change is built from the state that was last told and the state that is told now, never from what was in between.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.model import Change, ChangeType, DiffOp, Entry, FieldChange, Revision, Significance
from monitor.reconcile.edits import Side, judge
from monitor.reconcile.features import content
from monitor.reconcile.state import GoneRow, Record
from monitor.text.diff import word_diff


def arrived(kind: ChangeType, record: Record, confidence: float = 1.0, note: str | None = None) -> Change:
    """Return the change that says an entry is there: new, or of the baseline."""
    return Change(kind, record.id, record.entry, record.revision, confidence=confidence, note=note)


def removed(record: Record, note: str | None = None) -> Change:
    """Return the change that says an entry was taken down, with the entry as last told."""
    return Change(
        ChangeType.REMOVED,
        record.id,
        record.entry,
        record.revision,
        previous=_revision(record.revision, record.entry),
        note=note,
    )


def restored(row: GoneRow, record: Record, kind: ChangeType = ChangeType.RESTORED) -> Change:
    """Return the change that says a removed entry is back; with what changed while it was away, where that is known."""
    if row.text is None:
        note = "its earlier text is no longer kept" if row.exact != record.features.exact else None
        return Change(kind, record.id, record.entry, record.revision, note=note)
    before = replace(record.entry, title=row.title, text=row.text, published=row.published)
    changes = field_changes(before, record.entry, retimed=False)
    return Change(
        kind, record.id, record.entry, record.revision, previous=_revision(row.revision, before), changes=changes
    )


def edited(
    before: Record,
    after: Record,
    *,
    furniture: Collection[str],
    vocabulary: Container[str],
    retimed: bool,
    extra: Sequence[str] = (),
    confidence: float = 1.0,
    note: str | None = None,
) -> Change:
    """Return the change that says an entry reads differently now."""
    old, new = before.entry, after.entry
    tags, significance = judge(
        Side(old.title, content(old.text, furniture)),
        Side(new.title, content(new.text, furniture)),
        vocabulary,
        retimed=retimed,
        extra=extra,
    )
    if significance is Significance.COSMETIC and _other_author(old, new):
        significance = Significance.MINOR
    return Change(
        ChangeType.EDITED,
        after.id,
        new,
        after.revision,
        previous=_revision(before.revision, old),
        changes=field_changes(old, new, retimed=retimed),
        significance=significance,
        tags=tags,
        confidence=confidence,
        note=note,
    )


def field_changes(old: Entry, new: Entry, *, retimed: bool) -> tuple[FieldChange, ...]:
    """Return the fields that differ, texts by word, everything else as a whole."""
    found: list[FieldChange] = []
    if old.title != new.title:
        found.append(FieldChange("title", word_diff(old.title or "", new.title or "")))
    if old.text != new.text:
        found.append(FieldChange("text", word_diff(old.text, new.text)))
    if retimed:
        found.append(FieldChange("published_at", _whole(_time(old.published_at), _time(new.published_at))))
    if old.author != new.author:
        found.append(FieldChange("author", _whole(old.author, new.author)))
    if old.tags != new.tags:
        found.append(FieldChange("tags", _whole(", ".join(old.tags), ", ".join(new.tags))))
    if old.url != new.url:
        found.append(FieldChange("url", _whole(old.url, new.url)))
    if old.updated_at != new.updated_at:
        found.append(FieldChange("updated_at", _whole(_time(old.updated_at), _time(new.updated_at))))
    return tuple(found)


def _other_author(old: Entry, new: Entry) -> bool:
    return bool(old.author and new.author and old.author != new.author)


def _whole(old: str | None, new: str | None) -> tuple[DiffOp, ...]:
    ops: list[DiffOp] = []
    if old:
        ops.append(("-", old))
    if new:
        ops.append(("+", new))
    return tuple(ops)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _revision(number: int, entry: Entry) -> Revision:
    return Revision(number, entry.title, entry.text, entry.published_at)
