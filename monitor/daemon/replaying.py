"""What a series of saved pages would have announced: each file is one poll of one source, in name order."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.daemon.judging import Watch, baseline_deltas, find_changes, is_believable, judge_deltas
from monitor.errors import UnusableInput
from monitor.model import Alert, Delta, Document, Reading, ReadOptions, SourceRef, Verdict

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

    replayed = _Replay(watch, rules)
    async with ParseWorker() as worker:
        for path in files:
            document = _document(path, url=watch.ref.url, reference=reference)
            yield replayed.poll(path, document, await worker.read(watch.ref.id, document, options))


class _Replay:
    """What is known between the polls of a replay; the daemon keeps the same in its store."""

    def __init__(self, watch: Watch, rules: ReplayRules | None) -> None:
        self._watch, self._rules = watch, rules
        self._ids = (f"e{number:05d}" for number in itertools.count(1))
        self._polls = itertools.count()
        self._known: Known | None = None
        self._head = 0
        self._fired: dict[tuple[str, str], Alert] = {}

    def poll(self, path: Path, document: Document, reading: Reading) -> ReplayedPoll:
        number, seen_at, snapshot = next(self._polls), document.seen_at, reading.snapshot
        if snapshot is None or not is_believable(reading, self._known):
            return ReplayedPoll(number, path.name, seen_at, reading.verdict, (), (), ())
        found = find_changes(
            self._watch, self._known, reading, snapshot, epoch=1, head=self._head, new_id=self._ids.__next__
        )
        self._known = found.reconciled.known
        self._head += len(found.deltas)
        baseline = baseline_deltas(found, epoch=1, seen_at=seen_at)
        alerts = self._alerts((*baseline, *found.deltas), seen_at)
        return ReplayedPoll(number, path.name, seen_at, found.reconciled.verdict, baseline, found.deltas, alerts)

    def _alerts(self, deltas: Sequence[Delta], now: datetime) -> tuple[Alert, ...]:
        if self._rules is None:
            return ()
        from monitor.alerts import raise_alerts

        raised: list[Alert] = []
        for one in judge_deltas(self._watch, deltas, self._rules.ruleset):
            alerts = raise_alerts(one.delta, one.judgements, self._rules.options, now=now, delivered=self._fired)
            self._fired |= {(alert.rule, alert.delta.change.entry_id): alert for alert in alerts}
            raised.extend(alerts)
        return tuple(raised)


def _document(path: Path, *, url: str | None, reference: datetime | None) -> Document:
    try:
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        body = path.read_bytes()
    except OSError as error:
        raise UnusableInput(error.strerror or str(error), resource=str(path)) from error
    return Document(body=body, seen_at=reference or modified, url=url)
