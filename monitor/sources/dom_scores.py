"""How much a list of elements with times looks like the entries of a live blog.

Rule: by the text outside links, each entry's share capped; more where the list calls itself a live blog, far less where it
calls itself something else, stands beside the page's matter, or links every heading to another page, as teasers do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from monitor.sources.dom import ancestors, attribute, classes
from monitor.sources.dom_flat import FLAT_TAGS, parts_after

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_ENOUGH = 600  # characters of one entry that count: one long article does not outweigh a list
_FLAT = 0.9  # an element of its own explains an entry better than a run of siblings
_LIVE = re.compile(
    r"live-?_?(?:blog|ticker|feed|event|post|update|stor(?:y|ies)|stream|text|entr|center|coverage|commentary)|\blb-|ticker|minute-?by-?minute"
    r"|newsticker|commentary"
)
_LIVELY = re.compile(r"\blive|stream|timeline|feed|update|minute")
_NOT_ENTRIES = re.compile(
    r"comment(?!ary)|disqus|replies|related|most-?read|popular|recommend|teaser|promo|carousel|sidebar|\bnav|footer|breadcrumb"
    r"|(?<!is-)key-?event|summary-list|schedule|fixture|score(?:s|board)\b|standings|forecast|calendar|tv-?guide|trending|latest-(?:news|stories)"
)
_ASIDE = frozenset({"aside", "nav", "footer"})
_LEVELS = 3
_SAMPLE = 12


def scores_of(blocks: Sequence[LexborNode], spent: Mapping[int, int]) -> list[tuple[float, bool]]:
    """Return how much a group looks like entries; and, where its members may only begin the entries, how much it does so
    with what stands beside them (True). `spent` are the characters each member spends on times.
    """
    weight = _weight(blocks)
    own = [max(0, _words(block) - spent.get(block.mem_id, 0)) for block in blocks]
    scores = [(weight * sum(min(_ENOUGH, words) for words in own), False)]
    parents = {block.parent.mem_id for block in blocks if block.parent is not None}
    if blocks[0].tag in FLAT_TAGS and 3 * len(parents) <= len(blocks) + 1:  # side by side, not each in its entry
        starts = frozenset(block.mem_id for block in blocks)
        beside = [sum(_words(part) for part in parts_after(block, starts)) for block in blocks]
        total = sum(min(_ENOUGH, words + more) for words, more in zip(own, beside, strict=True))
        scores.append((_FLAT * weight * total, True))
    return scores


def _weight(blocks: Sequence[LexborNode]) -> float:
    sample = blocks[:_SAMPLE]
    around = " ".join(classes(node) for node in ancestors(blocks[0], _LEVELS))
    own = [classes(block) for block in sample]
    weight = 1.0
    if _LIVE.search(around) or _most(_LIVE, own):
        weight *= 5.0
    elif _LIVELY.search(around) or _most(_LIVELY, own):
        weight *= 1.3
    if _NOT_ENTRIES.search(around) or _most(_NOT_ENTRIES, own):
        weight *= 0.05
    if any(node.tag in _ASIDE for node in ancestors(blocks[0], 2 * _LEVELS)):
        weight *= 0.1
    if 2 * sum(_leads_elsewhere(block) for block in sample) > len(sample):
        weight *= 0.1
    return weight


def _most(pattern: re.Pattern[str], names: Sequence[str]) -> bool:
    return 2 * sum(pattern.search(name) is not None for name in names) > len(names)


def _leads_elsewhere(block: LexborNode) -> bool:
    """Whether a member stands in a link, or its heading is one to another page, not to a place in this one."""
    if any(node.tag == "a" for node in ancestors(block, _LEVELS)):
        return True
    link = block.css_first("h1 a[href], h2 a[href], h3 a[href], h4 a[href]") or next(
        (link for link in block.css("a[href]")[:4] if link.css_first("h1, h2, h3, h4") is not None), None
    )
    return link is not None and "#" not in attribute(link, "href") and "live" not in attribute(link, "href")


def _words(node: LexborNode) -> int:
    """Return the characters of a node's text outside links."""
    if node.tag == "-text":
        return len((node.text_content or "").strip())
    return max(0, len(node.text().strip()) - sum(len(link.text()) for link in node.css("a")[:50]))
