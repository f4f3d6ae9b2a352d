"""`monitor restore`: a backup in the place of the store."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.output import complain


@click.command(epilog="Example:\n\n  monitor restore /backups/monitor-2026-11-22.db")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-c", "--config", type=click.Path(path_type=Path), default=None, help="The settings file.")
def command(file: Path, config: Path | None) -> None:
    """Put the backup FILE in the place of the store. No daemon may run.

    The epoch rises, so that subscribers and streams tell the deltas after the restore from those before it.
    """
    from monitor.cli.context import open_context
    from monitor.cli.reading import now
    from monitor.daemon.state_directory import locked, prepare
    from monitor.store import restore_file

    context = open_context(config)
    with locked(prepare(context.settings.state_dir)):
        epoch = restore_file(context.store_url(), file, now=now())
    complain(f"{context.store_url()}: restored from {file}; the epoch is {epoch} now")
