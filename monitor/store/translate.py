"""What the database drivers raise → our errors, in one place.

Rule: whatever becomes `StoreUnavailable` has left nothing half-written, and the same call may succeed later;
`StateUnusable` and `NotPermitted` need a person. Anything else is a programming error and passes through unchanged.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.errors import MonitorError, NotPermitted, StateUnusable, StoreUnavailable

WAY_OUT = "restore a copy with `monitor restore FILE`, or move the file away to begin anew"
_BY_ITSELF = "the store goes on by itself"

# https://sqlite.org/rescode.html: primary result codes, the low byte of the extended ones.
_SQLITE = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", "end the other process, or wait"),
    sqlite3.SQLITE_LOCKED: ("is locked", None),
    sqlite3.SQLITE_FULL: ("the disk is full", f"make room; {_BY_ITSELF}"),
    sqlite3.SQLITE_IOERR: ("the disk answers with an I/O error", f"check the disk; {_BY_ITSELF}"),
    sqlite3.SQLITE_READONLY: ("the disk or the file is read-only", f"make it writable; {_BY_ITSELF}"),
    sqlite3.SQLITE_CANTOPEN: ("the file cannot be opened", "check the directory and its permissions"),
    sqlite3.SQLITE_NOMEM: ("memory ran out", None),
    sqlite3.SQLITE_PROTOCOL: ("the locking protocol failed", None),
    sqlite3.SQLITE_INTERRUPT: ("was interrupted", None),
    sqlite3.SQLITE_PERM: ("access is denied", "check the permissions of the file"),
}
_SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT: "the database is damaged", sqlite3.SQLITE_NOTADB: "not a database of ours"}

# https://www.postgresql.org/docs/current/errcodes-appendix.html, longest prefix first.
_POSTGRESQL = {
    "55P03": "is locked by another writer",
    "25006": "the server is read-only: a standby, perhaps",
    "53100": "the server's disk is full",
    "40": "another writer was in the way",
    "53": "the server has no room",
    "57": "the server stops or starts",
    "58": "the server's system answers with an error",
    "08": "the connection broke",
}
# The server answered and the transaction can go on from its last SAVEPOINT.
_LOCAL = ("40", "55")


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
    if original is not None and hasattr(original, "sqlstate"):
        return _of_postgresql(original, resource)
    return None


def in_doubt(error: BaseException) -> bool:
    """Return whether an error may have broken the whole transaction, not only the statement that met it.

    SQLite may roll back whole on FULL, IOERR, NOMEM, BUSY and INTERRUPT
    (https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction).
    """
    if isinstance(error, MonitorError) or translate(error, "") is None:
        return False
    original = error.orig if isinstance(error, DBAPIError) else error
    return not _sqlstate(original).startswith(_LOCAL)


def _of_sqlite(error: sqlite3.Error, resource: str) -> MonitorError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _SQLITE_DAMAGED:
        return StateUnusable(_SQLITE_DAMAGED[code], resource=resource, mend=WAY_OUT)
    if code in _SQLITE:
        message, mend = _SQLITE[code]
        return StoreUnavailable(message, resource=resource, mend=mend)
    return None


def _of_postgresql(error: BaseException, resource: str) -> MonitorError | None:
    state, said = _sqlstate(error), _first_line(error)
    if state.startswith("XX00"):
        return StateUnusable(f"the database is damaged: {said}", resource=resource, mend="restore it from a backup")
    if state == "42501":
        return NotPermitted(said, resource=resource, mend="GRANT it, or make the role the owner of its database")
    for prefix, words in _POSTGRESQL.items():
        if state.startswith(prefix):
            return StoreUnavailable(f"{words}: {said}", resource=resource, mend=_BY_ITSELF)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if not state and kinds & {"OperationalError", "InterfaceError"}:
        return StoreUnavailable(f"the database server does not answer: {said}", resource=resource, mend=_BY_ITSELF)
    return None


def _sqlstate(error: BaseException | None) -> str:
    """Return the SQLSTATE of an answer from a PostgreSQL server; "" where there was no answer."""
    return getattr(error, "sqlstate", None) or ""


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
