"""Any JSON: the list whose members hold a time and a text under the usual names, or by JMESPath from the settings.

Rule: `entry` gives the list, each other key a field of one of its members; what is not given is looked for. Epoch seconds
and milliseconds are times; a text may be plain or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

from monitor.model import Verdict, VerdictKind
from monitor.sources.content import JSON, Content, json_fault
from monitor.sources.drafts import Draft, Page
from monitor.sources.feed_entries import absolute
from monitor.sources.limits import newest_part
from monitor.sources.values import line, moment, stamped, text_value
from monitor.text.html import html_line, html_text, join_paragraphs

Search = Callable[[JSON], JSON]

# The names publishers give a field, best first.
_USUAL = {
    "id": ("id", "_id", "guid", "uuid", "uid", "key", "postId", "post_id", "slug"),
    "title": ("title", "headline", "heading", "name", "subject"),
    "text": (
        "text",
        "body",
        "content",
        "content_html",
        "content_text",
        "html",
        "bodyHtml",
        "articleBody",
        "message",
        "description",
        "summary",
        "render",
        "excerpt",
    ),
    "time": (
        "published_at",
        "publishedAt",
        "published",
        "datePublished",
        "date_published",
        "pubDate",
        "created_at",
        "createdAt",
        "created",
        "timestamp",
        "time",
        "date_gmt",
        "date",
        "firstPublished",
        "entry_time",
        "updated_at",
        "updated",
    ),
    "updated": (
        "updated_at",
        "updatedAt",
        "dateModified",
        "date_modified",
        "lastModified",
        "modified_gmt",
        "modified",
        "updated",
    ),
    "url": ("url", "link", "permalink", "webUrl", "href", "share_link"),
    "author": ("author", "authors", "byline", "creator", "display_name"),
    "tags": ("tags", "keywords"),
}
_WITHIN = ("properties", "attributes", "node", "fields", "_source")
_MARKUP = re.compile(r"<[a-zA-Z/!][^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[a-z]{2,8});")


def read_selected_json(content: Content) -> Page | Verdict:
    """Return the entries of a JSON document; a failed verdict naming what is missing."""
    import jmespath

    value = content.json
    if value is None:
        return Verdict(VerdictKind.FAILED, f"the document is no JSON: {json_fault(content.text)}", "not_json")
    select = content.options.select
    try:
        items = _search(select["entry"])(value) if "entry" in select else _likely_list(value)
        fields = {key: _search(expression) for key, expression in select.items() if key != "entry"}
    except jmespath.exceptions.JMESPathError as error:
        return Verdict(VerdictKind.FAILED, f"not a JMESPath expression: {str(error).splitlines()[0]}", "bad_selector")
    if not isinstance(items, list):
        what = (
            f"the entry expression {select['entry']!r} gives no list"
            if "entry" in select
            else "no list of entries with times found"
        )
        return Verdict(VerdictKind.FAILED, what, "layout_changed" if "entry" in select else "no_entries")
    return _page(content, items, fields, select)


def _page(content: Content, items: list[JSON], fields: Mapping[str, Search], select: Mapping[str, str]) -> Page:
    read: list[Draft] = []
    deleted: list[str] = []
    broken = 0
    some = newest_part(items, content.options.max_entries, lambda one: _when(one, fields))
    for item in some:
        if not isinstance(item, dict):
            broken += 1
            continue
        draft, gone = _draft(item, fields, content.document.url)
        if gone and draft.native_id:
            deleted.append(draft.native_id)
        elif draft.text or draft.title:
            read.append(draft)
    misses = [
        f"the {key} expression {select[key]!r} finds nothing in any entry"
        for key in fields
        if read and all(_empty(item, fields[key]) for item in items)
    ]
    return Page(
        drafts=tuple(read),
        kind="json",
        how=f"{len(read)} members of {select['entry']!r}"
        if "entry" in select
        else f"a list of {len(read)} objects with times and texts",
        deleted=tuple(deleted),
        left_out=len(items) - len(some),
        remarks=(*misses, *((f"{broken} members are no objects and were left out",) if broken else ())),
    )


def _when(item: JSON, fields: Mapping[str, Search]) -> datetime | None:
    return moment(
        _field(item, fields["time"]) if "time" in fields else _usual(item, "time") if isinstance(item, dict) else None
    )


def _search(expression: str) -> Search:
    import jmespath

    return cast("Search", jmespath.compile(expression).search)


def _empty(item: JSON, search: Search) -> bool:
    return _field(item, search) in (None, "", [])


def _field(item: JSON, search: Search) -> JSON:
    import jmespath

    try:
        return search(item)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError, ArithmeticError):
        return None  # a function was given a value of another type in this member


def _draft(item: dict[str, JSON], fields: Mapping[str, Search], page_url: str | None) -> tuple[Draft, bool]:
    def value(key: str) -> JSON:
        return _field(item, fields[key]) if key in fields else _usual(item, key)

    stamp, claim = stamped(value("time"))
    draft = Draft(
        text=body_text(value("text")),
        title=html_line(body_text(value("title"))) or None,
        native_id=line(value("id")),
        url=absolute(line(value("url")), page_url),
        stamp=stamp,
        claim=claim,
        updated_at=moment(value("updated")),
        author=_author(value("author")),
        tags=listed(value("tags")),
        pinned=value("pinned") is True,
    )
    return draft, value("deleted") not in (None, False, "", 0, "false")


def body_text(value: JSON) -> str:
    """Return a text value as plain text: HTML or plain, one string or several, or an object that holds one."""
    if isinstance(value, list):
        return join_paragraphs([paragraph for part in value for paragraph in body_text(part).split("\n\n")])
    if isinstance(value, dict):
        return body_text(
            next((value[key] for key in ("rendered", "html", "text", "value", "content") if key in value), None)
        )
    text = text_value(value) or ""
    return html_text(text) if _MARKUP.search(text) else join_paragraphs(re.split(r"\n\s*\n", text))


def _author(value: JSON) -> str | None:
    listed = value if isinstance(value, list) else [value]
    names = [line(one.get("name") or one.get("display_name")) if isinstance(one, dict) else line(one) for one in listed]
    return ", ".join(name for name in names if name) or None


def listed(value: JSON) -> tuple[str, ...]:
    """Return the strings of a list, each once."""
    return tuple(dict.fromkeys(tag for one in value if (tag := line(one)))) if isinstance(value, list) else ()


def _usual(item: dict[str, JSON], key: str) -> JSON:
    """A field under one of its usual names, in the member itself or in what it wraps: `properties` (GeoJSON), `attributes`
    (JSON:API), `node` (GraphQL), `_source` (search engines)."""
    inner = next((item[name] for name in _WITHIN if isinstance(item.get(name), dict)), None)
    for holder in (item, inner):
        if isinstance(holder, dict):
            for name in _USUAL.get(key, ()):
                found = holder.get(name)
                if found not in (None, "", []):
                    return (
                        f"{found}Z"
                        if name.endswith("_gmt") and isinstance(found, str) and found[-1].isdigit()
                        else found
                    )
    return None


def _likely_list(value: JSON) -> list[JSON] | None:
    best: list[JSON] | None = None
    queue: list[tuple[JSON, int]] = [(value, 0)]
    while queue:
        current, depth = queue.pop()
        if isinstance(current, list):
            if _holds_entries(current) and (best is None or len(current) > len(best)):
                best = current
            inner = current[:50]
        else:
            inner = list(current.values()) if isinstance(current, dict) else []
        if depth < 6:
            queue.extend((one, depth + 1) for one in inner if isinstance(one, dict | list))
    return best


def _holds_entries(items: list[JSON]) -> bool:
    sample = [item for item in items[:10] if isinstance(item, dict)]
    return bool(sample) and all(
        stamped(_usual(item, "time")) != (None, None) and (_usual(item, "title") or _usual(item, "text"))
        for item in sample
    )
