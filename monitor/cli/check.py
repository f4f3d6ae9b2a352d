"""`monitor check`: what is wrong with the settings, whether the rules do what their tests say, and who can be reached."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option, json_option
from monitor.cli.output import EXIT_FINDING, write_json, write_line
from monitor.errors import SettingsError
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.daemon.probe import Probe
    from monitor.settings import Examined, Problem, Settings
    from monitor.settings.ruletests import RuleTestOutcome

_TEXT_SHOWN = 100


@click.command(
    epilog="Exit code: 0 all is well, 1 a rule's test fails or something is not reached, 78 the settings cannot be used. "
    "Examples:\n\n\b\n  monitor check\n  monitor check --offline -c draft.yaml"
)
@config_option()
@click.option("--offline", is_flag=True, help="Reach nothing: settings and rule tests only.")
@click.option("--deny-warnings", is_flag=True, help="Let warnings fail the check too.")
@click.option("--send", metavar="RECEIVER", default=None, help="Send a test message to one receiver.")
@json_option()
def command(config: Path | None, offline: bool, deny_warnings: bool, send: str | None, as_json: bool) -> int:
    """Check the settings, run every rule's tests, and reach sources, receivers and Redis.

    Everything wrong with the settings is said at once, each with file:line:column and what to do about it.
    """
    if offline and send:
        raise click.UsageError("--send needs to reach a receiver; leave --offline away")
    from monitor.settings import examine, find_settings_file
    from monitor.settings.rule_hints import rule_hints

    path = find_settings_file(config, os.environ, Path.cwd())
    examined = examine(path, environ=os.environ)
    findings = _Findings(examined, as_json)
    for problem in (*examined.errors, *examined.warnings):
        findings.problem(problem)
    if examined.settings is None:
        findings.summary()
        return SettingsError.exit_code
    if send is not None and send not in examined.settings.receivers:
        raise click.UsageError(
            f"there is no receiver {send!r}; there are {', '.join(examined.settings.receivers) or 'none'}"
        )
    for hint in rule_hints(examined):
        findings.hint(hint)
    for outcome in _tests(examined.settings):
        findings.test(outcome)
    if not offline:
        asyncio.run(_probe_all(examined.settings, send, findings))
    findings.summary()
    return EXIT_FINDING if findings.failed or (deny_warnings and findings.warnings) else 0


def _tests(settings: Settings) -> Iterator[RuleTestOutcome]:
    from monitor.rules import compile_rules
    from monitor.settings.ruletests import run_rule_tests

    return run_rule_tests(settings, compile_rules({name: rule.match for name, rule in settings.rules.items()}))


async def _probe_all(settings: Settings, send: str | None, findings: _Findings) -> None:
    from monitor.daemon.probe import probe

    async for one in probe(settings, send=send):
        findings.probe(one)


@dataclass(slots=True)
class _Findings:
    """Tells each finding as it comes and counts them."""

    examined: Examined
    as_json: bool
    tests: int = 0
    failed_tests: int = 0
    hints: int = 0
    probes: int = 0
    failed_probes: int = 0
    said: set[str] = field(default_factory=set)

    @property
    def failed(self) -> int:
        return self.failed_tests + self.failed_probes

    @property
    def warnings(self) -> int:
        return len(self.examined.warnings) + self.hints

    def hint(self, hint: Problem) -> None:
        self.hints += 1
        self.problem(hint)

    def problem(self, problem: Problem) -> None:
        if not self.as_json:
            write_line(self.examined.quoted(problem))
            return
        self._json("problem", severity=problem.severity, **_place(problem), message=problem.message, mend=problem.mend)

    def test(self, outcome: RuleTestOutcome) -> None:
        self.tests += 1
        self.failed_tests += not outcome.passed
        if self.as_json:
            self._json(
                "test",
                rule=outcome.rule,
                test=outcome.index,
                passed=outcome.passed,
                fires=outcome.test.fires,
                fired=outcome.fired,
                text=outcome.test.text,
                matches=[match.text for match in outcome.matches],
            )
        elif not outcome.passed:
            self._failed_test(outcome)

    def _failed_test(self, outcome: RuleTestOutcome) -> None:
        from monitor.settings import Problem

        wanted = "should fire" if outcome.test.fires else "should not fire"
        text = outcome.test.text if len(outcome.test.text) <= _TEXT_SHOWN else outcome.test.text[:_TEXT_SHOWN] + "…"
        place = self.examined.place_of("rules", outcome.rule, "tests", outcome.index)
        said = f"rule {outcome.rule} {wanted} on '{text}', and {outcome.words}"
        mend = f"`monitor explain {outcome.rule}` says why"
        write_line(self.examined.quoted(Problem(place, "error", said, mend)))

    def probe(self, probe: Probe) -> None:
        self.probes += 1
        self.failed_probes += probe.outcome == "error"
        if self.as_json:
            self._json("probe", subject=probe.subject, name=probe.name, outcome=probe.outcome, words=probe.words)
        else:
            write_line(printable(f"{probe.outcome:7} {probe.subject} {probe.name}: {probe.words}".replace("\n", " ")))

    def summary(self) -> None:
        settings = self.examined.settings
        errors, warnings = len(self.examined.errors), self.warnings
        if self.as_json:
            self._json(
                "summary",
                file=str(self.examined.path),
                errors=errors,
                warnings=warnings,
                tests=self.tests,
                failed_tests=self.failed_tests,
                probes=self.probes,
                failed_probes=self.failed_probes,
            )
            return
        parts = [_counted(errors, "error"), _counted(warnings, "warning")]
        if settings is not None:
            parts = [_counted(len(settings.sources), "source"), _counted(len(settings.rules), "rule")]
            parts += [_counted(len(settings.receivers), "receiver"), _counted(warnings, "warning")]
            parts.append(f"{self.tests - self.failed_tests} of {_counted(self.tests, 'rule test')} passed")
        if self.probes:
            parts.append(f"{self.probes - self.failed_probes} of {self.probes} reached")
        write_line(printable(f"{self.examined.path}: {', '.join(parts)}"))

    def _json(self, kind: str, **values: Any) -> None:
        write_json({"type": kind, **values})


def _place(problem: Problem) -> dict[str, Any]:
    return {"file": problem.place.file, "line": problem.place.line, "column": problem.place.column}


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
