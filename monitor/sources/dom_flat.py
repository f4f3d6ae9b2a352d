"""Entries without an element of their own: a time, then headings and paragraphs beside it up to the next time.

    <h3>11:05</h3><p>…</p><p>…</p>   <dt>11:05</dt><dd>…</dd>   <p><b>11:05</b> …</p><p>…</p>

Rule: what follows a time belongs to it up to the next time of the same make; the last entry ends where the page's frame
begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from monitor.sources.dom import HEADINGS, classes
from monitor.sources.dom_entry import anchor_of, label_of, permalink, text_of, told_of
from monitor.sources.dom_furniture import skip_furniture
from monitor.sources.drafts import Draft
from monitor.sources.furniture import is_furniture
from monitor.text.html import join_paragraphs, paragraphs_of
from monitor.text.times import read_claim

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

FLAT_TAGS = frozenset({"p", "dt", "header", "time", "strong", "b", "em", "i", "span", "a", *HEADINGS})
_MOST_PARTS = 80  # elements of one entry
_FRAME = frozenset({"footer", "nav", "aside", "form"})
_FRAME_NAMES = re.compile(r"\b(?:related|comments?|newsletter|share|social|footer|author|tags|pagination|promo)\b")


def parts_after(block: LexborNode, starts: frozenset[int]) -> Iterator[LexborNode]:
    """Yield the elements and texts beside a time up to the next one (`starts`), at most until the page's frame."""
    node, count = block.next, 0
    while node is not None and node.mem_id not in starts and count < _MOST_PARTS:
        if _is_frame(node):
            return
        yield node
        node, count = node.next, count + 1


def _is_frame(node: LexborNode) -> bool:
    """Whether an element is the page's frame, or a heading that dates the entries below it."""
    if node.tag in {"-text", "-comment"}:
        return False
    if node.tag in _FRAME or _FRAME_NAMES.search(classes(node)):
        return True
    text = node.text().strip() if node.tag in HEADINGS else ""
    return bool(text) and (claim := read_claim(text)) is not None and claim.is_date


def drafts_of_flat(blocks: Sequence[LexborNode], page_url: str | None) -> list[Draft]:
    """Return the drafts of entries that begin at `blocks`."""
    starts = frozenset(block.mem_id for block in blocks)
    return [_draft(block, list(parts_after(block, starts)), page_url) for block in blocks]


def _draft(block: LexborNode, parts: list[LexborNode], page_url: str | None) -> Draft:
    told = told_of(block)
    anchor = anchor_of(block)
    title: str | None = None
    paragraphs = [own] if (own := text_of(block, None, label=label_of(told))) else []
    for part in parts:
        if part.tag == "-text":
            paragraphs.append(part.text_content or "")
        elif part.tag in HEADINGS and title is None and not paragraphs:
            title = " ".join(part.text(separator=" ").split()) or None
        elif part.tag is not None and not part.tag.startswith("-"):
            paragraphs.extend(
                paragraphs_of(part, skip_furniture(None, pictures=False)) if part.child is not None else ()
            )
    if title is None and block.tag in HEADINGS and paragraphs and own:
        title, paragraphs = " ".join(own.split()), paragraphs[1:]
    return Draft(
        text=join_paragraphs([text for text in paragraphs if not is_furniture(text)]),
        title=title,
        native_id=anchor,
        url=permalink(block, anchor, page_url),
        stamp=told.stamp,
        claim=told.claim,
        header=told.header,
    )
