"""Changes as they are told: field by field, with word diffs, tags and significance.

Rule: a change is built from the state that was last told and the state that is told now, never from what was in between.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.model import Change, ChangeType, DiffOp, Entry, FieldChange, Revision, Significance
from monitor.reconcile.edits import Judged, Side, judge
from monitor.reconcile.features import canonical_content
from monitor.reconcile.state import GoneRow, Record
from monitor.text.characters import canonical
from monitor.text.diff import word_diff

FORGOTTEN = "its earlier text is no longer kept"


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


def restored(row: GoneRow, record: Record) -> Change:
    """Return the change that says a removed entry is back; with what changed while it was away, where that is known."""
    before = _before(row, record)
    if before is None:
        note = FORGOTTEN if row.exact != record.features.exact else None
        return Change(ChangeType.RESTORED, record.id, record.entry, record.revision, note=note)
    return Change(
        ChangeType.RESTORED,
        record.id,
        record.entry,
        record.revision,
        previous=_revision(row.revision, before),
        changes=field_changes(before, record.entry, retimed=False),
    )


def edited_meanwhile(row: GoneRow, record: Record, *, furniture: Collection[str], vocabulary: Container[str]) -> Change:
    """Return the edit of an entry that came back into the window other than it left."""
    before = _before(row, record)
    if before is None:
        return Change(
            ChangeType.EDITED,
            record.id,
            record.entry,
            record.revision,
            significance=Significance.SUBSTANTIVE,
            note=FORGOTTEN,
        )
    tags, significance = _judged(before, record.entry, furniture, vocabulary, retimed=False)
    return Change(
        ChangeType.EDITED,
        record.id,
        record.entry,
        record.revision,
        previous=_revision(row.revision, before),
        changes=field_changes(before, record.entry, retimed=False),
        significance=significance,
        tags=tags,
    )


def _before(row: GoneRow, record: Record) -> Entry | None:
    """Return the entry as it left, or None where its text is no longer kept."""
    if row.text is None:
        return None
    return replace(record.entry, title=row.title, text=row.text, published=row.published)


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
    tags, significance = _judged(old, new, furniture, vocabulary, retimed=retimed, extra=extra)
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


def restyled(before: Record, after: Record) -> Change:
    """Return the cosmetic edit: other characters, the same content."""
    return Change(
        ChangeType.EDITED,
        after.id,
        after.entry,
        after.revision,
        previous=_revision(before.revision, before.entry),
        changes=field_changes(before.entry, after.entry, retimed=False),
        significance=Significance.COSMETIC,
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


def _judged(
    old: Entry,
    new: Entry,
    furniture: Collection[str],
    vocabulary: Container[str],
    *,
    retimed: bool,
    extra: Sequence[str] = (),
) -> Judged:
    before = Side(canonical(old.title or ""), canonical_content(old.text, furniture))
    after = Side(canonical(new.title or ""), canonical_content(new.text, furniture))
    judged = judge(before, after, vocabulary, retimed=retimed, extra=extra)
    if judged.significance is Significance.COSMETIC and _other_author(old, new):
        return Judged(judged.tags, Significance.MINOR)
    return judged


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
