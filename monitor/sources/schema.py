"""schema.org LiveBlogPosting in JSON-LD: finds it wherever it stands and reads its updates.

Rule: one broken block costs that block. Graphs, arrays, nested pages, object bodies, entities encoded twice and trailing
commas are all met in the wild.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.sources.content import JSON, read_json
from monitor.sources.drafts import Draft
from monitor.sources.feed_entries import absolute
from monitor.sources.values import line, moment, stamped, text_value
from monitor.text.html import html_line, html_text

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,31});")
_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>)\s*;?\s*$"
)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_STRAY_ESCAPE = re.compile(r"\\(?![\"\\/bfnrtu])")
_EMBED_CODE = re.compile(
    r"\[\[[a-z]{1,12}:[^\]\s]{1,120}\]\]"
)  # a CMS's own mark for an embedded box, unseen by readers
_SENTENCE_END = re.compile(r"(?<=[.!?…:;”\"»)\]。！？])[ \t]*\n+[ \t]*|\n{2,}")
_MAX_DEPTH = 12

Node = dict[str, JSON]


def live_blog_of(tree: LexborHTMLParser) -> Node | None:
    """Return the page's LiveBlogPosting with the most updates, None if there is none with any."""
    found: list[Node] = []
    for script in tree.css('script[type*="ld+json"]'):
        value = _parse(script.text())
        found.extend(node for node in _walk(value, 0) if _is_a(node, "LiveBlogPosting"))
    best = max(found, key=lambda node: len(updates_of(node)), default=None)
    return best if best is not None and updates_of(best) else None


def _parse(text: str) -> JSON:
    value = read_json(text)
    if value is not None:
        return value
    bare = _WRAPPING.sub("", text).strip().rstrip(";")
    return read_json(bare) or read_json(_STRAY_ESCAPE.sub(r"\\\\", _TRAILING_COMMA.sub("", bare)))


def _walk(value: JSON, depth: int) -> Iterator[Node]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            if isinstance(inner, dict | list):
                yield from _walk(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, depth + 1)


def _is_a(node: Node, name: str) -> bool:
    kind = node.get("@type")
    kinds = kind if isinstance(kind, list) else [kind]
    return any(isinstance(one, str) and one.rsplit("/", 1)[-1].rsplit(":", 1)[-1] == name for one in kinds)


def updates_of(blog: Node) -> list[Node]:
    """Return the updates of a LiveBlogPosting that are objects."""
    updates = blog.get("liveBlogUpdate") or blog.get("liveBlogUpdates")
    if isinstance(updates, dict):
        inner = updates.get("@list") or updates.get("itemListElement")
        updates = inner if isinstance(inner, list) else [updates]
    listed = updates if isinstance(updates, list) else []
    inner = [one.get("item") if isinstance(one, dict) and _is_a(one, "ListItem") else one for one in listed]
    return [update for update in inner if isinstance(update, dict)]


def draft_of_update(update: Node, page_url: str | None) -> Draft:
    """Return the draft of one update. Its id is what the publisher gives it: `@id`, `identifier`, or its own address."""
    stamp, claim = stamped(update.get("datePublished") or update.get("dateCreated") or update.get("uploadDate"))
    own = line(update.get("@id")) or line(_value(update.get("identifier")))
    anchor = own if own and own.startswith("#") else None
    url = absolute(_address(update.get("url")) or anchor or _address(update.get("mainEntityOfPage")), page_url)
    return Draft(
        text=_body(update),
        title=plain_line(text_value(_value(update.get("headline"))) or text_value(_value(update.get("name"))) or "")
        or None,
        native_id=own or (url if url != page_url else None),
        url=url,
        stamp=stamp,
        claim=claim,
        updated_at=moment(_value(update.get("dateModified"))),
        author=author_of(update.get("author")),
        tags=_keywords(update.get("keywords")),
    )


def _value(value: JSON) -> JSON:
    """The value inside `{"@type": "Text", "@value": …}`, a property value, or a list of one."""
    if isinstance(value, list):
        return _value(value[0]) if value else None
    if isinstance(value, dict):
        return next(
            (value[key] for key in ("@value", "value", "text", "name", "articleBody") if text_value(value.get(key))),
            None,
        )
    return value


def _address(value: JSON) -> str | None:
    if isinstance(value, dict):
        return line(value.get("@id")) or line(value.get("url"))
    return line(value)


def _body(update: Node) -> str:
    for key in ("articleBody", "text", "description"):
        value = update.get(key)
        parts = value if isinstance(value, list) else [value]
        texts = [plain_text(text) for part in parts if (text := text_value(_value(part)))]
        if any(texts):
            return "\n\n".join(text for text in texts if text)
    return ""


def plain_text(written: str) -> str:
    """Return a body as text: markup off, entities decoded even where encoded twice, line ends as paragraphs.

    A single line end parts paragraphs only after the end of a sentence; others are wrapped lines.
    """
    text = html_text(_SENTENCE_END.sub("\n\n", _EMBED_CODE.sub("", _decoded(written))))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def plain_line(written: str) -> str:
    """Return a title on one line, markup off, entities decoded even where encoded twice."""
    return html_line(_decoded(written))


def _decoded(written: str) -> str:
    for _ in range(2):
        if not _ENTITY.search(written) or "<" in written:
            break
        written = html.unescape(written)
    return written


def author_of(value: JSON) -> str | None:
    """Return the names of an author value: a string, a person, or a list of them."""
    listed = value if isinstance(value, list) else [value]
    names = [line(one.get("name")) if isinstance(one, dict) else line(one) for one in listed]
    return ", ".join(html_line(name) for name in names if name) or None


def _keywords(value: JSON) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(dict.fromkeys(tag for one in listed if (tag := line(one))))
