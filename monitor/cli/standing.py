"""How everything stands, as `status` and `top` show it: the report, what runs, and how both are written.

Rule: only looks; it makes no store and holds no lock, so that it can be asked by anybody at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.cli.context import CommandContext
    from monitor.daemon.report import Report
    from monitor.settings import Settings
    from monitor.store import Store

OVERDUE_SECONDS = 30.0  # longer than a poll may take, and than the store may wait for another's lock
MARKS = {
    "ok": "\x1b[32m●\x1b[0m",
    "waiting": "○",
    "suspect": "\x1b[33m●\x1b[0m",
    "failing": "\x1b[31m●\x1b[0m",
    "paused": "–",
}


async def standing(store: Store | None, settings: Settings, now: datetime, *, counted: bool) -> Report:
    """Return how everything stands; without a store, every source waits for its first poll."""
    from monitor.daemon.report import Report, report, source_report
    from monitor.store import Backlog, Counts, PollState

    if store is not None:
        return await report(store, settings, now, counted=counted)
    waiting = [source_report(id_, PollState(), Counts(), now) for id_, one in settings.sources.items() if one.enabled]
    return Report(now, tuple(waiting), Backlog(0), 0)


def is_running(context: CommandContext) -> bool:
    """Return whether a daemon holds the state directory."""
    from monitor.daemon import state_directory

    return state_directory.is_running(context.settings.state_dir)


def daemon_data(context: CommandContext, found: Report, *, running: bool) -> dict[str, object]:
    """Return the daemon's own line of `--json`."""
    from monitor.daemon.state_directory import read_runtime
    from monitor.wire import rfc3339

    runtime = read_runtime(context.settings.state_dir) if running else None
    return {
        "troubles": list(troubles(context, found, running=running)),
        "daemon": "running" if running else "stopped",
        "pid": runtime.pid if runtime else None,
        "redis": runtime.bus_url if runtime else None,
        "health": runtime.health if runtime else None,
        "state_dir": str(context.settings.state_dir),
        "outbox": found.outbox.depth,
        "outbox_oldest_at": rfc3339(found.outbox.oldest_at) if found.outbox.oldest_at else None,
        "dead_letters": found.dead_letters,
        "disabled_receivers": dict(found.disabled),
    }


def daemon_words(context: CommandContext, found: Report, *, running: bool) -> str:
    """Return the daemon's own line in words."""
    daemon = daemon_data(context, found, running=running)
    who = f"daemon {daemon['pid']}" if running else "no daemon runs"
    wrong = "".join(f"; {trouble}" for trouble in troubles(context, found, running=running))
    dead = f"{found.dead_letters} dead letter{'' if found.dead_letters == 1 else 's'}"
    port = context.settings.redis.port
    where = f"; Redis at {daemon['redis']}" + (f" and redis://127.0.0.1:{port}" if port else "") if running else ""
    return printable(f"{who}{wrong}; outbox {found.outbox.depth} waiting; {dead}{where}")


def troubles(context: CommandContext, found: Report, *, running: bool) -> tuple[str, ...]:
    """Return what keeps the monitor from its work, in words: what the daemon says, and what can be seen without it."""
    from monitor.daemon.state_directory import disk_trouble, read_troubles

    directory = context.settings.state_dir
    if not directory.exists():
        return ()
    said = read_troubles(directory) if running else ()
    disk = disk_trouble(directory)
    # A daemon that stands still, or whose disk takes nothing, cannot say so: its polls are overdue.
    due = [source.poll.next_poll_at for source in found.sources if source.poll.next_poll_at]
    overdue = running and due and (found.at - max(due)).total_seconds() > OVERDUE_SECONDS
    silent = f"no poll was stored since {max(due).astimezone():%H:%M:%S}" if overdue else ""
    off = (
        f"receiver {name} is disabled: {why} (`monitor alerts retry --receiver {name}` enables it)"
        for name, why in found.disabled.items()
    )
    return (*said, *(words for words in (disk, silent) if words), *off)


def conditions_words(conditions: Iterable[str]) -> str:
    """Return how many sources are in which state: `12 sources: 11 ok, 1 failing`."""
    seen = list(conditions)
    told = ", ".join(f"{seen.count(name)} {name}" for name in MARKS if name in seen)
    return f"{len(seen)} source{'' if len(seen) == 1 else 's'}" + (f": {told}" if told else "")
