"""What of an entry's element is not its text: share bars, bylines, labels, hidden words, captions.

Rule: by what publishers name a box and how little it holds; a box with paragraphs of text is text, whatever its name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from monitor.sources.dom import attribute
from monitor.text.html import Skip
from monitor.text.times import read_claim

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_FURNITURE = re.compile(
    r"\b(?:share|sharing|social|bylines?|by-line|authors?|contributors?|meta|meta-time|timestamp|time-stamp|dateline|pubdate|related|promo"
    r"|advert|ads?|ad-slot|adslot|newsletter|comments?|credit|copyright|toolbar|buttons?|hidden|tags?|entry-info|permalink|labels?|badge"
    r"|kicker-label|read-more|caption)\b"
)
_HIDDEN = re.compile(r"\b(?:visually-?hidden|sr-only|screen-?reader(?:-text|-only)?|gs-u-vh|u-h|assistive|a11y)\b")
_BYLINE = re.compile(r"\b(?:byline|by-line|authors?|contributors?|timestamp|dateline)\b")
_CAPTION = re.compile(r"\b(?:caption|credit|copyright)\b")
_BADGE = re.compile(r"badge|-tag\b|label|breaking|flag|kicker")
_NEVER_TEXT = frozenset({"time", "button", "nav", "footer", "amp-timeago", "gu-island"})
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MUCH = 300  # characters outside links: more than any furniture says
_STAMP_BOX = 80
_PARAGRAPHS = 120  # characters in paragraphs, likewise


@lru_cache(maxsize=4096)
def words_of(names: str) -> str:
    """Return class names as words: "live_post__shareBar" is a share bar."""
    return _CAMEL.sub(" ", names[:300]).replace("_", " ").lower()


def is_hidden(node: LexborNode) -> bool:
    """Return whether a node is for screen readers alone, or for nobody."""
    attributes = node.attributes
    if attributes.get("aria-hidden") == "true" or "hidden" in attributes:
        return True
    names = attributes.get("class")
    return bool(names) and _HIDDEN.search(words_of(names)) is not None


def is_badge(node: LexborNode) -> bool:
    """Return whether a node in a heading is a label before the title ("Breaking")."""
    return _BADGE.search(attribute(node, "class")) is not None


def skip_furniture(title: int | None, *, pictures: bool, label: str = "") -> Skip:
    """Return what of an entry is not its text: the node `title`, the time shown as `label`, and furniture.

    With `pictures` their captions are text.
    """
    silent = _NEVER_TEXT if pictures else _NEVER_TEXT | {"figure"}

    def skip(node: LexborNode) -> bool:
        if node.tag == "footer" and node.parent is not None and node.parent.tag == "blockquote":
            return False  # who is quoted
        if node.mem_id == title or node.tag in silent or is_hidden(node) or (label and _says_only(node, label)):
            return True
        if node.tag == "div" and _is_stamp_box(node, label):
            return True
        attributes = node.attributes
        if attributes.get("itemprop") == "author":
            return True
        if "display:none" in (attributes.get("style") or "").replace(" ", "") and _holds_little(node):
            return True  # a menu; more than that is the rest of the entry, shown when asked for
        names = attributes.get("class")
        return bool(names) and node.tag != "article" and _is_furniture_box(node, words_of(names), pictures=pictures)

    return skip


def _is_stamp_box(node: LexborNode, label: str) -> bool:
    """Whether a box holds little more than a date and time that is not the entry's: "Jane Roe · 10 March 2026 15:05"."""
    child = node.child
    if child is None or len(node.text()) > _STAMP_BOX:
        return False
    while child is not None:
        text = " ".join(child.text().split()) if child.tag == "span" else ""
        claim = read_claim(text) if text and text != label else None
        if claim is not None and claim.has_day and claim.hour is not None:
            return True
        child = child.next
    return False


def _says_only(node: LexborNode, label: str) -> bool:
    child = node.child
    return (
        child is not None
        and child.next is None
        and child.tag == "-text"
        and " ".join((child.text_content or "").split()) == label
    )


def _is_furniture_box(node: LexborNode, names: str, *, pictures: bool) -> bool:
    """Whether a box is named like furniture and holds no more than furniture does."""
    if node.tag == "p":
        return _BYLINE.search(names) is not None and _outside_links(node) < _PARAGRAPHS
    if _CAPTION.search(names):
        return not pictures
    return _FURNITURE.search(names) is not None and _holds_little(node)


def _holds_little(node: LexborNode) -> bool:
    return sum(len(paragraph.text()) for paragraph in node.css("p")[:4]) < _PARAGRAPHS and _outside_links(node) < _MUCH


def _outside_links(node: LexborNode) -> int:
    return len(node.text()) - sum(len(link.text()) for link in node.css("a, button")[:50])
