"""The values that flow from a publisher's bytes to a reader's alert.

    Document ─▶ Reading(Verdict, Snapshot of Entry) ─▶ Change ─▶ Delta ─▶ Match ─▶ Alert

Rule: frozen, slotted, no IO, no clock; a value never changes hands half-filled. All datetimes are aware. Values made by the
hundred for one text are structs of msgspec: a frozen dataclass costs five times as much to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

SourceKind = Literal["feed", "liveblog", "page", "json", "text"]
PageOrder = Literal["newest_first", "oldest_first", "unordered"]


class VerdictKind(StrEnum):
    """What a poll may be used for."""

    OK = "ok"  # everything may be believed, absences included
    UNCHANGED = "unchanged"  # the publisher says, or the bytes say, that nothing changed
    SUSPECT = "suspect"  # believable additions only; no edit, no removal
    FAILED = "failed"  # nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a poll may be used for, and why, in words an operator reads."""

    kind: VerdictKind
    reason: str = ""
    code: str = ""  # stable snake_case name of the reason: challenge, truncated, empty, mass_disappearance …


@dataclass(frozen=True, slots=True)
class Stamp:
    """A publisher's claim about a time."""

    at: datetime  # the earliest instant the claim allows
    text: str | None = None  # as written on the page
    precision: int = 0  # seconds the claim leaves open after `at`: 0 exact, 60 for "3:47 pm", 3600 for "2 hours ago"
    relative: bool = False  # counted back from the fetch: "5 minutes ago"
    dated: bool = True  # False: the page gave a clock time only and the date was inferred


@dataclass(frozen=True, slots=True)
class Entry:
    """One post of a source, as one page showed it."""

    position: int  # from 0, in page order
    text: str  # plain text, paragraphs parted by one blank line; the title is not repeated in it
    title: str | None = None
    native_id: str | None = None  # the publisher's id, never invented by an adapter
    url: str | None = None
    published: Stamp | None = None
    updated_at: datetime | None = None
    author: str | None = None
    tags: tuple[str, ...] = ()
    pinned: bool = False  # shown out of order on purpose: pinned, sticky, key event, summary

    @property
    def published_at(self) -> datetime | None:
        return self.published.at if self.published else None

    @property
    def published_text(self) -> str | None:
        return self.published.text if self.published else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one poll of one source showed."""

    entries: tuple[Entry, ...]  # page order
    kind: SourceKind  # the adapter that read it
    seen_at: datetime  # when the bytes were fetched (ours)
    title: str | None = None
    order: PageOrder = "newest_first"
    whole: bool = False  # the adapter knows that this is the whole blog, not a window of its newest entries
    capped: bool = False  # there are more entries than a poll may bring: the older ones were left out
    deleted: tuple[str, ...] = ()  # native ids the publisher declares deleted (tombstones)
    modified_at: datetime | None = None  # the page's own time: lastBuildDate, dateModified …
    served_age: int | None = None  # seconds a cache says it held the page (HTTP Age)
    intro: tuple[str, ...] = ()  # paragraphs before the first entry
    background: tuple[str, ...] = ()  # paragraphs after the last entry
    ttl: int | None = None  # seconds the publisher asks us to wait (ttl, sy:updatePeriod)
    next_url: str | None = None  # a documented older page
    gap_possible: bool = False  # the window moved on so far that entries between two polls may have been missed
    remarks: tuple[str, ...] = ()  # what the adapter noticed and an operator may want to know


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes of one poll with what the transport knew of them."""

    body: bytes
    seen_at: datetime  # when they were fetched
    url: str | None = None  # after redirects; base of relative links
    content_type: str | None = None  # the header, parameters included
    complete: bool = True  # False: the transport ended early (truncated body, reset)
    status: int = 200
    modified_at: datetime | None = None  # Last-Modified
    served_age: int | None = None  # Age


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the bytes of a source are to be read."""

    kind: Literal["auto", "feed", "liveblog", "page", "json", "text"] = "auto"
    timezone: str = "UTC"  # IANA name; for stamps without a zone
    language: str | None = None  # BCP 47
    select: Mapping[str, str] = field(default_factory=dict)  # entry, title, text, time, id, url, author → expression
    max_entries: int = 2000
    max_entry_characters: int = 262_144
    max_title_characters: int = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """What an adapter made of a document: a verdict, and a snapshot unless it failed."""

    verdict: Verdict
    snapshot: Snapshot | None = None
    chosen: str | None = None  # for kind auto: which kind was chosen and why, in words


class ChangeType(StrEnum):
    NEW = "new"
    EDITED = "edited"
    REMOVED = "removed"
    RESTORED = "restored"
    BASELINE = "baseline"  # an entry of the first poll: recorded, announced only by replay


class Significance(StrEnum):
    """How much an edit changes, least first. `cosmetic` is recorded and not announced unless asked."""

    COSMETIC = "cosmetic"
    MINOR = "minor"
    SUBSTANTIVE = "substantive"
    CRITICAL = "critical"


DiffOp = tuple[Literal["=", "-", "+"], str]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an edited entry. Joining the `=` and `-` parts gives the old value, `=` and `+` the new one."""

    field: Literal["title", "text", "published_at", "updated_at", "author", "tags", "url"]
    diff: tuple[DiffOp, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """One state an entry was in before: 1, 2, 3 …"""

    number: int
    title: str | None
    text: str
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one entry, as reconciling found it."""

    type: ChangeType
    entry_id: str  # ours, stable for the entry's whole life
    entry: Entry  # as it stands now; for a removal as it was last seen
    revision: int
    previous: Revision | None = None
    changes: tuple[FieldChange, ...] = ()
    significance: Significance | None = None
    tags: tuple[str, ...] = ()  # of an edit: typo, number, negation … (docs/channels.md)
    confidence: float = 1.0  # of the identity, 0 to 1
    note: str | None = None  # "merged into …", "a gap is possible before this entry"


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Which live blog a delta is about."""

    id: str
    title: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """One announced change. `(epoch, sequence)` is dense per source and is the id of the stream entry."""

    source: SourceRef
    epoch: int
    sequence: int
    seen_at: datetime
    change: Change

    @property
    def id(self) -> str:
        return f"{self.source.id}/{self.epoch}-{self.sequence}"

    @property
    def late_by(self) -> float | None:
        """Seconds from the publisher's claimed time to ours, or None where the publisher claims none."""
        claimed = self.change.entry.published_at
        return None if claimed is None else max(0.0, (self.seen_at - claimed).total_seconds())


class Match(msgspec.Struct, frozen=True):
    """Where a rule found one of its terms. Offsets count characters of the field's original text."""

    field: str  # title, text, author, tag, url, source
    start: int
    end: int
    text: str
    term: str  # the part of the rule that matched, as the rule's author wrote it


class Judgement(msgspec.Struct, frozen=True):
    """What one rule says of one change of an entry, judged on its text before and after and on nothing else."""

    rule: str
    transition: Literal["fired", "retracted", "holds"]  # false → true, true → false, true → true
    matches: tuple[Match, ...]  # in the text after; of a retraction, in the text before
    occurrences_before: int = 0
    occurrences_after: int = 0


class AlertKind(StrEnum):
    NEW = "new"  # a new or restored entry holds it
    EDITED = "edited"  # an edit brought it in
    RETRACTED = "retracted"  # an edit took it away after an alert
    REMOVED = "removed"  # the entry was removed after an alert


Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule said about one delta. `id` is the same whenever the same delta is judged again."""

    id: str
    rule: str
    severity: Severity
    kind: AlertKind
    delta: Delta
    matches: tuple[Match, ...] = ()
    note: str | None = None
    raised_at: datetime | None = None  # ours
    corrects: str | None = None  # for retracted and removed: id of the alert this one follows up
    notify: tuple[str, ...] = ()  # names of the receivers it is meant for; never leaves the program
    muted: tuple[tuple[str, str], ...] = ()  # receivers that are not told all the same, each with the reason
    suppressed: str | None = None  # why it is recorded and told to nobody; None: it is told
    catch_up: bool = False  # raised after a time without polls: told together with others, marked late

    @property
    def occurrences(self) -> int:
        return len(self.matches)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message waiting for its stream: bytes already final, `(epoch, sequence)` dense within its topic and source."""

    topic: Literal["deltas", "alerts"]
    source_id: str  # "" for the one stream of alerts
    epoch: int
    sequence: int
    payload: bytes
