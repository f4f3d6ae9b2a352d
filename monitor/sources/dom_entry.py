"""One entry's element → draft: heading, paragraphs, time, anchor, author.

Rule: what a reader of the page would call the post's text; share bars, bylines, labels and captions are not. If nothing
is left, captions count: a post may be a picture.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.sources.dom import HEADINGS, attribute, classes, leaf_texts
from monitor.sources.dom_furniture import is_badge, is_hidden, skip_furniture
from monitor.sources.dom_times import CARRIERS, Told, carried_by, shown_claim, told_by
from monitor.sources.drafts import Draft
from monitor.sources.feed_entries import absolute
from monitor.sources.furniture import is_furniture, is_title
from monitor.sources.values import moment
from monitor.text.html import join_paragraphs, paragraphs_of
from monitor.text.times import read_claim

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_COUNTED = re.compile(r"[a-zA-Z_-]*\d{1,4}")
_LEADING_DASH = re.compile(r"^\s*[–—|:-]\s+")  # what parted the text from the time before it
_UPDATES = ("data-update-time", "data-last-modified-time", "data-modified", "data-updated")
_PINNED = re.compile(r"\b(?:pinned|sticky)\b")
_PINS = ("data-pinned", "data-post-sticky")
_TITLE = re.compile(r"\b(?:title|ttl|headline|heading|entry-title|post-title|h-title)\b")
IDS = (
    "data-block-id",
    "data-post-id",
    "data-entry-id",
    "data-update-id",
    "data-event-id",
    "data-item-id",
    "data-uid",
    "data-key",
    "data-id",
)
_OWN_ID = re.compile(
    r"data-(?!.*(?:user|author|parent|page|blog|ad|section|component|module|channel|gtm)-)[a-z0-9-]+-u?u?id"
)
_AUTHORS = "[rel=author], [itemprop=author], [class*=byline], [class*=author], [class*=contributor]"


def draft_of_block(block: LexborNode, page_url: str | None) -> Draft:
    """Return the draft of an entry's element."""
    heading = heading_of(block)
    told = told_of(block)
    anchor = anchor_of(block)
    return Draft(
        text=text_of(block, heading, label=label_of(told)),
        title=_title(heading, label_of(told)) if heading is not None else None,
        native_id=anchor,
        url=permalink(block, anchor, page_url),
        stamp=told.stamp,
        claim=told.claim,
        header=told.header,
        updated_at=updated_of(block),
        author=author_of(block),
        pinned=is_pinned(block),
    )


def _title(heading: LexborNode, label: str) -> str | None:
    """Return a heading's text without the time in it, what only screen readers say, and the badge before it."""
    text = _one_line(paragraphs_of(heading, is_hidden)) or _one_line(paragraphs_of(heading))
    node = next((node for node in heading.css("span[class]") if is_badge(node)), None)
    badge = " ".join(node.text().split()) if node is not None else ""
    for before in (label, badge):
        rest = text.removeprefix(before) if before else text
        if rest and rest != text and not rest[0].isalnum():
            text = _LEADING_DASH.sub("", rest).strip() or text
        elif rest and before == badge:
            text = rest.strip()
    return text or None


def _one_line(paragraphs: list[str]) -> str:
    return " ".join(" ".join(paragraphs).split())


def told_of(block: LexborNode) -> Told:
    """Return an entry's time: what its element carries, else what its first time element with anything to say tells."""
    carried = carried_by(block)
    if not carried.nothing:
        return carried
    for node in [block] if block.tag == "time" else block.css(CARRIERS)[:6]:
        told = Told() if node.mem_id == block.mem_id and node.tag != "time" else told_by(node)
        if not told.nothing:
            return told
    return Told(claim=shown_claim(block))


def heading_of(block: LexborNode) -> LexborNode | None:
    """Return the element of the entry's title: the first heading, if no paragraph of text stands before it."""
    for node in block.traverse():
        if node.tag in HEADINGS and node.text().strip():
            return node
        if node.tag == "p" and _is_bold_line(node):
            return node
        if node.tag in {"p", "blockquote", "ul", "ol"} and len(node.text().strip()) > 40:
            break
        if node.tag in {"div", "span", "strong", "a"} and _is_title_box(node):
            return node
    return None


def _is_bold_line(node: LexborNode) -> bool:
    """Whether a paragraph is one bold line that reads as a title, with text after it."""
    child = node.child
    if child is None or child.next is not None or child.tag not in {"strong", "b"} or not _followed(node):
        return False
    line = " ".join(child.text().split())
    return bool(line) and is_title(line) and read_claim(line) is None and not is_furniture(line)


def _followed(node: LexborNode) -> bool:
    following = node.next
    while following is not None and following.tag == "-text":
        following = following.next
    return (
        following is not None
        and following.tag in {"p", "ul", "ol", "blockquote", "div"}
        and bool(following.text().strip())
    )


def _is_title_box(node: LexborNode) -> bool:
    return (
        (
            attribute(node, "itemprop") == "headline"
            or bool(_TITLE.search(attribute(node, "class").replace("_", " ").lower()))
        )
        and 0 < len(node.text().strip()) < 250
        and node.css_first("p, h1, h2, h3, h4, h5, h6, time") is None
    )


def updated_of(block: LexborNode) -> datetime | None:
    """Return when an entry's element says it was changed last: AMP live lists and Reach's pages do."""
    return next((when for name in _UPDATES if (when := moment(attribute(block, name) or None)) is not None), None)


def withdrawn(tree: LexborHTMLParser) -> tuple[str, ...]:
    """Return the ids a page declares withdrawn (`data-tombstone` of AMP live lists)."""
    return tuple(anchor for node in tree.css("[data-tombstone]") if (anchor := anchor_of(node)))


def label_of(told: Told) -> str:
    """Return the words of an entry's time as the page shows them, "" if it shows none."""
    return (told.claim.text if told.claim is not None else told.stamp.text if told.stamp is not None else "") or ""


def text_of(block: LexborNode, heading: LexborNode | None, *, label: str = "") -> str:
    """Return the entry's text without its title, time (shown as `label`) and furniture."""
    title = heading.mem_id if heading is not None else None
    for pictures in (False, True):
        said = paragraphs_of(block, skip_furniture(title, pictures=pictures, label=label))
        paragraphs = [paragraph for paragraph in said if paragraph.strip() and not is_furniture(paragraph)]
        text = join_paragraphs(_without_labels(paragraphs, label))
        if text:
            return text
    return ""


def _without_labels(paragraphs: list[str], label: str) -> list[str]:
    """Take the times off that stand before the text, in paragraphs of their own or at the head of the first."""
    paragraphs = [text for text in paragraphs if text.strip() != label]
    first = 0
    while first < min(3, len(paragraphs)) and read_claim(paragraphs[first]) is not None:
        first += 1
    if first == len(paragraphs):
        return []
    head = paragraphs[first].strip()
    if label and head.startswith(label) and not head[len(label) : len(label) + 1].isalnum():
        head = head[len(label) :].lstrip()
    return [_LEADING_DASH.sub("", head), *paragraphs[first + 1 :]]


def is_pinned(block: LexborNode) -> bool:
    """Return whether an entry, or the box it stands in alone, says that it is kept at the top."""
    if _PINNED.search(classes(block)) or any(attribute(block, name).lower() == "true" for name in _PINS):
        return True
    box = block.parent
    return box is not None and "pinned" in classes(box) and sum(child.tag == block.tag for child in box.iter()) == 1


def own_id(block: LexborNode) -> str | None:
    """Return the id an element itself carries: a data attribute made for it, or `id`."""
    return next((value for name in (*IDS, "id") if (value := attribute(block, name))), None)


def anchor_of(block: LexborNode) -> str | None:
    """Return the id the publisher gave the entry in the page: a data attribute, the element's id, a named anchor.

    An id that only counts the entries ("livepost46") gives way to an anchor inside that does more than count; where there is
    none of these, any data attribute that calls itself an id will do ("data-news-id").
    """
    own = own_id(block)
    if own and (any(attribute(block, name) for name in IDS) or not _COUNTED.fullmatch(own)):
        return own
    inner = block.css_first("article[id], a[id], a[name], header[id], [data-block-id], [data-post-id]")
    if inner is None or inner.mem_id == block.mem_id:
        return own or next(
            (value for name, value in block.attributes.items() if value and _OWN_ID.fullmatch(name)), None
        )
    named = next((value for name in ("id", "name", *IDS) if (value := attribute(inner, name))), "")
    return own if own and (not named or _COUNTED.fullmatch(named)) else named or None


def permalink(block: LexborNode, anchor: str | None, page_url: str | None) -> str | None:
    """Return the entry's own address: a link to its anchor, or the link around its time."""
    fallback: str | None = None
    for link in block.css("a[href]")[:20]:
        href = attribute(link, "href")
        if anchor and href.endswith((f"#{anchor}", f"={anchor}")):
            return absolute(href, page_url)
        if fallback is None and link.css_first("time") is not None:
            fallback = absolute(href, page_url)
    if fallback is not None:
        return fallback
    if anchor and page_url and not any(attribute(block, name) == anchor for name in IDS):
        return f"{page_url.partition('#')[0]}#{anchor}"
    return None


def author_of(block: LexborNode) -> str | None:
    """Return the entry's author as its byline names it."""
    node = block.css_first(_AUTHORS)
    if node is None:
        return None
    named = [text for text in leaf_texts(node) if read_claim(text) is None]
    name = " ".join(" ".join(named).split()).removeprefix("By ").replace(" ,", ",").strip(" ,|·•–—-")
    return name if 0 < len(name) < 120 else None
