"""Which spans stand next to each other, near each other, or together in one window.

Rule: no pair of occurrences is looked at twice; bisection keeps 20,000 × 20,000 occurrences under a tenth of a second.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

Span = tuple[int, int]

_MAX_TRIES = 200  # ways to give overlapping words to operands before a window is given up


def in_order(spans: list[Span]) -> list[Span]:
    """Return the different spans, by first and last position."""
    return spans if len(spans) < 2 else sorted(set(spans))


def adjacent(parts: Sequence[list[Span]]) -> list[Span]:
    """Return the spans made of one span of each part, each beginning right after the one before."""
    chains = parts[0]
    for part in parts[1:]:
        by_first: dict[int, list[int]] = {}
        for first, last in part:
            by_first.setdefault(first, []).append(last)
        chains = [(first, end) for first, last in chains for end in by_first.get(last + 1, ())]
        if not chains:
            break
    return in_order(chains)


def near(left: list[Span], right: list[Span], distance: int, *, ordered: bool) -> list[Span]:
    """Return the spans from a left to a right span with at most `distance` positions in between."""
    found = _following(left, right, distance)
    if not ordered:
        found += _following(right, left, distance)
    return in_order(found)


def _following(left: list[Span], right: list[Span], distance: int) -> list[Span]:
    firsts = [first for first, _ in right]
    found = []
    for first, last in left:
        at = bisect_right(firsts, last)
        if at < len(firsts) and firsts[at] - last - 1 <= distance:
            found.append((first, right[at][1]))
    return found


def windows(operands: Sequence[list[Span]], slack: int) -> list[Span]:
    """Return the windows that hold one span of each operand, no two on the same word, with `slack` other words at most."""
    if len(operands) == 2:
        return near(operands[0], operands[1], slack, ordered=False)
    firsts = [[first for first, _ in spans] for spans in operands]
    longest = sum(max(last - first + 1 for first, last in spans) for spans in operands)
    found = []
    for at, spans in enumerate(operands):
        others = [n for n in range(len(operands)) if n != at]
        for anchor in spans:
            limit = anchor[0] + longest + slack
            choices = [_between(operands[n], firsts[n], anchor[1], limit) for n in others]
            if all(choices):
                end = _together(anchor, choices, slack)
                if end is not None:
                    found.append((anchor[0], end))
    return in_order(found)


def _between(spans: list[Span], firsts: list[int], after: int, limit: int) -> list[Span]:
    return spans[bisect_right(firsts, after) : bisect_left(firsts, limit)]


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
