"""Rules: a text people can write, compiled to plans, judged on an entry's text before and after a change. Pure."""

from monitor.rules.explaining import Explanation, Part, explain
from monitor.rules.linting import Hint, lint
from monitor.rules.ruleset import Rule, Ruleset, compile_rules
from monitor.rules.sightings import RuleText

__all__ = ["Explanation", "Hint", "Part", "Rule", "RuleText", "Ruleset", "compile_rules", "explain", "lint"]
