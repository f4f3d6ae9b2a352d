"""Connections: SQLite files that are ours alone, PostgreSQL by URL.

Rule: the only module that knows which database is behind; the rest speaks Core statements.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from monitor.errors import NotPermitted, StateUnusable

READERS = 2
_OLDEST_SQLITE = (3, 35, 0)  # RETURNING; upserts and window functions came before
# 64 MiB: what a long reader may let the write-ahead log grow to before it is cut back after a checkpoint.
_JOURNAL_LIMIT = 64 * 1024 * 1024

# A host that vanished without a word is noticed after 25 s at most, not after the two hours of TCP's default.
_KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# What was acknowledged is on disk; a server set to more than `on` (remote_apply) keeps it.
_ON_DISK = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
# A writer that was stopped inside a transaction must not hold its rows for ever.
_NO_FROZEN_WRITER = "SET idle_in_transaction_session_timeout = 30000"
_READ_ONLY = "SET default_transaction_read_only = on"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is: a file, or a server."""

    url: URL
    path: Path | None  # None: a server
    name: str  # for messages; never holds a password


@dataclass(frozen=True, slots=True)
class Engines:
    """One connection to write with, a few to read with."""

    place: Place
    writer: Engine
    reader: Engine

    def dispose(self) -> None:
        """Close every connection; the engines make new ones when they are used again."""
        self.reader.dispose()
        self.writer.dispose()


def locate(url_or_path: str) -> Place:
    """Return where `postgresql://…`, `sqlite:///…` or a plain path points.

    Raises StateUnusable when it points nowhere a store can live.
    """
    if ":" not in url_or_path.split("/", maxsplit=1)[0]:  # a slip like postgresql:/host is no directory of that name
        path = Path(url_or_path).expanduser().absolute()
        return Place(URL.create("sqlite", database=str(path)), path, str(path))
    try:
        url = make_url(url_or_path)
    except ArgumentError as error:
        raise StateUnusable("not a database URL", resource="store", mend="sqlite:///… or postgresql://…") from error
    name = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return locate(url.database)
    if url.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return Place(url.set(drivername="postgresql+psycopg"), None, name)
    raise StateUnusable("no store can live there", resource=name, mend="give a file, sqlite:///… or postgresql://…")


def connect(place: Place, *, busy_timeout: float) -> Engines:
    """Return engines for a place; no connection is made yet.

    `busy_timeout`: seconds to wait for another process's lock. Raises StateUnusable where the driver is missing.
    """
    try:
        if place.path is None:
            return _postgresql(place, busy_timeout)
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            have, need = sqlite3.sqlite_version, ".".join(map(str, _OLDEST_SQLITE))
            raise StateUnusable(f"SQLite {have} is too old", resource=place.name, mend=f"use a Python with {need}")
        return _sqlite(place, busy_timeout)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        mend = "pip install 'live-update-monitor[postgresql]'"
        raise StateUnusable("the PostgreSQL driver is not installed", resource=place.name, mend=mend) from error


def prepare_file(path: Path) -> None:
    """Make the directory (0700) and the file (0600) where they are missing, and refuse what is not ours alone.

    A file that is there is never opened for this: closing any descriptor of it drops the locks SQLite holds on it in
    this process (https://sqlite.org/howtocorrupt.html, 2.2). Raises NotPermitted for symbolic links, foreign owners and
    directories others may write to; StateUnusable where the file cannot be made.
    """
    prepare_directory(path.parent)
    try:
        _make_missing(path)
        _check_file(path)
        path.chmod(0o600)
    except OSError as error:
        raise StateUnusable(f"cannot be made: {error.strerror}", resource=str(path)) from error


def prepare_directory(directory: Path) -> None:
    """Make a directory (0700) where it is missing, and refuse one that is not ours alone; errors as `prepare_file`."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise StateUnusable(f"cannot be made: {error.strerror}", resource=str(directory)) from error
    if stat.S_ISLNK(found.st_mode):
        raise NotPermitted("is a symbolic link", resource=str(directory), mend="give the directory itself")
    if found.st_uid != os.geteuid():
        raise NotPermitted("belongs to another user", resource=str(directory), mend=f"chown {os.geteuid()} {directory}")
    if found.st_mode & 0o022:
        raise NotPermitted("others may write to it", resource=str(directory), mend=f"chmod 700 {directory}")


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of the same name; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_missing(path: Path) -> None:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _check_file(path: Path) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise NotPermitted("is a symbolic link", resource=str(path), mend="give the file itself")
    if not stat.S_ISREG(found.st_mode):
        raise StateUnusable("is not a regular file", resource=str(path))
    if found.st_uid != os.geteuid():
        raise NotPermitted("belongs to another user", resource=str(path), mend=f"chown {os.geteuid()} {path}")


def _sqlite(place: Place, busy_timeout: float) -> Engines:
    def engine(connections: int) -> Engine:
        return create_engine(
            place.url,
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            connect_args={"timeout": busy_timeout, "check_same_thread": False, "isolation_level": None},
        )

    writer, reader = engine(1), engine(READERS)
    event.listen(writer, "connect", _set_up_writer)
    event.listen(reader, "connect", _set_up_reader)
    # The driver's own transaction control begins late and breaks SAVEPOINT
    # (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html, "Serializable isolation"); IMMEDIATE takes the write lock
    # at the start, where waiting for it is possible, not in the middle, where SQLite answers BUSY at once.
    event.listen(writer, "begin", lambda connection: _begin(connection, "BEGIN IMMEDIATE"))
    event.listen(reader, "begin", lambda connection: _begin(connection, "BEGIN"))
    return Engines(place, writer, reader)


def _begin(connection: Connection, how: str) -> None:
    connection.exec_driver_sql(how)


def _set_up_writer(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL syncs the log at each commit: what was acknowledged survives a power cut (https://sqlite.org/pragma.html).
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA journal_size_limit={_JOURNAL_LIMIT}")


def _set_up_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def _postgresql(place: Place, busy_timeout: float) -> Engines:
    def engine(connections: int, *settings: str) -> Engine:
        made = create_engine(
            place.url, pool_size=connections, max_overflow=0, pool_pre_ping=True, connect_args=_KEEPALIVE
        )
        waits = f"SET lock_timeout = {int(busy_timeout * 1000)}"
        event.listen(made, "connect", partial(_set_up_session, settings=(waits, *settings)))
        return made

    return Engines(place, engine(1, _ON_DISK, _NO_FROZEN_WRITER), engine(READERS, _READ_ONLY))


def _set_up_session(connection: DBAPIConnection, _record: object, *, settings: Sequence[str]) -> None:
    connection.autocommit = True  # a SET inside a transaction would be rolled back with it
    with closing(connection.cursor()) as cursor:
        for setting in settings:
            cursor.execute(setting)
    connection.autocommit = False
