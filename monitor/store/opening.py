"""Opening a store: the file is ours, undamaged, and of a schema we know; or words that say what to do.

Rule: a database that cannot be used is left exactly as it was found.
"""

from __future__ import annotations

from sqlalchemy import Connection

from monitor.errors import MonitorError, StateUnusable
from monitor.store.engine import Engines, Place, connect, locate, prepare_file
from monitor.store.migrations import migrate
from monitor.store.translate import WAY_OUT, translate


def open_engines(url_or_path: str, *, busy_timeout: float, check: bool) -> Engines:
    """Return engines of a database that is there, whole, and up to date."""
    place = locate(url_or_path)
    if place.path is not None:
        prepare_file(place.path)
    engines = connect(place, busy_timeout=busy_timeout)
    try:
        _make_ready(engines, check=check)
    except MonitorError:
        engines.dispose()
        raise
    except Exception as error:
        engines.dispose()
        raise (translate(error, place.name) or StateUnusable(str(error), resource=place.name)) from error
    return engines


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
