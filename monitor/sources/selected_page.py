"""Any page by CSS selectors from the settings: `entry`, then each field inside it.

    entry: "article.update"   title: "h2"   text: ".body"   time: "time@datetime"   id: "@data-id"   url: "a.permalink@href"

Rule: an expression is `selector`, `selector@attribute` or `@attribute` of the entry itself. A field without an expression
is read as on a page nobody described; a selector that no longer fits is named in the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.model import Verdict, VerdictKind
from monitor.sources.blocks_page import page_intro, page_title
from monitor.sources.content import Content
from monitor.sources.dom import attribute, next_page
from monitor.sources.dom_entry import draft_of_block
from monitor.sources.dom_times import told_by
from monitor.sources.drafts import Draft, Page
from monitor.sources.feed_entries import absolute
from monitor.sources.limits import newest_part
from monitor.sources.values import stamped
from monitor.text.html import join_paragraphs, paragraphs_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

FIELDS = ("title", "text", "time", "id", "url", "author")


def read_selected(content: Content) -> Page | Verdict:
    """Return the entries the settings' selectors find; a failed verdict that names the selector that finds nothing."""
    from selectolax.lexbor import SelectolaxError

    select = content.options.select
    try:
        blocks = content.tree.css(select["entry"])
        some = newest_part(blocks, content.options.max_entries, lambda block: _when(block, select))
        drafts = [_draft(block, select, content.document.url) for block in some]
    except SelectolaxError:
        wrong = next((text for text in select.values() if not is_selector(text)), select["entry"])
        return Verdict(VerdictKind.FAILED, f"{wrong!r} is no CSS selector", "bad_selector")
    if not drafts:
        return Verdict(
            VerdictKind.FAILED, f"no element matches the entry selector {select['entry']!r}", "layout_changed"
        )
    return Page(
        drafts=tuple(draft for draft in drafts if draft.text or draft.title),
        kind="page",
        how=f"{len(drafts)} elements match {select['entry']!r}",
        title=page_title(content),
        intro=page_intro(content),
        next_url=next_page(content.tree, content.document.url),
        left_out=len(blocks) - len(some),
        remarks=_misses(select, drafts),
    )


def _when(block: LexborNode, select: Mapping[str, str]) -> datetime | None:
    stamp = _draft(block, select, None).stamp
    return stamp.at if stamp is not None else None


def is_selector(expression: str) -> bool:
    """Return whether an expression's selector part can be parsed."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    selector = expression.rpartition("@")[0] if "@" in expression else expression
    if not selector.strip():
        return "@" in expression
    try:
        LexborHTMLParser("<p></p>").css_first(selector)
    except SelectolaxError:
        return False
    return True


def _misses(select: Mapping[str, str], drafts: list[Draft]) -> tuple[str, ...]:
    found = {
        "title": any(draft.title for draft in drafts),
        "text": any(draft.text for draft in drafts),
        "time": any(draft.stamp or draft.claim for draft in drafts),
        "id": any(draft.native_id for draft in drafts),
        "url": any(draft.url for draft in drafts),
        "author": any(draft.author for draft in drafts),
    }
    return tuple(
        f"the {field} selector {select[field]!r} finds nothing in any entry"
        for field in FIELDS
        if field in select and not found[field]
    )


def _draft(block: LexborNode, select: Mapping[str, str], page_url: str | None) -> Draft:
    draft = draft_of_block(block, page_url)
    if "title" in select:
        draft = replace(draft, title=_line(block, select["title"]))
    if "text" in select:
        draft = replace(draft, text=_text(block, select["text"]))
    if "time" in select:
        draft = _timed(draft, block, select["time"])
    if "id" in select:
        draft = replace(draft, native_id=_line(block, select["id"]))
    if "url" in select:
        draft = replace(draft, url=absolute(_address(block, select["url"]), page_url))
    if "author" in select:
        draft = replace(draft, author=_line(block, select["author"]))
    return draft


def _nodes(block: LexborNode, expression: str) -> tuple[list[LexborNode], str]:
    """Return the nodes an expression means within an entry, and the attribute it asks for ("" for their text)."""
    selector, at, name = expression.rpartition("@")
    if not at:
        selector, name = expression, ""
    selector = selector.strip()
    return (
        [block] if not selector else [node for node in block.css(selector) if node.mem_id != block.mem_id]
    ), name.strip()


def _line(block: LexborNode, expression: str) -> str | None:
    nodes, name = _nodes(block, expression)
    for node in nodes:
        text = attribute(node, name) if name else " ".join(" ".join(paragraphs_of(node)).split())
        if text:
            return text
    return None


def _text(block: LexborNode, expression: str) -> str:
    nodes, name = _nodes(block, expression)
    if name:
        return join_paragraphs([attribute(node, name) for node in nodes])
    return join_paragraphs([paragraph for node in _outermost(nodes) for paragraph in paragraphs_of(node)])


def _outermost(nodes: list[LexborNode]) -> list[LexborNode]:
    """Leave out nodes inside other matches: their text is read already."""
    chosen: set[int] = set()
    kept = []
    for node in nodes:
        above = node.parent
        while above is not None and above.mem_id not in chosen:
            above = above.parent
        if above is None:
            chosen.add(node.mem_id)
            kept.append(node)
    return kept


def _timed(draft: Draft, block: LexborNode, expression: str) -> Draft:
    nodes, name = _nodes(block, expression)
    for node in nodes:
        if name:
            stamp, claim = stamped(attribute(node, name))
            header = None
        else:
            stamp, claim, header = told_by(node)
        if stamp is not None or claim is not None:
            return replace(draft, stamp=stamp, claim=claim, header=header)
    return replace(draft, stamp=None, claim=None, header=None)


def _address(block: LexborNode, expression: str) -> str | None:
    nodes, name = _nodes(block, expression)
    for node in nodes:
        if value := attribute(node, name or "href"):
            return value
    return None
