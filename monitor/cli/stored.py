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


def with_store(config: Path | None, work: Callable[[Connection], T], *, write: bool = False) -> T:
    """Do `work` on the store that the settings name; without `write` it is only looked at.

    Raises StateUnusable, NotPermitted or StoreUnavailable with what to do about it.
    """
    from monitor.store import Store

    async def run() -> T:
        async with await Store.open(open_context(config).store_url(), check=False, read_only=not write) as store:
            return await (store.run if write else store.read)(work)

    return asyncio.run(run())
