"""schema.org LiveBlogPosting in microdata (`itemscope`, `itemprop`) → drafts.

Rule: a property belongs to the nearest `itemscope` above it (HTML Living Standard §5.2); text comes from the element, or
from `content`, `datetime`, `href` where the element has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.sources.dom import attribute
from monitor.sources.dom_entry import heading_of, label_of, text_of, told_of
from monitor.sources.drafts import Draft
from monitor.sources.feed_entries import absolute
from monitor.sources.layout import letters
from monitor.sources.schema import plain_line, plain_text
from monitor.sources.values import moment, stamped
from monitor.text.html import join_paragraphs, paragraphs_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode


def marked_up_updates(tree: LexborHTMLParser) -> list[LexborNode]:
    """Return the elements of a page's live-blog updates, in page order."""
    return tree.css('[itemtype$="/LiveBlogPosting"] [itemprop~="liveBlogUpdate"]')


def draft_of_item(item: LexborNode, page_url: str | None) -> Draft:
    """Return the draft of one update's element."""
    stamp, claim = stamped(_value(_property(item, "datePublished") or _property(item, "dateCreated")))
    heading, body = (
        _property(item, "headline") or _property(item, "name"),
        _property(item, "articleBody") or _property(item, "text"),
    )
    url = absolute(_value(_property(item, "url")) or None, page_url)
    own = attribute(item, "itemid") or attribute(item, "id") or None
    author = _property(item, "author")
    return Draft(
        text=_body(item, body) if body is not None else text_of(item, heading_of(item), label=label_of(told_of(item))),
        title=plain_line(_value(heading)) or None,
        native_id=own or (url if url != page_url else None),
        url=url,
        stamp=stamp,
        claim=claim,
        updated_at=moment(_value(_property(item, "dateModified"))),
        author=_value((_property(author, "name") if author is not None else None) or author) or None,
    )


def _body(item: LexborNode, node: LexborNode) -> str:
    """Return the text of a body. A `<meta>` holds it in `content`, where a quotation mark within it ends it early."""
    written = plain_text(attribute(node, "content"))
    if not written:
        return join_paragraphs(paragraphs_of(node))
    shown = text_of(item, heading_of(item), label=label_of(told_of(item)))
    return shown if letters(shown).startswith(letters(written)) else written


def _property(item: LexborNode, name: str) -> LexborNode | None:
    for node in item.css(f'[itemprop~="{name}"]'):
        above = node.parent
        while above is not None and above.mem_id != item.mem_id and "itemscope" not in above.attributes:
            above = above.parent
        if above is not None and above.mem_id == item.mem_id:
            return node
    return None


def _value(node: LexborNode | None) -> str:
    if node is None:
        return ""
    for name in ("content", "datetime", "href", "src"):
        if value := attribute(node, name):
            return value
    return " ".join(node.text(separator=" ").split())
