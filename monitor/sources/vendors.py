"""The JSON of live-blog systems, each as its own adapter: Sourcefabric Live Blog, Automattic Liveblog, the Guardian.

Rule: what a system says is deleted or unpublished goes into `deleted`; of several rows about one post the last one holds.
    Sourcefabric  /api/client_blogs/<id>/posts          `_items`, `groups`, `deleted`, `post_status`
    Automattic    /wp-json/liveblog/v1/…/entries/…      `entries` with `type` new, update, delete
    Guardian      Content API and dotcom `.json`        `blocks` with `bodyHtml` or `elements`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin

from monitor.model import Verdict, VerdictKind
from monitor.sources.content import JSON, Content
from monitor.sources.drafts import Draft, Page
from monitor.sources.feed_entries import absolute
from monitor.sources.selected_json import listed
from monitor.sources.values import line, moment, stamped, text_value
from monitor.text.html import html_line, html_text, join_paragraphs

Object = dict[str, JSON]


def objects(value: JSON) -> list[Object]:
    """Return the members of a list that are objects."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def member(value: JSON, *path: str) -> JSON:
    """Return the value at a path of keys, None where there is none."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def vendor_of(value: JSON) -> str | None:
    """Return the name of the live-blog system whose JSON this is, None if it is nobody's we know."""
    return next((name for name, knows, _ in _VENDORS if knows(value)), None)


def read_vendor(content: Content) -> Page | Verdict:
    """Return the entries of a live-blog system's JSON."""
    for _, knows, reads in _VENDORS:
        if knows(content.json):
            return reads(content)
    return Verdict(VerdictKind.FAILED, "the JSON is of no live-blog system we know", "no_entries")


# Sourcefabric Live Blog


def _is_sourcefabric(value: JSON) -> bool:
    items = objects(member(value, "_items"))
    return bool(items) and any(isinstance(item.get("groups"), list) or "post_status" in item for item in items)


def _read_sourcefabric(content: Content) -> Page:
    drafts, deleted = [], []
    for post in objects(member(content.json, "_items")):
        id_ = line(post.get("_id"))
        if post.get("deleted") is True or post.get("post_status") not in (None, "open"):
            deleted.append(id_ or "")
            continue
        drafts.append(_sourcefabric_draft(post, id_, content.document.url))
    following = line(member(content.json, "_links", "next", "href"))
    return Page(
        drafts=tuple(drafts),
        kind="liveblog",
        how="Sourcefabric Live Blog posts",
        deleted=tuple(id_ for id_ in deleted if id_),
        next_url=_sourcefabric_next(following, content.document.url),
    )


def _sourcefabric_draft(post: Object, id_: str | None, page_url: str | None) -> Draft:
    stamp, claim = stamped(post.get("published_date") or post.get("_created"))
    items = [
        member(ref, "item")
        for group in objects(post.get("groups"))
        if group.get("id") != "root"
        for ref in objects(group.get("refs"))
    ]
    creator = member(post, "original_creator")
    return Draft(
        text=join_paragraphs([paragraph for item in items for paragraph in _sourcefabric_text(item).split("\n\n")]),
        title=html_line(text_value(post.get("headline")) or "") or None,
        native_id=id_,
        url=absolute(line(post.get("blog_url")), page_url),
        stamp=stamp,
        claim=claim,
        updated_at=moment(post.get("content_updated_date") or post.get("_updated")),
        author=line(member(creator, "display_name")) or line(member(post, "publisher")),
        tags=listed(post.get("tags")),
        pinned=post.get("sticky") is True,
    )


def _sourcefabric_text(item: JSON) -> str:
    if text := text_value(member(item, "text")):
        return html_text(text)
    meta = member(item, "meta")
    keys = ("title", "quote", "text", "caption", "description", "credit")
    return "\n\n".join(html_text(text) for key in keys if (text := text_value(member(meta, key))))


def _sourcefabric_next(href: str | None, page_url: str | None) -> str | None:
    """Eve writes `next` relative to the API's root, not to the page."""
    if not href:
        return None
    root, api, _ = (page_url or "").partition("/api/")
    return absolute(urljoin(root + api, href) if api else href, page_url)


# Automattic Liveblog for WordPress


_AUTOMATTIC_PAGE = re.compile(r"/get-entries/([0-9]{1,6})(?=/|$)")


def _is_automattic(value: JSON) -> bool:
    entries = objects(member(value, "entries"))
    return bool(entries) and all(
        "id" in entry and (entry.get("type") == "delete" or _has_body(entry)) for entry in entries
    )


def _has_body(entry: Object) -> bool:
    return "type" in entry and any(key in entry for key in ("html", "render", "content"))


def _read_automattic(content: Content) -> Page:
    drafts: dict[str, Draft] = {}
    rows: dict[str, Object] = {}
    deleted: dict[str, None] = {}
    for entry in objects(member(content.json, "entries")):
        id_ = line(entry.get("id")) or ""
        if entry.get("type") == "delete":
            drafts.pop(id_, None)
            deleted[id_] = None
        elif id_ not in deleted and _stands_after(entry, rows.get(id_)):  # an update of a deleted post is an orphan
            rows[id_] = entry
            drafts[id_] = _automattic_draft(entry, id_ or None, content.document.url)
    return Page(
        drafts=tuple(drafts.values()),
        kind="liveblog",
        how="Automattic Liveblog entries",
        deleted=tuple(deleted),
        next_url=_automattic_next(content.json, content.document.url),
    )


def _automattic_next(value: JSON, page_url: str | None) -> str | None:
    """The paged form is `…/get-entries/<page>/<last known entry>`, and its answer says how many pages there are."""
    found = _AUTOMATTIC_PAGE.search(page_url or "")
    pages = member(value, "pages")
    if page_url is None or found is None or not isinstance(pages, int) or int(found.group(1)) >= pages:
        return None
    return f"{page_url[: found.start(1)]}{int(found.group(1)) + 1}{page_url[found.end(1) :]}"


def _stands_after(entry: Object, known: Object | None) -> bool:
    """Whether a row is later than the one known of the same post; both orders of rows are met."""
    first, second = moment(member(known, "timestamp")), moment(entry.get("timestamp"))
    return known is None or first is None or second is None or second >= first


def _automattic_draft(entry: Object, id_: str | None, page_url: str | None) -> Draft:
    stamp, claim = stamped(entry.get("entry_time") or entry.get("timestamp") or entry.get("time"))
    body = text_value(entry.get("render")) or text_value(entry.get("content")) or text_value(entry.get("html")) or ""
    names = [name for author in objects(entry.get("authors")) if (name := line(author.get("name")))]
    return Draft(
        text=html_text(body),
        title=html_line(text_value(entry.get("headline")) or "") or None,
        native_id=id_,
        url=absolute(line(entry.get("share_link")), page_url),
        stamp=stamp,
        claim=claim,
        updated_at=moment(entry.get("timestamp")) if entry.get("type") == "update" else None,
        author=", ".join(names) or None,
    )


# The Guardian

_GUARDIAN_BLOCKS = (
    ("response", "content", "blocks", "body"),
    ("content", "blocks", "body"),
    ("blocks", "body"),
    ("article", "blocks"),
    ("frontendData", "blocks"),
    ("blocks",),
)


def _guardian_blocks(value: JSON) -> list[Object]:
    for path in _GUARDIAN_BLOCKS:
        found = objects(member(value, *path))
        if any("bodyHtml" in block or "elements" in block for block in found):
            return found
    return []


def _read_guardian(content: Content) -> Page:
    value = content.json
    holders = (
        member(value, *path) for path in (("response", "content"), ("content",), ("article",), ("frontendData",))
    )
    article = next((one for one in holders if isinstance(one, dict)), value)
    title = text_value(member(article, "webTitle")) or text_value(member(article, "headline"))
    page_url = (
        line(member(article, "webUrl"))
        or line(member(article, "webURL"))
        or (content.document.url or "").partition(".json")[0]
        or None
    )
    return Page(
        drafts=tuple(
            _guardian_draft(block, page_url) for block in _guardian_blocks(value) if block.get("published") is not False
        ),
        kind="liveblog",
        how="Guardian live-blog blocks",
        title=html_line(title) if title else None,
        deleted=tuple(
            id_
            for block in _guardian_blocks(value)
            if block.get("published") is False and (id_ := line(block.get("id")))
        ),
        modified_at=moment(member(article, "webPublicationDate")),
    )


def _guardian_draft(block: Object, page_url: str | None) -> Draft:
    first = (
        block.get("firstPublishedDate")
        or block.get("publishedDate")
        or block.get("blockFirstPublished")
        or block.get("createdDate")
        or block.get("blockCreatedOn")
    )
    stamp, claim = stamped(first)
    id_ = line(block.get("id"))
    contributors = [
        name for one in objects(block.get("contributors")) if (name := line(one.get("name") or one.get("webTitle")))
    ]
    return Draft(
        text=html_text("".join(_guardian_html(block))),
        title=html_line(text_value(block.get("title")) or "") or None,
        native_id=id_,
        url=f"{page_url}?page=with:block-{id_}#block-{id_}" if page_url and id_ else None,
        stamp=stamp,
        claim=claim,
        updated_at=moment(block.get("lastModifiedDate") or block.get("blockLastUpdated")),
        author=", ".join(contributors) or None,
        pinned=member(block, "attributes", "pinned") is True,
    )


def _guardian_html(block: Object) -> Iterator[str]:
    if markup := text_value(block.get("bodyHtml")):
        yield markup
        return
    for element in objects(block.get("elements")):
        if markup := text_value(element.get("html")) or text_value(member(element, "textTypeData", "html")):
            yield markup


_VENDORS: tuple[tuple[str, Callable[[JSON], bool], Callable[[Content], Page]], ...] = (
    ("Sourcefabric Live Blog", _is_sourcefabric, _read_sourcefabric),
    ("Automattic Liveblog", _is_automattic, _read_automattic),
    ("the Guardian", lambda value: bool(_guardian_blocks(value)), _read_guardian),
)
