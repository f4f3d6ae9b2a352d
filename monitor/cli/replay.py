"""`monitor replay`: what a series of saved pages would have announced."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, json_option
from monitor.cli.reading import instant, read_options, reading_options
from monitor.model import ReadOptions

if TYPE_CHECKING:
    from monitor.daemon.judging import Watch
    from monitor.daemon.replaying import ReplayRules
    from monitor.reconcile.policy import IdPolicy


@click.command(
    epilog="Examples:\n\n\b\n  monitor replay saved/\n  monitor replay page-*.html --url https://example.org/live --json\n"
    "  monitor replay --source aleppo --since 2h"
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@reading_options
@click.option(
    "--ids",
    type=click.Choice(["auto", "ignore", "trust"]),
    default="auto",
    show_default=True,
    help="The publisher's ids: learn whether they hold, match by text, or take each for an entry.",
)
@config_option("Settings whose rules are judged.")
@click.option("--source", default=None, help="Replay the stored history of this source instead of files.")
@click.option("--since", default=None, metavar="TIME", help="With --source: a delta's id, an ISO time or an age as 2h.")
@json_option("One event a line, with the number of its poll.")
def command(
    *,
    paths: tuple[Path, ...],
    kind: str,
    url: str | None,
    timezone: str,
    language: str | None,
    reference: str | None,
    select: tuple[str, ...],
    ids: IdPolicy,
    config: Path | None,
    source: str | None,
    since: str | None,
    as_json: bool,
) -> None:
    """Treat each of PATHS, in name order, as one poll of one source at the file's modification time.

    A directory stands for its files. Prints each poll's verdict, the baseline, deltas and alerts.
    """
    if source is not None:
        if ids != "auto":
            raise click.UsageError("--ids is for files: what is stored was told by the policy the source had")
        from monitor.cli.stored_history import replay_stored

        asyncio.run(replay_stored(source, since, config=config, as_json=as_json))
        return
    from monitor.daemon.replaying import files_of

    if not paths:
        raise click.UsageError("give files or directories to replay, or --source")
    options = read_options(kind, timezone, language, select)
    watch = _watch(url, language, ids, config)
    asyncio.run(_replay(watch, files_of(paths), options, instant(reference, timezone), as_json=as_json))


def _watch(
    url: str | None, language: str | None, ids: IdPolicy, config: Path | None
) -> tuple[Watch, ReplayRules | None]:
    from monitor.daemon.judging import Watch
    from monitor.model import SourceRef
    from monitor.reconcile import ReconcilePolicy

    rules = None
    if config is not None:
        from monitor.cli.context import rules_of

        rules = rules_of(config)
    names = frozenset(rules.options) if rules else frozenset()
    ref = SourceRef(id="replay", url=url)
    return Watch(ref, language or "en", ReconcilePolicy(ids=ids), rules=names), rules


async def _replay(
    watched: tuple[Watch, ReplayRules | None],
    files: Sequence[Path],
    options: ReadOptions,
    reference: datetime | None,
    *,
    as_json: bool,
) -> None:
    from monitor.cli.deltas import print_events
    from monitor.daemon.replaying import replay_files

    watch, rules = watched
    async for poll in replay_files(files, options, watch, rules=rules, reference=reference):
        print_events(poll.events(), as_json=as_json)
