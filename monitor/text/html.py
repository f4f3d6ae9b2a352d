"""HTML → plain text with paragraphs, from a fragment or from a node of a parsed page.

Rule: text only. Block elements end paragraphs, `<br>` ends lines, scripts, forms and hidden parts say nothing; characters
stay as the publisher wrote them. The walk is iterative: hostile depth costs memory of the tree, never the stack.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


BLOCKS = _names(
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr html li main menu nav ol option p pre section summary table "
    "tbody tfoot thead tr ul"
)
SILENT = _names(
    "script style noscript template svg math iframe head title meta link button select textarea input canvas map "
    "audio video frameset noframes datalist dialog"
)
_TAG = re.compile(r"<[a-zA-Z/!?]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n")
MAX_DEPTH = 2000  # lexbor needs 0.2 s for 5,000 open elements, 16 s for 50,000 (quadratic); pages nest below 100
_PIECE = 8192
_NEVER_OPEN = ("<br", "<img", "<meta", "<link", "<input", "<!")
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*?(/?)>|<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = _names(
    "area base br col embed hr img input link meta param source track wbr p li dt dd option tr td th thead tbody tfoot"
)

# Elements whose content HTML reads as raw text up to their end tag: written as XML closes them, or not closed at all,
# they would swallow the rest of the entry.
_SELF_CLOSED = re.compile(r"<(iframe|script|style|title|textarea|noembed|noframes|xmp)\b[^<>]*/>", re.IGNORECASE)
_SWALLOWING = re.compile(r"<(?:iframe|noembed|noframes|xmp|plaintext)\b[^<>]*>", re.IGNORECASE)

Skip = Callable[["LexborNode"], bool]


def html_text(fragment: str) -> str:
    """Return the plain text of an HTML fragment, paragraphs parted by one blank line."""
    if not _TAG.search(fragment):
        return join_paragraphs(_BLANK_LINES.split(html.unescape(fragment) if "&" in fragment else fragment))
    if too_deep(fragment):
        return join_paragraphs([html.unescape(re.sub(r"<[^<>]*>", " ", fragment))])
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(_without_swallowers(fragment)).body
    return join_paragraphs(paragraphs_of(body)) if body is not None else ""


def _without_swallowers(fragment: str) -> str:
    lowered = fragment.lower()
    if "/>" in fragment:
        fragment = _SELF_CLOSED.sub("", fragment)
    if any(
        lowered.count(f"<{name}") > lowered.count(f"</{name}")
        for name in ("iframe", "noembed", "noframes", "xmp", "plaintext")
    ):
        fragment = _SWALLOWING.sub("", fragment)
    return fragment


def html_line(fragment: str) -> str:
    """Return the plain text of an HTML fragment on one line: a title, a name."""
    return " ".join(html_text(fragment).split())


def join_paragraphs(paragraphs: list[str] | tuple[str, ...]) -> str:
    """Return the paragraphs as one text: white space collapsed, empty ones left out, parted by one blank line."""
    return "\n\n".join(tidy for paragraph in paragraphs if (tidy := _tidy(paragraph)))


def _tidy(paragraph: str) -> str:
    lines = (_SPACES.sub(" ", line).strip() for line in paragraph.split("\n"))
    return "\n".join(line for line in lines if line)


def too_deep(markup: str) -> bool:
    """Return whether the markup nests deeper than MAX_DEPTH elements: no page of a publisher does."""
    return markup.count("<") > MAX_DEPTH and _may_be_deep(markup) and _depth_exceeds(markup, MAX_DEPTH)


def _may_be_deep(markup: str) -> bool:
    """Whether, counting piece by piece and taking what is surely no open element off, depth could pass the limit.

    Counting is twenty times cheaper than looking at every tag, and rules nearly every page out.
    """
    depth = 0
    for start in range(0, len(markup), _PIECE):
        end = start + _PIECE
        depth += markup.count("<", start, end) - 2 * markup.count("</", start, end)
        depth -= sum(markup.count(void, start, end) for void in _NEVER_OPEN)
        if depth > MAX_DEPTH:
            return True
    return False


def _depth_exceeds(markup: str, limit: int) -> bool:
    depth = 0
    for found in _OPENING.finditer(markup):
        name = (found.group(2) or found.group(5)).lower()
        if name in _VOID or found.group(3):
            continue
        depth = max(0, depth - 1) if found.group(1) or found.group(4) else depth + 1
        if depth > limit:
            return True
    return False


def paragraphs_of(top: LexborNode, skip: Skip | None = None) -> list[str]:
    """Return the paragraphs under `top`, untidied; subtrees for which `skip` holds are left out."""
    writer = _Writer()
    node = top.child
    while node is not None:
        if _enter(node, writer, skip) and node.child is not None:
            node = node.child
            continue
        node = _leave(node, top, writer)
    writer.end()
    return writer.paragraphs


def _enter(node: LexborNode, writer: _Writer, skip: Skip | None) -> bool:
    """Write what `node` itself says; return whether its children are to be read."""
    tag = node.tag
    if tag == "-text":
        writer.write(node.text_content or "")
        return False
    if tag == "br":
        writer.parts.append("\n")
        return False
    if tag is None or tag.startswith("-") or tag in SILENT or (skip is not None and skip(node)):
        return False
    if tag in BLOCKS:
        writer.end()
    elif tag in {"td", "th"}:
        writer.parts.append(" ")
    elif tag == "q":
        writer.parts.append("“")
    return True


def _leave(node: LexborNode, top: LexborNode, writer: _Writer) -> LexborNode | None:
    """Close `node` and every parent it ends; return the next node in document order under `top`."""
    current: LexborNode | None = node
    while current is not None and current.mem_id != top.mem_id:
        if current.tag in BLOCKS:
            writer.end()
        elif current.tag == "q" and current.child is not None:
            writer.parts.append("”")
        if current.next is not None:
            return current.next
        current = current.parent
    return None


class _Writer:
    """Collects text into paragraphs."""

    __slots__ = ("paragraphs", "parts")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.paragraphs: list[str] = []

    def write(self, text: str) -> None:
        self.parts.append(text.replace("\n", " "))

    def end(self) -> None:
        if self.parts:
            # two line breaks are how paragraphs were written before <p>
            self.paragraphs.extend(_BLANK_LINES.split("".join(self.parts)))
            self.parts = []
