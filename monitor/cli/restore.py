"""`monitor restore`: a backup in the place of the store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option
from monitor.cli.output import complain

if TYPE_CHECKING:
    from monitor.cli.context import CommandContext


@click.command(
    epilog="Examples:\n\n\b\n  monitor restore /backups/monitor-2026-11-22.db\n"
    "  pg_restore --clean -d monitor monitor.dump && monitor restore --new-epoch"
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--new-epoch", is_flag=True, help="The database server was restored by other means: only begin an epoch.")
@config_option()
def command(file: Path | None, *, new_epoch: bool, config: Path | None) -> None:
    """Put the backup FILE in the place of the store. No daemon may run.

    The epoch rises, so that subscribers and streams tell the deltas after the restore from those before it.
    """
    from monitor.cli.context import open_context
    from monitor.cli.reading import now
    from monitor.daemon.state_directory import locked, prepare
    from monitor.store import restore_file

    if (file is None) is not new_epoch:
        raise click.UsageError("give either a FILE or --new-epoch")
    context = open_context(config)
    with locked(prepare(context.settings.state_dir)):
        epoch = restore_file(context.store_url(), file, now=now()) if file else asyncio.run(_begin_epoch(context))
    what = f"{context.store_url()}: restored from {file}; " if file else ""
    complain(f"{what}the epoch is {epoch} now")


async def _begin_epoch(context: CommandContext) -> int:
    from monitor.store import Store

    async with await Store.open(context.store_url()) as store:
        return await store.raise_epoch("the database was restored by other means")
