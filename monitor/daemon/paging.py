"""Reading on where a publisher documents older pages, so that a burst is never cut off.

Rule: reads on only while nothing on the pages so far is known, only on the page's own host, and only a few pages far; where
that does not reach a known entry, the snapshot says that a gap is possible.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from monitor.model import Entry, Snapshot
from monitor.reconcile import Known, meets

MAX_PAGES = 6
MAX_SECONDS = 20.0  # for all of them: a slow publisher must not cost the poll what its first page brought
ReadPage = Callable[[str], Awaitable[Snapshot | None]]  # a page by its URL, None where it could not be read


async def read_on(
    known: Known | None,
    first: Snapshot,
    page_url: str | None,
    read_page: ReadPage,
    *,
    max_seconds: float = MAX_SECONDS,
) -> Snapshot:
    """Return `first` with as many older pages behind it as it takes to meet an entry that is known."""
    if known is None or meets(known, first):
        return first
    pages = [first]
    seen = {page_url}
    until = asyncio.get_running_loop().time() + max_seconds
    while len(pages) < MAX_PAGES:
        following = pages[-1].next_url
        if following is None or following in seen or not same_host(following, page_url):
            break
        seen.add(following)
        page = await _read_until(until, read_page, following)
        if page is None or not page.entries:
            break
        pages.append(page)
        if meets(known, page):
            return joined(pages)
    return replace(joined(pages), gap_possible=True)


async def _read_until(until: float, read_page: ReadPage, url: str) -> Snapshot | None:
    try:
        async with asyncio.timeout_at(until):
            return await read_page(url)
    except TimeoutError:
        return None


def joined(pages: Sequence[Snapshot]) -> Snapshot:
    """Return pages, newest first, as one: an entry that moved to the next page meanwhile is shown once.

    What any of them declares deleted is.
    """
    entries: list[Entry] = []
    shown: set[tuple[str | None, str | None, str]] = set()
    for page in pages:
        for entry in page.entries:
            name = (entry.native_id or entry.url, entry.title, entry.text)
            if name not in shown:
                shown.add(name)
                entries.append(replace(entry, position=len(entries)))
    deleted = dict.fromkeys(id_ for page in pages for id_ in page.deleted)
    return replace(pages[0], entries=tuple(entries), deleted=tuple(deleted), next_url=pages[-1].next_url)


def same_host(url: str, page_url: str | None) -> bool:
    """Return whether an older page lies where the page itself lies: a page must not send us elsewhere."""
    return page_url is not None and urlsplit(url)[:2] == urlsplit(page_url)[:2]
