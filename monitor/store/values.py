"""The values that go into the store and come out of it.

Rule: frozen, slotted, no SQL and no IO; every datetime is aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.model import Change, ChangeType, Delta, Entry, SourceRef


@dataclass(frozen=True, slots=True)
class PollState:
    """Where the polling of a source stands. Stored as one JSON object, so that a new field needs no migration."""

    etag: str | None = None  # as the server wrote it
    last_modified: str | None = None  # the header verbatim: nginx compares the text, not the time
    body_hash: str | None = None
    next_poll_at: datetime | None = None
    last_poll_at: datetime | None = None
    last_ok_at: datetime | None = None
    verdict_kind: str | None = None  # of the last poll
    reason: str = ""
    code: str = ""
    since: datetime | None = None  # when this verdict and code began
    failures: int = 0  # failed polls in a row
    kind: str | None = None  # what `kind: auto` turned out to be
    asked: str | None = None  # the settings' URL that validators, redirects and kind were learned from
    moved_to: str | None = None  # where permanent redirects point
    moved_seen: int = 0  # how many polls in a row pointed there
    entry_rate: float | None = None  # entries an hour, smoothed
    new_gap: float | None = None  # seconds between new entries, smoothed; the source's own habit
    new_seen: int = 0  # new entries that habit was learned from
    last_new_at: datetime | None = None
    served_age: int | None = None  # seconds a cache said it has held the page
    gap_at: datetime | None = None  # when entries may last have come and gone unseen
    ahead: float | None = None  # seconds the newest entry claims to be ahead of our clock
    interval: float | None = None  # seconds between polls as adapted
    late: float | None = None  # seconds from published to seen, smoothed over new entries


@dataclass(frozen=True, slots=True)
class SourceState:
    """Everything a poll of one source starts from."""

    source_id: str
    version: int  # rises with every commit; what `PollCommit.expected_version` is compared with
    epoch: int
    sequence: int  # of the last delta in this epoch; the next one is `sequence + 1`
    known: Mapping[str, bytes]  # the reconciler's rows, entry id → opaque bytes
    memory: bytes | None  # the reconciler's own memory of the source; None before the first commit
    poll: PollState
    title: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PollCommit:
    """What one poll found, to be stored whole or not at all."""

    source: SourceRef
    expected_version: int
    changes: tuple[Change, ...] = ()  # all of them, baseline and cosmetic included: the revisions
    deltas: tuple[Delta, ...] = ()  # the announced ones, sequence already dense from `SourceState.sequence + 1`
    rows: Mapping[str, bytes | None] = field(default_factory=dict)  # changed reconciler rows; None forgets one
    memory: bytes | None = None  # None: unchanged
    poll: PollState = field(default_factory=PollState)
    alerts: tuple[object, ...] = ()  # handed to the store's alert writer in the same transaction
    seen_at: datetime | None = None  # when the bytes were fetched; required


@dataclass(frozen=True, slots=True)
class PollNote:
    """The state after a poll that found nothing: flushed in batches, raises no version."""

    source_id: str
    poll: PollState


@dataclass(frozen=True, slots=True)
class Committed:
    """The poll is on disk."""

    version: int
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Superseded:
    """Someone newer committed first; nothing was written and the poll is to be dropped quietly."""

    source_id: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the outbox."""

    depth: int
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """One change as it was recorded. `sequence` is None for what was never announced (baseline, cosmetic)."""

    source_id: str
    seen_at: datetime
    change: Change
    epoch: int | None = None
    sequence: int | None = None
    bodiless: bool = False  # retention took the texts away; that the change happened is kept

    @property
    def type(self) -> ChangeType:
        return self.change.type

    @property
    def entry(self) -> Entry:
        return self.change.entry


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is stored of a source."""

    entries: int = 0  # on the page now, as far as we know
    revisions: int = 0
    new: int = 0
    edited: int = 0
    removed: int = 0
    restored: int = 0
    last_change_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """How many announced changes of one type a source had in one slot of time."""

    source_id: str
    type: ChangeType
    slot: int  # counted from the moment asked for
    count: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A due source, ours to poll until the lease ends."""

    source_id: str
    due_at: datetime | None
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept; None keeps them for ever."""

    revisions: timedelta | None = None  # the newest one of an entry stays while its page shows it
    revisions_per_entry: int | None = None
    bodies: timedelta | None = None  # texts of superseded revisions; the fact of the change outlives them
    outbox: timedelta | None = timedelta(hours=48)  # messages, once published: what an emptied Redis is refilled from


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one retention run removed."""

    revisions: int = 0
    bodies: int = 0
    outbox: int = 0
    entries: int = 0  # that had left their page, with all that was known of them
