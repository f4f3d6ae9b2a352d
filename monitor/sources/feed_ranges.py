"""Where the items of a feed stand in its bytes, so that a changed one can be parsed without the others.

Rule: whatever is not plainly a list of items side by side has no ranges (comments between them, items in CDATA, nested or
prefixed elements): then the whole feed is parsed. A byte scan sees what an XML parser would only if nothing hides it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ROOT = re.compile(rb"<(rss|rdf:RDF|feed)[\s>]")
_VOLATILE = re.compile(rb"<(lastBuildDate|pubDate|updated|dc:date|ttl)>[^<]{0,100}</\1>")
_COMMENT = re.compile(rb"<!--[\s\S]*?-->")
_HIDING = ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"), (b"<?", b"?>"))


@dataclass(frozen=True, slots=True)
class ItemRanges:
    """The items of a feed: `body[start:end]` for each, in order; what stands before and after them is the envelope."""

    spans: tuple[tuple[int, int], ...]

    def envelope(self, body: bytes) -> tuple[bytes, bytes]:
        """Return the bytes before the first item and after the last."""
        return body[: self.spans[0][0]], body[self.spans[-1][1] :]


def item_ranges(body: bytes) -> ItemRanges | None:
    """Return the ranges of a feed's items, None where they cannot be told with certainty."""
    root = _ROOT.search(body[:4096])
    if root is None:
        return None
    name = b"entry" if root.group(1) == b"feed" else b"item"
    opening, closing = b"<" + name, b"</" + name + b">"
    spans: list[tuple[int, int]] = []
    end = 0
    start = _opening(body, opening, 0)
    while start >= 0:
        if spans and body[end:start].strip():
            return None
        end = body.find(closing, start)
        if end < 0:
            return None
        end += len(closing)
        spans.append((start, end))
        start = _opening(body, opening, end)
    if not spans or body.count(opening, spans[0][0], end) != len(spans) or _ends_inside(body, spans):
        return None
    if b"xml:base" in body[spans[0][0] :]:  # feedparser lets an item's base leak into the items after it
        return None
    tail = _COMMENT.sub(b"", body[end:])  # caches sign what they hand out; no item stands there, as was seen above
    if b"<!--" in body[: spans[0][0]] or b"<!--" in tail or b"<![CDATA[" in tail:
        return None
    return ItemRanges(tuple(spans))


def _opening(body: bytes, opening: bytes, at: int) -> int:
    """Return where the next item begins; elements whose names only begin alike (`<items>`) are passed over."""
    while (found := body.find(opening, at)) >= 0:
        if body[found + len(opening) : found + len(opening) + 1] in {b" ", b"\t", b"\r", b"\n", b">"}:
            return found
        at = found + len(opening)
    return -1


def _ends_inside(body: bytes, spans: list[tuple[int, int]]) -> bool:
    """Whether some item's bytes end in the middle of a CDATA section, comment or instruction that hides an end tag."""
    start = spans[0][0]
    marks = [pair for pair in _HIDING if body.find(pair[0], start) >= 0]
    return any(body.count(opens, *span) != body.count(closes, *span) for opens, closes in marks for span in spans)


def steady(envelope: bytes) -> bytes:
    """Return an envelope without the dates and notes that move with every publication and say nothing about the items."""
    return _VOLATILE.sub(b"", _COMMENT.sub(b"", envelope)).strip()
