"""Rules compiled together, and what they say of an entry's text before and after a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from monitor.errors import RuleError
from monitor.model import Judgement, Match
from monitor.rules.engine import Engine
from monitor.rules.forms import read_rule
from monitor.rules.sightings import RuleText, Sightings
from monitor.rules.syntax import Node
from monitor.text.languages import base_language

Rule = str | Mapping[str, object]
_Found = dict[int, tuple[Engine, Sightings]]


class Ruleset:
    """A set of rules, immutable; a language's word lists are loaded when its first text comes."""

    def __init__(self, rules: Mapping[str, Node]) -> None:
        self.rules = dict(rules)
        self.names = tuple(rules)
        self._engines: dict[str, Engine] = {}

    def match(
        self, text: str, title: str | None = None, language: str = "en", previous: str | None = None
    ) -> list[Match]:
        """Return where the rules that fire found their terms; offsets count characters of `text` or `title`.

        With `previous`, the text before an edit, only rules count that the edit made true.
        """
        after = RuleText(text=text, title=title, language=language)
        before = None if previous is None else RuleText(text=previous, title=title, language=language)
        fired = (one for one in self.judge(before, after) if one.transition == "fired")
        return [match for judgement in fired for match in judgement.matches]

    def judge(
        self, before: RuleText | None, after: RuleText | None, names: Collection[str] | None = None
    ) -> tuple[Judgement, ...]:
        """Return what each rule says of a change that it is true before or after of, in the order of the rules.

        `before` is None for a new entry, `after` for a removed one; `names` restricts it to some rules.
        """
        old, new = self._firing(before, names), self._firing(after, names)
        return tuple(self._judgement(rule, old, new) for rule in sorted(old.keys() | new.keys()))

    def prepare(self, languages: Iterable[str]) -> None:
        """Build what texts in these languages need, so that the first one of them is not slow."""
        for language in languages:
            self._engine(language)

    def _engine(self, language: str | None) -> Engine:
        base = base_language(language)
        engine = self._engines.get(base)
        if engine is None:
            engine = self._engines[base] = Engine(self.rules.values(), base)
        return engine

    def _firing(self, entry: RuleText | None, names: Collection[str] | None) -> _Found:
        if entry is None:
            return {}
        engine = self._engine(entry.language)
        seen = engine.see(entry)
        found = engine.firing(seen)
        if names is None:
            return dict.fromkeys(found, (engine, seen))
        return {rule: (engine, seen) for rule in found if self.names[rule] in names}

    def _judgement(self, rule: int, old: _Found, new: _Found) -> Judgement:
        transition = "holds" if rule in old and rule in new else "fired" if rule in new else "retracted"
        engine, seen = new[rule] if rule in new else old[rule]
        return Judgement(
            rule=self.names[rule],
            transition=transition,  # type: ignore[arg-type]
            matches=_in_reading_order(engine.plans[rule].matches(seen)),
            occurrences_before=_count(rule, old),
            occurrences_after=_count(rule, new),
        )


def compile_rules(rules: Mapping[str, Rule]) -> Ruleset:
    """Return the rules, by name, ready to match. Raises RuleError listing everything wrong, by rule and column."""
    trees: dict[str, Node] = {}
    wrong: list[RuleError] = []
    for name, rule in rules.items():
        try:
            trees[name] = read_rule(rule)
        except RuleError as error:
            wrong.append(RuleError(error.message, column=error.column, rule=name, mend=error.mend))
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        listed = "\n".join(f"{error.rule}:{error.column}: {error.message} ({error.mend})" for error in wrong)
        raise RuleError(listed, column=wrong[0].column, rule=None, mend=None)
    return Ruleset(trees)


def _count(rule: int, found: _Found) -> int:
    if rule not in found:
        return 0
    engine, seen = found[rule]
    return max(1, engine.plans[rule].count(seen))


def _in_reading_order(matches: list[Match]) -> tuple[Match, ...]:
    return tuple(
        sorted(set(matches), key=lambda match: (match.field != "title", match.field != "text", match.start, match.end))
    )
