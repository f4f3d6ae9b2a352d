"""The tests that stand beside a rule: texts it must fire on, and texts it must not.

Rule: pure; a test is judged as the daemon judges an entry, on (text before, text after).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.model import Match
from monitor.rules import Ruleset, RuleText
from monitor.settings.model import Settings
from monitor.settings.rule import RuleTest


@dataclass(frozen=True, slots=True)
class RuleTestOutcome:
    """How one test of one rule ended."""

    rule: str
    index: int  # from 0, in the order of the file
    test: RuleTest
    fired: bool
    matches: tuple[Match, ...] = ()

    @property
    def passed(self) -> bool:
        return self.fired == self.test.fires

    @property
    def words(self) -> str:
        """What was found, for the one who reads why a test failed."""
        if self.fired:
            return "it fires on " + (", ".join(f"'{match.text}'" for match in self.matches[:5]) or "this text")
        return "it does not fire"


def run_rule_tests(settings: Settings, ruleset: Ruleset) -> Iterator[RuleTestOutcome]:
    """Run every test of every rule that `ruleset` holds, in the order of the settings."""
    for rule in settings.rules.values():
        for index, test in enumerate(rule.tests):
            yield _outcome(rule.name, index, test, ruleset)


def _outcome(rule: str, index: int, test: RuleTest, ruleset: Ruleset) -> RuleTestOutcome:
    before = None if test.previous is None else RuleText(title=test.title, text=test.previous, language=test.lang)
    after = RuleText(title=test.title, text=test.text, language=test.lang)
    for judgement in ruleset.judge(before, after, [rule]):
        if judgement.rule == rule and judgement.transition == "fired":
            return RuleTestOutcome(rule, index, test, fired=True, matches=judgement.matches)
    return RuleTestOutcome(rule, index, test, fired=False)
