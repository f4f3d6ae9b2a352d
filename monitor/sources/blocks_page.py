"""A plain page whose live blog nobody marked up: the repeated time-stamped block is read as the entries.

Rule: at least one member of the block must hold a time and text; otherwise the page is no live blog.
"""

from __future__ import annotations

from monitor.model import Verdict, VerdictKind
from monitor.sources.content import Content
from monitor.sources.dom import first_of, next_page
from monitor.sources.dom_blocks import find_blocks
from monitor.sources.dom_entry import draft_of_block
from monitor.sources.drafts import Draft, Page
from monitor.text.html import join_paragraphs, paragraphs_of


def read_blocks(content: Content) -> Page | Verdict:
    """Return the entries of a page by its repeated time-stamped block; a failed verdict if it has none."""
    group = find_blocks(content.tree)
    drafts = [draft_of_block(block, content.document.url) for block in group.blocks] if group is not None else []
    told = [draft for draft in drafts if _is_entry(draft)]
    if group is None or not told:
        return Verdict(VerdictKind.FAILED, "the page shows no repeated block with times", "no_entries")
    return Page(
        drafts=tuple(told),
        kind="page",
        how=f"{len(told)} blocks made alike, each with a time ({group.path.partition('<')[0]})",
        title=page_title(content),
        intro=page_intro(content),
        next_url=next_page(content.tree, content.document.url),
    )


def _is_entry(draft: Draft) -> bool:
    return bool(draft.text or draft.title) and (draft.stamp is not None or draft.claim is not None)


def page_title(content: Content) -> str | None:
    """Return the page's title: its first heading, else its `<title>`."""
    for selector in ("h1", "title"):
        node = first_of(content.tree.root, selector) if content.tree.root is not None else None
        if node is not None and (text := " ".join(node.text(separator=" ").split())):
            return text
    return None


def page_intro(content: Content) -> tuple[str, ...]:
    """Return the paragraphs under the page's title that publishers call the standfirst."""
    root = content.tree.root
    nodes = root.css("[class*=standfirst]")[:6] if root is not None else []
    return tuple(text for node in nodes for text in join_paragraphs(paragraphs_of(node)).split("\n\n") if text)
