"""Live blogs marked up as such: schema.org JSON-LD and microdata, held against the page where the markup is poorer.

Rule: the markup gives the entries and their order. From the page come: titles where all headlines are one, times where
all are one or missing, bodies where empty or cut, paragraphs where the words are the same, the anchor as id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from monitor.model import Verdict, VerdictKind
from monitor.sources.blocks_page import page_intro, page_title
from monitor.sources.content import Content
from monitor.sources.dom import ancestors, attribute, next_page
from monitor.sources.dom_blocks import drafts_of, find_blocks
from monitor.sources.dom_entry import draft_of_block, withdrawn
from monitor.sources.drafts import Draft, Page, with_sound_ids
from monitor.sources.layout import letters, with_paragraphs_of
from monitor.sources.limits import newest_part
from monitor.sources.microdata import draft_of_item, marked_up_updates
from monitor.sources.schema import draft_of_update, live_blog_of, plain_line, updates_of
from monitor.sources.unmarked import with_unmarked
from monitor.sources.values import moment, text_value
from monitor.sources.vendors import read_vendor

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_MOST_ALIKE = 50
_MUCH = 200  # letters: what a byline or a label adds to a short text is less
_SENTENCE_ENDS = tuple(".!?:;\"'”’»›)]}。！？」）؟।")  # a body that ends in none of them was cut, "…" among them
_ANCHOR_ATTRIBUTES = ("id", "name", "data-block-id", "data-post-id")
_NO_ENTRY = {"html", "body", "head", "meta", "input", "script", "form"}


def read_live_blog(content: Content) -> Page | Verdict:
    """Return the entries of a page, or of a live-blog system's JSON; a failed verdict if it is no live blog."""
    if content.start.startswith(("{", "[")):
        return read_vendor(content)
    page_url = content.document.url
    blog = live_blog_of(content.tree)
    if blog is not None:
        every = updates_of(blog)
        some = newest_part(every, content.options.max_entries, lambda update: moment(update.get("datePublished")))
        drafts, left_out = list(dict.fromkeys(draft_of_update(one, page_url) for one in some)), len(every) - len(some)
        title = plain_line(text_value(blog.get("headline")) or text_value(blog.get("name")) or "") or None
        modified, how = moment(blog.get("dateModified")), "schema.org LiveBlogPosting in JSON-LD"
        began = moment(blog.get("datePublished"))
    else:
        drafts = [draft_of_item(item, page_url) for item in marked_up_updates(content.tree)]
        title, modified, how = page_title(content), None, "schema.org LiveBlogPosting in microdata"
        began, left_out = None, 0
    if not drafts:
        return Verdict(VerdictKind.FAILED, "the page holds no LiveBlogPosting with updates", "no_entries")
    return Page(
        drafts=tuple(reconciled(with_sound_ids(drafts, page_url), content, title=title, began=began)),
        kind="liveblog",
        how=how,
        title=title,
        modified_at=modified,
        deleted=withdrawn(content.tree),
        intro=page_intro(content),
        next_url=next_page(content.tree, page_url),
        left_out=left_out,
    )


def reconciled(drafts: list[Draft], content: Content, *, title: str | None, began: datetime | None) -> list[Draft]:
    """Return the markup's drafts, mended from the page where the markup is poorer, in the page's order.

    `title` and `began` are the blog's own: updates that only repeat them say nothing of themselves.
    """
    tree, page_url = content.tree, content.document.url
    shown = _shown(tree, page_url)
    twins = _twins(drafts, shown, tree, page_url)
    one_title = _say_one_thing([draft.title for draft in drafts], title)
    one_time = _say_one_thing([draft.stamp.at if draft.stamp else None for draft in drafts], began)
    mended = [
        _mended(draft, twin, title_from_page=one_title or draft.title == title, time_from_page=one_time)
        for draft, twin in zip(drafts, twins, strict=True)
    ]
    return with_unmarked(mended, twins, list(shown.values()))


def _say_one_thing(values: Sequence[object], blogs: object) -> bool:
    """Whether every update has one and the same value, or the blog's."""
    return len(set(values)) == 1 and (len(values) > 2 or values[0] == blogs)


def _shown(tree: LexborHTMLParser, page_url: str | None) -> dict[int, Draft]:
    """Return what the page itself shows as entries, by the identity of their elements, in page order."""
    group = find_blocks(tree)
    if group is None:
        return {}
    return {block.mem_id: draft for block, draft in zip(group.blocks, drafts_of(group, page_url), strict=True)}


def _twins(
    drafts: Sequence[Draft], shown: dict[int, Draft], tree: LexborHTMLParser, page_url: str | None
) -> list[Draft | None]:
    """Return for each draft what the page shows of it: found by anchor, else by title or by the beginning of its text."""
    originals = sorted(shown.values(), key=lambda draft: draft.pinned)  # a pinned copy stands for no entry
    by_id: dict[str, Draft] = {}
    for draft in originals:
        if draft.native_id:
            by_id.setdefault(draft.native_id.removeprefix("block-"), draft)
    ours, theirs = _by_key(drafts), _by_key(originals)
    named = _anchors(tree)
    names = _own_names(drafts)
    return [
        next((by_id[name] for name in own if name in by_id), None)
        or _entry_around(own, named, shown, page_url)
        or _matching(draft, ours, theirs)
        for draft, own in zip(drafts, names, strict=True)
    ]


def _own_names(drafts: Sequence[Draft]) -> list[list[str]]:
    """Return what elements of the page may be called that show each entry; a name several entries share names none."""
    names = [_names(draft) for draft in drafts]
    counts = Counter(name for own in names for name in set(own))
    return [[name for name in own if counts[name] == 1] for own in names]


def _names(draft: Draft) -> list[str]:
    """Return the fragment of an entry's address, its id, and the values of the address's query ("?post=asset:…")."""
    address = urlsplit(draft.url or "")
    values = [value for _, value in parse_qsl(address.query) if len(value) > 5]
    names = (address.fragment, draft.native_id or "", *values)
    return [short for name in names if (short := name.rpartition("/")[2].rpartition("#")[2].removeprefix("block-"))]


def _entry_around(
    names: list[str], named: dict[str, LexborNode], shown: dict[int, Draft], page_url: str | None
) -> Draft | None:
    """Return the shown entry a draft's anchor stands in, or the anchor's own element read as an entry."""
    node = next((node for name in names if (node := _anchored(name, named)) is not None), None)
    if node is None:
        return None
    for holder in (node, *ancestors(node, 6)):
        if holder.mem_id in shown:
            return shown[holder.mem_id]
    return draft_of_block(node, page_url)


def _by_key(drafts: Sequence[Draft]) -> dict[str, list[Draft]]:
    """Return the drafts by their keys in page order, copies of one entry counted once."""
    found: dict[str, list[Draft]] = {}
    for draft in drafts:
        for key in _keys(draft):
            known = found.setdefault(key, [])
            if all((one.title, one.text) != (draft.title, draft.text) for one in known[:_MOST_ALIKE]):
                known.append(draft)
    return found


def _matching(draft: Draft, drafts: dict[str, list[Draft]], shown: dict[str, list[Draft]]) -> Draft | None:
    """Return the shown entry with a key of the draft; of several alike the one in the same place, if there are as many."""
    for key in _keys(draft):
        alike, found = drafts[key], shown.get(key, ())
        if len(alike) == len(found):
            return found[next((at for at, one in enumerate(alike) if one.text == draft.text), 0)]
    return None


def _keys(draft: Draft) -> list[str]:
    """Return what an entry may be known by: its title, the beginning of its text, and that with its time."""
    keys = [f"title {letters(draft.title)}"] if draft.title else []
    begin = letters(draft.text[:200])[:60]
    if draft.stamp is not None and begin:
        keys.append(f"time {draft.stamp.at.timestamp():.0f} {begin[:20]}")
    return [*keys, f"text {begin}"] if len(begin) > 20 else keys


def _anchors(tree: LexborHTMLParser) -> dict[str, LexborNode]:
    """Return the page's elements by every name a link or an id may call them."""
    named: dict[str, LexborNode] = {}
    for node in tree.css("[id], [name], [data-block-id], [data-post-id]"):
        for attribute_name in _ANCHOR_ATTRIBUTES:
            value = attribute(node, attribute_name)
            if value and node.tag not in _NO_ENTRY:
                named.setdefault(value, node)
                named.setdefault(value.removeprefix("block-"), node)
    return named


def _anchored(name: str, named: dict[str, LexborNode]) -> LexborNode | None:
    """Return the element of that name, and around a bare anchor the entry it stands in."""
    node = named.get(name)
    while node is not None and node.tag in {"a", "span", "time"}:
        node = node.parent
    if node is not None and len(node.text().strip()) < 30:
        node = node.parent
    return node if node is not None and node.tag not in _NO_ENTRY else None


def _mended(draft: Draft, twin: Draft | None, *, title_from_page: bool, time_from_page: bool) -> Draft:
    if twin is None:
        return replace(draft, title=None) if title_from_page else draft
    made = draft
    if title_from_page or not draft.title:
        made = replace(made, title=twin.title)
    if (time_from_page or (draft.stamp is None and draft.claim is None)) and (
        twin.stamp is not None or twin.claim is not None
    ):
        made = replace(
            made,
            stamp=twin.stamp,
            claim=twin.claim,
            header=twin.header,
            updated_at=None if time_from_page else draft.updated_at,
        )
    return replace(
        made,
        text=_fuller(draft.text, twin.text),
        native_id=_anchor_id(draft.native_id, twin.native_id),
        url=draft.url or twin.url,
        author=draft.author or twin.author,
        pinned=twin.pinned,
    )


def _anchor_id(declared: str | None, anchor: str | None) -> str | None:
    """The page's anchor where it holds the declared id ("block-" + id): that is the one links point to."""
    if declared and anchor and anchor.endswith(declared):
        return anchor
    return declared or anchor


def _fuller(declared: str, shown: str) -> str:
    """The page's text where the markup's is empty or cut; else the markup's words in the page's paragraphs."""
    told, seen = letters(declared), letters(shown)
    if not told:
        return shown
    cut = not declared.rstrip().endswith(_SENTENCE_ENDS) or len(seen) > len(told) + _MUCH
    if cut and seen.startswith(told[: max(20, len(told) - 10)]):
        return shown
    return with_paragraphs_of(declared, shown) if shown.count("\n\n") > declared.count("\n\n") else declared
