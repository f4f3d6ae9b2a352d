"""Whether the publisher's ids identify, judged by entries whose text did not change between two pages.

Rule: an id that is now on another text is positional; ids that all changed under unchanged texts are regenerated.
Either way that page is matched by content alone, and its ids are learned anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from monitor.reconcile.page import Item
from monitor.reconcile.policy import IdPolicy
from monitor.reconcile.state import Known

DISTRUSTED = 4  # pages whose ids contradicted their texts, less clean ones, after which ids are not looked at
MAX_DISTRUST = 8


class Trust(NamedTuple):
    """What the ids of this page are worth."""

    usable: bool
    distrust: int  # to remember
    why: str | None = None  # for the operator
    rekeyed: bool = False  # all ids are new
    certain: bool = False  # the operator vouches for them: another id is another entry, whatever its content


def judge_ids(known: Known, items: Sequence[Item], policy: IdPolicy) -> Trust:
    """Judge this page's ids against the last page's by the entries whose text is the same and unique on both."""
    before = known.memory.distrust
    if policy == "ignore" or not any(item.key for item in items):
        return Trust(False, before)
    if policy == "trust":
        return Trust(True, 0, certain=True)
    agree, conflict, churn = _evidence(known, items)
    pairs = agree + conflict + churn
    positional = conflict >= 2 or (conflict and (conflict == pairs or before >= 2))
    regenerated = churn and (churn == pairs or (churn >= 2 and churn >= 0.3 * pairs))
    if positional or regenerated:
        why = "ids moved to other entries" if positional else "ids were regenerated"
        return Trust(False, min(before + 1, MAX_DISTRUST), why, rekeyed=bool(regenerated))
    # only a page that brought or moved something can prove that ids stay with their entries
    proved = agree >= 2 and any(item.key not in known.by_key for item in items if item.key)
    after = max(0, before - 1) if proved else before
    return Trust(after < DISTRUSTED, after)


def _evidence(known: Known, items: Sequence[Item]) -> tuple[int, int, int]:
    texts = Counter([record.features.exact for record in known.live.values()])
    owner = {record.features.exact: key for key, record in known.live.items()}
    shown = Counter([item.features.exact for item in items])
    ids_shown = {item.key for item in items}
    agree = conflict = churn = 0
    for item in items:
        text = item.features.exact
        if not item.key or shown[text] != 1 or texts[text] != 1:
            continue
        old = known.live[owner[text]].key
        if old is None:
            continue
        if old == item.key:
            agree += 1
        elif item.key in known.by_key:
            conflict += 1
        elif old not in ids_shown:
            churn += 1
    return agree, conflict, churn
