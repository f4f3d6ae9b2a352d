"""Rules compiled together, and what they say of an entry's text before and after a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set

from monitor.errors import RuleError
from monitor.model import Judgement, Match
from monitor.rules.engine import Engine
from monitor.rules.forms import read_rule
from monitor.rules.plan import Found
from monitor.rules.sightings import RuleText
from monitor.rules.syntax import Node
from monitor.text.languages import base_language

Rule = str | Mapping[str, object]


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
        old, new = self._found(before, names), self._found(after, names)
        if not old:
            fired = sorted(new.items())
            return tuple([Judgement(self.names[rule], "fired", matches, 0, count) for rule, (matches, count) in fired])
        return tuple(self._judgement(rule, old.get(rule), new.get(rule)) for rule in sorted(old.keys() | new.keys()))

    def prepare(self, languages: Iterable[str]) -> None:
        """Build what texts in these languages need, so that the first one of them is not slow."""
        for language in languages:
            self.engine(language)

    def engine(self, language: str | None) -> Engine:
        """Return the rules as they are in one language, built when first asked for."""
        base = base_language(language)
        engine = self._engines.get(base)
        if engine is None:
            engine = self._engines[base] = Engine(self.rules.values(), base)
        return engine

    def _found(self, entry: RuleText | None, names: Collection[str] | None) -> dict[int, Found]:
        if entry is None:
            return {}
        engine = self.engine(entry.language)
        found = engine.found(engine.see(entry))
        if names is None:
            return found
        wanted = names if isinstance(names, Set) else frozenset(names)
        return {rule: what for rule, what in found.items() if self.names[rule] in wanted}

    def _judgement(self, rule: int, before: Found | None, after: Found | None) -> Judgement:
        if after is None:
            matches, count = before or ((), 0)
            return Judgement(self.names[rule], "retracted", matches, count, 0)
        matches, count = after
        return Judgement(self.names[rule], "holds" if before else "fired", matches, before[1] if before else 0, count)


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
