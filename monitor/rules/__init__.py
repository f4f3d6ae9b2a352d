"""Rules: a text people can write, compiled to plans, judged on an entry's text before and after a change. Pure."""

from monitor.rules.ruleset import Rule, Ruleset, compile_rules
from monitor.rules.sightings import RuleText

__all__ = ["Rule", "RuleText", "Ruleset", "compile_rules"]
