"""From a path to settings, or to every reason why not.

Rule: reading, variables, types and meaning each add to one list of problems; only at the end is there an answer.
"""

from __future__ import annotations

from collections.abc import Mapping as Environment
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import SettingsError
from monitor.settings.build import Builder
from monitor.settings.check_rules import RuleChecker, check_rules, compile_all, used_receivers
from monitor.settings.checks import check_receiver, check_service, check_source
from monitor.settings.gather import Gathered
from monitor.settings.ground import Ground
from monitor.settings.model import Settings
from monitor.settings.problems import Place, Problem, Problems, Sources
from monitor.settings.secret import open_secrets
from monitor.settings.tree import Mapping, find
from monitor.settings.variables import Expander


@dataclass(frozen=True, slots=True)
class Examined:
    """What reading a settings file gave: settings unless there are errors, and everything there is to say about them."""

    path: Path
    settings: Settings | None
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    sources: Sources  # every line of the files, to quote them
    tree: Mapping | None  # what the settings were built from
    best: Settings | None = None  # what is usable of settings with errors

    def place_of(self, *path: str | int) -> Place:
        """Return where the setting at `path` stands, as `place_of("rules", "truce", "tests", 0)`."""
        return find(self.tree, path)[0].place if self.tree else Place(str(self.path), 1, 1)

    def quoted(self, problem: Problem) -> str:
        """Return a problem with its source line and a caret."""
        return self.sources.excerpt(problem)

    def described(self) -> tuple[str, ...]:
        """Return every error, then every warning, with its source line and a caret."""
        return tuple(self.quoted(problem) for problem in (*self.errors, *self.warnings))


def examine(path: Path, *, environ: Environment[str, str], rule_checker: RuleChecker | None = None) -> Examined:
    """Read the settings file at `path` and say everything there is to say about it; raises nothing about its content.

    `rule_checker` compiles rule texts and raises RuleError; by default it is the rule language's own compiler.
    """
    problems = Problems()
    gathered = Gathered(environ, problems)
    tree = gathered.read(path)
    settings = done = None
    if tree is not None:
        expanded = Expander(environ, problems).expand_root(tree)
        builder = Builder(environ, problems)
        settings, done = builder.settings(expanded, path)
        _check(Ground(settings, done, tree, problems), rule_checker or compile_all)
        files = (*gathered.files, *builder.files)
        settings = settings.model_copy(update={"files": files, "warnings": problems.warnings})
    errors = problems.errors
    sources = Sources(gathered.lines, open_secrets(tree) if tree else {})
    return Examined(path, None if errors else settings, errors, problems.warnings, sources, done, settings)


def _check(ground: Ground, rule_checker: RuleChecker) -> None:
    check_service(ground)
    seen: dict[str, str] = {}
    for source in ground.settings.sources.values():
        check_source(ground, source, seen)
    check_rules(ground, rule_checker)
    used = used_receivers(ground)
    for receiver in ground.settings.receivers.values():
        check_receiver(ground, receiver, used)


def settings_to_look_with(path: Path, *, environ: Environment[str, str]) -> Settings:
    """Return the settings at `path` for a command that only looks at what the daemon did.

    A secret that is there for the daemon alone (its environment, systemd's credentials) is no hindrance: what needs it
    is left out. Raises SettingsError with every other error.
    """
    examined = examine(path, environ=environ)
    errors = tuple(problem for problem in examined.errors if not problem.absent)
    if errors or examined.best is None:
        raise SettingsError(tuple(examined.quoted(problem) for problem in errors), resource=str(path))
    return examined.best


def load_settings(path: Path, *, environ: Environment[str, str], rule_checker: RuleChecker | None = None) -> Settings:
    """Return the settings at `path`.

    Raises SettingsError with every problem at once, each as `file:line:column: error: message — mend` and the source
    line with a caret below it. Warnings do not raise; they are in `Settings.warnings`.
    """
    examined = examine(path, environ=environ, rule_checker=rule_checker)
    if examined.settings is None:
        raise SettingsError(tuple(examined.quoted(problem) for problem in examined.errors), resource=str(path))
    return examined.settings
