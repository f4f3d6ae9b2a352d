"""What the database drivers raise → our two errors, in one place.

Rule: whatever becomes `StoreUnavailable` has left nothing half-written, and the same call may succeed later;
`StateUnusable` needs a person. Everything else is a programming error and passes through unchanged.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.errors import MonitorError, StateUnusable, StoreUnavailable

WAY_OUT = "restore a copy with `monitor restore FILE`, or move the file away to begin anew"

# https://sqlite.org/rescode.html: primary result codes, the low byte of the extended ones.
_SQLITE = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", "end the other process, or wait"),
    sqlite3.SQLITE_LOCKED: ("is locked", None),
    sqlite3.SQLITE_FULL: ("the disk is full", "make room; the store goes on by itself"),
    sqlite3.SQLITE_IOERR: ("the disk answers with an I/O error", "check the disk; the store goes on by itself"),
    sqlite3.SQLITE_READONLY: ("the disk or the file is read-only", "make it writable; the store goes on by itself"),
    sqlite3.SQLITE_CANTOPEN: ("the file cannot be opened", "check the directory and its permissions"),
    sqlite3.SQLITE_NOMEM: ("memory ran out", None),
    sqlite3.SQLITE_PROTOCOL: ("the locking protocol failed", None),
    sqlite3.SQLITE_INTERRUPT: ("was interrupted", None),
    sqlite3.SQLITE_PERM: ("access is denied", "check the permissions of the file"),
}
_SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT: "the database is damaged", sqlite3.SQLITE_NOTADB: "not a database of ours"}


def translate(error: BaseException, resource: str) -> MonitorError | None:
    """Return our error for what a driver raised, or None when it is not the database's fault.

    `resource` is the file or the URL without its password. The caller raises the result `from error`.
    """
    if isinstance(error, MonitorError):
        return error
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("every connection is in use", resource=resource)
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return _of_sqlite(original, resource)
    if isinstance(error, OperationalError | InterfaceError) or (isinstance(error, DBAPIError) and _lost(error)):
        return StoreUnavailable(f"the database server does not answer: {_first_line(original)}", resource=resource)
    return None


def _of_sqlite(error: sqlite3.Error, resource: str) -> MonitorError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _SQLITE_DAMAGED:
        return StateUnusable(_SQLITE_DAMAGED[code], resource=resource, mend=WAY_OUT)
    if code in _SQLITE:
        message, mend = _SQLITE[code]
        return StoreUnavailable(message, resource=resource, mend=mend)
    return None


def _lost(error: DBAPIError) -> bool:
    return error.connection_invalidated and isinstance(error, DatabaseError)


def _first_line(error: BaseException | None) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
