"""A command's one piece of work on the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from monitor.cli.context import open_context

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")


def look(config: Path | None, work: Callable[[Connection], tuple[T, ...]]) -> tuple[T, ...]:
    """Return what `work` finds in the store that the settings name; nothing where no daemon has made one yet.

    Raises StateUnusable, NotPermitted or StoreUnavailable with what to do about it.
    """
    from monitor.cli.standing import store_to_look_at

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
