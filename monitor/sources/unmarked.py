"""Entries a page shows in its list and leaves out of its markup: pinned copies, posts beyond the markup's ten.

Rule: only where the page's list and the markup are plainly the same blog; each such entry takes the place it has on the
page, and its id is written the way the markup writes ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.sources.drafts import Draft
from monitor.sources.layout import letters

_SAME_BLOG = 0.8  # of the markup's entries, or of the page's list where that is shorter, must be one another's twins


def with_unmarked(marked: list[Draft], twins: Sequence[Draft | None], shown: Sequence[Draft]) -> list[Draft]:
    """Return the markup's entries with those only the page shows put in between, in page order."""
    place = {id(twin): at for at, twin in enumerate(twins) if twin is not None}
    matched = sum(id(draft) in place for draft in shown)
    if not shown or matched < _SAME_BLOG * min(len(marked), len(shown)):
        return marked
    prefix = _prefix(marked, twins)
    after: dict[int, list[Draft]] = {}
    last = -1
    for draft in shown:
        at = place.get(id(draft))
        if at is not None:
            last = at
        elif letters(draft.text) and (draft.stamp is not None or draft.claim is not None):
            after.setdefault(last, []).append(_named(draft, prefix))
    made = list(after.get(-1, ()))
    for at, draft in enumerate(marked):
        made.append(draft)
        made.extend(after.get(at, ()))
    return made


def _prefix(marked: Sequence[Draft], twins: Sequence[Draft | None]) -> str | None:
    """What the markup writes before the page's anchor in its ids, None if it does not write them so."""
    for draft, twin in zip(marked, twins, strict=True):
        if twin is not None and twin.native_id and draft.native_id and draft.native_id.endswith(twin.native_id):
            return draft.native_id.removesuffix(twin.native_id)
    return None


def _named(draft: Draft, prefix: str | None) -> Draft:
    return draft if prefix is None or not draft.native_id else replace(draft, native_id=prefix + draft.native_id)
