"""A feed's items from poll to poll: those whose bytes did not change are not parsed again.

Rule: the result is that of a whole parse. Only items of a feed that parsed without a complaint are kept, only under the
same envelope (namespaces, base, language), and a spliced parse that complains or miscounts gives way to a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xxhash import xxh3_64_intdigest

from monitor.sources.drafts import Draft
from monitor.sources.feed_entries import FeedDict
from monitor.sources.feed_ranges import ItemRanges, item_ranges, steady
from monitor.sources.memory import ReadMemory

Parse = Callable[[bytes], dict[str, Any]]
MakeDraft = Callable[[FeedDict, str], Draft]  # of an entry of a feed of that version

_UPPER_CDF = re.compile(
    rb"(?:\s|<\?[^>]*>|<![^>]*>)*<CHANNEL\b"
)  # CDF as it was written; feedparser names only lower case
_MOSTLY_NEW = 0.5  # of the items: from here on one whole parse is no dearer


@dataclass(frozen=True, slots=True)
class FeedItems:
    """A feed's head, its version ("" if it is no feed) and its drafts."""

    head: FeedDict
    version: str
    drafts: tuple[Draft, ...]
    broken: int = 0  # items the parser cannot take, left out


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Reads one feed's bytes with what is remembered of the poll before."""

    memory: ReadMemory
    parse: Parse
    make: MakeDraft

    def read(self, body: bytes, base: str | None) -> FeedItems:
        """Return a feed's items as a whole parse would give them; `base` is what their links are relative to."""
        ranges = item_ranges(body)
        if ranges is None:
            return self._whole(body, [], 0)
        envelope = [steady(part) for part in ranges.envelope(body)]
        context = xxh3_64_intdigest(b"\0".join((*envelope, (base or "").encode("utf-8", "replace"))))
        keys = [xxh3_64_intdigest(body[start:end]) for start, end in ranges.spans]
        known = context == self.memory.context and self.memory.items
        try:
            return (self._spliced(body, ranges, keys) if known else None) or self._whole(body, keys, context)
        except Exception as error:  # noqa: BLE001 - feedparser raises what it likes on an element it misreads
            return self._one_by_one(body, ranges, error)

    def _one_by_one(self, body: bytes, ranges: ItemRanges, error: Exception) -> FeedItems:
        """Parse each item alone, so that one the parser cannot take costs only itself; raise `error` if none can be."""
        self.memory.items = {}
        before, after = ranges.envelope(body)
        head = self.parse(before + after)
        version = str(head.get("version") or "")
        drafts: list[Draft] = []
        for start, end in ranges.spans:
            try:
                entries = self.parse(before + body[start:end] + after).get("entries") or []
            except Exception:  # noqa: BLE001, S112 - this is the item, counted below
                continue
            drafts.extend(self.make(entry, version) for entry in entries[:1])
        if not drafts:
            raise error
        return FeedItems(head.get("feed") or {}, version, tuple(drafts), len(ranges.spans) - len(drafts))

    def _spliced(self, body: bytes, ranges: ItemRanges, keys: list[int]) -> FeedItems | None:
        """Parse the unknown items alone in the feed's envelope; None if they are too many or anything is in doubt."""
        memory = self.memory
        fresh = [at for at, key in enumerate(keys) if key not in memory.items]
        if len(fresh) > _MOSTLY_NEW * len(keys):
            return None
        before, after = ranges.envelope(body)
        parsed = self.parse(before + b"".join(body[slice(*ranges.spans[at])] for at in fresh) + after)
        entries = parsed.get("entries") or []
        version = str(parsed.get("version") or "")
        if parsed.get("bozo") or len(entries) != len(fresh) or version != memory.version:
            return None
        read = {keys[at]: self.make(entry, version) for at, entry in zip(fresh, entries, strict=True)}
        memory.items = {key: read[key] if key in read else memory.items[key] for key in keys}
        memory.parsed_items += len(fresh)
        return FeedItems(parsed.get("feed") or {}, version, tuple(memory.items[key] for key in keys))

    def _whole(self, body: bytes, keys: list[int], context: int) -> FeedItems:
        parsed, memory = self.parse(body), self.memory
        version = str(parsed.get("version") or "") or ("cdf" if _UPPER_CDF.match(body[:4096]) else "")
        drafts = tuple(self.make(entry, version) for entry in parsed.get("entries") or [] if isinstance(entry, dict))
        memory.parsed_whole += 1
        memory.items = {}
        if keys and not parsed.get("bozo") and version and len(drafts) == len(keys):
            memory.context, memory.version = context, version
            memory.items = dict(zip(keys, drafts, strict=True))
        return FeedItems(parsed.get("feed") or {}, version, drafts)
