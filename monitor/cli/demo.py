"""`monitor demo`: a live blog grows and is corrected while the real daemon watches it."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import click

from monitor.cli.deltas import event_line
from monitor.cli.options import json_option
from monitor.cli.output import colours, complain, write_json, write_line


@click.command(epilog="Examples:\n\n\b\n  monitor demo\n  monitor demo --speed 4\n  monitor demo --json | jq .type")
@click.option("--speed", type=click.FloatRange(0.1, 20), default=1.0, show_default=True, help="How many times faster.")
@json_option("The deltas and alerts themselves, one a line.")
def command(speed: float, as_json: bool) -> int:
    """Watch a live blog change for half a minute: entries appear, slips are corrected, alerts fire.

    Everything is real: the page comes over HTTP, the daemon stores it in SQLite and publishes to a Valkey server of its
    own, alerts arrive by signed webhook. Nothing is left behind.
    """
    from monitor.daemon.logs import configure_logs

    configure_logs(level=40)
    colour = not as_json and colours()

    def show(event: dict[str, Any]) -> None:
        if as_json:
            write_json(event)
        else:
            write_line(event_line(event, colour=colour))

    return asyncio.run(_interruptible(speed, show))


async def _interruptible(speed: float, show) -> int:  # type: ignore[no-untyped-def]
    from monitor.demo.show import run_demo

    playing = asyncio.ensure_future(run_demo(speed, show, complain))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    try:
        told = await playing
    except asyncio.CancelledError:
        return 130
    complain(
        f"{told.new} new entries, {told.edited} corrected, {told.removed} withdrawn, {told.alerts} alerts. "
        "Next: `monitor init`, then `monitor run`."
    )
    return 0 if told.complete else 1
