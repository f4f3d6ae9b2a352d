"""A daemon's writing side, run as its own process: commits until it is killed and says on stdout what was acknowledged.

    python writer_child.py DATABASE [SOURCES] [POLLS]

Prints `version source` after each acknowledged commit, or `refused …` with the error and tries again.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from monitor.errors import ServiceUnavailable
from monitor.model import Change, ChangeType, Delta, Entry, SourceRef
from monitor.store import Committed, PollCommit, PollState, Store, outbox

NOW = datetime(2016, 12, 15, tzinfo=UTC)


def write_alerts(connection, alerts, /, *, seen_at):
    outbox.append(connection, "alerts", [str(alert).encode() for alert in alerts], now=seen_at)


async def poll_for_ever(store: Store, source_id: str, polls: int) -> None:
    ref = SourceRef(source_id)
    while True:
        try:
            state = await store.load(source_id)
            if state.version >= polls:
                return
            changes = tuple(
                Change(ChangeType.NEW, f"e{state.version}-{n}", Entry(n, f"text {n} " * 40), 1) for n in range(2)
            )
            deltas = tuple(Delta(ref, 1, state.sequence + n, NOW, change) for n, change in enumerate(changes, 1))
            rows = {change.entry_id: b"row" for change in changes}
            poll = PollCommit(ref, state.version, changes, deltas, rows, b"m", PollState(), (source_id,), NOW)
            outcome = await store.commit(poll)
            assert isinstance(outcome, Committed)
            print(outcome.version, source_id, flush=True)
        except ServiceUnavailable as error:
            print("refused", source_id, error, flush=True)
            await asyncio.sleep(0.02)


async def main(database: str, sources: int = 3, polls: int = 1_000_000) -> None:
    names = [f"s{n}" for n in range(sources)]
    async with await Store.open(database, alert_writer=write_alerts, busy_timeout=1.0) as store:
        await store.ensure_sources([SourceRef(name) for name in names], NOW)
        print("ready", flush=True)
        await asyncio.gather(*(poll_for_ever(store, name, polls) for name in names))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
