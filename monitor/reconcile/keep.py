"""One entry of a believed page: the record it leaves, and the change a reader is told.

Rule: what is told is the difference from what was told last. Noise (furniture, layout, a label's wording) renews what is
stored when it is cheap and is never told; wordings that come back again and again are told once and then waited out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from monitor.model import Change, Entry
from monitor.reconcile import changes as tell
from monitor.reconcile.features import content
from monitor.reconcile.match import Matched
from monitor.reconcile.page import Item, Page
from monitor.reconcile.state import KEPT_VERSIONS, RETURNED, GoneRow, Record, Version, version_of
from monitor.reconcile.times import Span, same, shifted, span, sticky

# Looks in a row at which an entry must keep a wording it returned to: the first return is told at once, every further one
# waits twice as long as the one before (route flap damping, RFC 2439, without its clock).
FLAP_LOOKS = 20
MAX_FLIPS = 3


class Kept(msgspec.Struct, frozen=True, gc=False):
    """What becomes of an entry."""

    record: Record
    change: Change | None = None
    damped: bool = False  # a wording that came back was not told
    restyled: bool = False  # the same content in other clothes


@dataclass(frozen=True, slots=True)
class Look:
    """What every entry of one believed page shares."""

    page: Page
    matched: Matched
    poll: int  # its number
    looks: int  # equal looks at it, this one included
    quiet: bool  # a new baseline: record, do not tell
    restamped: bool = False  # most entries carry new times at once: the publisher's machine, not its editors


def first(record_id: str, item: Item, poll: int) -> Record:
    """Return the record of an entry met for the first time."""
    at = span(item.entry.published)
    return Record(record_id, item.entry, 1, item.features, ((version_of(item.features, at), poll),), at)


def is_untouched(record: Record, item: Item) -> bool:
    """Say whether an item of its entry's content and time is in nothing other than what was told: the record stays."""
    old, new = record.entry, item.entry
    return (
        (item.features is record.features or (new.text == old.text and new.title == old.title))
        and not (record.missing or record.held)
        and old.native_id == new.native_id
        and old.url == new.url
    )


def kept(look: Look, before: Record, item: Item, *, confidence: float = 1.0, tag: str | None = None) -> Kept:
    """Return what becomes of an entry that is still there."""
    base = _as_shifted(msgspec.structs.replace(before, missing=0) if before.missing else before, look.matched.shift)
    retimed = item.span is not None and not same(before.span, item.span)
    if item.features.exact == base.features.exact and (not retimed or look.restamped):
        return _unchanged(look, base, item)
    name = version_of(item.features, item.span)
    reverted = base.replaced(name) is not None
    if reverted and not look.quiet and base.flips and base.held + look.looks < FLAP_LOOKS * 2 ** (base.flips - 1):
        return Kept(msgspec.structs.replace(base, held=base.held + look.looks), damped=True)
    after = _renewed(base, item, look, retimed=retimed, reverted=reverted)
    if look.quiet:
        return Kept(after)
    change = tell.edited(
        base,
        after,
        furniture=look.page.known.memory.furniture,
        vocabulary=_Others(look.page.known.live, base.id),
        retimed=retimed,
        extra=[*(["reverted"] if reverted else []), *([tag] if tag else [])],
        confidence=confidence,
    )
    return Kept(after, change)


def returned(look: Look, row: GoneRow, item: Item) -> Kept:
    """Return what becomes of an entry that had left: told if its leaving was told, or if it changed meanwhile."""
    changed = item.features.exact != row.exact
    entry = item.entry
    if same(span(row.published), span(entry.published)):
        entry = replace(entry, published=sticky(row.published, entry.published))
    at = span(entry.published)
    versions: tuple[Version, ...] = ((version_of(item.features, at), RETURNED),)
    told = changed or row.why == "removed"
    record = Record(row.id, entry, row.revision + told, item.features, versions, at)
    if row.why == "removed":
        return Kept(record, tell.restored(row, record))
    if not changed:
        return Kept(record)
    furniture, others = look.page.known.memory.furniture, _Others(look.page.known.live, row.id)
    return Kept(record, tell.edited_meanwhile(row, record, furniture=furniture, vocabulary=others))


def missed(record: Record, look: Look) -> Record:
    """Return the record of an entry the page does not show, its absence not yet believed."""
    return msgspec.structs.replace(_as_shifted(record, look.matched.shift), missing=record.missing + look.looks)


@dataclass(frozen=True, slots=True)
class _Others:
    """The words of a source's other entries, looked up only where a typo is in question."""

    live: Mapping[str, Record]
    but: str

    def __contains__(self, word: object) -> bool:
        return any(key != self.but for key, record in self.live.items() if word in record.features.bag)


def _as_shifted(record: Record, seconds: float) -> Record:
    """Return the record on the page's new clock, when the whole page's clock moved."""
    if not seconds:
        return record
    entry = replace(record.entry, published=shifted(record.entry.published, seconds))
    at = span(entry.published)
    latest = (version_of(record.features, at), record.versions[-1][1])
    return msgspec.structs.replace(record, entry=entry, span=at, versions=(*record.versions[:-1], latest))


def _unchanged(look: Look, base: Record, item: Item) -> Kept:
    old, new = base.entry, item.entry
    if _is_restyled(look, old, new):
        entry = replace(new, published=sticky(old.published, new.published), native_id=new.native_id or old.native_id)
        record = msgspec.structs.replace(base, entry=entry, revision=base.revision + 1, features=item.features, held=0)
        return Kept(record, tell.restyled(base, record), restyled=True)
    published = new.published if look.restamped else sticky(old.published, new.published)
    entry = old
    if new.native_id != old.native_id or new.url != old.url:
        entry = replace(entry, native_id=new.native_id or old.native_id, url=new.url or old.url)
    at: Span | None = base.span
    if published is not old.published and published != old.published:
        entry = replace(entry, published=published)
        at = span(published)
    if entry is old and not base.held:
        return Kept(base)
    return Kept(msgspec.structs.replace(base, entry=entry, span=at, held=0))


def _is_restyled(look: Look, old: Entry, new: Entry) -> bool:
    """Say whether quotes, spaces or markup changed, furniture aside. What the last page showed was asked then."""
    if (old.text == new.text and old.title == new.title) or (new.title, new.text) in look.page.known.read:
        return False
    furniture = look.page.known.memory.furniture
    return old.title != new.title or content(old.text, furniture) != content(new.text, furniture)


def _renewed(base: Record, item: Item, look: Look, *, retimed: bool, reverted: bool) -> Record:
    published = item.entry.published if retimed else sticky(base.entry.published, item.entry.published)
    entry, native_id = item.entry, item.entry.native_id or base.entry.native_id
    if published != entry.published or native_id != entry.native_id:
        entry = replace(entry, published=published, native_id=native_id)
    at = span(published)
    versions = (*base.versions, (version_of(item.features, at), look.poll))[-KEPT_VERSIONS:]
    return Record(
        base.id, entry, base.revision + 1, item.features, versions, at, flips=min(base.flips + reverted, MAX_FLIPS)
    )
