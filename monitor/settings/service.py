"""The settings of the daemon itself: Redis, limits, fetching, health page, retention."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from monitor.settings.addresses import http_url
from monitor.settings.fields import Bytes, Count, Flag, Frozen, Positive, Seconds, SecretText, Text, between
from monitor.settings.secret import Secret
from monitor.settings.units import Unfit, count, text

_REDIS_SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster", "unix")


def redis_url(value: object) -> Secret:
    """Return a Redis URL; it may hold a password."""
    url = text(value).strip()
    scheme = url.partition("://")[0]
    if "://" not in url or scheme not in _REDIS_SCHEMES:
        raise Unfit("this is not a Redis URL", "write embedded, redis://host:6379 or unix:///path/to/socket")
    try:
        parts = urlsplit(url)
        _ = parts.port if "," not in parts.netloc else None
    except ValueError as wrong:
        raise Unfit(f"this is not a Redis URL: {wrong}", "write redis://host:6379/0") from None
    if scheme == "unix" and not parts.path.strip("/"):
        raise Unfit("the URL names no socket", "write unix:///path/to/socket")
    if scheme != "unix" and not parts.netloc.rpartition("@")[2]:
        raise Unfit("the URL names no host", "write redis://host:6379/0")
    return Secret(url)


def store_url(value: object) -> str:
    """Return `sqlite` or a PostgreSQL URL."""
    written = text(value).strip()
    if written == "sqlite" or re.match(r"postgres(?:ql)?://[^/]*/?.*", written):
        return written
    raise Unfit("the store is sqlite or PostgreSQL", "write sqlite or postgresql://user@host/database")


def read_listen(value: object) -> tuple[str, int]:
    """Return host and port of `127.0.0.1:9464`, `[::1]:9464` or `:9464` (every address)."""
    written = text(value).strip()
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s]*)):([0-9]{1,5})", written)
    if not found or int(found[3]) > 65535:
        raise Unfit(f"'{written}' is not an address to listen on", "write 127.0.0.1:9464")
    return found[1] or found[2] or "0.0.0.0", int(found[3])  # noqa: S104 - the operator wrote `:port` to mean this


def read_prefix(value: object) -> str:
    """Return the start of every Redis name. Braces would move a source to another Cluster slot."""
    written = text(value).strip()
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", written):
        return written
    raise Unfit(f"'{written}' cannot start a Redis name", "use letters, digits and . _ : -")


Port = Annotated[
    int,
    BeforeValidator(between(1, 65535, count, "a port from 1 to 65535")),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535}),
]
RedisUrl = Annotated[SecretText, BeforeValidator(redis_url)]
StoreUrl = Annotated[str, BeforeValidator(store_url), WithJsonSchema({"type": "string"})]
Prefix = Annotated[str, BeforeValidator(read_prefix), WithJsonSchema({"type": "string"})]
HttpUrl = Annotated[str, BeforeValidator(http_url), WithJsonSchema({"type": "string"})]
HeartbeatUrl = Annotated[SecretText, BeforeValidator(lambda value: Secret(http_url(value)))]
Listen = Annotated[tuple[str, int], BeforeValidator(read_listen), WithJsonSchema({"type": "string"})]


class RedisSettings(Frozen):
    """Where deltas are published."""

    mode: Literal["embedded", "url"] = "embedded"
    """`embedded` runs a Valkey server of its own; `url` uses one that is there."""

    url: RedisUrl | None = None
    """The server: `redis://`, `rediss://`, `redis+sentinel://`, `redis+cluster://` or `unix://`."""

    port: Port | None = None
    """TCP port on loopback of the embedded server; without one it listens on a unix socket only."""


class LimitSettings(Frozen):
    """How much one source may cost, whatever it sends."""

    wire_size: Bytes = 8 * 2**20
    """Largest body as sent."""

    decoded_size: Bytes = 16 * 2**20
    """Largest body after decompression."""

    ratio: Positive = 200
    """Largest ratio of the two, judged from 1 MiB decoded on."""

    header_size: Bytes = 64 * 2**10
    """All response headers of one answer."""

    connect_time: Seconds = 5.0
    """Time to connect to one address."""

    idle_time: Seconds = 10.0
    """Time without a byte."""

    total_time: Seconds = 25.0
    """Time for a whole fetch, redirects included."""

    redirects: Count = 5
    """Redirects that are followed."""

    parse_time: Seconds = 5.0
    """CPU time to read one page; then the reader is killed and started anew."""

    parse_memory: Bytes = 512 * 2**20
    """Memory of the process that reads pages."""

    entries: Positive = 2000
    """Entries of one poll; the newest are kept."""

    entry_characters: Positive = 262_144
    """Characters of one entry's text; the rest is cut."""

    title_characters: Positive = 1024
    """Characters of one title."""


class FetchSettings(Frozen):
    """How the monitor behaves towards publishers."""

    contact: Text | None = None
    """A URL or address at which a publisher reaches you; it is part of the user agent."""

    user_agent: Text | None = None
    """The whole user agent, instead of the monitor's own with `contact`."""

    proxy: HttpUrl | None = None
    """HTTP proxy for every source, `http://host:port`. It sees the addresses instead of our guard."""

    concurrency: Positive = 100
    """Fetches under way at once."""

    per_host: Positive = 2
    """Fetches under way at once at one host."""

    spacing: Seconds = 1.0
    """Least time between the starts of two fetches at one host."""

    browser: Text | None = None
    """Program of Chromium or Chrome for sources with `render: browser`; by default one that is found on the PATH."""


class HttpSettings(Frozen):
    """The daemon's own page for machines: /healthz, /readyz, /metrics."""

    listen: Listen | None = None
    """Where it listens, `127.0.0.1:9464`; without it there is no such page."""

    heartbeat: HeartbeatUrl | None = None
    """A URL that is called every minute while all is well, so that someone else notices when it is not. A secret."""


class RetentionSettings(Frozen):
    """How long things are kept: long enough to look up last month, not so long that a year fills the disk."""

    revisions: Seconds = 90 * 86_400.0
    """Revisions, and entries that left their page, older than this are removed; `0` keeps them for ever."""

    alerts: Seconds = 90 * 86_400.0
    """Alerts and what became of them; what did not arrive stays until it is dropped. `0` keeps all for ever."""

    revisions_per_entry: Positive | None = None
    """Revisions kept of one entry."""

    bodies: Seconds | None = None
    """Texts of superseded revisions, if they are to go sooner; that the change happened stays on record."""

    outbox: Seconds = 48 * 3600.0
    """Published deltas: what an emptied Redis is filled again from."""

    stream_length: Positive = 10_000
    """Deltas kept in a source's Redis stream."""


class ReloadSettings(Frozen):
    """When the daemon reads its settings again, besides SIGHUP and `monitor reload`."""

    watch: Flag = True
    """Reload by itself when a settings file changes."""
