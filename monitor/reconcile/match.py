"""Which item of the page is which known entry: the stages in their order.

Rule: certain evidence before weighed evidence; what left the page before is looked up before anything is called new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from monitor.reconcile.align import (
    LONG_ENOUGH,
    Order,
    Pairing,
    backbone,
    pair_equal,
    pair_ids,
    pair_retimed,
    pair_untouched,
)
from monitor.reconcile.assign import assign
from monitor.reconcile.features import features
from monitor.reconcile.page import Item, Page
from monitor.reconcile.state import GoneRow, Known, Record, version_of
from monitor.reconcile.times import MINUTES, SHIFT_MIN, Span, apart, minute_of, moved_by, same, span
from monitor.reconcile.trust import Trust

_MINUTE_LABEL = 60.0  # seconds
REWRITTEN = 0.6  # of the words of both
MOST = 0.6  # share of unchanged entries that a moved clock moves


@dataclass(frozen=True, slots=True)
class Matched:
    """The outcome of matching one page."""

    pairing: Pairing
    order: Order
    shift: float  # seconds the whole page's clock moved
    lag: float  # seconds the page is behind, by its relative labels


def match(known: Known, page: Page, trust: Trust) -> Matched:
    """Match the page's items with what is known."""
    records, shift, lag = tuple(page.known.live.values()), 0.0, 0.0
    pairing = Pairing(records, page.items, trust)
    still = _pair_certain(pairing)
    if len(page.items) - still >= MOST * still:  # too few to settle that the page's clock did not move
        shift, lag = _clock(records, page.items)
    if abs(lag) >= SHIFT_MIN:
        shift = lag  # no cache is that late all the time: our own clock was set, or theirs
    if shift or lag:
        pairing = Pairing(records, tuple(_moved(item, -(shift or lag)) for item in page.items), trust)
        _pair_certain(pairing)
    if pairing.free_items:
        pair_equal(pairing)
        pair_equal(pairing, loose=True)
        order = backbone(pairing)
        pair_retimed(pairing, order)
        _find_returned(pairing, known)
        order = order if order.pairs == len(pairing.item_of) else backbone(pairing)
        assign(pairing, order, full=_is_full(pairing))
        _find_rewritten(pairing, known)
    return Matched(pairing, backbone(pairing), shift, lag)


def _pair_certain(pairing: Pairing) -> int:
    """Pair what its id or its place makes certain; return how many pairs have the same content and time."""
    return (pair_ids(pairing) if pairing.trust.usable else 0) + pair_untouched(pairing)


def _clock(records: Sequence[Record], items: Sequence[Item]) -> tuple[float, float]:
    """Return by how much the page's absolute times moved, and by how much its relative labels are late."""
    spans = {record.features.exact: record.span for record in records}
    pairs = [(old, item) for item in items if item.span and (old := spans.get(item.features.exact))]
    moved = [(old, item) for old, item in pairs if old != item.span]
    if len(moved) < max(2, MOST * len(pairs)):
        return 0.0, 0.0
    texts = Counter([record.features.exact for record in records])
    shown = Counter([item.features.exact for item in items])
    absolute: list[float] = []
    relative: list[float] = []
    for old, item in pairs:
        text, new = item.features.exact, item.span
        if new is None or texts[text] != 1 or shown[text] != 1:
            continue
        if not (old.relative or new.relative):
            absolute.append(apart(old, new))
        elif new.hi - new.lo <= _MINUTE_LABEL >= old.hi - old.lo:
            relative.append(new.lo - old.lo)
    relative.sort()
    lag = relative[len(relative) // 2] if len(relative) >= 2 else 0.0
    return moved_by(absolute), lag if abs(lag) > 2 * _MINUTE_LABEL else 0.0


def _moved(item: Item, seconds: float) -> Item:
    at = item.span
    if at is None:
        return item
    return msgspec.structs.replace(item, span=Span(at.lo + seconds, at.hi + seconds, at.dated, at.relative))


def _is_full(pairing: Pairing) -> bool:
    """Say whether the page shows as many entries as it ever did: then what came in pushed something out."""
    return len(pairing.items) >= pairing.shown_before


def _find_returned(pairing: Pairing, known: Known) -> None:
    """Look the free items up among the entries that went: the same id, or the same content at the same time."""
    taken: set[str] = set()
    ids = pairing.trust.usable
    for index in pairing.free_items:
        item = pairing.items[index]
        key = known.gone_by_key.get(item.key) if ids and item.key else None
        if key is None or key in taken:
            version = version_of(item.features, item.span)
            candidates = known.gone_by_content.get(item.features.exact) or known.gone_by_content.get(version, ())
            key = next((c for c in candidates if c not in taken and _is_same_gone(known, c, item, ids=ids)), None)
        if key is not None:
            taken.add(key)
            pairing.returned[index] = key


def _find_rewritten(pairing: Pairing, known: Known) -> None:
    """Look what is still free up among the entries that went at its very time: most of the words are the same."""
    for index in pairing.free_items:
        item = pairing.items[index]
        if item.span is None or item.span.hi - item.span.lo > _MINUTE_LABEL:
            continue
        around = (-1, 0, 1) if item.span.relative else (0,)
        minutes = [(minute_of(item.span) + away) % MINUTES for away in around]
        for key in chain.from_iterable(known.gone_by_minute.get(minute, ()) for minute in minutes):
            row = known.gone[key]
            if key in pairing.returned.values() or (
                pairing.trust.usable and _is_other_id(row, item, known.memory.rekeyed)
            ):
                continue
            if same(span(row.published), item.span) and _share(row, item) >= REWRITTEN:
                pairing.returned[index] = key
                break


def _share(row: GoneRow, item: Item) -> float:
    words = features(row.title, row.text or "").bag
    return len(words & item.features.bag) / max(1, len(words | item.features.bag))


def _is_other_id(row: GoneRow, item: Item, rekeyed: int) -> bool:
    """Say whether the publisher now tells another entry; ids that were all made anew since say nothing."""
    return bool(row.key and item.key and row.key != item.key) and row.poll >= rekeyed


def _is_same_gone(known: Known, key: str, item: Item, *, ids: bool) -> bool:
    row = known.gone[key]
    if ids and _is_other_id(row, item, known.memory.rekeyed):
        return False
    return same(span(row.published), item.span) or item.features.words >= LONG_ENOUGH
