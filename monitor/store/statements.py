"""Statements in the forms that more than one module needs: upserts, what runs for every poll, what housekeeping asks.

Rule: Core only; where a statement needs the dialect, the choice is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cache
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Table, Update, select
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store.tables import revisions

Row = Mapping[str, Any]

HOUSEKEEPING_ROWS = 500  # deleted or emptied in one transaction, so that no poll waits for housekeeping

_newer = revisions.alias("newer")
FOLLOWED = (  # whether a newer revision of the same entry follows a revision
    select(_newer.c.id)
    .where(
        _newer.c.source_id == revisions.c.source_id,
        _newer.c.entry_id == revisions.c.entry_id,
        _newer.c.id > revisions.c.id,
    )
    .exists()
)


class Prepared:
    """A data-changing Core statement, compiled once for each database and run on the driver's own cursor.

    `Connection.execute` spends some 40 µs around the 5 that SQLite needs, and every changed poll runs five statements
    (benchmarks/store.py). The text is Core's; left out are type conversions, which none of our columns has, and events.
    Errors are the driver's own, which `translate` knows. `make` takes the dialect's name; `columns` are the names that
    every row of an INSERT gives.
    """

    def __init__(self, make: Callable[[str], Insert | Update | Delete], columns: tuple[str, ...] = ()) -> None:
        self._make = make
        self._columns = columns
        self._compiled: dict[str, tuple[str, Row]] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run once for each row; return how many rows of the table were changed."""
        if not rows:
            return 0
        found = self._compiled.get(connection.dialect.name)
        text, constants = self._compile(connection.dialect) if found is None else found
        values = [{**constants, **row} for row in rows] if constants else rows
        with closing(connection.connection.cursor()) as cursor:
            if len(values) == 1:
                cursor.execute(text, values[0])
            else:
                cursor.executemany(text, values)
            return cursor.rowcount

    def _compile(self, dialect: Dialect) -> tuple[str, Row]:
        # Both drivers take rows as mappings, SQLite's under another style of parameter than the one Core gives it.
        style = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
        made = self._make(dialect.name)
        compiled = made.compile(dialect=style, column_keys=self._columns or None, for_executemany=True)
        constants = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        self._compiled[dialect.name] = found = (str(compiled), constants)
        return found


def upsert(table: Table, columns: tuple[str, ...], *, keep: tuple[str, ...] = ()) -> Prepared:
    """Return what inserts rows, or overwrites those with the same primary key, columns in `keep` excepted."""

    def make(dialect: str) -> Insert:
        statement = _insert(dialect, table)
        fresh = {n: statement.excluded[n] for n in columns if n not in keep and not table.c[n].primary_key}
        return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=fresh)

    return Prepared(make, columns)


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows whose primary key is not there yet."""
    if rows:
        connection.execute(_insert_missing(connection.dialect.name, table), rows)


def insert_or_skip(dialect: str, table: Table) -> Insert:
    """Return an INSERT that leaves out rows which break any uniqueness; its row count tells."""
    return _insert(dialect, table).on_conflict_do_nothing()


@cache  # building a statement costs several times what running it does
def _insert_missing(dialect: str, table: Table) -> Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
