"""Opening a store: the file is ours, undamaged, and of a schema we know; or words that say what to do.

Rule: a database that cannot be used is left exactly as it was found.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from monitor.errors import MonitorError, NotPermitted, StateUnusable
from monitor.store.engine import Engines, Place, connect, locate, prepare_file
from monitor.store.migrations import NEWEST, current_version, migrate, require_known
from monitor.store.translate import WAY_OUT, translate


def open_engines(url_or_path: str, *, busy_timeout: float, check: bool) -> Engines:
    """Return engines of a database that is there, whole, and up to date."""
    place = locate(url_or_path)
    if place.path is not None:
        prepare_file(place.path)
    engines = connect(place, busy_timeout=busy_timeout)
    with _in_words(engines):
        _make_ready(engines, check=check)
    return engines


def open_to_read(url_or_path: str, *, busy_timeout: float) -> Engines:
    """Return engines of a database that is there and of our schema, without touching it."""
    place = locate(url_or_path)
    if place.path is not None:
        _require_readable(place.path)
    engines = connect(place, busy_timeout=busy_timeout)
    with _in_words(engines), engines.reader.connect() as connection, connection.begin():
        require_known(current_version(connection), place.name)
        if current_version(connection) < NEWEST:
            mend = "start the daemon, which brings it up to date"
            raise StateUnusable("was written by an older version of the monitor", resource=place.name, mend=mend)
    return engines


def _require_readable(path: Path) -> None:
    if os.access(path, os.R_OK):
        return
    if not path.exists():
        raise StateUnusable("no store is here yet", resource=str(path), mend="`monitor run` makes one")
    raise NotPermitted("cannot be read", resource=str(path), mend="use the account the daemon runs under")


@contextmanager
def _in_words(engines: Engines) -> Iterator[None]:
    """Let go of the database when it cannot be used, and say why in our errors."""
    try:
        yield
    except MonitorError:
        engines.dispose()
        raise
    except Exception as error:
        engines.dispose()
        name = engines.place.name
        raise (translate(error, name) or StateUnusable(str(error), resource=name)) from error


def _make_ready(engines: Engines, *, check: bool) -> None:
    place = engines.place
    with engines.writer.begin() as connection:
        if place.path is None:
            _require_utf8(connection, place)
        elif check:
            _require_whole(connection, place)
        migrate(connection, place.name)


def _require_whole(connection: Connection, place: Place) -> None:
    damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if damage != "ok":
        raise StateUnusable(f"the database is damaged: {damage}", resource=place.name, mend=WAY_OUT)


def _require_utf8(connection: Connection, place: Place) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        mend = "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        raise StateUnusable(f"is encoded in {encoding}, not UTF8", resource=place.name, mend=mend)
