"""`monitor republish`: stored deltas on their channels again, for subscribers that lost them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option
from monitor.cli.output import complain
from monitor.cli.stored import must_know

if TYPE_CHECKING:
    from monitor.cli.context import CommandContext


@click.command(epilog="Example:\n\n  monitor republish aleppo --since 1-120")
@click.argument("source")
@click.option("--since", default=None, metavar="ID", help="Only deltas after this one, as 1-120.")
@config_option()
def command(source: str, since: str | None, config: Path | None) -> None:
    """Publish the stored deltas of SOURCE again, the very bytes, in order.

    They go to the channels only: subscribers drop what they have by its id. What the stream itself has lost, the daemon
    refills without being asked.
    """
    from monitor.cli.context import open_context

    count = asyncio.run(_republish(open_context(config), source, _position(since)))
    complain(f"{source}: {count} deltas published again")


async def _republish(context: CommandContext, source: str, after: tuple[int, int] | None) -> int:
    from monitor.bus.connection import connect
    from monitor.store import Store
    from monitor.wire import Names

    names = Names(context.settings.prefix)
    async with await Store.open(context.store_url(), check=False) as store:
        await must_know(store, source)
        messages = await store.messages_since("deltas", source, after)
    connection = connect(context.bus_url())
    try:
        publish = "SPUBLISH" if connection.is_cluster else "PUBLISH"
        for message in messages:
            await connection.command(publish, names.deltas_of(source), message.payload)
            await connection.command("PUBLISH", names.deltas, message.payload)
    finally:
        await connection.aclose()
    return len(messages)


def _position(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    epoch, dash, sequence = text.rpartition("/")[2].partition("-")
    if not (dash and epoch.isdigit() and sequence.isdigit()):
        raise click.BadParameter(f"{text!r} is no delta's id; write 1-120")
    return int(epoch), int(sequence)
