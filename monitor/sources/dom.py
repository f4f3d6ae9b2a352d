"""Small questions to nodes of a page: what a class says, which signature a node has, what stands before what.

Rule: reads attributes and structure only; knows nothing of live blogs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.sources.feed_entries import absolute

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_DIGITS = re.compile(r"[\d_-]*\d[\w-]*")
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


def attribute(node: LexborNode, name: str) -> str:
    """Return an attribute's value without white space around it, "" if it is absent or has none."""
    return (node.attributes.get(name) or "").strip()


def classes(node: LexborNode) -> str:
    """Return class and id of a node in lower case: where publishers write what a box is for."""
    attributes = node.attributes
    return f"{attributes.get('class') or ''} {attributes.get('id') or ''}".lower()


def signature(node: LexborNode, *, exact: bool = False) -> str:
    """Return what nodes of the same make share: the tag and the first class, without its numbers unless `exact`."""
    first = (node.attributes.get("class") or "").split(maxsplit=1)
    return f"{node.tag}.{(first[0] if exact else _DIGITS.sub('', first[0])) if first else ''}"


def path(node: LexborNode, levels: int = 4, *, exact: bool = False) -> str:
    """Return the signatures of a node and the ones above it: equal for the entries of one list, whatever their parents'
    places."""
    parts: list[str] = []
    current: LexborNode | None = node
    while current is not None and len(parts) < levels:
        parts.append(signature(current, exact=exact))
        current = current.parent
    return "<".join(parts)


def ancestors(node: LexborNode, levels: int) -> Iterator[LexborNode]:
    """Yield the elements above a node, nearest first, body and html left out."""
    current = node.parent
    while current is not None and levels and current.tag not in {"body", "html", "-undef"}:
        yield current
        current = current.parent
        levels -= 1


def first_of(node: LexborNode, selector: str) -> LexborNode | None:
    """Return the first match of a selector below a node."""
    return node.css_first(selector)


def leaf_texts(node: LexborNode) -> Iterator[str]:
    """Yield the texts below a node one text node at a time: labels doubled for screen readers stay apart."""
    for inner in node.traverse(include_text=True):
        if inner.tag == "-text" and (text := (inner.text_content or "").strip()):
            yield text


def next_page(tree: LexborHTMLParser, page_url: str | None) -> str | None:
    """Return the address of the older page a page declares (`rel=next`), if it is of the same host."""
    link = tree.css_first("link[rel~=next][href], a[rel~=next][href]")
    if link is None or page_url is None:
        return None
    url = absolute(attribute(link, "href"), page_url)
    return url if url and url != page_url and urlsplit(url).netloc == urlsplit(page_url).netloc else None


def offered_feed(tree: LexborHTMLParser, page_url: str | None) -> str | None:
    """Return the address of the first feed a page offers (`rel=alternate`), None if it offers none."""
    for link in tree.css("link[rel~=alternate][type][href]")[:20]:
        if any(kind in attribute(link, "type").lower() for kind in ("rss+xml", "atom+xml", "feed+json")):
            return absolute(attribute(link, "href"), page_url)
    return None
