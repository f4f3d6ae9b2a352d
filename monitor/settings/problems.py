"""What is wrong with a settings file, and where: values and their one way to be shown.

Rule: a problem never holds a secret's value, and the line it quotes is masked before it is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from monitor.text.characters import printable

_QUOTED_WIDTH = 160
VARIABLE = re.compile(r"\$\{[^}]*\}")
# Lines whose value is a secret by the name of their key, and URLs that carry one.
_SECRET_KEY = re.compile(
    r"""(?i)(["']?\b(?:[a-z]+[_-])*(?:secret|secrets|slack|apprise|token|password|authorization|cookie|x-api-key|api[_-]?key)["']?\s*:\s*)(\S.*)"""
)
_USER_INFO = re.compile(r"(://)[^/\s@\"']+@")
_HOOK = re.compile(r"(hooks\.slack(?:-gov)?\.com/)[^\s\"']+")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A character of a settings file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong at one place, and what to do about it."""

    place: Place
    severity: Literal["error", "warning"]
    message: str
    mend: str = ""
    absent: bool = False  # nothing is wrong in the file: a variable or a secret's file is not there for this process

    def __str__(self) -> str:
        mend = f" — {self.mend}" if self.mend else ""
        return printable(f"{self.place}: {self.severity}: {self.message}{mend}").replace("\n", " ")


@dataclass(slots=True)
class Problems:
    """Every problem found so far; the same problem reached twice (through defaults or an alias) counts once."""

    found: dict[Problem, None] = field(default_factory=dict)

    def error(self, place: Place, message: str, mend: str = "", *, absent: bool = False) -> None:
        """Note something that makes the settings unusable."""
        self.found[Problem(place, "error", message, mend, absent)] = None

    def warning(self, place: Place, message: str, mend: str = "") -> None:
        """Note something that works but is likely not meant."""
        self.found[Problem(place, "warning", message, mend)] = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The errors in the order of the files' lines."""
        return tuple(sorted(problem for problem in self.found if problem.severity == "error"))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings in the order of the files' lines."""
        return tuple(sorted(problem for problem in self.found if problem.severity == "warning"))


@dataclass(frozen=True, slots=True)
class Sources:
    """The lines of every settings file, and where on them a secret begins."""

    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: Mapping[tuple[str, int], int] = field(default_factory=dict)  # (file, line) → the column of the first one

    def excerpt(self, problem: Problem) -> str:
        """Return the problem with its source line and a caret below it, as a terminal shows it."""
        shown, place = str(problem), problem.place
        lines = self.lines.get(place.file, ())
        if not 1 <= place.line <= len(lines):
            return shown
        line = lines[place.line - 1].expandtabs(1)
        secret = self.secrets.get((place.file, place.line))
        open_part = masked(line if secret is None else line[: secret - 1] + "…")
        safe = printable(open_part)[:_QUOTED_WIDTH]
        caret = " " * _columns(safe[: place.column - 1]) + "^" if place.column - 1 <= len(safe) else ""
        return f"{shown}\n{place.line:6d} | {safe}\n{' ' * 6} | {caret}".rstrip()


def _columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes (UAX #11): wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def masked(line: str) -> str:
    """Return `line` of a settings file without what looks like a secret: for files that could not be read whole."""
    line = _HOOK.sub(r"\1…", _USER_INFO.sub(r"\1…@", line))
    return _SECRET_KEY.sub(lambda found: found[1] + _masked_value(found[2]), line)


def _masked_value(value: str) -> str:
    return "…" if re.search(r"\w", VARIABLE.sub("", value)) else value
