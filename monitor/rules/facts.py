"""What a rule may ask of an entry besides its words: patterns over the original text, and facts about the entry."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.model import Match
from monitor.rules.globs import glob_of
from monitor.rules.patterns import find_all
from monitor.rules.plan import Plan, Required, Weigh
from monitor.rules.proximity import Span, in_order
from monitor.rules.sightings import RuleText, Sightings
from monitor.rules.syntax import MetaName


@dataclass(frozen=True, slots=True)
class PatternPlan(Plan):
    """An RE2 pattern, in each field by itself."""

    pattern: str
    ignore_case: bool
    term: str
    field: str | None

    def holds(self, seen: Sightings) -> bool:
        return bool(self._found(seen))

    def spans(self, seen: Sightings) -> list[Span]:
        found = []
        for match in self._found(seen):
            sight = seen.fields[0] if match.field == "title" else seen.fields[-1]
            span = sight.spans(match.start, match.end, seen.language)
            if span is not None:
                found.append(span)
        return in_order(found)

    def required(self, weigh: Weigh) -> Required:
        return []

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> list[Match]:
        found = self._found(seen)
        if within is None:
            return found
        kept = []
        for match in found:
            sight = seen.fields[0] if match.field == "title" else seen.fields[-1]
            span = sight.spans(match.start, match.end, seen.language)
            if span is not None and any(first <= span[0] and span[1] <= last for first, last in within):
                kept.append(match)
        return kept

    def count(self, seen: Sightings) -> int:
        return len(self._found(seen))

    def _found(self, seen: Sightings) -> list[Match]:
        wanted = {"title": "title", "body": "text", None: None}[self.field]
        return [
            Match(sight.name, start, end, sight.text[start:end], self.term)
            for sight in seen.fields
            if wanted in (None, sight.name)
            for start, end in find_all(self.pattern, self.ignore_case, sight.text)
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

    def matches(self, seen: Sightings, within: list[Span] | None = None) -> list[Match]:
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
