"""The store: the one place where something has happened once it is there.

Rule: a thin face over functions of a connection; it only decides who runs them, the writer or a reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from monitor.errors import StoreUnavailable
from monitor.model import Delta, Entry, Outgoing, SourceRef
from monitor.store import claims, epochs, history, opening, outbox, polls, retention
from monitor.store.backup import backup_file
from monitor.store.engine import READERS, Engines
from monitor.store.forgetting import OnPage
from monitor.store.outbox import Position, Stream
from monitor.store.translate import translate
from monitor.store.values import (
    Backlog,
    Claim,
    Committed,
    Counts,
    PollCommit,
    PollNote,
    PollState,
    Pruned,
    Retention,
    SourceState,
    StoredRevision,
    Superseded,
)
from monitor.store.writer import Writer

T = TypeVar("T")


class AlertWriter(Protocol):
    """Stores the alerts of a poll inside the poll's own transaction."""

    def __call__(self, connection: Connection, alerts: Sequence[object], /, *, seen_at: datetime) -> None: ...


Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Sources, revisions, outbox and whatever other modules keep in the same database.

    Made by `Store.open`. Every method raises StoreUnavailable when the database takes nothing (locked, full, read-only,
    unreachable: the next call may succeed, nothing was half-written) and StateUnusable when it is damaged. Where the
    connection to a server broke at the very commit, all of it may have been written: the compare-and-set finds out.
    """

    def __init__(
        self, engines: Engines, writer: Writer | None, *, alert_writer: AlertWriter | None, clock: Clock
    ) -> None:
        self._engines = engines
        self._writer = writer
        self._alert_writer = alert_writer
        self._clock = clock
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._closed = False

    @classmethod
    async def open(
        cls,
        url_or_path: str,
        *,
        alert_writer: AlertWriter | None = None,
        on_outbox: Callable[[], None] | None = None,
        clock: Clock = _utc_now,
        busy_timeout: float = 5.0,
        waiting: int = 512,
        group: int = 128,
        check: bool = True,
        read_only: bool = False,
    ) -> Store:
        """Open or create the database, bring its schema up to date and return the store.

        `on_outbox` is called on the event loop after each transaction that added messages. `busy_timeout`: seconds to
        wait for another process's lock. `waiting`: commits that may wait before callers are held back. `group`: the
        most commits of one transaction. `check`: look for damage first. `read_only`: for looking on while a daemon
        works; nothing is made, upgraded or locked, and every method that writes raises RuntimeError.
        Raises StateUnusable, NotPermitted or StoreUnavailable with what to do about it.
        """
        if read_only:
            engines = await asyncio.to_thread(opening.open_to_read, url_or_path, busy_timeout=busy_timeout)
            return cls(engines, None, alert_writer=None, clock=clock)
        engines = await asyncio.to_thread(opening.open_engines, url_or_path, busy_timeout=busy_timeout, check=check)
        writer = Writer(engines, limit=waiting, group=group, on_outbox=on_outbox or _nobody)
        return cls(engines, writer, alert_writer=alert_writer, clock=clock)

    async def close(self) -> None:
        """Finish what was submitted, then let go of the database."""
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._engines.dispose)

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def name(self) -> str:
        """The file, or the URL without its password."""
        return self._engines.place.name

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return what `work(connection)` returns, committed; it shares a transaction, under its own SAVEPOINT."""
        if self._writer is None:
            raise RuntimeError(f"{self.name}: opened for reading only")
        return await self._writer.submit(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work(connection)` reads from one consistent state."""
        if self._closed:
            raise StoreUnavailable("the store is closed", resource=self.name)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    # Polls

    async def ensure_sources(self, refs: Sequence[SourceRef], now: datetime) -> None:
        """Make sure that each source has a row; titles and URLs follow the settings, state stays."""
        await self.run(partial(polls.ensure_sources, refs=refs, now=now))

    async def load(self, source_id: str) -> SourceState:
        """Return what a poll of the source starts from. Raises KeyError for a source never ensured."""
        return await self.read(partial(polls.load, source_id=source_id))

    async def poll_states(self) -> Mapping[str, PollState]:
        """Return the poll state of every source the store knows, those no longer in the settings included."""
        return await self.read(polls.poll_states)

    async def commit(self, found: PollCommit) -> Committed | Superseded:
        """Store a poll's state, revisions, deltas and alerts, all or nothing.

        Superseded, and nothing written, when the source's version is no longer the expected one. Raises ValueError for
        deltas that do not follow the stored head.
        """
        return await self.run(partial(self._commit, found=found))

    async def note_polls(self, notes: Sequence[PollNote]) -> None:
        """Store the states of polls that found nothing, in one go; a note older than what is stored is dropped."""
        await self.run(partial(polls.note_polls, notes=notes))

    async def claim_due(
        self, now: datetime, *, limit: int, lease: timedelta, among: Collection[str] | None = None
    ) -> tuple[Claim, ...]:
        """Take up to `limit` due sources that nobody holds, earliest first, for the length of the lease.

        A commit or note of the source ends the lease early. `among` restricts to these sources.
        """
        return await self.run(partial(claims.claim_due, now=now, limit=limit, lease=lease, among=among))

    # Outbox

    async def pending(self, limit: int, skip: Collection[Stream] = ()) -> Sequence[Outgoing]:
        """Return the oldest unpublished messages, in sequence order within each stream; `skip` leaves streams out."""
        return await self.read(partial(outbox.pending, limit=limit, skip=skip))

    async def waiting(self, topic: str, source_id: str, limit: int) -> Sequence[Outgoing]:
        """Return the oldest unpublished messages of one stream."""
        return await self.read(partial(outbox.waiting, topic=topic, source_id=source_id, limit=limit))

    async def messages_at(self, places: Collection[tuple[Stream, Position]]) -> Sequence[Outgoing]:
        """Return the messages at these `(epoch, sequence)` of these streams; those no longer kept are left out."""
        return await self.read(partial(outbox.messages_at, places=places))

    async def mark_published(self, rows: Sequence[Outgoing]) -> None:
        """Remember that the streams hold these messages."""
        await self.run(partial(outbox.mark_published, rows=rows))

    async def heads(self) -> Mapping[Stream, Position]:
        """Return the newest `(epoch, sequence)` given out in each stream, published or not."""
        return await self.read(outbox.heads)

    async def rewind(self, topic: str, source_id: str, epoch: int, after_sequence: int) -> int:
        """Mark all messages after a position as unpublished again; return how many."""
        return await self.run(
            partial(outbox.rewind, topic=topic, source_id=source_id, epoch=epoch, after_sequence=after_sequence)
        )

    async def backlog(self) -> Backlog:
        """Return how many messages wait and since when the oldest does."""
        return await self.read(outbox.backlog)

    async def raise_epoch(self, reason: str, *, above: int | None = None) -> int:
        """Begin a new epoch in every stream, because streams are ahead of this store; return the epoch in force.

        `above`: the epoch a stream was found in; nothing happens when ours is higher already. Polls under way become
        Superseded; sequences begin again at 1.
        """
        return await self.run(partial(epochs.raise_epoch, reason=reason, now=self._clock(), above=above))

    async def begin_after(self, ends: Mapping[Stream, Position], reason: str) -> tuple[int, int]:
        """Go on after what these streams, ending here, hold that this store did not write.

        Raises the epoch above them where it is not, and gives messages that wait under ids a stream is beyond new places
        in it. Returns the epoch in force and how many messages that were. Polls under way become Superseded.
        """
        return await self.run(partial(epochs.begin_after, ends=ends, reason=reason, now=self._clock()))

    # History

    async def revisions(
        self, source_id: str, entry_id: str | None = None, since: datetime | None = None, limit: int | None = None
    ) -> tuple[StoredRevision, ...]:
        """Return the recorded changes of a source, or of one entry, in the order they were recorded."""
        return await self.read(
            partial(history.stored_revisions, source_id=source_id, entry_id=entry_id, since=since, limit=limit)
        )

    async def page_at(self, source_id: str, when: datetime) -> tuple[Entry, ...]:
        """Return the entries the page showed at a time, in page order, in the words it had then."""
        return await self.read(partial(history.page_at, source_id=source_id, when=when))

    async def deltas_since(
        self, source_id: str, since: Position | datetime | None, limit: int | None = None
    ) -> tuple[Delta, ...]:
        """Return announced changes after a position `(epoch, sequence)`, or seen at or after a time, in stream order."""
        return await self.read(partial(history.deltas_since, source_id=source_id, since=since, limit=limit))

    async def messages_since(
        self, topic: str, source_id: str, after: Position | None, limit: int | None = None
    ) -> tuple[Outgoing, ...]:
        """Return the very bytes published after a position, as far back as retention keeps them."""
        return await self.read(
            partial(history.messages_since, topic=topic, source_id=source_id, after=after, limit=limit)
        )

    async def counts(self, source_id: str, since: datetime | None = None) -> Counts:
        """Return how much is stored of a source; with `since`, only changes from then on are counted."""
        found = await self.read(partial(history.counts, since=since, source_id=source_id))
        return found.get(source_id, Counts())

    async def counts_of_all(self, since: datetime | None = None) -> Mapping[str, Counts]:
        """Return `counts` of every source that has any, in two queries instead of two a source."""
        return await self.read(partial(history.counts, since=since))

    # Upkeep

    async def prune(self, keep: Retention, *, on_page: OnPage | None = None) -> Pruned:
        """Delete what retention allows, in small transactions so that polls are not held up.

        `on_page` says of a row of what is known whether its page still shows the entry; without it no entry is forgotten.
        """
        return await retention.prune(self.read, self.run, keep, now=self._clock(), on_page=on_page)

    async def backup(self, path: Path) -> None:
        """Write a consistent copy to a new file while everything goes on. Raises StateUnusable where that cannot be."""
        await asyncio.to_thread(backup_file, self._engines, path)

    def _commit(self, connection: Connection, found: PollCommit) -> Committed | Superseded:
        outcome = polls.commit(connection, found)
        if found.alerts and isinstance(outcome, Committed):
            if self._alert_writer is None:
                raise ValueError("alerts to store, but the store was opened without an alert writer")
            assert found.seen_at is not None
            self._alert_writer(connection, found.alerts, seen_at=found.seen_at)
        return outcome

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engines.reader.connect() as connection, connection.begin():
                return work(connection)
        except Exception as error:
            translated = translate(error, self.name)
            if translated is None or translated is error:
                raise
            raise translated from error


def _nobody() -> None:
    """Called when nobody asked to be told."""
