"""One poll of one source: fetch, read, reconcile, judge, commit.

    fetch ─▶ read ─▶ find_changes ─▶ judge_deltas ─▶ raise_alerts ─▶ commit ─▶ wake relay and deliverer

Rule: carries values between rooms that decide and rooms that do; decides nothing itself but the order. Repeating a poll is
harmless: the commit compares the source's version and a poll that comes second is dropped whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal

import structlog

from monitor.alerts import PollAlerts, RuleOptions, consider_poll
from monitor.daemon.judging import Found, Watch, baseline_deltas, find_changes, is_believable, judge_deltas
from monitor.daemon.paging import read_on
from monitor.daemon.polled import GOOD, MOVE_BELIEVED, Outcome, Timing, after_poll, asked_at, comes_late, is_deferred
from monitor.errors import MonitorError
from monitor.fetch import Fetcher, FetchFailed, FetchRequest, Fresh, NotModified, ParseWorker, elsewhere
from monitor.model import (
    Alert,
    ChangeType,
    Delta,
    Document,
    Reading,
    ReadOptions,
    Snapshot,
    Verdict,
    VerdictKind,
)
from monitor.reconcile import Known
from monitor.rules import Ruleset
from monitor.store import PollCommit, PollNote, PollState, Store, Superseded
from monitor.store.deliveries import fired_alerts

log = structlog.get_logger(__name__)

# When the store took nothing the source is not to blame, and is looked at again as soon as its own pace allows.
AFTER_TROUBLE_SECONDS = 5.0
# Kinds that read by themselves; the others need selectors, which `auto` found anew in each document.
STICKY_KINDS: Mapping[str, Literal["feed", "liveblog", "text"]] = {
    "feed": "feed",
    "liveblog": "liveblog",
    "text": "text",
}
UNCHANGED = Verdict(VerdictKind.UNCHANGED, "nothing changed", "unchanged")


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Everything a poll needs to know of its source, from the settings."""

    watch: Watch
    request: FetchRequest
    options: ReadOptions
    timing: Timing
    deadline: float  # seconds for one poll, everything included


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The compiled rules and what to do when they fire; swapped whole on reload."""

    ruleset: Ruleset
    options: Mapping[str, RuleOptions]


@dataclass(frozen=True, slots=True)
class PollResult:
    """What came of one poll."""

    source_id: str
    verdict: Verdict
    deltas: tuple[Delta, ...] = ()
    alerts: tuple[Alert, ...] = ()
    baseline: int = 0  # entries recorded silently by a first poll
    remarks: tuple[str, ...] = ()
    flood: str | None = None  # why alerts of new entries were kept back: the page changed its ids, not the news
    delay: float = AFTER_TROUBLE_SECONDS  # until the source is to be polled again
    deferred: bool = False  # its host was to be left alone: nothing was asked


@dataclass(slots=True)
class _Remembered:
    """A source's state as of its last commit, kept in memory so that an unchanged poll reads nothing."""

    version: int
    epoch: int
    sequence: int
    known: Known | None
    poll: PollState
    good_at: float | None = None  # when it was last read, on the clock that nobody sets; None: not by this process


class Poller:
    """Polls sources. One instance serves all; it holds no lock because a source is never polled twice at once."""

    def __init__(
        self,
        *,
        store: Store,
        fetcher: Fetcher,
        worker: ParseWorker,
        rules: RulesInForce,
        now: Callable[[], datetime],
        boottime: Callable[[], float],
        new_id: Callable[[], str],
        note: Callable[[PollNote], None],
        on_commit: Callable[[PollResult], None],
        jitter: Callable[[], float],
    ) -> None:
        """`note` keeps states of unchanged polls for a later flush; `on_commit` wakes whoever drains the outboxes.

        `boottime` gives seconds that no setting of the clock moves; `jitter` gives a number in [0, 1) for each poll.
        """
        self._store = store
        self._fetcher = fetcher
        self._worker = worker
        self.rules = rules
        self._now = now
        self._boottime = boottime
        self._new_id = new_id
        self._note = note
        self._on_commit = on_commit
        self._jitter = jitter
        self._remembered: dict[str, _Remembered] = {}

    def forget(self, *source_ids: str) -> None:
        """Drop what is remembered of these sources; their next polls read the store."""
        for source_id in source_ids:
            self._remembered.pop(source_id, None)

    async def poll(self, plan: SourcePlan) -> PollResult:
        """Poll a source once. Every failure of the source, the network or the store is in the result's verdict."""
        source_id = plan.watch.ref.id
        try:
            async with asyncio.timeout(plan.deadline):
                return await self._poll(plan)
        except TimeoutError:
            verdict = Verdict(VerdictKind.FAILED, f"no result within {plan.deadline:g} s", "deadline")
            return self._failed(plan, verdict)
        except MonitorError as error:
            self.forget(source_id)
            log.warning("poll_failed", source=source_id, error=str(error))
            return _not_stored(plan, Verdict(VerdictKind.FAILED, str(error), type(error).__name__))

    async def _poll(self, plan: SourcePlan) -> PollResult:
        remembered = await self._recall(plan)
        remembered.poll = asked_at(remembered.poll, plan.request.url)
        answer = await self._fetcher.fetch(_conditional(plan.request, remembered))
        match answer:
            case NotModified():
                return self._settled(plan, remembered, Outcome(UNCHANGED, answer))
            case FetchFailed():
                return self._settled(plan, remembered, Outcome(answer.verdict, answer))
            case Fresh():
                return await self._fresh(plan, remembered, answer)

    async def _fresh(self, plan: SourcePlan, remembered: _Remembered, answer: Fresh) -> PollResult:
        reading = await self._read(plan, remembered, answer.document)
        if reading.snapshot is None or not is_believable(reading, remembered.known):
            return self._settled(plan, remembered, Outcome(reading.verdict, answer))

        async def older_page(url: str) -> Snapshot | None:
            older = await self._fetcher.fetch(elsewhere(plan.request, url))
            if not isinstance(older, Fresh):
                return None
            read = await self._read(plan, remembered, older.document)
            return read.snapshot if read.verdict.kind is VerdictKind.OK else None

        snapshot = await read_on(remembered.known, reading.snapshot, answer.document.url, older_page)
        found = find_changes(
            plan.watch,
            remembered.known,
            reading,
            snapshot,
            epoch=remembered.epoch,
            head=remembered.sequence,
            new_id=self._new_id,
        )
        outcome = Outcome(found.reconciled.verdict, answer, snapshot=snapshot, deltas=found.deltas)
        if not (found.reconciled.rows or found.reconciled.changes or found.reconciled.memory is not None):
            remembered.known = found.reconciled.known
            return self._settled(plan, remembered, outcome)
        return await self._commit(plan, remembered, found, outcome)

    async def _read(self, plan: SourcePlan, remembered: _Remembered, document: Document) -> Reading:
        """Read a document as the kind that `auto` chose before; choose anew when that no longer fits."""
        source_id, options = plan.watch.ref.id, plan.options
        kind = STICKY_KINDS.get(remembered.poll.kind or "")
        if options.kind == "auto" and kind is not None:
            reading = await self._worker.read(source_id, document, replace(options, kind=kind))
            if reading.verdict.kind is VerdictKind.OK:
                return reading
        return await self._worker.read(source_id, document, options)

    async def _commit(self, plan: SourcePlan, remembered: _Remembered, found: Found, outcome: Outcome) -> PollResult:
        source_id, now = plan.watch.ref.id, self._now()
        assert outcome.snapshot is not None
        raised = await self._alerts(plan, remembered, outcome.snapshot, found, now)
        state = after_poll(remembered.poll, outcome, plan.timing, now=now, jitter=self._jitter())
        done = await self._store.commit(
            PollCommit(
                source=plan.watch.ref,
                expected_version=remembered.version,
                changes=found.reconciled.changes,
                deltas=found.deltas,
                rows=found.reconciled.rows,
                memory=found.reconciled.memory,
                poll=state,
                alerts=raised.alerts,
                seen_at=outcome.snapshot.seen_at,
            )
        )
        if isinstance(done, Superseded):
            self.forget(source_id)
            log.info("poll_superseded", source=source_id)
            return _not_stored(plan, Verdict(VerdictKind.UNCHANGED, "another daemon was faster", "superseded"))
        self._remembered[source_id] = _Remembered(
            done.version, done.epoch, done.sequence, found.reconciled.known, state, self._boottime()
        )
        result = PollResult(
            source_id,
            found.reconciled.verdict,
            found.deltas,
            tuple(alert for alert in raised.alerts if alert.suppressed is None),
            baseline=len(found.reconciled.changes) if remembered.known is None else 0,
            remarks=found.reconciled.remarks,
            flood=raised.flood,
            delay=state.interval or plan.timing.floor,
        )
        self._on_commit(result)
        return result

    async def _alerts(
        self, plan: SourcePlan, remembered: _Remembered, snapshot: Snapshot, found: Found, now: datetime
    ) -> PollAlerts:
        baseline = baseline_deltas(found, epoch=remembered.epoch, seen_at=snapshot.seen_at)
        judged = judge_deltas(plan.watch, (*baseline, *found.deltas), self.rules.ruleset)
        if not judged:
            return PollAlerts(())
        silent_for = None if remembered.good_at is None else self._boottime() - remembered.good_at
        entry_ids = [one.delta.change.entry_id for one in judged if one.looks_back]
        earlier = await self._store.read(partial(fired_alerts, entry_ids=entry_ids)) if entry_ids else {}
        return consider_poll(
            [(one.delta, one.judgements) for one in judged],
            self.rules.options,
            now=now,
            earlier=earlier,
            new_entries=sum(1 for delta in found.deltas if delta.change.type is ChangeType.NEW),
            entries=len(snapshot.entries),
            catch_up=comes_late(remembered.poll, plan.timing, now=now, silent_for=silent_for),
        )

    def _settled(self, plan: SourcePlan, remembered: _Remembered, outcome: Outcome) -> PollResult:
        """End a poll that found nothing to store: its state is flushed in a batch, later."""
        state = after_poll(remembered.poll, outcome, plan.timing, now=self._now(), jitter=self._jitter())
        remembered.poll = state
        if outcome.verdict.kind in GOOD:
            remembered.good_at = self._boottime()
        self._remembered[plan.watch.ref.id] = remembered
        self._note(PollNote(plan.watch.ref.id, state))
        delay = state.interval or plan.timing.floor
        return PollResult(plan.watch.ref.id, outcome.verdict, delay=delay, deferred=is_deferred(outcome.verdict))

    def _failed(self, plan: SourcePlan, verdict: Verdict) -> PollResult:
        remembered = self._remembered.get(plan.watch.ref.id)
        if remembered is None:
            return _not_stored(plan, verdict)
        return self._settled(plan, remembered, Outcome(verdict, None))

    async def _recall(self, plan: SourcePlan) -> _Remembered:
        source_id = plan.watch.ref.id
        if source_id not in self._remembered:
            state = await self._store.load(source_id)
            known = Known.load(state.known, state.memory) if state.memory is not None else None
            self._remembered[source_id] = _Remembered(state.version, state.epoch, state.sequence, known, state.poll)
        return self._remembered[source_id]


def _conditional(request: FetchRequest, remembered: _Remembered) -> FetchRequest:
    """Ask only for what is newer, unless the page must be looked at again to confirm a removal or end a hold."""
    known, poll = remembered.known, remembered.poll
    if known is None or known.pending:
        return request
    if poll.moved_to and poll.moved_seen >= MOVE_BELIEVED:
        request = elsewhere(request, poll.moved_to)
    return replace(request, etag=poll.etag, last_modified=poll.last_modified, body_hash=poll.body_hash)


def _not_stored(plan: SourcePlan, verdict: Verdict) -> PollResult:
    return PollResult(plan.watch.ref.id, verdict, delay=max(AFTER_TROUBLE_SECONDS, plan.timing.floor))
