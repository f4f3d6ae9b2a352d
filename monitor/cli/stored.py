"""The store as commands use it: opened to be looked at, which makes none, or for one piece of work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from monitor.cli.context import open_context
from monitor.errors import StoreUnavailable, UnusableInput

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from monitor.cli.context import CommandContext
    from monitor.store import Store

T = TypeVar("T")


@contextlib.asynccontextmanager
async def store_to_look_at(context: CommandContext) -> AsyncIterator[Store | None]:
    """Yield the store, opened for reading, or None where no daemon has made one yet.

    Raises StateUnusable, NotPermitted or StoreUnavailable with what to do about it.
    """
    from monitor.daemon.state_directory import DATABASE, disk_trouble
    from monitor.store import Store

    if context.settings.store == "sqlite" and not (context.settings.state_dir / DATABASE).exists():
        yield None
        return
    try:
        store = await Store.open(context.store_url(), read_only=True)
    except StoreUnavailable as error:
        if disk := disk_trouble(context.settings.state_dir):  # why it cannot be opened; the database itself cannot tell
            raise StoreUnavailable(disk, mend="the store is there; it can be read once that is mended") from error
        raise
    async with store:
        yield store


def look(config: Path | None, work: Callable[[Connection], tuple[T, ...]]) -> tuple[T, ...]:
    """Return what `work` finds in the store that the settings name; nothing where no daemon has made one yet.

    Raises StateUnusable, NotPermitted or StoreUnavailable with what to do about it.
    """

    async def run() -> tuple[T, ...]:
        async with store_to_look_at(open_context(config)) as store:
            return () if store is None else await store.read(work)

    return asyncio.run(run())


def change(config: Path | None, work: Callable[[Connection], T]) -> T:
    """Do `work` on the store that the settings name, in one transaction. Raises as `look` does."""
    from monitor.store import Store

    async def run() -> T:
        async with await Store.open(open_context(config).store_url(), check=False) as store:
            return await store.run(work)

    return asyncio.run(run())


async def must_know(store: Store, source: str) -> None:
    """Raise UnusableInput for a source that the store has never heard of, with those it has."""
    known = sorted(await store.poll_states())
    if source not in known:
        mend = f"it knows {', '.join(known) or 'none yet'}"
        raise UnusableInput("the store knows no such source", resource=source, mend=mend)
