"""Read a document once, outside the daemon: the work of `monitor parse` and of the public `parse`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from monitor.errors import ServiceUnavailable, UnusableInput
from monitor.model import Document, Entry, Reading, ReadOptions


def parse(
    source: str | bytes | Path,
    *,
    kind: str = "auto",
    url: str | None = None,
    timezone: str = "UTC",
    reference: datetime | None = None,
    select: dict[str, str] | None = None,
) -> tuple[Entry, ...]:
    """Return the entries of a URL, a file or bytes in page order.

    `reference` is now, for stamps without a date; `select` as in the settings. Raises UnusableInput when nothing readable
    is there, ServiceUnavailable when a URL does not answer. Not for use inside a running event loop.
    """
    options = ReadOptions(kind=kind, timezone=timezone, select=select or {})  # type: ignore[arg-type]
    seen_at = reference or datetime.now(UTC)
    reading = asyncio.run(read_source(source, options, url=url, seen_at=seen_at))
    if reading.snapshot is None or not reading.snapshot.entries:
        raise UnusableInput(reading.verdict.reason or "no entries", resource=str(url or source)[:200])
    return reading.snapshot.entries


async def read_source(
    source: str | bytes | Path, options: ReadOptions, *, url: str | None, seen_at: datetime
) -> Reading:
    """Fetch or open `source` and read it in the killable worker.

    Raises ServiceUnavailable when a URL does not answer, UnusableInput when a file cannot be opened.
    """
    from monitor.fetch import ParseWorker

    document = await _document(source, url=url, seen_at=seen_at)
    async with ParseWorker() as worker:
        return await worker.read("parse", document, options)


async def _document(source: str | bytes | Path, *, url: str | None, seen_at: datetime) -> Document:
    if isinstance(source, bytes):
        return Document(body=source, seen_at=seen_at, url=url)
    if isinstance(source, str) and is_url(source):
        return await _fetched(source, seen_at)
    return Document(body=await asyncio.to_thread(_read, Path(source)), seen_at=seen_at, url=url)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableInput(error.strerror or str(error), resource=str(path)) from error


def is_url(text: str) -> bool:
    """Return whether a source is named by an address rather than by a path."""
    return text.startswith(("http://", "https://"))


async def _fetched(url: str, seen_at: datetime) -> Document:
    from dataclasses import replace

    from monitor.fetch import Fetcher, FetchRequest, Fresh

    async with Fetcher() as fetcher:
        # A person at a terminal named this address, so one on a private network is meant. A public one that redirects
        # into the house is not.
        answer = await fetcher.fetch(FetchRequest(url=url, allow_private=await _points_inward(url)))
    if isinstance(answer, Fresh):
        return replace(answer.document, seen_at=seen_at)
    reason = getattr(getattr(answer, "verdict", None), "reason", "") or "no answer"
    raise ServiceUnavailable(reason, resource=url)


async def _points_inward(url: str) -> bool:
    from monitor.fetch.guard import AddressRefusedError, allowed_addresses, system_resolve

    try:
        host = urlsplit(url).hostname or ""
        allowed_addresses(host, await system_resolve(host), allow_private=False)
    except AddressRefusedError:
        return True
    except (OSError, ValueError):  # the fetch says what is wrong with it
        return False
    return False


async def suggest_selectors(source: str | bytes | Path, *, url: str | None, seen_at: datetime) -> tuple[str, ...]:
    """Return settings lines that would read the repeated, time-stamped block of a page.

    Raises UnusableInput when no such block is there.
    """
    from monitor.sources import suggest

    suggestion = suggest(await _document(source, url=url, seen_at=seen_at))
    if suggestion is None:
        raise UnusableInput("no repeated, time-stamped block found", resource=str(url or source)[:200])
    return suggestion.lines()
