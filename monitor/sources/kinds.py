"""The table of source kinds: how each is recognised, and what reads it.

Rule: a new kind is one file and one row here; `auto` goes down the table and takes the first kind that claims a document
and reads entries from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.model import SourceKind, Verdict
from monitor.sources.blocks_page import read_blocks
from monitor.sources.content import JSON, Content
from monitor.sources.cuts import FEED_ROOTS
from monitor.sources.drafts import Page
from monitor.sources.feed import read_feed
from monitor.sources.gates import refuses
from monitor.sources.json_feed import is_json_feed, read_json_feed
from monitor.sources.liveblog import read_live_blog
from monitor.sources.selected_json import read_selected_json
from monitor.sources.selected_page import read_selected
from monitor.sources.stamped_text import read_stamped_text
from monitor.sources.vendors import vendor_of


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to read a document."""

    name: SourceKind
    claims: Callable[[Content], str | None]  # why a document looks like this kind, in words; None if it does not
    read: Callable[[Content], Page | Verdict]


def _claims_feed(content: Content) -> str | None:
    if content.root in FEED_ROOTS:
        return f"its first element is <{content.root}>"
    if content.start.startswith("<?xml") and content.root != "html":
        return "it is XML"
    return "its items are those of JSON Feed" if content.start.startswith("{") and is_json_feed(content.json) else None


def _read_feed(content: Content) -> Page | Verdict:
    return read_json_feed(content) if is_json_feed(_json_if_any(content)) else read_feed(content)


def _json_if_any(content: Content) -> JSON:
    return content.json if content.start.startswith(("{", "[")) else None


def _claims_live_blog(content: Content) -> str | None:
    if "entry" in content.options.select:
        return None
    if content.start.startswith(("{", "[")):
        vendor = vendor_of(content.json)
        return f"it is JSON of {vendor}" if vendor else None
    if not content.is_markup or content.root in FEED_ROOTS:
        return None
    return "it names LiveBlogPosting" if "LiveBlogPosting" in content.text else None


def _claims_page(content: Content) -> str | None:
    return (
        "it is HTML"
        if content.is_markup and content.root not in FEED_ROOTS and not content.start.startswith(("{", "[{"))
        else None
    )


def _read_page(content: Content) -> Page | Verdict:
    if "entry" in content.options.select:
        return read_selected(content)
    return refuses(content) or read_blocks(content)


def _claims_json(content: Content) -> str | None:
    if content.start.startswith("{"):
        return "it begins like JSON"
    return "it is JSON" if content.start.startswith("[") and content.json is not None else None


def _claims_text(content: Content) -> str | None:
    return (
        None if content.is_markup or content.start.startswith("{") or content.json is not None else "it is plain text"
    )


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("feed", _claims_feed, _read_feed),
        Kind("liveblog", _claims_live_blog, read_live_blog),
        Kind("page", _claims_page, _read_page),
        Kind("json", _claims_json, read_selected_json),
        Kind("text", _claims_text, read_stamped_text),
    )
}
