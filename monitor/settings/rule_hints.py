"""What the rule language's linter says of the rules, at the characters it says it of; for `monitor check` alone.

Rule: hints are about what is allowed and seldom meant. Loading the settings does not ask for them: word lists are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.settings.load import Examined
from monitor.settings.problems import Problem
from monitor.settings.rule import RuleSettings, texts_of
from monitor.settings.tree import Mapping, Scalar, find


def rule_hints(examined: Examined) -> Iterator[Problem]:
    """Yield the hints on every rule in use as warnings; none where the settings could not be used."""
    settings = examined.settings
    if settings is None or examined.tree is None:
        return
    for rule in settings.rules.values():
        if rule.enabled:
            looked_at = [source for source in settings.sources.values() if rule.looks_at(source)]
            languages = sorted({source.language or "en" for source in looked_at} or {"en"})
            yield from _hints(examined.tree, rule, languages)


def _hints(tree: Mapping, rule: RuleSettings, languages: list[str]) -> Iterator[Problem]:
    from monitor.rules import lint

    for below, text in texts_of(rule.match):
        node = find(tree, ("rules", rule.name, "match", *below))[0]
        for hint in lint(text, languages=languages):
            place = node.place_of(hint.column - 1) if isinstance(node, Scalar) else node.place
            yield Problem(place, "warning", f"rule {rule.name}: {hint.message}", hint.mend)
