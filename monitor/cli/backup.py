"""`monitor backup`: a consistent copy of the store while everything goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from monitor.cli.options import config_option
from monitor.cli.output import complain


@click.command(epilog="Example:\n\n  monitor backup /backups/monitor-$(date +%F).db")
@click.argument("file", type=click.Path(path_type=Path))
@config_option()
def command(file: Path, config: Path | None) -> None:
    """Write a copy of the store to FILE, which must not exist. The daemon may run."""
    from monitor.cli.context import open_context

    asyncio.run(_backup(open_context(config).store_url(), file))
    complain(f"{file}: a whole copy of the store")


async def _backup(store_url: str, file: Path) -> None:
    from monitor.store import Store

    async with await Store.open(store_url, read_only=True) as store:
        await store.backup(file)
