"""What is known of a source between two polls: live entries, entries that went, and what was learned about the source.

Rule: values only. Every poll makes a new `Known`; the old one stays valid, so that a commit that loses its
compare-and-set leaves nothing behind. A row of the store is one entry; `memory` is everything that is not an entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import msgspec

from monitor.model import Entry, Stamp
from monitor.reconcile.features import NORMALISER, Features, features_of, identifier
from monitor.reconcile.times import Span, minute_of, span

KEPT_VERSIONS = 8
FORMAT = 1
PATIENT = 4  # looks in a row after which an absence is not asked for again but waits for the page to change
RETURNED = -1  # in place of a poll: shown before, away for a while, and back
_MINUTE = 60  # seconds
Version = tuple[int, int]  # a name of a content at a time, and the poll that first showed it


class LiveRow(msgspec.Struct, frozen=True, array_like=True, tag="live"):
    """The stored form of a live entry."""

    normaliser: int
    entry: Entry
    revision: int
    versions: tuple[Version, ...]
    missing: int = 0
    flips: int = 0
    held: int = 0


class GoneRow(msgspec.Struct, frozen=True, array_like=True, tag="gone"):
    """The stored form of an entry that went: small, because thousands are kept."""

    normaliser: int
    id: str
    left: int  # counter of leavings: the lowest is forgotten first
    why: Literal["removed", "window"]
    revision: int
    exact: int
    loose: int
    words: int
    versions: tuple[int, ...]  # contents it has shown
    poll: int  # that decided it was gone
    published: Stamp | None = None
    title: str | None = None
    key: str | None = None  # the publisher's
    text: str | None = None  # of the latest few only


class Memory(msgspec.Struct, frozen=True):
    """What was learned of the source; one small blob."""

    format: int = FORMAT
    order: tuple[str, ...] = ()  # live ids, newest first as the page showed them
    furniture: tuple[str, ...] = ()
    distrust: int = 0  # polls whose ids contradicted their texts, less clean ones
    hold_key: int = 0  # of the page being held
    hold_count: int = 0  # looks in a row at pages doubted for one reason
    hold_code: str = ""
    hold_total: int = 0  # looks in a row at doubted pages
    stale_seen: int = 0  # older copies met; fades
    largest: int = 0  # most entries an accepted page showed
    generated_at: float = 0.0  # when the last accepted page was made, by its labels and its cache; 0 unknown
    modified_at: float = 0.0  # the page's own claim
    seen_at: float = 0.0  # of the last accepted page, by our clock
    polls: int = 0  # believed so far that changed something
    leavings: int = 0
    oldest: float = 0.0  # of all times entries have claimed; 0 unknown
    ends: int = 0  # polls at which the page's end let go of entries, as a window does
    end_shown: int = 0  # entries it showed then
    end_age: float = 0.0  # seconds; of the youngest it let go of then
    waiting: tuple[str, ...] = ()  # ids of live entries that fell off the end or were taken down: the next pages tell
    rekeyed: int = 0  # the poll at which all ids were new: what left before has ids of no meaning
    title: str | None = None


class Record(msgspec.Struct, frozen=True, gc=False):
    """One live entry as last told."""

    id: str
    entry: Entry
    revision: int
    features: Features
    versions: tuple[Version, ...]  # what it has shown, latest last
    span: Span | None
    missing: int = 0  # looks in a row that did not show it
    flips: int = 0  # returns to an earlier wording
    held: int = 0  # looks in a row at a wording that is not told yet

    @property
    def key(self) -> str | None:
        """The publisher's id or address of the entry."""
        return identifier(self.entry)

    def since(self, version: int) -> int | None:
        """Return the poll that first showed a version, None for one never shown."""
        return next((poll for name, poll in self.versions if name == version), None)

    def replaced(self, version: int) -> int | None:
        """Return the poll that showed something else instead, None for the latest and for one never shown."""
        pairs = zip(self.versions, self.versions[1:], strict=False)
        return next((after[1] for before, after in pairs if before[0] == version), None)

    @property
    def row(self) -> LiveRow:
        return LiveRow(NORMALISER, self.entry, self.revision, self.versions, self.missing, self.flips, self.held)


def version_of(found: Features, stamp: Span | None) -> int:
    """Return a name of a content shown at a time of day; relative labels tell no time of their own."""
    if stamp is None or stamp.relative:
        return found.exact
    return found.exact ^ (minute_of(stamp) + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF


def record_of(key: str, row: LiveRow, furniture: tuple[str, ...]) -> Record:
    """Return the live entry of a stored row."""
    found = features_of(row.entry, furniture)
    stamp = span(row.entry.published)
    versions = row.versions if row.normaliser == NORMALISER else ((version_of(found, stamp), 0),)
    return Record(key, row.entry, row.revision, found, versions, stamp, row.missing, row.flips, row.held)


@dataclass(frozen=True)
class Known:
    """All that is known of one source. `pending` says that a second look at the page would decide something."""

    live: Mapping[str, Record] = field(default_factory=dict)
    gone: Mapping[str, GoneRow] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    last_page: tuple[Entry, ...] | None = None  # as received and believed; not stored
    read: Mapping[tuple[str | None, str], Features] = field(default_factory=dict)  # of the last page; not stored

    @classmethod
    def load(cls, rows: Mapping[str, bytes], memory: bytes | None) -> Known:
        """Return what `Reconciled.rows` and `Reconciled.memory` of all polls so far add up to.

        Raises `msgspec.ValidationError` or `msgspec.DecodeError` (both ValueError) for bytes that are not ours.
        """
        learned = _MEMORY.decode(memory) if memory else Memory()
        live: dict[str, Record] = {}
        gone: dict[str, GoneRow] = {}
        for key, encoded in rows.items():
            row = _ROW.decode(encoded)
            if isinstance(row, LiveRow):
                live[key] = record_of(key, row, learned.furniture)
            elif row.normaliser == NORMALISER or row.key:
                gone[key] = row
        order = [key for key in learned.order if key in live]
        ordered = {key: live[key] for key in [*order, *(live.keys() - set(order))]}
        return cls(ordered, gone, learned)

    @property
    def pending(self) -> bool:
        """Whether something waits for a second look: poll without validators until it is False."""
        return bool(self.memory.hold_count) or self._waiting

    @cached_property
    def _waiting(self) -> bool:
        return any(0 < record.missing < PATIENT or record.held for record in self.live.values())

    @cached_property
    def gone_by_content(self) -> Mapping[int, tuple[str, ...]]:
        """Ids of gone entries by their last content and by each version they have shown."""
        found: dict[int, tuple[str, ...]] = {}
        for key, row in self.gone.items():
            if row.normaliser == NORMALISER:
                for version in {row.exact, *row.versions}:
                    found[version] = (*found.get(version, ()), key)
        return found

    @cached_property
    def gone_by_minute(self) -> Mapping[int, tuple[str, ...]]:
        """Ids of gone entries whose text is kept, by their minute of the day; "2 hours ago" tells none."""
        found: dict[int, tuple[str, ...]] = {}
        for key, row in self.gone.items():
            if row.text is not None and row.published and row.published.precision <= _MINUTE:
                at = span(row.published)
                minute = minute_of(at) if at else 0
                found[minute] = (*found.get(minute, ()), key)
        return found

    @cached_property
    def gone_by_key(self) -> Mapping[str, str]:
        """Ids of gone entries by the publisher's id."""
        return {row.key: key for key, row in self.gone.items() if row.key}

    @cached_property
    def by_key(self) -> Mapping[str, str]:
        """Ids of live entries by the publisher's id."""
        return {record.key: key for key, record in self.live.items() if record.key}


def encode(value: LiveRow | GoneRow | Memory) -> bytes:
    """Return the stored form; lone surrogates, which UTF-8 cannot hold, are replaced."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(_clean(msgspec.to_builtins(value)))


def on_page(row: bytes) -> bool:
    """Say whether a stored row is of an entry that its page still shows. Raises ValueError for bytes that are not ours."""
    return isinstance(_ROW.decode(row), LiveRow)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


_ENCODER = msgspec.json.Encoder()
_ROW = msgspec.json.Decoder(LiveRow | GoneRow)
_MEMORY = msgspec.json.Decoder(Memory)
