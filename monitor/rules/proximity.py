"""Which spans stand next to each other, near each other, or together in one window.

Rule: no pair of occurrences is looked at twice; bisection keeps 20,000 × 20,000 occurrences under a tenth of a second.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

Span = tuple[int, int]

_MAX_TRIES = 200  # ways to give overlapping words to operands before a window is given up


def in_order(spans: list[Span]) -> list[Span]:
    """Return the different spans, by first and last position."""
    return spans if len(spans) < 2 else sorted(set(spans))


def adjacent(parts: Sequence[list[Span]]) -> Iterator[Span]:
    """Yield the spans made of one span of each part, each beginning right after the one before."""
    for first, last in parts[0]:
        ends = {last}
        for part in parts[1:]:
            ends = {end for last in ends for _, end in _between(part, last + 1, last + 2)}
        yield from [(first, end) for end in sorted(ends)]


def near(left: list[Span], right: list[Span], distance: int, *, ordered: bool) -> Iterator[Span]:
    """Yield the spans from a left to a right span with at most `distance` positions in between; the parts in order."""
    if ordered:
        return _once(_following(left, right, distance))
    return _once(merge(_following(left, right, distance), _following(right, left, distance)))


def _once(spans: Iterable[Span]) -> Iterator[Span]:
    before = None
    for span in spans:
        if span != before:
            yield span
        before = span


def _following(left: list[Span], right: list[Span], distance: int) -> Iterator[Span]:
    for first, last in left:
        at = bisect_left(right, (last + 1,))
        if at < len(right) and right[at][0] - last - 1 <= distance:
            yield first, right[at][1]


def windows(operands: Sequence[list[Span]], slack: int, longest: int) -> Iterator[Span]:
    """Yield the windows that hold one span of each operand, no two on the same word, with `slack` other words at most.

    `longest` is how many positions one span of each operand may take together.
    """
    if len(operands) == 2:
        return near(operands[0], operands[1], slack, ordered=False)
    return _once(merge(*(_opened_by(at, operands, slack, longest + slack) for at in range(len(operands)))))


def _opened_by(at: int, operands: Sequence[list[Span]], slack: int, reach: int) -> Iterator[Span]:
    others = [spans for other, spans in enumerate(operands) if other != at]
    for anchor in operands[at]:
        choices = [_between(spans, anchor[1] + 1, anchor[0] + reach) for spans in others]
        if all(choices):
            end = _together(anchor, choices, slack)
            if end is not None:
                yield anchor[0], end


def _between(spans: list[Span], start: int, limit: int) -> list[Span]:
    return spans[bisect_left(spans, (start,)) : bisect_left(spans, (limit,))]


def inside(spans: list[Span], windows: Sequence[Span]) -> list[Span]:
    """Return the spans, given in order, that lie within one of the windows."""
    if len(spans) == 1:
        return spans if any(first <= spans[0][0] and spans[0][1] <= last for first, last in windows) else []
    found = [span for first, last in windows for span in _between(spans, first, last + 1) if span[1] <= last]
    return in_order(found)


def _together(anchor: Span, choices: list[list[Span]], slack: int) -> int | None:
    """The end of the tightest window that opens with `anchor` and gives each operand a word of its own."""
    choices = sorted(choices, key=len)
    tries = 0

    def place(at: int, taken: list[Span], words: int) -> int | None:
        nonlocal tries
        if at == len(choices):
            end = max(last for _, last in taken)
            return end if end - anchor[0] + 1 - words <= slack else None
        for span in choices[at]:
            tries += 1
            if tries > _MAX_TRIES:
                return None
            if all(span[1] < first or last < span[0] for first, last in taken):
                placed = place(at + 1, [*taken, span], words + span[1] - span[0] + 1)
                if placed is not None:
                    return placed
        return None

    return place(0, [anchor], anchor[1] - anchor[0] + 1)


def outside(spans: list[Span], excluded: list[Span]) -> list[Span]:
    """Return the spans that overlap none of the excluded ones."""
    if not excluded:
        return spans
    excluded = in_order(excluded)
    firsts = [first for first, _ in excluded]
    reach: list[int] = []
    for _, last in excluded:
        reach.append(max(last, reach[-1] if reach else last))
    kept = []
    for span in spans:
        at = bisect_right(firsts, span[1]) - 1
        if at < 0 or reach[at] < span[0]:
            kept.append(span)
    return kept


def apart(spans: list[Span]) -> list[Span]:
    """Return as many spans as possible of which no two overlap: the occurrences a reader would count."""
    counted: list[Span] = []
    for span in sorted(set(spans), key=lambda span: (span[1], -span[0])):
        if not counted or span[0] > counted[-1][1]:
            counted.append(span)
    return counted


def first_apart(spans: list[Span], most: int) -> list[Span]:
    """Return the first `most` of `apart`, of spans in order: of thousands only so many are looked at."""
    few = spans[: 3 * most]
    counted = [span for span in apart(few) if span[1] < few[-1][0]][:most]
    return counted if len(counted) == most else apart(spans)[:most]
