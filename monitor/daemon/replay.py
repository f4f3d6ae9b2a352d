"""What a series of saved pages would have announced: each file is one poll of one source, in name order."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.daemon.judging import Watch, find_changes, judge_deltas
from monitor.errors import UnusableInput
from monitor.model import Alert, ChangeType, Delta, Document, Reading, ReadOptions, SourceRef, Verdict, VerdictKind

if TYPE_CHECKING:
    from monitor.alerts import RuleOptions
    from monitor.reconcile import Known
    from monitor.rules import Ruleset


@dataclass(frozen=True, slots=True)
class ReplayedPoll:
    """One poll of a replay."""

    number: int  # from 0
    file: str
    seen_at: datetime
    verdict: Verdict
    baseline: tuple[Delta, ...]  # entries of the first poll; their sequence is 0, they are not announced
    deltas: tuple[Delta, ...]
    alerts: tuple[Alert, ...]

    def events(self) -> list[dict[str, Any]]:
        """Return the poll, its baseline, deltas and alerts as event objects, each with the poll's number."""
        from monitor.wire import alert_event, delta_event, verdict_event

        source = self.source_id
        poll = verdict_event(source, self.verdict, poll=self.number, file=self.file, seen_at=self.seen_at)
        told = [
            *({**delta_event(delta), "id": f"{source}/baseline-{n}"} for n, delta in enumerate(self.baseline)),
            *(delta_event(delta) for delta in self.deltas),
            *(alert_event(alert, "corrected" if alert.corrects else "fired") for alert in self.alerts),
        ]
        return [poll, *({**event, "poll": self.number} for event in told)]

    @property
    def source_id(self) -> str:
        return next((delta.source.id for delta in (*self.baseline, *self.deltas)), "replay")


@dataclass(frozen=True, slots=True)
class ReplayRules:
    """The rules of a replay and what is to be done when they fire."""

    ruleset: Ruleset
    options: Mapping[str, RuleOptions]


def replay(
    paths: Sequence[str | Path],
    *,
    kind: str = "auto",
    url: str | None = None,
    timezone: str = "UTC",
    select: dict[str, str] | None = None,
) -> list[ReplayedPoll]:
    """Return what polling `paths` one after another would have announced, each at its file's modification time.

    A directory stands for its files. Raises UnusableInput when a path cannot be read. Not for use inside a running event
    loop.
    """
    options = ReadOptions(kind=kind, timezone=timezone, select=select or {})  # type: ignore[arg-type]
    watch = Watch(ref=SourceRef(id="replay", url=url))

    async def collect() -> list[ReplayedPoll]:
        return [poll async for poll in replay_files(files_of(paths), options, watch)]

    return asyncio.run(collect())


def files_of(paths: Iterable[str | Path]) -> list[Path]:
    """Return the files meant by `paths`, a directory standing for its files, in name order.

    Raises UnusableInput when a path does not exist or no file is left.
    """
    found: set[Path] = set()
    for path in map(Path, paths):
        if path.is_dir():
            found.update(child for child in path.iterdir() if child.is_file() and not child.name.startswith("."))
        elif path.is_file():
            found.add(path)
        else:
            raise UnusableInput("no such file or directory", resource=str(path))
    if not found:
        raise UnusableInput("no files to replay", resource=", ".join(map(str, paths)))
    return sorted(found)


async def replay_files(
    files: Sequence[Path],
    options: ReadOptions,
    watch: Watch,
    *,
    rules: ReplayRules | None = None,
    reference: datetime | None = None,
) -> AsyncIterator[ReplayedPoll]:
    """Yield each file as one poll, at `reference` if given, else at its modification time."""
    from monitor.fetch import ParseWorker

    ids = (f"e{number:05d}" for number in itertools.count(1))
    known: Known | None = None
    head = 0
    fired: dict[tuple[str, str], Alert] = {}
    async with ParseWorker() as worker:
        for number, path in enumerate(files):
            document = _document(path, url=watch.ref.url, reference=reference)
            reading = await worker.read(watch.ref.id, document, options)
            poll, known = _poll(number, path, document, reading, watch, known, head, rules, fired, ids.__next__)
            head += len(poll.deltas)
            yield poll


def _poll(
    number: int,
    path: Path,
    document: Document,
    reading: Reading,
    watch: Watch,
    known: Known | None,
    head: int,
    rules: ReplayRules | None,
    fired: dict[tuple[str, str], Alert],
    new_id: Callable[[], str],
) -> tuple[ReplayedPoll, Known | None]:
    snapshot = reading.snapshot
    if snapshot is None or reading.verdict.kind is not VerdictKind.OK:
        return ReplayedPoll(number, path.name, document.seen_at, reading.verdict, (), (), ()), known
    found = find_changes(watch, known, snapshot, epoch=1, head=head, new_id=new_id)
    baseline = tuple(
        Delta(source=watch.ref, epoch=1, sequence=0, seen_at=document.seen_at, change=change)
        for change in found.reconciled.changes
        if change.type is ChangeType.BASELINE
    )
    alerts = _alerts(watch, found.deltas, rules, fired, document.seen_at)
    verdict = found.reconciled.verdict
    poll = ReplayedPoll(number, path.name, document.seen_at, verdict, baseline, found.deltas, alerts)
    return poll, found.reconciled.known


def _alerts(
    watch: Watch, deltas: Sequence[Delta], rules: ReplayRules | None, fired: dict[tuple[str, str], Alert], now: datetime
) -> tuple[Alert, ...]:
    if rules is None:
        return ()
    from monitor.alerts import raise_alerts

    raised: list[Alert] = []
    for judged in judge_deltas(watch, deltas, rules.ruleset):
        alerts = raise_alerts(judged.delta, judged.judgements, rules.options, now=now, delivered=fired)
        for alert in alerts:
            fired[alert.rule, alert.delta.change.entry_id] = alert
        raised.extend(alerts)
    return tuple(raised)


def _document(path: Path, *, url: str | None, reference: datetime | None) -> Document:
    try:
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        body = path.read_bytes()
    except OSError as error:
        raise UnusableInput(error.strerror or str(error), resource=str(path)) from error
    return Document(body=body, seen_at=reference or modified, url=url)
