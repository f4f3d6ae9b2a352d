"""What settings mean together: names that must exist, floors, addresses, rule texts, secrets in the open.

Rule: reads settings that are typed already and adds to the problems; an error is what cannot work or must not be, a
warning what is likely not meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from difflib import get_close_matches

from monitor.errors import RuleError
from monitor.settings.addresses import inward
from monitor.settings.model import Settings
from monitor.settings.problems import Place, Problems
from monitor.settings.receiver import SECRET_KEYS, ReceiverSettings
from monitor.settings.rule import RuleMatch, RuleSettings, selects, texts_of
from monitor.settings.source import FLOOR, SourceSettings
from monitor.settings.tree import Mapping, Path, Scalar, find
from monitor.settings.units import in_words

RuleChecker = Callable[[AbstractMapping[str, RuleMatch]], object]


def check_meaning(
    settings: Settings, tree: Mapping, written: Mapping, problems: Problems, rule_checker: RuleChecker | None
) -> None:
    """Note everything wrong with what `settings` say together.

    `tree` is what they were built from, `written` the same before variables were replaced.
    """
    check = _Check(settings, tree, written, problems, rule_checker or _rule_language)
    for source in settings.sources.values():
        check.source(source)
    for rule in settings.rules.values():
        check.rule(rule)
    for receiver in settings.receivers.values():
        check.receiver(receiver)
    check.operators()


def _rule_language(rules: AbstractMapping[str, RuleMatch]) -> object:
    from monitor.rules import compile_rules

    return compile_rules(rules)


@dataclass(slots=True)
class _Check:
    settings: Settings
    tree: Mapping
    written: Mapping
    problems: Problems
    compile: RuleChecker

    def source(self, source: SourceSettings) -> None:
        path = ("sources", source.id)
        if source.every < FLOOR and not source.allow_fast and source.cron is None:
            said = f"every {in_words(source.every)} is under the floor of {in_words(FLOOR)}"
            self._error((*path, "every"), said, "write 10s or more, or allow_fast: true if the publisher agreed")
        if not source.is_file:
            self._address((*path, "url"), source.url, source.allow_private)
        self._inline_secrets((*path, "headers"))

    def rule(self, rule: RuleSettings) -> None:
        path = ("rules", rule.name)
        self._names((*path, "notify"), rule.notify, "receivers", "receiver")
        self._rule_sources(rule, (*path, "sources"))
        for below, text in texts_of(rule.match):
            self._rule_text(rule.name, text, (*path, "match", *below))

    def receiver(self, receiver: ReceiverSettings) -> None:
        path = ("receivers", receiver.name)
        address = receiver.address
        if address:
            self._address((*path, receiver.kind), address, receiver.allow_private)
            if address.startswith("http:") and inward(address) is None:
                said = f"receiver {receiver.name} is sent to over http: anyone on the way can read and change it"
                self.problems.warning(self._place((*path, receiver.kind)), said, "use https")
        for key in SECRET_KEYS - {"webhook"}:
            self._inline_secrets((*path, key))

    def operators(self) -> None:
        self._names(("operators",), self.settings.operators, "receivers", "receiver")

    def _names(self, path: Path, names: tuple[str, ...], section: str, word: str) -> None:
        known = self._known(section)
        for index, name in enumerate(names):
            if name not in known:
                near = get_close_matches(name, known, 1, 0.5)
                mend = f"did you mean '{near[0]}'?" if near else _choices(known, section)
                self._error((*path, index), f"there is no {word} '{name}'", mend)

    def _known(self, section: str) -> list[str]:
        node = find(self.tree, (section,))[0]
        return list(node.pairs) if isinstance(node, Mapping) and section in self.tree.pairs else []

    def _rule_sources(self, rule: RuleSettings, path: Path) -> None:
        known = self._known("sources")
        sources = self.settings.sources.values()
        for index, pattern in enumerate(rule.sources):
            if pattern in known or any(selects(pattern, source) for source in sources):
                continue
            if pattern.startswith("#") or any(sign in pattern for sign in "*?["):
                if known and pattern != "*":
                    said = f"'{pattern}' selects no source: the rule can never fire there"
                    self.problems.warning(self._place((*path, index)), said, _choices(known, "sources"))
                continue
            near = get_close_matches(pattern, known, 1, 0.5)
            mend = f"did you mean '{near[0]}'?" if near else _choices(known, "sources")
            self._error((*path, index), f"there is no source '{pattern}'", mend)

    def _rule_text(self, name: str, text: str, path: Path) -> None:
        try:
            self.compile({name: text})
        except RuleError as wrong:
            node = find(self.tree, path)[0]
            place = node.place_of(max(0, wrong.column - 1)) if isinstance(node, Scalar) else node.place
            self.problems.error(place, f"rule {name}: {wrong.message}", wrong.mend or "see docs/rules.md")

    def _address(self, path: Path, url: str, allow_private: bool) -> None:
        why = None if allow_private else inward(url)
        if why is not None:
            self._error(path, f"the address points inward: {why}", "say allow_private: true if that is meant")

    def _inline_secrets(self, path: Path) -> None:
        node, _ = find(self.written, path)
        if not self._stands(path):
            return
        for scalar in _scalars(node):
            if scalar.text and "${" not in scalar.text:
                said = f"{path[-1]}: a secret stands in the settings file"
                self.problems.warning(scalar.place, said, f"write ${{NAME}}, or {path[-1]}_file: and a path")

    def _stands(self, path: Path) -> bool:
        node, _ = find(self.written, path[:-1])
        return isinstance(node, Mapping) and path[-1] in node.pairs

    def _error(self, path: Path, message: str, mend: str) -> None:
        self.problems.error(self._place(path), message, mend)

    def _place(self, path: Path) -> Place:
        return find(self.tree, path)[0].place


def _choices(known: list[str], section: str) -> str:
    return f"there are {', '.join(known[:8])}" if known else f"add it under {section}"


def _scalars(node: object) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for pair in node.pairs.values():
            yield from _scalars(pair.value)
    else:
        for item in getattr(node, "items", ()):
            yield from _scalars(item)
