"""The store: sources, revisions, outbox and deliveries in SQL. Where something has happened once it is there.

    values      what goes in and comes out            store       the face: who runs what
    writer      one thread, group commit              engine      SQLite files and PostgreSQL URLs
    polls       a poll's result, compare-and-set      outbox      messages waiting for their streams
    history     revisions, the page at a time         retention   what is no longer kept
    epochs      when the store went back in time      claims      leases for several machines
    migrations  the schema's history                  backup      copies, and putting them back
    forgetting  entries that left their page

Rule: the only room that knows SQL. Every module but `store` and `writer` is functions of a connection.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from monitor.store.values import (
    Activity,
    Backlog,
    Claim,
    Committed,
    Counts,
    PollCommit,
    PollNote,
    PollState,
    Pruned,
    Retention,
    SourceState,
    StoredRevision,
    Superseded,
)

if TYPE_CHECKING:
    from monitor.store.backup import restore_file
    from monitor.store.store import AlertWriter, Store

__all__ = [
    "Activity",
    "AlertWriter",
    "Backlog",
    "Claim",
    "Committed",
    "Counts",
    "PollCommit",
    "PollNote",
    "PollState",
    "Pruned",
    "Retention",
    "SourceState",
    "Store",
    "StoredRevision",
    "Superseded",
    "restore_file",
]

_HOMES = {"AlertWriter": "monitor.store.store", "Store": "monitor.store.store", "restore_file": "monitor.store.backup"}


def __getattr__(name: str) -> Any:
    """Import what needs SQLAlchemy when it is first used: commands that only name a value start faster."""
    if name not in _HOMES:
        raise AttributeError(f"module 'monitor.store' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
