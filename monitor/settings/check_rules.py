"""What rules mean: their texts, the sources and receivers they name, and rules that can never fire.

Rule: a rule's text is judged by the rule language's own compiler; this only finds the character of the file it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.errors import RuleError
from monitor.settings.ground import Ground, meant
from monitor.settings.rule import RuleMatch, RuleSettings, selects, texts_of
from monitor.settings.tree import Path, Scalar, find
from monitor.settings.units import in_words

RuleChecker = Callable[[Mapping[str, RuleMatch]], object]
_GLOB = frozenset("*?[")


def compile_all(rules: Mapping[str, RuleMatch]) -> object:
    """Compile rules by the rule language. Raises RuleError."""
    from monitor.rules import compile_rules

    return compile_rules(rules)


def check_rules(ground: Ground, checker: RuleChecker) -> None:
    """Note what is wrong with the rules; `checker` compiles rule texts and raises RuleError."""
    rules = ground.settings.rules
    for rule in rules.values():
        path = ("rules", rule.name)
        ground.names((*path, "notify"), rule.notify, "receivers")
        ground.names((*path, "inhibits"), rule.inhibits, "rules")
        if rule.escalate:
            ground.names((*path, "escalate", "notify"), rule.escalate.notify, "receivers")
        _check_sources(ground, rule)
        _check_alerting(ground, rule)
    _check_texts(ground, checker)


def used_receivers(ground: Ground) -> frozenset[str]:
    """Return the names of the receivers that something is sent to."""
    rules = [rule for rule in ground.settings.rules.values() if rule.enabled]
    named = [rule.notify for rule in rules] + [rule.escalate.notify for rule in rules if rule.escalate]
    return frozenset(name for names in (*named, ground.settings.operators) for name in names)


def _check_texts(ground: Ground, checker: RuleChecker) -> None:
    rules = ground.settings.rules
    try:
        if rules:
            _check_sense(ground, checker({name: rule.match for name, rule in rules.items()}))
    except RuleError:
        for rule in rules.values():
            _check_text(ground, rule, checker)


def _check_sense(ground: Ground, compiled: object) -> None:
    from monitor.rules import Ruleset
    from monitor.settings.rule_lint import contradiction

    for name, tree in compiled.rules.items() if isinstance(compiled, Ruleset) else ():
        part = contradiction(tree)
        if part is None:
            continue
        node = find(ground.tree, ("rules", name, "match"))[0]
        place = node.place_of(part.column - 1) if isinstance(node, Scalar) else node.place
        said = f"rule {name} can never fire: it needs '{part.term}' and forbids it"
        ground.problems.warning(place, said, "to leave some occurrences out, write EXCEPT instead of NOT")


def _check_text(ground: Ground, rule: RuleSettings, checker: RuleChecker) -> None:
    wrong = _refusal(checker, rule.name, rule.match)
    if wrong is None:
        return
    path: Path = ("rules", rule.name, "match")
    alone = [(below, _refusal(checker, rule.name, text)) for below, text in texts_of(rule.match)]
    located = [(below, error) for below, error in alone if error is not None] or [((), wrong)]
    for below, error in located:
        node = find(ground.tree, (*path, *below))[0]
        if isinstance(node, Scalar) and node.broken:
            continue
        place = node.place_of(error.column - 1) if isinstance(node, Scalar) else node.place
        message, mend = error.message, error.mend or "docs/rules.md shows how"
        if isinstance(node, Scalar) and node.varied:
            message, mend = f"what {node.raw} stands for is no rule", "try it with `monitor explain`"
        ground.problems.error(place, f"rule {rule.name}: {message}", mend)


def _refusal(checker: RuleChecker, name: str, match: RuleMatch) -> RuleError | None:
    try:
        checker({name: match})
    except RuleError as wrong:
        return wrong
    return None


def _check_sources(ground: Ground, rule: RuleSettings) -> None:
    known = ground.known("sources")
    sources = ground.settings.sources.values()
    path: Path = ("rules", rule.name, "sources")
    for index, pattern in enumerate(rule.sources):
        if pattern in known or pattern == "*" or any(selects(pattern, source) for source in sources):
            continue
        at = (*path, index)
        if pattern.startswith("#") or _GLOB & set(pattern):
            ground.warning(at, f"'{ground.shown(at)}' selects no source", meant(pattern, known, "sources"))
        else:
            ground.error(at, f"there is no source '{ground.shown(at)}'", meant(pattern, known, "sources"))
            return  # whether the rest of them can fire is known when this is mended
    if rule.enabled and sources and not any(rule.looks_at(source) and source.enabled for source in sources):
        said = f"rule {rule.name} can never fire: it looks at no source that is polled"
        ground.problems.warning(find(ground.tree, path)[1], said, "mend its sources, or say enabled: false")


def _check_alerting(ground: Ground, rule: RuleSettings) -> None:
    path = ("rules", rule.name)
    if rule.cooldown_max is not None and rule.cooldown_max < rule.cooldown:
        said = f"cooldown_max is shorter than the cooldown of {in_words(rule.cooldown)}"
        ground.error((*path, "cooldown_max"), said, f"write {in_words(rule.cooldown)} or more")
    circle = _circle(rule.name, ground.settings.rules)
    if circle and rule.name == min(circle):  # once for all of its rules
        ground.error((*path, "inhibits"), f"the rule inhibits itself: {' → '.join(circle)}", "take one of them out")
    receivers = ground.settings.receivers
    off = [name for name in rule.notify if name in receivers and not receivers[name].enabled]
    if off and len(off) == len(rule.notify) and rule.enabled:
        said = f"nobody hears of rule {rule.name}: {', '.join(off)} is not enabled"
        ground.warning((*path, "notify"), said, "name a receiver that is")


def _circle(start: str, rules: Mapping[str, RuleSettings]) -> tuple[str, ...]:
    """Return the shortest way by which a rule inhibits itself, or nothing."""
    paths: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for path in paths:  # grows while it is walked: breadth first
        for target in rules[path[-1]].inhibits if path[-1] in rules else ():
            if target == start:
                return (*path, target)
            if target not in seen:
                seen.add(target)
                paths.append((*path, target))
    return ()
