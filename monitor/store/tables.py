"""The tables as SQLAlchemy Core sees them; `migrations.py` creates and alters them.

Rule: portable between SQLite and PostgreSQL. Instants are whole microseconds since 1970 UTC in a BIGINT: exact, sorted
as numbers, and the same in both databases.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
# SQLite makes a 64-bit row id of INTEGER PRIMARY KEY only, not of BIGINT (https://sqlite.org/lang_createtable.html#rowid).
_ROW_ID = BigInteger().with_variant(Integer(), "sqlite")

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("applied_at", BigInteger, nullable=False),
)

store_state = Table(
    "store_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("epoch", BigInteger, nullable=False),
    Column("epoch_reason", Text, nullable=False),
    Column("epoch_at", BigInteger, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text),
    Column("url", Text),
    Column("version", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("memory", LargeBinary),
    Column("poll", Text, nullable=False),
    Column("polled_at", BigInteger),
    Column("next_poll_at", BigInteger),
    Column("lease_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Index("sources_due", "next_poll_at"),
)

known = Table(
    "known",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Column("row", LargeBinary, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("source_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("entry", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("epoch", BigInteger),
    Column("sequence", BigInteger),
    Column("bodiless", Integer, nullable=False, server_default="0"),
    Index("revisions_of_entry", "source_id", "entry_id", "id", "type"),
    Index("revisions_of_source", "source_id", "seen_at", "type"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("topic", "source_id", "epoch", "sequence", name="outbox_position"),
    Index("outbox_age", "created_at"),
)

outbox_waiting = Table(
    "outbox_waiting",
    metadata,
    Column("id", _ROW_ID, ForeignKey("outbox.id"), primary_key=True),
)

outbox_heads = Table(
    "outbox_heads",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)
