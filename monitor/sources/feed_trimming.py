"""A feed's bytes without what is never read of them: items beyond the newest ones, text beyond what an entry may hold.

Rule: cut before a parser sees them, because parsing a hundred thousand items takes half a minute. What is left of a
well-formed feed is well-formed; where the items do not plainly stand side by side nothing is cut, and the parser's
deadline is what is left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.text.times import read_stamp

LONGEST_TEXT = 2_000_000  # bytes between two tags; what an entry may hold of text is capped far below it

_MARK = re.compile(rb"<!--|<!\[CDATA\[|<\?|<(/?)(?:[\w.-]+:)?(?:item|entry)(?=[\s/>])")
_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_ASIDE = re.compile(rb"<!--[\s\S]*?-->|<\?[\s\S]*?\?>")
_ITEM_DATE = re.compile(rb"<(pubDate|published|updated|dc:date)>\s*([^<]{8,60}?)\s*</")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A feed's bytes to be parsed, and how many of its items are not in them."""

    body: bytes
    left_out: int = 0


def trimmed(body: bytes, most: int) -> Trimmed:
    """Return a feed with its `most` newest items only, each text in it cut to what can be read of it.

    The newest stand first, unless the first item is plainly older than the last.
    """
    body = _without_endless_texts(body)
    if max(body.count(b"item>"), body.count(b"entry>")) <= most:
        return Trimmed(body)
    spans = side_by_side(body)
    if spans is None or len(spans) <= most:
        return Trimmed(body)
    kept = spans[-most:] if _oldest_first(body, spans) else spans[:most]
    body = body[: spans[0][0]] + body[kept[0][0] : kept[-1][1]] + body[spans[-1][1] :]
    return Trimmed(body, len(spans) - most)


def side_by_side(body: bytes) -> list[Span] | None:
    """Return where a feed's items stand, None where they are not one list with nothing but comments between them."""
    spans: list[Span] = []
    at = start = depth = 0
    while (mark := _MARK.search(body, at)) is not None:
        end = _ENDS.get(mark.group(), b">")
        closed = body.find(end, mark.end())
        if closed < 0:
            return None
        at = closed + len(end)
        if end != b">" or body[closed - 1 : closed] == b"/":  # hidden from an XML parser, or closed in itself
            continue
        if not mark.group(1):
            start = start if depth else mark.start()
            depth += 1
            continue
        depth -= 1
        if depth < 0 or (not depth and spans and not _nothing(body[spans[-1][1] : start])):
            return None
        if not depth:
            spans.append((start, at))
    return None if depth else spans


def _nothing(between: bytes) -> bool:
    return not between.strip() or not _ASIDE.sub(b"", between).strip()


def _oldest_first(body: bytes, spans: list[Span]) -> bool:
    first, last = (_date(body[slice(*span)]) for span in (spans[0], spans[-1]))
    return first is not None and last is not None and first < last


def _date(item: bytes) -> datetime | None:
    found = _ITEM_DATE.search(item)
    stamp = read_stamp(found.group(2).decode("ascii", "replace"), reference=_EPOCH, zone=UTC) if found else None
    return stamp.at if stamp is not None else None


def _without_endless_texts(body: bytes) -> bytes:
    """Cut texts of megabytes: an expat handler is called for every `&lt;` of them, feedparser's in Python."""
    if len(body) <= LONGEST_TEXT:
        return body
    parts = body.split(b"<")
    if max(map(len, parts)) <= LONGEST_TEXT:
        return body
    return b"<".join(part if len(part) <= LONGEST_TEXT else _cut(part) for part in parts)


def _cut(part: bytes) -> bytes:
    """Return what follows one `<` with its text cut: between characters, not within a reference, CDATA still closed."""
    if part.startswith((b"!--", b"?")):
        return part
    begins = len(b"![CDATA[") if part.startswith(b"![CDATA[") else part.find(b">") + 1
    end = begins + LONGEST_TEXT
    if end >= len(part):
        return part
    while end > begins and part[end] & 0xC0 == 0x80:  # the middle of a character of UTF-8
        end -= 1
    reference = part.rfind(b"&", end - 12, end)
    if reference >= 0 and b";" not in part[reference:end]:
        end = reference
    closes = b"]]>" if b"]]>" in part[end:] else b""
    return part[:end] + closes
