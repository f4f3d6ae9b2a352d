"""Copies of a SQLite store: taken while it works, put back while it does not.

Rule: a copy appears under its name only when it is whole and on disk. A store that was put back begins a new epoch:
the streams may hold deltas it does not remember.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from monitor.errors import StateUnusable
from monitor.store.engine import Engines, connect, locate, prepare_directory
from monitor.store.epochs import current_epoch, raise_epoch
from monitor.store.migrations import current_version, migrate
from monitor.store.translate import translate

_LOGS = ("-wal", "-shm", "-journal")


def backup_file(engines: Engines, target: Path) -> None:
    """Write a consistent copy of the store to a new file (0600).

    One step of the backup API is one read transaction, which in WAL mode holds up nobody
    (https://sqlite.org/c3ref/backup_finish.html). Raises StateUnusable for an existing target and for PostgreSQL,
    StoreUnavailable where the disk does not take it.
    """
    place = engines.place
    if place.path is None:
        mend = "use pg_dump; after pg_restore run `monitor restore --new-epoch`"
        raise StateUnusable("backups of a server are the server's", resource=place.name, mend=mend)
    if target.exists():
        raise StateUnusable("is there already", resource=str(target), mend="give a new name")
    _copy(place.path, target)


def restore_file(url_or_path: str, copy: Path, *, now: datetime) -> int:
    """Put a copy in the place of a store nobody has open; return the new epoch.

    The copy is checked before anything is touched and takes the store's name in one rename; what it replaces stays
    beside it as `….replaced`. Its epoch becomes higher than its own and than that of the store it replaces. Raises
    StateUnusable where the copy is not a whole store of a known version.
    """
    place = locate(url_or_path)
    if place.path is None:
        raise StateUnusable("restoring a server is the server's", resource=place.name, mend="use pg_restore")
    if not copy.is_file():
        raise StateUnusable("is not a file", resource=str(copy))
    prepare_directory(place.path.parent)
    replaced = _fold(place.path)
    fresh = _beside(place.path, ".restoring")
    fresh.unlink(missing_ok=True)
    try:
        _copy(copy, fresh)
        epoch = _make_newest(fresh, copy, replaced, now)
        _set_aside(place.path)
        fresh.replace(place.path)
        _sync_directory(place.path.parent)
    finally:
        for suffix in ("", *_LOGS):
            _beside(fresh, suffix).unlink(missing_ok=True)
    return epoch


def _fold(path: Path) -> int:
    """Write a store's log back into it and return its epoch; 0 where it cannot be read any more."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return int(connection.execute("SELECT epoch FROM store_state").fetchone()[0])
    except (sqlite3.Error, TypeError):  # damaged in some way, which is why it is replaced
        return 0


def _set_aside(path: Path) -> None:
    """Keep what is about to be replaced under another name, its log included: a new file must not meet an old log."""
    for suffix in _LOGS:
        aside = _beside(path, f".replaced{suffix}")
        aside.unlink(missing_ok=True)
        if (log := _beside(path, suffix)).exists():
            log.replace(aside)
    aside = _beside(path, ".replaced")
    aside.unlink(missing_ok=True)
    if path.exists():
        aside.hardlink_to(path)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _copy(source: Path, target: Path) -> None:
    partial = _beside(target, ".partial")
    try:
        _make_private(partial)
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(partial)) as new,
        ):
            old.backup(new)
            # The copy is one file: without this its first reader would need a -wal beside it.
            new.execute("PRAGMA journal_mode=DELETE")
        partial.replace(target)
        _sync_directory(target.parent)
    except sqlite3.DatabaseError as error:
        # Damage is the source's, a full or read-only disk the target's.
        operational = isinstance(error, sqlite3.OperationalError)
        resource = str(target if operational else source)
        raise (translate(error, resource) or StateUnusable(str(error), resource=resource)) from error
    except OSError as error:
        raise StateUnusable(f"cannot be written: {error.strerror}", resource=str(target)) from error
    finally:
        partial.unlink(missing_ok=True)


def _make_private(path: Path) -> None:
    """Make a file that only we can read, in a directory that may be anybody's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def _make_newest(fresh: Path, copy: Path, replaced: int, now: datetime) -> int:
    engines = connect(locate(str(fresh)), busy_timeout=1.0)
    try:
        with engines.writer.begin() as connection:
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                raise StateUnusable("the copy is damaged", resource=str(copy), mend="use an older copy")
            if current_version(connection) == 0:
                raise StateUnusable("is not a copy of a store", resource=str(copy))
            migrate(connection, str(copy))
            above = max(replaced, current_epoch(connection))
            epoch = raise_epoch(connection, f"restored from {copy.name}", now, above=above)
    finally:
        engines.dispose()  # the last connection of a database writes its log back and removes it
    return epoch


def _sync_directory(directory: Path) -> None:
    """A rename is on disk once its directory is (fsync(2))."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
