"""Finds the repeated, time-stamped block of a page: the list whose members are the live blog's entries.

Rule: by structure alone. Elements that hold a time and are made alike (same path of tags and classes) form a group; the
group whose members hold most text outside links is the live blog, a list of teasers never is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING

from monitor.sources.dom import ancestors, classes, path
from monitor.sources.dom_times import CARRIERS
from monitor.text.times import read_claim

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_LEVELS = 9  # how far above its time an entry's element is looked for
_ENOUGH = 600  # characters of one entry that count: one long article does not outweigh a list
_MOST_TIMES = 4000
_LIVE = re.compile(r"live|ticker|stream|timeline|feed|update|minute")
_NOT_ENTRIES = re.compile(
    r"comment|related|most-?read|popular|recommend|teaser|promo|carousel|sidebar|\bnav|footer|breadcrumb|key-?event|summary-list"
)


@dataclass(frozen=True, slots=True)
class Group:
    """Elements made alike, in page order, and how they are made."""

    path: str
    blocks: tuple[LexborNode, ...]
    score: float


def find_blocks(tree: LexborHTMLParser) -> Group | None:
    """Return the page's repeated time-stamped block, or None where it has none."""
    body = tree.body
    if body is None:
        return None
    marked = [node for node in body.css(CARRIERS)[:_MOST_TIMES] if node.tag not in {"html", "body", "meta"}]
    return _best(marked) or _best(_labels(body))


def _labels(body: LexborNode) -> list[LexborNode]:
    """Return the elements whose own text is a time."""
    found: list[LexborNode] = []
    for node in body.traverse(include_text=True):
        if node.tag != "-text" or node.parent is None or node.parent.tag in {"script", "style", "p", "a"}:
            continue
        text = (node.text_content or "").strip()
        if 2 <= len(text) <= 60 and (claim := read_claim(text)) is not None and not claim.is_date:
            found.append(node.parent)
            if len(found) >= _MOST_TIMES:
                break
    return found


def _best(times: Sequence[LexborNode]) -> Group | None:
    holders: dict[str, dict[int, LexborNode]] = defaultdict(dict)
    counts: dict[int, int] = defaultdict(int)
    for time in times:
        for node in (time, *ancestors(time, _LEVELS)):
            counts[node.mem_id] += 1
            holders[path(node)].setdefault(node.mem_id, node)
    groups = [
        Group(key, tuple(nodes.values()), _score(tuple(nodes.values())) / mean(counts[one] for one in nodes))
        for key, nodes in holders.items()
        if _is_list(nodes, counts)
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


def _score(blocks: tuple[LexborNode, ...]) -> float:
    """Return how much a group looks like entries: text outside links, each entry's share capped.

    Held against the number of times a member shows, so that a day's section loses to the entries in it.
    """
    total = 0.0
    for block in blocks:
        linked = sum(len(link.text()) for link in block.css("a")[:50])
        total += min(_ENOUGH, max(0, len(block.text().strip()) - linked))
    names = " ".join(classes(node) for node in (blocks[0], *ancestors(blocks[0], 3)))
    if _NOT_ENTRIES.search(names):
        total *= 0.2
    return total * (1.3 if _LIVE.search(names) else 1.0)
