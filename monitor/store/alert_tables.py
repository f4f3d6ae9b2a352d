"""The tables of alerts: what was raised, for whom, in which message, and who asked for silence.

    alerts      one row an alert, told or suppressed; the id is the alert's own, so raising it again adds nothing
    deliveries  alert × receiver: waiting, in a message, or kept back with the reason
    messages    what was composed for a receiver: body and key frozen before the first try, then retried as they are
    silences    who asked not to be told
    receivers   what outlives the process about a receiver: disabled, and why

Rule: portable between SQLite and PostgreSQL; instants are microseconds as in every table of the store.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from monitor.store.tables import metadata

ROW_ID = BigInteger().with_variant(Integer(), "sqlite")

alerts = Table(
    "alerts",
    metadata,
    Column("number", ROW_ID, primary_key=True, autoincrement=True),  # the order of commits
    Column("id", Text, nullable=False, unique=True),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("tags", Text, nullable=False),  # JSON list, for silences
    Column("corrects", Text),
    Column("catch_up", Integer, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("suppressed", Text),
    Column("payload", LargeBinary, nullable=False),  # the event, as in the stream of alerts
    Index("alerts_of_entry", "entry_id", "rule", "number"),
    Index("alerts_of_rule", "rule", "raised_at"),
    Index("alerts_age", "raised_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("receiver", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),  # of the alert
    Column("state", Text, nullable=False),  # waiting, assigned, suppressed, cancelled, expired, dropped
    Column("reason", Text),
    Column("held_until", BigInteger),
    Column("message_id", Text),
)
_waiting = deliveries.c.state == "waiting"
Index(
    "deliveries_waiting",
    deliveries.c.receiver,
    deliveries.c.number,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
Index("deliveries_of_message", deliveries.c.message_id)

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),  # the idempotency key
    Column("number", BigInteger, nullable=False),  # of its newest alert
    Column("receiver", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("headline", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("plain", LargeBinary),  # a simpler body for a receiver that refuses the first
    Column("simpler", Integer, nullable=False),  # whether `plain` is what is sent
    Column("state", Text, nullable=False),  # pending, leased, sent, dead, expired, dropped
    Column("attempts", Integer, nullable=False),
    Column("composed_at", BigInteger, nullable=False),
    Column("rest", BigInteger, nullable=False),  # microseconds the group rests after composed_at
    Column("next_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger),
    Column("sent_at", BigInteger),
    Column("receipt", LargeBinary),  # what the sink needs to answer or update it later
    Column("last_status", Text),
    Column("last_error", Text),
    Index("messages_of_group", "receiver", "group_key", "composed_at"),
    Index("messages_by_state", "state", "receiver", "next_at"),
    Index("messages_age", "composed_at"),
)
# One unsettled message a group: the database itself keeps the order within a group, whoever delivers.
_unsettled = messages.c.state.in_(("pending", "leased"))
Index(
    "messages_head",
    messages.c.receiver,
    messages.c.group_key,
    unique=True,
    sqlite_where=_unsettled,
    postgresql_where=_unsettled,
)

silences = Table(
    "silences",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("matchers", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("on_end", Text, nullable=False, server_default="drop"),  # drop, digest
)

receivers = Table(
    "receivers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("configured", Text, nullable=False),  # hash of what it was configured as when it was disabled
    Column("disabled_at", BigInteger),
    Column("reason", Text),
)

STATEMENTS = (
    """CREATE TABLE alerts (
        number {row_id}, id TEXT NOT NULL UNIQUE, rule TEXT NOT NULL, severity TEXT NOT NULL, kind TEXT NOT NULL,
        source_id TEXT NOT NULL, entry_id TEXT NOT NULL, occurrences INTEGER NOT NULL,
        tags TEXT NOT NULL, corrects TEXT, catch_up INTEGER NOT NULL, raised_at {bigint} NOT NULL, suppressed TEXT, payload {bytes} NOT NULL)""",
    "CREATE INDEX alerts_of_entry ON alerts (entry_id, rule, number)",
    "CREATE INDEX alerts_of_rule ON alerts (rule, raised_at)",
    """CREATE TABLE deliveries (
        alert_id TEXT NOT NULL, receiver TEXT NOT NULL, number {bigint} NOT NULL, state TEXT NOT NULL, reason TEXT,
        held_until {bigint}, message_id TEXT, PRIMARY KEY (alert_id, receiver))""",
    "CREATE INDEX deliveries_waiting ON deliveries (receiver, number) WHERE state = 'waiting'",
    "CREATE INDEX deliveries_of_message ON deliveries (message_id)",
    """CREATE TABLE messages (
        id TEXT PRIMARY KEY, number {bigint} NOT NULL, receiver TEXT NOT NULL, group_key TEXT NOT NULL,
        form TEXT NOT NULL, severity TEXT NOT NULL, headline TEXT NOT NULL, body {bytes} NOT NULL, plain {bytes},
        simpler INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, composed_at {bigint} NOT NULL,
        rest {bigint} NOT NULL, next_at {bigint} NOT NULL, expires_at {bigint} NOT NULL, lease_until {bigint},
        sent_at {bigint}, receipt {bytes}, last_status TEXT, last_error TEXT)""",
    "CREATE INDEX messages_of_group ON messages (receiver, group_key, composed_at)",
    "CREATE INDEX messages_by_state ON messages (state, receiver, next_at)",
    "CREATE UNIQUE INDEX messages_head ON messages (receiver, group_key) WHERE state IN ('pending', 'leased')",
    """CREATE TABLE silences (
        id {row_id}, matchers TEXT NOT NULL, starts_at {bigint} NOT NULL, ends_at {bigint} NOT NULL,
        author TEXT NOT NULL, comment TEXT NOT NULL, created_at {bigint} NOT NULL)""",
    """CREATE TABLE receivers (
        name TEXT PRIMARY KEY, configured TEXT NOT NULL, disabled_at {bigint}, reason TEXT)""",
)

# Since schema 3.
RETAINED = (
    "ALTER TABLE silences ADD COLUMN on_end TEXT NOT NULL DEFAULT 'drop'",
    "CREATE INDEX alerts_age ON alerts (raised_at)",
    "CREATE INDEX messages_age ON messages (composed_at)",
)
