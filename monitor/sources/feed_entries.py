"""feedparser's entries → drafts: the ladders of id, link, title, text and time.

Rule: `native_id` is the publisher's guid or atom:id as written, never made up; full content goes before a summary. Values
are read past FeedParserDict's own lookup, which maps keys and warns about it.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from monitor.model import Stamp
from monitor.sources.drafts import Draft
from monitor.sources.furniture import is_furniture
from monitor.text.html import html_line, html_text, join_paragraphs
from monitor.text.times import TimeClaim, read_claim, stamp_of

FeedDict = Mapping[str, Any]  # feedparser is untyped: its values are checked where they are taken

# "desk@news.example (News Desk)", "News Desk (desk@news.example)", "News Desk <desk@news.example>" → the name
_ADDRESSED = re.compile(r"\S+@\S+\s*\(([^()]+)\)|([^<>@]+?)\s*[(<]\S+@\S+[)>]")
_LONGEST = 2_000_000  # characters of markup; what an entry may hold of text is capped far below it
_LONGEST_DATE = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def draft_of(entry: FeedDict, *, base: str | None, dated_by_update: bool) -> Draft:
    """Return the draft of one feedparser entry.

    `base` resolves relative links. `dated_by_update` for formats whose only date feedparser files under "updated"
    (dc:date of RSS 1.0, CDF's lastmod): Atom's `updated` moves with every edit and dates nothing.
    """
    stamp, claim = time_of(entry, "published")
    updated, _ = time_of(entry, "updated")
    if stamp is None and claim is None:
        stamp, claim = time_of(entry, "created")
    if stamp is None and claim is None and dated_by_update:
        stamp, claim = time_of(entry, "updated")
    return Draft(
        text=_text(entry),
        title=title_of(entry),
        native_id=_line(raw(entry, "id")),
        url=_address(entry, base),
        stamp=stamp,
        claim=claim,
        updated_at=updated.at if updated is not None and updated is not stamp else None,
        author=_author(entry),
        tags=_tags(entry),
    )


def _address(entry: FeedDict, base: str | None) -> str | None:
    """The entry's link; an id that feedparser takes for one is none unless it looks like an address."""
    link = _line(raw(entry, "link"))
    if link and link == _line(raw(entry, "id")) and "/" not in link:
        return None
    return absolute(link, base)


def raw(entry: FeedDict, key: str) -> Any:
    """Return a value of a FeedParserDict as parsed, past its own lookup, which maps keys and warns of it."""
    return dict.get(cast("dict[str, Any]", entry), key)


def _line(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def title_of(entry: FeedDict) -> str | None:
    """Return the title on one line, markup taken off unless the format says that it is plain text."""
    value = raw(entry, "title")
    if not isinstance(value, str):
        return None
    detail = raw(entry, "title_detail")
    plain = isinstance(detail, Mapping) and raw(detail, "type") == "text/plain"
    return (" ".join(value.split()) if plain else html_line(value)) or None


def _text(entry: FeedDict) -> str:
    contents = raw(entry, "content")
    bodies = [part for part in contents if isinstance(part, Mapping)] if isinstance(contents, list) else []
    for part in sorted(bodies, key=lambda part: len(str(part.get("value") or "")), reverse=True):
        if text := _plain(part):
            return _without_tail(text)
    detail = raw(entry, "summary_detail")
    if isinstance(detail, Mapping) and (text := _plain(detail)):
        return _without_tail(text)
    summary = raw(entry, "summary")
    return _without_tail(html_text(summary[:_LONGEST])) if isinstance(summary, str) else ""


def _without_tail(text: str) -> str:
    """Take "Continue reading..." and its like off the end of a text that says more than that."""
    rest, _, last = text.rpartition("\n\n")
    while rest and is_furniture(last):
        text = rest
        rest, _, last = text.rpartition("\n\n")
    return text


def _plain(part: Mapping[str, Any]) -> str:
    value = raw(part, "value")
    if not isinstance(value, str):
        return ""
    kind = str(raw(part, "type") or "")
    if kind == "text/plain":
        return join_paragraphs(value.split("\n\n"))
    return "" if kind.startswith(("image/", "audio/", "video/")) else html_text(value[:_LONGEST])


def _author(entry: FeedDict) -> str | None:
    """The author's name; RSS asks for an address with the name in brackets, Atom gives both apart."""
    written = raw(entry, "author")
    detail = raw(entry, "author_detail")
    if not isinstance(written, str):
        written = raw(detail, "name") if isinstance(detail, Mapping) else None
    if not isinstance(written, str):
        return None
    found = _ADDRESSED.fullmatch(written.strip())
    return html_line(next(filter(None, found.groups()), "") if found else written) or None


def _tags(entry: FeedDict) -> tuple[str, ...]:
    tags = raw(entry, "tags")
    terms = (
        [tag.get("label") or tag.get("term") for tag in tags if isinstance(tag, Mapping)]
        if isinstance(tags, list)
        else []
    )
    return tuple(dict.fromkeys(html_line(term) for term in terms if isinstance(term, str) and term.strip()))


def time_of(entry: FeedDict, key: str) -> tuple[Stamp | None, TimeClaim | None]:
    """Return what an entry says under `key`: an exact stamp, or a claim to be placed with the page's clock."""
    written = raw(entry, key)
    if not isinstance(written, str) or not written.strip():
        return None, None
    claim = read_claim(written)
    if claim is not None and claim.year is not None and claim.hour is not None and claim.zone is not None:
        stamp = stamp_of(claim, reference=_EPOCH, zone=UTC)
        if stamp is not None:
            return stamp, None
    if claim is not None or len(written) > _LONGEST_DATE or (written.isdecimal() and len(written) > len("20161215")):
        return None, claim  # of a row of digits feedparser takes the first for a year
    parsed = raw(entry, f"{key}_parsed")
    try:
        return Stamp(_EPOCH + timedelta(seconds=timegm(parsed)), written.strip()), None
    except (TypeError, ValueError, OverflowError, IndexError, AttributeError):
        return None, None


def absolute(url: str | None, base: str | None) -> str | None:
    """Return `url` made absolute against `base`; None for what is no web address (`javascript:`, `data:`, `file:`)."""
    if not url:
        return None
    try:
        joined = urljoin(base, url) if base else url
        scheme = urlsplit(joined).scheme.lower()
    except ValueError:
        return None
    return joined if scheme in {"http", "https", ""} else None
