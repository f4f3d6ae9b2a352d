"""RSS, Atom, RDF and CDF by feedparser, JSON Feed by its own adapter → entries.

Rule: feedparser is given bytes in UTF-8 and nothing else (a str it would open as a file or fetch); its `version`, not its
`bozo`, says whether a document is a feed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from monitor.model import Verdict, VerdictKind
from monitor.sources.content import Content
from monitor.sources.drafts import Draft, Page
from monitor.sources.feed_cache import FeedItems, FeedReader
from monitor.sources.feed_entries import FeedDict, absolute, draft_of, raw, time_of, title_of
from monitor.sources.feed_trimming import Trimmed, trimmed
from monitor.sources.gates import error_feed
from monitor.sources.limits import external_entity, too_complex

_XML_ENCODING = re.compile(rb"""(<\?xml[^>]{0,100}?)\s+encoding\s*=\s*["'][^"']*["']""", re.IGNORECASE)
_BARE_AMPERSAND = re.compile(rb"&(?!(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]\w{0,30});)")
_SURROGATE_REFERENCE = re.compile(
    rb"&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}|0*5(?:529[6-9]|5[3-9]\d{2}|6\d{3}|7[0-2]\d{2}|73[0-3]\d|734[0-3]));"
)
_TOMBSTONE = re.compile(rb"""<(?:[\w.-]+:)?deleted-entry\b[^>]{0,2000}?\bref\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}
_NAMES = {"rss": "RSS", "atom": "Atom", "cdf": "CDF"}


def read_feed(content: Content) -> Page | Verdict:
    """Return the entries of a feed; a failed verdict if the document is none."""
    base, cut = content.document.url, trimmed(feed_bytes(content), content.options.max_entries)
    if (dear := too_complex(cut.body)) is not None:
        return dear

    def make(entry: FeedDict, version: str) -> Draft:
        return draft_of(entry, base=base, dated_by_update=not version.startswith("atom"))

    items = FeedReader(content.memory, parse_feed, make).read(cut.body, base)
    if not items.version:
        return Verdict(VerdictKind.FAILED, "the document is no feed of a known format", "not_a_feed")
    return error_feed([draft.title for draft in items.drafts]) or page_of(content, items, cut)


def page_of(content: Content, items: FeedItems, cut: Trimmed) -> Page:
    """Return the page of a feed's head and its entries."""
    head = items.head
    updated, _ = time_of(head, "updated")
    published, _ = time_of(head, "published")
    modified = updated or published
    return Page(
        drafts=items.drafts,
        kind="feed",
        how=f"{feed_name(items.version)} feed",
        title=title_of(head),
        whole=b"http://purl.org/syndication/history/1.0" in content.body and b"complete/>" in content.body,
        deleted=tombstones(content.body),
        modified_at=modified.at if modified is not None else None,
        ttl=time_to_live(head),
        next_url=_next(head, content.document.url),
        left_out=cut.left_out,
        verdict=_broken(items) or external_entity(cut.body),
    )


def _broken(items: FeedItems) -> Verdict | None:
    if not items.broken:
        return None
    reason = f"{items.broken} items of the feed cannot be parsed and are left out"
    return Verdict(VerdictKind.SUSPECT, reason, "broken_items")


def feed_bytes(content: Content) -> bytes:
    """Return the document as UTF-8 without another declaration, so that the encoding is decided in one place."""
    body = content.body
    if content.encoding != "utf-8" and not _is_utf8(body):
        body = content.text.encode()
    body = body.removeprefix(b"\xef\xbb\xbf").lstrip()  # an XML declaration counts only at the very start
    return _XML_ENCODING.sub(rb"\1", body, count=1) if _XML_ENCODING.search(body[:200]) else body


def _is_utf8(body: bytes) -> bool:
    """Whether bytes that claim another encoding are UTF-8 all the same: by chance it happens to no text of some length."""
    if b"\0" in body[:4]:
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def parse_feed(body: bytes) -> dict[str, Any]:
    """Return feedparser's result; references to surrogates, which it raises on, are replaced."""
    import feedparser

    body = _with_whole_ampersands(body)
    try:
        parsed = feedparser.parse(BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    except UnicodeError:
        mended = _SURROGATE_REFERENCE.sub(b"&#xFFFD;", body)
        parsed = feedparser.parse(BytesIO(mended), sanitize_html=False, resolve_relative_uris=False)
    return dict(parsed)


def _with_whole_ampersands(body: bytes) -> bytes:
    """Return a feed with its bare ampersands written out, outside CDATA: feedparser reads "AT&T says" as "AT&T; says"."""
    if _BARE_AMPERSAND.search(body) is None:
        return body
    parts: list[bytes] = []
    at = 0
    while True:
        begin = body.find(b"<![CDATA[", at)
        end = body.find(b"]]>", begin) if begin >= 0 else -1
        parts.append(_BARE_AMPERSAND.sub(b"&amp;", body[at : begin if end >= 0 else len(body)]))
        if end < 0:
            return b"".join(parts)
        parts.append(body[begin : end + 3])
        at = end + 3


def feed_name(version: str) -> str:
    """Return a format's name for people: "RSS 2.0", "Atom 1.0"."""
    letters, digits = version.rstrip("0123456789nu"), version.lstrip("abcdefghijklmnopqrstuvwxyz")
    name = _NAMES.get(letters, letters)
    return f"{name} {digits[0]}.{digits[1:]}" if len(digits) > 1 else name


def tombstones(body: bytes) -> tuple[str, ...]:
    """Return the ids a feed declares deleted (RFC 6721)."""
    if b"purl.org/atompub/tombstones" not in body:
        return ()
    import html

    found = ((double or single).decode("utf-8", "replace") for double, single in _TOMBSTONE.findall(body))
    return tuple(dict.fromkeys(html.unescape(ref).strip() for ref in found))


def time_to_live(head: FeedDict) -> int | None:
    """Return the seconds a feed asks us to wait: `ttl` in minutes, else the syndication module's period / frequency."""
    minutes = _text(head, "ttl")
    if minutes and minutes.isdecimal() and 0 < int(minutes[:9]) < 60 * 24 * 366:
        return int(minutes) * 60
    period = _PERIODS.get((_text(head, "sy_updateperiod") or "").lower())
    if period is None:
        return None
    frequency = _text(head, "sy_updatefrequency") or "1"
    return period // max(1, int(frequency)) if frequency.isdecimal() and len(frequency) < 9 else period


def _next(head: FeedDict, base: str | None) -> str | None:
    links = raw(head, "links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and link.get("rel") == "next":
            return absolute(str(link.get("href") or ""), base)
    return None


def _text(head: FeedDict, key: str) -> str | None:
    value = raw(head, key)
    return value.strip() if isinstance(value, str) else None
