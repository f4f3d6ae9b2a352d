"""A rule as it is evaluated on sightings in one language: the exact check behind the presearch.

Each part answers `holds` (is it true of this entry) and, where it stands somewhere, `spans` (where). `required` names what
must be found for it to hold at all: every set needs one of its terms; an empty list promises nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from monitor.model import Match
from monitor.rules.proximity import Span, adjacent, apart, first_apart, in_order, inside, near, outside, windows
from monitor.rules.sightings import MAX_SHOWN, Sightings

Required = list[frozenset[int]]
Found = tuple[tuple[Match, ...], int]  # what to show, how many occurrences
Weigh = Callable[[frozenset[int]], float]


class Plan:
    """A part of a rule, ready to be evaluated."""

    __slots__ = ()

    def holds(self, seen: Sightings) -> bool:
        """Say whether this part is true of the entry."""
        return next(iter(self.places(seen)), None) is not None

    def places(self, seen: Sightings) -> Iterable[Span]:
        """Return where this part stands, one after the other, as far as somebody asks."""
        return self.spans(seen)

    def spans(self, seen: Sightings) -> list[Span]:
        """Return where this part stands, in order; empty for what stands nowhere in particular."""
        known = seen.known.get(self)
        if known is None:  # many rules ask for the same phrase
            known = seen.known[self] = in_order(list(self.places(seen)))
        return known

    def required(self, weigh: Weigh) -> Required:
        """Return sets of terms of each of which one must be found wherever this part holds."""
        raise NotImplementedError

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        """Return what to show of this part, inside the spans `within` if they are given."""
        return []

    def found(self, seen: Sightings) -> Found:
        """Return what to show, in reading order, and how much that is, at least one; ask where it holds."""
        matches = _in_reading_order(self.matches(seen))
        seen.left -= len(matches)
        return matches, max(1, len(matches))

    def count(self, seen: Sightings) -> int:
        """Return how many separate occurrences there are."""
        known = seen.counts.get(self)
        if known is None:
            known = seen.counts[self] = len(apart(self.spans(seen)))
        return known


@dataclass(frozen=True, slots=True)
class TermPlan(Plan):
    """One term, by its number."""

    number: int
    term: str
    field: str | None  # title, body or anywhere

    def spans(self, seen: Sightings) -> list[Span]:
        found = seen.in_order(self.number)
        return in_field(found, self.field, seen) if self.field else found

    def required(self, weigh: Weigh) -> Required:
        return [frozenset((self.number,))]

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        return _shown(self.spans(seen), self.term, seen, within)


@dataclass(frozen=True, slots=True)
class SequencePlan(Plan):
    """Terms right behind each other; `verbatim` is how they must read together."""

    parts: tuple[Plan, ...]
    term: str
    accept: Callable[[str], bool] | None = None

    def places(self, seen: Sightings) -> Iterator[Span]:
        parts = [part.spans(seen) for part in self.parts]
        if all(parts):
            for span in adjacent(parts):
                if self.accept is None or self.accept(seen.shown(span)):
                    yield span

    def required(self, weigh: Weigh) -> Required:
        return [needed for part in self.parts for needed in part.required(weigh)]

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        return _shown(_within(self, seen, within), self.term, seen, None)


@dataclass(frozen=True, slots=True)
class WindowPlan(Plan):
    """All parts together, in any order, with `slack` other words at most."""

    parts: tuple[Plan, ...]
    slack: int
    one_sentence: bool
    term: str | None = None  # set where the window is shown as a whole

    def places(self, seen: Sightings) -> Iterator[Span]:
        parts = [part.spans(seen) for part in self.parts]
        if all(parts):
            longest = sum(map(seen.widest, self.parts, parts))
            for span in windows(parts, self.slack, longest):
                if not self.one_sentence or seen.field_of(span[0]).one_sentence(span, seen.language):
                    yield span

    def required(self, weigh: Weigh) -> Required:
        return [needed for part in self.parts for needed in part.required(weigh)]

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        shown = _within(self, seen, within)
        if self.term is not None:
            return _shown(shown, self.term, seen, None)
        return [match for part in self.parts for match in part.matches(seen, shown)]


@dataclass(frozen=True, slots=True)
class NearPlan(Plan):
    """Two parts with at most `distance` words in between."""

    left: Plan
    right: Plan
    distance: int
    ordered: bool

    def places(self, seen: Sightings) -> Iterable[Span]:
        left, right = self.left.spans(seen), self.right.spans(seen)
        return near(left, right, self.distance, ordered=self.ordered) if left and right else ()

    def required(self, weigh: Weigh) -> Required:
        return self.left.required(weigh) + self.right.required(weigh)

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        shown = _within(self, seen, within)
        return [*self.left.matches(seen, shown), *self.right.matches(seen, shown)]


@dataclass(frozen=True, slots=True)
class ExceptPlan(Plan):
    """Occurrences of `left` that overlap none of `right`."""

    left: Plan
    right: Plan

    def places(self, seen: Sightings) -> list[Span]:
        return outside(self.left.spans(seen), self.right.spans(seen))

    def required(self, weigh: Weigh) -> Required:
        return self.left.required(weigh)

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        return self.left.matches(seen, _within(self, seen, within))


@dataclass(frozen=True, slots=True)
class OrPlan(Plan):
    """Any part."""

    parts: tuple[Plan, ...]

    def holds(self, seen: Sightings) -> bool:
        return any(part.holds(seen) for part in self.parts)

    def spans(self, seen: Sightings) -> list[Span]:
        return in_order([span for part in self.parts for span in part.spans(seen)])

    def required(self, weigh: Weigh) -> Required:
        union: frozenset[int] = frozenset()
        for part in self.parts:
            sets = part.required(weigh)
            if not sets:
                return []
            union |= min((weigh(needed), at, needed) for at, needed in enumerate(sets))[2]
        return [union]

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        return [match for part in self.parts if part.holds(seen) for match in part.matches(seen, within)]

    def count(self, seen: Sightings) -> int:
        return max(len(apart(self.spans(seen))), sum(part.count(seen) for part in self.parts if part.holds(seen)))


@dataclass(frozen=True, slots=True)
class AndPlan(Plan):
    """Every part, wherever it stands."""

    parts: tuple[Plan, ...]

    def holds(self, seen: Sightings) -> bool:
        return all(part.holds(seen) for part in self.parts)

    def spans(self, seen: Sightings) -> list[Span]:
        return []

    def required(self, weigh: Weigh) -> Required:
        return [needed for part in self.parts for needed in part.required(weigh)]

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        return [match for part in self.parts for match in part.matches(seen, within)]

    def count(self, seen: Sightings) -> int:
        return sum(part.count(seen) for part in self.parts)


@dataclass(frozen=True, slots=True)
class NotPlan(Plan):
    """The part is nowhere."""

    part: Plan

    def holds(self, seen: Sightings) -> bool:
        return not self.part.holds(seen)

    def spans(self, seen: Sightings) -> list[Span]:
        return []

    def required(self, weigh: Weigh) -> Required:
        return []


@dataclass(frozen=True, slots=True)
class AtLeastPlan(Plan):
    """At least `least` separate occurrences."""

    least: int
    part: Plan

    def holds(self, seen: Sightings) -> bool:
        return self.part.count(seen) >= self.least

    def spans(self, seen: Sightings) -> list[Span]:
        return []

    def required(self, weigh: Weigh) -> Required:
        return self.part.required(weigh)

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        return self.part.matches(seen, within)

    def count(self, seen: Sightings) -> int:
        return self.part.count(seen)


def in_field(spans: Sequence[Span], field: str, seen: Sightings) -> list[Span]:
    """Return the spans that stand in the title, or in the body."""
    body = seen.body
    return [span for span in spans if (span[0] >= body) == (field == "body")]


def is_inside(span: Span, windows: Sequence[Span]) -> bool:
    """Say whether a span lies within one of the windows."""
    return any(first <= span[0] and span[1] <= last for first, last in windows)


def _within(plan: Plan, seen: Sightings, within: list[Span] | None) -> list[Span]:
    """Where a part stands inside the given windows; without any, the places that are shown: the first ones."""
    if within is not None:
        return inside(plan.spans(seen), within)
    return in_order(list(islice(plan.places(seen), seen.most)))


def _shown(spans: list[Span], term: str, seen: Sightings, within: list[Span] | None) -> list[Match]:
    kept = spans if within is None else inside(spans, within)
    return [seen.match(span, term) for span in (kept if len(kept) < 2 else first_apart(kept, seen.most))]


def shown(spans: list[Span], term: str, seen: Sightings) -> tuple[tuple[Match, ...], int]:
    """Return what to show of the occurrences of one term, the first MAX_SHOWN of them, and how many that are."""
    if len(spans) == 1:
        return (seen.match(spans[0], term),), 1
    matches = tuple([seen.match(span, term) for span in apart(spans)[:MAX_SHOWN]])
    return matches, len(matches)


def _in_reading_order(matches: Sequence[Match]) -> tuple[Match, ...]:
    if len(matches) < 2:
        return tuple(matches)
    return tuple(
        sorted(set(matches), key=lambda match: (match.field != "title", match.field != "text", match.start, match.end))
    )
