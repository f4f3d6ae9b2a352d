"""Finds the repeated, time-stamped block of a page: the list whose members are the live blog's entries.

Rule: by structure alone. Elements that hold a time and are made alike (same path of tags and classes) form a group; the
group whose members hold most text outside links is the live blog (`dom_scores`), a list of teasers never is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import mean, median
from typing import TYPE_CHECKING

from monitor.sources.dom import ancestors, classes, path, signature
from monitor.sources.dom_days import with_days
from monitor.sources.dom_entry import draft_of_block, is_pinned, own_id
from monitor.sources.dom_flat import drafts_of_flat
from monitor.sources.dom_scores import scores_of
from monitor.sources.dom_times import CARRIERS
from monitor.sources.drafts import Draft
from monitor.text.times import read_claim

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_LEVELS = 9  # how far above its time an entry's element is looked for
_MOST_TIMES = 4000
_LABEL = 40  # characters of a time as pages show it; an entry's own element may carry its time and is none
_PLAINLY = 3000  # a score no list of teasers reaches: words need not be searched for times any more
_MOST_PINNED = 5
_WRAPPINGS = 3  # boxes around an entry with nothing else in them
_TOPS = frozenset({"body", "html", "main"})


@dataclass(frozen=True, slots=True)
class Group:
    """Elements made alike, in page order, and how they are made."""

    path: str
    blocks: tuple[LexborNode, ...]
    score: float
    flat: bool = False  # the members only begin the entries; what stands beside them belongs to them


def find_blocks(tree: LexborHTMLParser) -> Group | None:
    """Return the page's repeated time-stamped block, or None where it has none."""
    body = tree.body
    if body is None:
        return None
    marked = [node for node in body.css(CARRIERS)[:_MOST_TIMES] if node.tag not in {"html", "body", "meta"}]
    best: Group | None = None
    for group in _groups(body, marked):
        if group is not None and (best is None or group.score > best.score):
            best = group
        if best is not None and best.score > _PLAINLY:
            break
    return _with_pinned(_widened(best), body) if best is not None else None


def _with_pinned(group: Group, body: LexborNode) -> Group:
    """Add the entries of the same make that are pinned in a box of their own above the list, copies of its entries left out."""
    first = group.blocks[0]
    ids = {own_id(block) for block in group.blocks}
    if group.flat or None in ids:
        return group
    pinned = [
        node
        for node in body.css(f"{first.tag}[class]")[:_MOST_TIMES]
        if signature(node) == signature(first) and own_id(node) not in {None, *ids} and is_pinned(node)
    ]
    alone = [
        node
        for node in pinned
        if not any(above.mem_id == other.mem_id for other in pinned for above in ancestors(node, _LEVELS))
    ]
    return replace(group, blocks=(*alone, *group.blocks)) if len(alone) <= _MOST_PINNED else group


def _groups(body: LexborNode, marked: Sequence[LexborNode]) -> Iterator[Group | None]:
    """Yield the best group of each way to look, the surest first: by marked times, then by words that are times; by class
    names without their numbers ("post-17"), then by whole ones, which a style compiler makes of numbers ("_2tvI3")."""
    yield _best(marked)
    yield _best(marked, exact=True)
    labels = _labels(body)
    yield _best(labels)
    yield _best(labels, exact=True)


def _widened(group: Group) -> Group:
    """Take the boxes around the members where those hold nothing else and carry the ids the members lack."""
    blocks = group.blocks
    for _ in range(_WRAPPINGS):
        if group.flat or len(blocks) < 2 or any(own_id(block) for block in blocks):
            break
        parents = [block.parent for block in blocks if block.parent is not None and block.parent.tag not in _TOPS]
        if len({parent.mem_id for parent in parents}) < len(blocks) or any(
            len(parent.text().strip()) > len(block.text().strip())
            for parent, block in zip(parents, blocks, strict=True)
        ):
            break
        blocks = tuple(parents)
    return replace(group, blocks=blocks) if all(own_id(block) for block in blocks) else group


def drafts_of(group: Group, page_url: str | None) -> list[Draft]:
    """Return the drafts of a group's entries, in page order."""
    if group.flat:
        drafts = drafts_of_flat(group.blocks, page_url)
    else:
        drafts = [draft_of_block(block, page_url) for block in group.blocks]
    return with_days(drafts, group.blocks)


def _labels(body: LexborNode) -> list[LexborNode]:
    """Return the elements whose own text is a time."""
    found: list[LexborNode] = []
    for node in body.traverse(include_text=True):
        if node.tag != "-text" or node.parent is None or node.parent.tag in {"script", "style"}:
            continue
        text = (node.text_content or "").strip(" \t\r\n–—|:-")
        if 2 <= len(text) <= 60 and (claim := read_claim(text)) is not None and not claim.is_date and not claim.weak:
            found.append(node.parent)
            if len(found) >= _MOST_TIMES:
                break
    return found


def _best(times: Sequence[LexborNode], *, exact: bool = False) -> Group | None:
    holders: dict[str, dict[int, LexborNode]] = defaultdict(dict)
    counts: dict[int, int] = defaultdict(int)
    spent: dict[int, int] = defaultdict(int)  # characters an element spends on times
    for time in times:
        told = min(_LABEL, len(time.text().strip()))
        for node in (time, *ancestors(time, _LEVELS)):
            counts[node.mem_id] += 1
            spent[node.mem_id] += told
            holders[path(node, exact=exact)].setdefault(node.mem_id, node)
    lists = [(key, tuple(nodes.values())) for key, nodes in holders.items() if _is_list(nodes, counts)]
    groups = [
        Group(key, nodes, score / mean(counts[node.mem_id] for node in nodes), flat)
        for key, nodes in lists
        for score, flat in scores_of(nodes, spent)
    ]
    return max(groups, key=lambda group: group.score, default=None)


def _is_list(nodes: dict[int, LexborNode], counts: dict[int, int]) -> bool:
    """Whether elements can be a list of entries: several with about one time each, none inside another."""
    if median(counts[key] for key in nodes) > 3:
        return False
    if len(nodes) == 1 and not _in_live(next(iter(nodes.values()))):
        return False
    return not any(above.mem_id in nodes for node in nodes.values() for above in ancestors(node, _LEVELS))


def _in_live(node: LexborNode) -> bool:
    """Whether a lone element stands in a live blog by its name: a blog begins with one entry."""
    return node.tag in {"article", "li", "section", "div"} and any(
        "live" in classes(above) for above in (node, *ancestors(node, 2))
    )
