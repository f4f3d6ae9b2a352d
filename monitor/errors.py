"""The error tree: what can go wrong, whose matter it is, and which exit code tells it.

MonitorError                    carries `resource` (a source, receiver, file or URL) and `mend` (what to do about it)
├── SettingsError        78     the settings file; carries every problem with file:line:column
├── RuleError            78     a rule's text; carries the column
├── UnusableInput        65     bytes that hold no readable entries
├── ServiceUnavailable   69     something we need does not answer
│   ├── BusUnavailable          Redis or Valkey
│   ├── StoreUnavailable        the database: locked, full, unreachable
│   └── HistoryTruncated        a subscriber asks for deltas the stream no longer holds
├── StateUnusable        73     the state directory or database cannot be created, is damaged or is of a newer version
├── AlreadyRunning       75     another process holds the state directory
└── NotPermitted         77     permissions, a foreign owner, an address the guard refuses

Rule: expected outcomes of untrusted input (a broken page, a refusing receiver) are values, not exceptions. An exception
of a foreign library is translated in one place per technology, with the cause chained.
"""

from __future__ import annotations


class MonitorError(Exception):
    """Anything this package raises on purpose."""

    exit_code: int = 1

    def __init__(self, message: str, *, resource: str | None = None, mend: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.resource = resource
        self.mend = mend

    def __str__(self) -> str:
        where = f"{self.resource}: " if self.resource else ""
        what_to_do = f" ({self.mend})" if self.mend else ""
        return f"{where}{self.message}{what_to_do}"


class SettingsError(MonitorError):
    """The settings cannot be used; `problems` lists every one of them as `file:line:column: error: …`."""

    exit_code = 78

    def __init__(self, problems: tuple[str, ...], *, resource: str | None = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.settings_file = resource


class RuleError(MonitorError):
    """A rule's text has no meaning; `column` counts from 1, `rule` is its name when it has one."""

    exit_code = 78

    def __init__(self, message: str, *, column: int, rule: str | None = None, mend: str | None = None) -> None:
        super().__init__(message, resource=rule, mend=mend)
        self.column = column
        self.rule = rule


class UnusableInput(MonitorError):
    """Bytes given on the command line hold no readable entries."""

    exit_code = 65


class ServiceUnavailable(MonitorError):
    """Something we need does not answer; trying again later may help."""

    exit_code = 69


class BusUnavailable(ServiceUnavailable):
    """Redis or Valkey does not take commands."""


class StoreUnavailable(ServiceUnavailable):
    """The database does not take a transaction: locked, full, read-only or unreachable. Nothing was half-written."""


class HistoryTruncated(ServiceUnavailable):
    """The stream was trimmed past the asked-for position: deltas are missing; `first_available` is the oldest id left."""

    def __init__(self, message: str, *, resource: str, first_available: str | None) -> None:
        super().__init__(message, resource=resource)
        self.first_available = first_available


class StateUnusable(MonitorError):
    """The state directory or the database cannot be created, is damaged or was written by a newer version."""

    exit_code = 73


class AlreadyRunning(MonitorError):
    """Another process works on the same state directory."""

    exit_code = 75


class NotPermitted(MonitorError):
    """The operating system or our own address guard refuses."""

    exit_code = 77
