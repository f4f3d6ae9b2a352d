"""`monitor reload`: the running daemon reads its settings again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import click

from monitor.cli.options import config_option
from monitor.cli.output import complain, write_line
from monitor.errors import ServiceUnavailable, SettingsError
from monitor.text.characters import printable

PATIENCE_SECONDS = 30.0


@click.command(
    epilog="Exit 78 when the settings have errors: then nothing changes, and each is told. Example:\n\n\b\n"
    "  monitor check && monitor reload"
)
@config_option()
def command(config: Path | None) -> int:
    """Ask the running daemon to read its settings again, and say what changed."""
    from monitor.cli.context import open_context
    from monitor.daemon.state_directory import is_running, read_reloaded, read_runtime

    directory = open_context(config).settings.state_dir
    runtime = read_runtime(directory) if is_running(directory) else None
    if runtime is None:
        raise ServiceUnavailable("no daemon runs here", resource=str(directory), mend="start one with `monitor run`")
    before = read_reloaded(directory)
    os.kill(runtime.pid, signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (after := read_reloaded(directory)) is None or (before is not None and after[0] == before[0]):
        if time.monotonic() > deadline:
            raise ServiceUnavailable(f"the daemon {runtime.pid} did not answer", resource=str(directory))
        time.sleep(0.05)
    (write_line if after[1].ok else complain)(printable(after[1].words))
    return 0 if after[1].ok else SettingsError.exit_code
