"""What a rule may ask of an entry besides its words: patterns over the original text, and facts about the entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.model import Match
from monitor.rules.globs import glob_of
from monitor.rules.plan import Plan, Required, Weigh, is_inside
from monitor.rules.proximity import Span, in_order
from monitor.rules.sightings import RuleText, Sightings
from monitor.rules.syntax import MetaName


@dataclass(frozen=True, slots=True)
class PatternPlan(Plan):
    """An RE2 pattern, in each field by itself."""

    number: int  # as a term: the presearch finds it like a word
    pattern: str
    ignore_case: bool
    term: str
    field: str | None

    def holds(self, seen: Sightings) -> bool:
        return bool(self._found(seen))

    def spans(self, seen: Sightings) -> list[Span]:
        return in_order([span for span, _ in self._placed(seen) if span is not None])

    def required(self, weigh: Weigh) -> Required:
        return [frozenset((self.number,))]

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        if within is None:
            return self._found(seen)
        return [match for span, match in self._placed(seen) if span is not None and is_inside(span, within)]

    def count(self, seen: Sightings) -> int:
        return len(self._found(seen))

    def _found(self, seen: Sightings) -> list[Match]:
        wanted = {"title": "title", "body": "text", None: None}[self.field]
        return [
            Match(sight.name, start, end, sight.text[start:end], self.term)
            for sight in seen.fields
            if wanted in (None, sight.name)
            for start, end in sight.searchable.find(self.pattern, self.ignore_case)
        ]

    def _placed(self, seen: Sightings) -> list[tuple[Span | None, Match]]:
        """Each match with the words it touches."""
        return [
            (seen.fields[0 if match.field == "title" else -1].words(match.start, match.end, seen.language), match)
            for match in self._found(seen)
        ]


@dataclass(frozen=True, slots=True)
class FactPlan(Plan):
    """A fact about the entry, compared with a case-blind glob."""

    name: MetaName
    glob: str
    term: str

    def holds(self, seen: Sightings) -> bool:
        return self._value(seen.entry) is not None

    def spans(self, seen: Sightings) -> list[Span]:
        return []

    def required(self, weigh: Weigh) -> Required:
        return []

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> Sequence[Match]:
        value = self._value(seen.entry)
        return [] if value is None else [Match(self.name, 0, len(value), value, self.term)]

    def count(self, seen: Sightings) -> int:
        return 1

    def _value(self, entry: RuleText) -> str | None:
        """The entry's value that the glob accepts."""
        values: dict[MetaName, tuple[str | None, ...]] = {
            "source": (entry.source,),
            "author": (entry.author,),
            "tag": entry.tags,
            "url": (entry.url,),
            "lang": (entry.language,),
            "kind": (entry.kind,),
        }
        accepts = glob_of(self.glob.casefold())
        return next((value for value in values[self.name] if value is not None and accepts(value.casefold())), None)
