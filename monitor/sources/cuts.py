"""Whether a document ends before its own end: a body cut on the way parses as a good, shorter one in every parser.

Rule: a feed ends with its root's end tag, a page with </body> or </html> (or, where its generator leaves those out, with
every box closed), JSON with the bracket it began with. Plain text has no end mark.
"""

from __future__ import annotations

import re

from monitor.sources.content import Content

_PAGE_END = re.compile(r"</(?:body|html)\s*>", re.IGNORECASE)
_PAGE_START = re.compile(r"<(?:!doctype|html|body)\b", re.IGNORECASE)
_FEED_END = re.compile(r"</(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\s*>\s*\Z", re.IGNORECASE)
_FEED_START = re.compile(r"<(?:[\w.-]+:)?(?:rss|feed|rdf)\b", re.IGNORECASE)
_BOXES = ("div", "article", "section", "main", "script", "ul", "style")
_PAIRS = {"{": "}", "[": "]"}


def is_cut(content: Content) -> bool:
    """Return whether the document's end is missing."""
    if content.start.startswith(("{", "[")) and content.document.body[-1:] != b"":
        return not content.text.rstrip().endswith(_PAIRS[content.start[0]])
    if content.root in FEED_ROOTS:
        return _feed_is_cut(content)
    if content.options.kind == "feed" and _FEED_START.search(content.text[:20_000]):
        # Something stands before the feed, as a challenge does that a cache has glued on: only a feed's own end proves it whole.
        return _FEED_END.search(content.text[-2000:]) is None
    return content.is_markup and _page_is_cut(content.text)


FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})


def _feed_is_cut(content: Content) -> bool:
    closing = re.compile(
        rf"</(?:[\w.-]+:)?{re.escape(content.root)}\s*>|<(?:[\w.-]+:)?{re.escape(content.root)}\b[^<>]*/>\s*\Z",
        re.IGNORECASE,
    )
    return closing.search(content.text[-20_000:]) is None and closing.search(content.text) is None


def _page_is_cut(text: str) -> bool:
    if _PAGE_END.search(text[-20_000:]) or not _PAGE_START.search(text[:2000]):
        return False
    if _PAGE_END.search(text):
        return False
    lowered = text.lower()
    return any(lowered.count(f"<{box}") > lowered.count(f"</{box}") for box in _BOXES)
