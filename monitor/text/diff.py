"""The difference of two texts as a person would mark it: whole words and numbers, no confetti.

Rule: exact. The `=` and `-` parts joined are the old text, the `=` and `+` parts the new one, to the last character.
The shortest edit script is found first (Indel distance); then equal scraps between two changes are given up, and a lone
insertion or deletion slides to where a sentence or word begins (the semantic cleanups of N. Fraser, Diff Strategies, 2006).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rapidfuzz.distance import Indel, Postfix, Prefix

from monitor.model import DiffOp
from monitor.text.tokens import units

# The bit matrix of the edit script takes old × new bits: 12 MB at this product. Larger texts are compared by lines.
MAX_PRODUCT = 100_000_000
CONTEXT = 80  # characters of equal text kept around the changes: a change slides no further
KEPT_WORDS = 4  # an equal run of more words than this is a landmark to a reader, whatever surrounds it
DWARFED = 4  # times as large as the scrap: a change that swallows it
_SENTENCE_END = frozenset(".!?…。！？؟۔।")


@dataclass(slots=True)
class Hunk:
    """A run of units: equal on both sides, or `old` replaced by `new`."""

    equal: bool
    old: list[str]
    new: list[str]


def word_diff(old: str, new: str) -> tuple[DiffOp, ...]:
    """Return the difference of two texts, `-` before `+`, neighbouring parts of one kind joined."""
    ops: list[DiffOp] = []
    for hunk in hunks(old, new):
        if hunk.equal:
            ops.append(("=", "".join(hunk.old)))
            continue
        if hunk.old:
            ops.append(("-", "".join(hunk.old)))
        if hunk.new:
            ops.append(("+", "".join(hunk.new)))
    return tuple(ops)


@lru_cache(maxsize=8)  # judged first, then told: the same pair is asked for twice
def hunks(old: str, new: str) -> tuple[Hunk, ...]:
    """Return the difference as runs of units (words, numbers, marks, white space) in order.

    Equal text far from a change is one piece, whatever units it has.
    """
    if old == new:
        return (Hunk(True, [old], [old]),) if old else ()
    head = Prefix.similarity(old, new)
    tail = min(Postfix.similarity(old, new), min(len(old), len(new)) - head)
    if max(len(old), len(new)) - head - tail < CONTEXT:
        before, inner, after = _cut_out(old, new, head, tail, keep=1)
        found = _raw(units(inner[0]), units(inner[1]))
        if all(hunk.equal or not _is_pure(hunk) for hunk in found):  # words for words: nothing that could slide
            return _framed(before, _without_scraps(found), after)
    before, inner, after = _cut_out(old, new, head, tail, keep=CONTEXT)
    return _framed(before, _compared(*inner), after)


def _cut_out(old: str, new: str, head: int, tail: int, *, keep: int) -> tuple[str, tuple[str, str], str]:
    """Return the common beginning, what is to be compared, and the common end; `keep` characters around are compared."""
    start = _at_space(old, head - keep)
    end = _at_space(old[::-1], tail - keep)
    return old[:start], (old[start : len(old) - end], new[start : len(new) - end]), old[len(old) - end :]


def _compared(old: str, new: str) -> list[Hunk]:
    before, after = units(old), units(new)
    if len(before) * len(after) > MAX_PRODUCT:
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if len(before) * len(after) > MAX_PRODUCT:
        return [Hunk(False, [old], [new])]
    return _slid(_without_scraps(_raw(before, after)))


def _at_space(text: str, place: int) -> int:
    """Return the last place at or before `place` where white space ends and a word begins; 0 where there is none."""
    while place > 0 and not (text[place - 1].isspace() and not text[place].isspace()):
        place -= 1
    return max(place, 0)


def _framed(head: str, inner: list[Hunk], tail: str) -> tuple[Hunk, ...]:
    ends = [[Hunk(True, [text], [text])] if text else [] for text in (head, tail)]
    joined: list[Hunk] = []
    for hunk in (*ends[0], *inner, *ends[1]):
        if joined and joined[-1].equal == hunk.equal:  # a change that slid may have met the next one
            joined[-1] = Hunk(hunk.equal, joined[-1].old + hunk.old, joined[-1].new + hunk.new)
        else:
            joined.append(hunk)
    return tuple(joined)


def weight(pieces: Sequence[str]) -> int:
    """Return the number of words and numbers in a run."""
    return sum(piece[0].isalnum() for piece in pieces)


def _raw(before: list[str], after: list[str]) -> list[Hunk]:
    head = _equal_units(before, after)
    tail = _equal_units(before[head:][::-1], after[head:][::-1])
    ends = len(before) - tail, len(after) - tail
    found = [Hunk(True, before[:head], after[:head])] if head else []
    found += _script(before[head : ends[0]], after[head : ends[1]])
    return [*found, Hunk(True, before[ends[0] :], after[ends[1] :])] if tail else found


def _equal_units(one: list[str], other: list[str]) -> int:
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))


def _script(before: list[str], after: list[str]) -> list[Hunk]:
    """Return the shortest edit script of two lists of units that differ at both ends."""
    if not (before and after) or len(before) == len(after) == 1:
        return [Hunk(False, before, after)] if before or after else []
    letters = {piece: _letter(number) for number, piece in enumerate({*before, *after})}
    spelled = ["".join(map(letters.__getitem__, side)) for side in (before, after)]
    found: list[Hunk] = []
    for op in Indel.opcodes(*spelled):
        equal = op.tag == "equal"
        old, new = before[op.src_start : op.src_end], after[op.dest_start : op.dest_end]
        if found and found[-1].equal == equal:
            found[-1].old += old
            found[-1].new += new
        else:
            found.append(Hunk(equal, old, new))
    return found


def _letter(number: int) -> str:
    """Return one character for a unit: the string routines are ten times faster than those over lists."""
    number += 32
    return chr(number if number < 0xD800 else number + 0x800)


def _without_scraps(found: list[Hunk]) -> list[Hunk]:
    """Join changes that only a scrap of equal text parts, until none is left."""
    done: list[Hunk] = []
    for hunk in found:
        done.append(hunk)
        while len(done) > 2 and not done[-1].equal and _is_scrap(*done[-3:]):
            before, equal, after = done[-3:]
            done[-3:] = [Hunk(False, before.old + equal.old + after.old, before.new + equal.new + after.new)]
    return done


def _is_scrap(before: Hunk, equal: Hunk, after: Hunk) -> bool:
    if any("\n" in piece for piece in equal.old):
        return False
    words = weight(equal.old)
    if words == 0:
        # white space or a mark between two changes: one change, unless a mark parts an insertion from a deletion
        return not (_is_pure(before) and _is_pure(after) and bool(before.old) != bool(after.old)) or not any(
            piece.strip() for piece in equal.old
        )
    if words > KEPT_WORDS:
        return False
    smaller, larger = sorted((_size(before), _size(after)))
    return words < smaller or (words == smaller and larger >= DWARFED * words)


def _is_pure(hunk: Hunk) -> bool:
    return not hunk.old or not hunk.new


def _size(hunk: Hunk) -> int:
    return max(weight(hunk.old), weight(hunk.new))


def _slid(found: list[Hunk]) -> list[Hunk]:
    """Slide each lone insertion or deletion to its best seat between its equal neighbours."""
    for before, hunk in pairwise(list(found)):
        if before.equal and not hunk.equal and _is_pure(hunk):
            place = next(index for index, other in enumerate(found) if other is hunk)
            after = found[place + 1] if place + 1 < len(found) else None
            _slide(before, hunk, after)
    return [hunk for hunk in found if hunk.old or hunk.new]


def _slide(before: Hunk, hunk: Hunk, after: Hunk | None) -> None:
    left, moved, right = list(before.old), list(hunk.old or hunk.new), list(after.old) if after else []
    best = (_seat(left, moved, right), 0, left, moved, right)
    for number, seat in enumerate(_seats(left, moved, right)):
        score = _seat(*seat)
        if score > best[0]:
            best = (score, number, *seat)
    _, _, left, moved, right = best
    if after is None and right:
        return
    before.old, before.new = left, list(left)
    if hunk.old:
        hunk.old = moved
    else:
        hunk.new = moved
    if after is not None:
        after.old, after.new = right, list(right)


def _seats(left: list[str], moved: list[str], right: list[str]) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Yield the places a run can stand without changing the text: leftwards first, then rightwards."""
    a, run, b = list(left), list(moved), list(right)
    while a and a[-1] == run[-1]:
        piece = a.pop()
        run.insert(0, piece)
        b.insert(0, run.pop())
        yield list(a), list(run), list(b)
    a, run, b = list(left), list(moved), list(right)
    while b and b[0] == run[0]:
        a.append(run.pop(0))
        run.append(b.pop(0))
        yield list(a), list(run), list(b)


def _seat(left: Sequence[str], moved: Sequence[str], right: Sequence[str]) -> int:
    """Return how natural a run's borders are: text ends and paragraphs before sentences before words."""
    return _border(left, moved) + _border(moved, right)


def _border(left: Sequence[str], right: Sequence[str]) -> int:
    if not left or not right:
        return 6
    if "\n" in left[-1] or "\n" in right[0]:
        return 5
    if left[-1] in _SENTENCE_END and right[0].isspace():
        return 4
    if left[-1].isspace() and len(left) > 1 and left[-2] in _SENTENCE_END:
        return 3
    if left[-1].isspace() or right[0].isspace():
        return 2
    return 1 if not (left[-1][0].isalnum() and right[0][0].isalnum()) else 0
