"""SELECTs that run for every alert: compiled once, read from the driver's own cursor.

`Connection.execute` spends more time around a small query than SQLite in it (see `Prepared`); a receiver's look at what
waits runs several for each message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects import sqlite


class Query:
    """A SELECT whose every parameter is given by name at each run, IN lists excepted: it has none. Rows are plain tuples."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def all(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """Return every row."""
        text, constants = self._compiled.get(connection.dialect.name) or self._compile(connection)
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(text, {**constants, **values})
            return cursor.fetchall()

    def _compile(self, connection: Connection) -> tuple[str, Mapping[str, Any]]:
        dialect = connection.dialect
        style = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
        compiled = self._statement.compile(dialect=style)
        constants = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        self._compiled[dialect.name] = found = (str(compiled), constants)
        return found
