"""A plain page whose live blog nobody marked up: the repeated time-stamped block is read as the entries.

Rule: at least one member of the block must hold a time and text; otherwise the page is no live blog.
"""

from __future__ import annotations

from dataclasses import replace

from monitor.model import Verdict, VerdictKind
from monitor.sources.content import Content
from monitor.sources.dom import first_of, next_page, offered_feed
from monitor.sources.dom_blocks import drafts_of, find_blocks
from monitor.sources.dom_entry import withdrawn
from monitor.sources.dom_furniture import skip_furniture
from monitor.sources.drafts import Draft, Page, with_sound_ids
from monitor.sources.furniture import is_furniture
from monitor.sources.stamped_text import segmented
from monitor.text.html import join_paragraphs, paragraphs_of

_FEWEST = 3  # entries: a report may name a time or two in paragraphs of their own


def read_blocks(content: Content) -> Page | Verdict:
    """Return the entries of a page by its repeated time-stamped block, else by paragraphs that begin with a time; a failed
    verdict if it has neither."""
    group = find_blocks(content.tree)
    drafts = drafts_of(group, content.document.url) if group is not None else []
    gone = set(withdrawn(content.tree))
    told = [draft for draft in drafts if _is_entry(draft) and draft.native_id not in gone]
    if group is None or not told:
        return _read_paragraphs(content)
    return Page(
        drafts=tuple(with_sound_ids(told, content.document.url)),
        kind="page",
        how=f"{len(told)} blocks made alike, each with a time ({group.path.partition('<')[0]})",
        title=page_title(content),
        deleted=tuple(sorted(gone)),
        intro=page_intro(content),
        next_url=next_page(content.tree, content.document.url),
    )


def _read_paragraphs(content: Content) -> Page | Verdict:
    """Read the page's main text as stamped text: "<p>11:05 – Ferries stop…</p>"."""
    reason = "the page shows no repeated block with times"
    if (feed := offered_feed(content.tree, content.document.url)) is not None:
        reason = f"{reason}; it offers a feed: {feed}"
    nothing = Verdict(VerdictKind.FAILED, reason, "no_entries")
    main = content.tree.css_first("main, [role=main], article, body")
    if main is None:
        return nothing
    said = paragraphs_of(main, skip_furniture(None, pictures=False))
    page = segmented(join_paragraphs([text for text in said if not is_furniture(text)]))
    if isinstance(page, Verdict) or len(page.drafts) < _FEWEST:
        return nothing
    how = f"{len(page.drafts)} paragraphs that begin with a time"
    return replace(page, kind="page", how=how, title=page_title(content), intro=(), background=())


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
