"""JSON Feed 1.0 and 1.1 → entries (https://www.jsonfeed.org/version/1.1/).

Rule: one bad item costs that item only; `id` may be a number and is kept as its digits.
"""

from __future__ import annotations

from monitor.model import Verdict, VerdictKind
from monitor.sources.content import JSON, Content
from monitor.sources.drafts import Draft, Page
from monitor.sources.feed_entries import absolute
from monitor.sources.limits import newest_part
from monitor.sources.values import line, moment, stamped, text_value
from monitor.text.html import html_line, html_text, join_paragraphs


def is_json_feed(value: JSON) -> bool:
    """Return whether a JSON value says that it is a JSON Feed, or holds items as only JSON Feed has them."""
    if not isinstance(value, dict):
        return False
    items = value.get("items")
    first = items[0] if isinstance(items, list) and items else None
    return "jsonfeed.org/version/" in str(value.get("version")) or (
        isinstance(first, dict) and "id" in first and bool(first.keys() & {"content_html", "content_text"})
    )


def read_json_feed(content: Content) -> Page | Verdict:
    """Return the entries of a JSON Feed; a failed verdict if it has no list of items."""
    feed = content.json
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(feed, dict) or not isinstance(items, list):
        return Verdict(VerdictKind.FAILED, "a JSON Feed without a list of items", "not_a_feed")
    base = content.document.url or line(feed.get("feed_url")) or line(feed.get("home_page_url"))
    some = newest_part(items, content.options.max_entries, lambda item: moment(_date(item)))
    drafts = tuple(_draft(item, base) for item in some if isinstance(item, dict))
    skipped = len(some) - len(drafts)
    return Page(
        drafts=drafts,
        kind="feed",
        how="JSON Feed",
        title=line(feed.get("title")),
        next_url=absolute(line(feed.get("next_url")), base),
        left_out=len(items) - len(some),
        remarks=(f"{skipped} items are no objects and were left out",) if skipped else (),
    )


def _date(item: JSON) -> JSON:
    return item.get("date_published") if isinstance(item, dict) else None


def _draft(item: dict[str, JSON], base: str | None) -> Draft:
    stamp, claim = stamped(item.get("date_published"))
    return Draft(
        text=_body(item),
        title=html_line(text_value(item.get("title")) or "") or None,
        native_id=line(item.get("id")),
        url=absolute(line(item.get("url")) or line(item.get("external_url")), base),
        stamp=stamp,
        claim=claim,
        updated_at=moment(item.get("date_modified")),
        author=_author(item),
        tags=_tags(item.get("tags")),
    )


def _body(item: dict[str, JSON]) -> str:
    if markup := text_value(item.get("content_html")):
        return html_text(markup)
    plain = text_value(item.get("content_text")) or text_value(item.get("summary")) or ""
    return join_paragraphs(plain.split("\n\n"))


def _author(item: dict[str, JSON]) -> str | None:
    authors = item.get("authors")
    listed = authors if isinstance(authors, list) else [item.get("author")]
    names = [name for author in listed if isinstance(author, dict) and (name := line(author.get("name")))]
    return ", ".join(names) or None


def _tags(value: JSON) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for item in value if (tag := line(item)))) if isinstance(value, list) else ()
