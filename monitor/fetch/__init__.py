"""Bytes from the web and from files, politely and safely, and their parsing where it can be killed.

    request   what is asked of a fetch and every way it can end
    headers   what HTTP headers say: validators, freshness, Retry-After, challenges
    links     where a fetch may go: URLs and redirects
    guard     which socket addresses may be connected to; name resolution
    decoding  gzip, deflate, brotli, zstd by our own step that knows a truncated body
    files     a local file as a source
    transport one HTTP exchange over aiohttp
    hosts     per-host concurrency, spacing and back-off
    lease     room in memory for large bodies
    robots, robots_cache   robots.txt (RFC 9309), asked for once a day
    browser, errands   a page as it stands after its scripts ran
    fetcher   all of the above as one call
    outcome   what an answer is good for
    frames    what parent and parse worker say to each other
    child     the parse worker's side: a process that can do nothing but parse
    sandbox   what is taken from that process
    process   that process as its parent sees it
    pool      several of them, and who gets which
    quarantine   documents that broke a parser, kept for who mends it
    worker    documents in, readings out

Rule: outcomes of untrusted input are values (`Fresh`, `NotModified`, `FetchFailed`); nothing raises because of them.
Importing this room loads no HTTP client: the parse worker starts from here and must start fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.fetch.fetcher import Fetcher, FetchSettings
    from monitor.fetch.hosts import HostPolicy
    from monitor.fetch.links import elsewhere
    from monitor.fetch.request import (
        CacheHints,
        FetchFailed,
        FetchLimits,
        FetchOutcome,
        FetchRequest,
        Fresh,
        Move,
        NotModified,
        sight_move,
    )
    from monitor.fetch.worker import ParseWorker, ParseWorkerSettings

_HOMES = {
    "CacheHints": "request",
    "FetchFailed": "request",
    "FetchLimits": "request",
    "FetchOutcome": "request",
    "FetchRequest": "request",
    "FetchSettings": "fetcher",
    "Fetcher": "fetcher",
    "Fresh": "request",
    "HostPolicy": "hosts",
    "Move": "request",
    "NotModified": "request",
    "ParseWorker": "worker",
    "ParseWorkerSettings": "worker",
    "elsewhere": "links",
    "sight_move": "request",
}

__all__ = [
    "CacheHints",
    "FetchFailed",
    "FetchLimits",
    "FetchOutcome",
    "FetchRequest",
    "FetchSettings",
    "Fetcher",
    "Fresh",
    "HostPolicy",
    "Move",
    "NotModified",
    "ParseWorker",
    "ParseWorkerSettings",
    "elsewhere",
    "sight_move",
]


def __getattr__(name: str) -> Any:
    """Import a name of this room when it is first used: the parse worker passes through here and must start fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'monitor.fetch' has no attribute {name!r}")
    return getattr(importlib.import_module(f"monitor.fetch.{_HOMES[name]}"), name)
