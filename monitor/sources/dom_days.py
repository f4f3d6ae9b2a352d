"""Date headings between the entries of a page: "Monday, 9 March" above the posts of that day.

Rule: a heading dates what stands below it up to the next one; looked for only where entries show bare clock times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.sources.drafts import Draft
from monitor.text.times import TimeClaim, read_claim

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_BEFORE = 6  # nodes before an entry in which its day's heading is looked for
_LEVELS = 3


def with_days(drafts: Sequence[Draft], blocks: Sequence[LexborNode]) -> list[Draft]:
    """Return the drafts with the date heading each stands under, where their own times name no day."""
    if not any(_is_bare(draft) for draft in drafts):
        return list(drafts)
    members = frozenset(block.mem_id for block in blocks)
    day: TimeClaim | None = None
    dated = []
    for draft, block in zip(drafts, blocks, strict=True):
        day = _heading_before(block, members) or day
        dated.append(replace(draft, header=day) if day is not None and _is_bare(draft) else draft)
    return dated


def _is_bare(draft: Draft) -> bool:
    claim = draft.claim
    return (
        draft.stamp is None
        and draft.header is None
        and claim is not None
        and claim.hour is not None
        and not claim.has_day
    )


def _heading_before(block: LexborNode, members: frozenset[int]) -> TimeClaim | None:
    """Return the date that stands just before an entry, or before the box whose first entry it is."""
    node: LexborNode | None = block
    for _ in range(_LEVELS):
        if node is None:
            return None
        before = node.prev
        for _ in range(_BEFORE):
            if before is None or before.mem_id in members:
                break
            claim = _date(before)
            if claim is not None:
                return claim
            before = before.prev
        if before is not None:
            return None
        node = node.parent
    return None


def _date(node: LexborNode) -> TimeClaim | None:
    if node.tag is None or node.tag in {"-comment", "script", "style"}:
        return None
    text = (node.text_content or "") if node.tag == "-text" else node.text()
    if not 3 <= len(text.strip()) <= 60:
        return None
    claim = read_claim(text)
    return claim if claim is not None and claim.is_date else None
