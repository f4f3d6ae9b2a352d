"""What a changed poll costs on disk: the store grouped and alone, beside the same rows through bare sqlite3.

    python benchmarks/store.py [--polls 4000] [--postgresql URL]

One poll is one source update, two reconciler rows, two revisions (entry and diff as JSON, 0.9 KB texts) and two outbox
messages: seven rows. The bare rows are encoded beforehand and written by executemany in one thread: what SQLite itself
can do. Read ratios, not figures; every line is of the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from monitor.model import Change, ChangeType, Delta, Entry, FieldChange, Revision, Significance, SourceRef, Stamp
from monitor.store import Committed, PollCommit, PollNote, PollState, Store
from monitor.store.codec import encode_detail, encode_entry, encode_poll
from monitor.wire import encode_delta

NOW = datetime.now(UTC)
TEXT = " ".join(f"word{n % 97}" for n in range(140))


def poll_of(ref: SourceRef, version: int) -> PollCommit:
    """A new entry and an edited one."""
    number = 2 * version
    entry = Entry(0, TEXT, f"Entry {number}", native_id=f"n{number}", url="https://example.org/1", published=Stamp(NOW))
    edited = replace(entry, position=1, text=TEXT.replace("word7", "word8"))
    diff = tuple((op, part) for part in TEXT.split("word7") for op in ("=", "-", "+"))[:30]
    changes = (
        Change(ChangeType.NEW, f"e{number}", entry, 1),
        Change(
            ChangeType.EDITED, f"e{max(number - 2, 0)}", edited, 2 + version, Revision(1 + version, "Entry", TEXT, NOW),
            (FieldChange("text", diff),), Significance.MINOR, ("wording",), 0.99,
        ),
    )  # fmt: skip
    deltas = tuple(Delta(ref, 1, number + place, NOW, change) for place, change in enumerate(changes, 1))
    rows = {change.entry_id: change.entry.text.encode() for change in changes}
    return PollCommit(ref, version, changes, deltas, rows, b"m" * 200, PollState(etag='"x"', last_poll_at=NOW), (), NOW)


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measured(work: Callable[[], Awaitable[list[float]]], polls: int) -> tuple[float, float, float, float]:
    """Polls a second, CPU µs a poll, median and p99 ms of a commit."""
    began, used = time.perf_counter(), cpu()
    waits = await work()
    wall, used = time.perf_counter() - began, cpu() - used
    waits.sort()
    return polls / wall, used / polls * 1e6, statistics.median(waits) * 1e3, waits[int(len(waits) * 0.99)] * 1e3


async def ours(address: str, polls: int, at_once: int) -> tuple[float, float, float, float]:
    refs = [SourceRef(f"s{n}", f"Source {n}", "https://example.org/") for n in range(at_once)]
    prepared = {ref.id: [poll_of(ref, version) for version in range(polls // at_once)] for ref in refs}
    async with await Store.open(address) as store:
        await store.ensure_sources(refs, NOW)

        async def source(ref: SourceRef) -> list[float]:
            waits = []
            for poll in prepared[ref.id]:
                began = time.perf_counter()
                assert isinstance(await store.commit(poll), Committed)
                waits.append(time.perf_counter() - began)
            return waits

        async def all_of_them() -> list[float]:
            return [wait for waits in await asyncio.gather(*map(source, refs)) for wait in waits]

        return await measured(all_of_them, polls // at_once * at_once)


async def bare(path: str, polls: int, group: int, *, encoding: bool = False) -> tuple[float, float, float, float]:
    """The same rows by hand, `group` polls a transaction; `encoding`: making JSON of the values is measured too."""
    async with await Store.open(path) as store:
        await store.ensure_sources([SourceRef("s")], NOW)
    statements = [
        "UPDATE sources SET version=version+1, memory=?, poll=?, polled_at=?, sequence=? WHERE id=? AND version=?",
        "INSERT INTO known VALUES (?,?,?) ON CONFLICT DO UPDATE SET row=excluded.row",
        "INSERT INTO revisions (source_id,entry_id,revision,type,seen_at,entry,detail,epoch,sequence) VALUES (?,?,?,?,?,?,?,?,?)",
        "INSERT INTO outbox (topic,source_id,epoch,sequence,payload,created_at) VALUES (?,?,?,?,?,?)",
    ]

    def rows_of(found: PollCommit, version: int) -> tuple[list[tuple[object, ...]], ...]:
        return (
            [(found.memory, encode_poll(found.poll), 1, found.deltas[-1].sequence, "s", version)],
            [("s", id_, row) for id_, row in found.rows.items()],
            [("s", c.entry_id, c.revision, c.type.value, 1, encode_entry(c.entry), encode_detail(c), 1, d.sequence)
             for c, d in zip(found.changes, found.deltas, strict=True)],
            [("deltas", "s", 1, d.sequence, encode_delta(d), 1) for d in found.deltas],
        )  # fmt: skip

    found = [poll_of(SourceRef("s"), version) for version in range(polls)]
    prepared = [] if encoding else [rows_of(poll, version) for version, poll in enumerate(found)]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")

    async def work() -> list[float]:
        waits = []
        for start in range(0, polls, group):
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            for version in range(start, min(start + group, polls)):
                rows = rows_of(found[version], version) if encoding else prepared[version]
                for statement, values in zip(statements, rows, strict=True):
                    connection.executemany(statement, values)
            connection.execute("COMMIT")
            waits.append(time.perf_counter() - began)
        return waits

    try:
        return await measured(work, polls)
    finally:
        connection.close()


async def notes(address: str, sources: int) -> float:
    """CPU µs a source of flushing the states of unchanged polls."""
    refs = [SourceRef(f"s{n}") for n in range(sources)]
    async with await Store.open(address) as store:
        await store.ensure_sources(refs, NOW)
        used = cpu()
        await store.note_polls([PollNote(ref.id, PollState(etag='"x"', last_poll_at=NOW)) for ref in refs])
        return (cpu() - used) / sources * 1e6


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--polls", type=int, default=4000)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database to measure as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory, "state")

        count = iter(range(99))

        def fresh() -> str:
            return str(place / f"{next(count)}.db")

        base = await bare(fresh(), options.polls, 20)
        lines = [
            ("bare sqlite3, 20 polls a transaction", base),
            ("the same, making the JSON included", await bare(fresh(), options.polls, 20, encoding=True)),
            ("bare sqlite3, each poll alone", await bare(fresh(), options.polls // 4, 1)),
            ("store, 200 sources at once", await ours(fresh(), options.polls, 200)),
            ("store, 20 sources at once", await ours(fresh(), options.polls, 20)),
            ("store, one source alone", await ours(fresh(), options.polls // 4, 1)),
        ]
        noted = await notes(fresh(), 5000)
    if options.postgresql:
        lines.append(("store, PostgreSQL, 20 at once", await ours(options.postgresql, options.polls, 20)))
    print(f"{'':38}{'polls/s':>9}{'CPU µs':>9}{'ratio':>7}{'p50 ms':>9}{'p99 ms':>9}")
    for name, (rate, used, middle, tail) in lines:
        print(f"{name:38}{rate:9.0f}{used:9.0f}{used / base[1]:7.2f}{middle:9.2f}{tail:9.2f}")
    print(f"an unchanged poll's state, flushed with 4,999 others: {noted:.0f} µs")


if __name__ == "__main__":
    asyncio.run(main())
