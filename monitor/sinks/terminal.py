"""Alerts on a terminal: what a person reads, with nothing a source can make the terminal do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta

from monitor.alerts import Notice, ReceiverPolicy
from monitor.sinks.base import Delivered, Letter, Outcome, Rendered, Retry, SinkKind, Target
from monitor.sinks.words import notice_lines
from monitor.text.characters import printable

POLICY = ReceiverPolicy(burst=timedelta(0), rate=100.0, rate_burst=100, in_flight=1, coalesce_above=0)


class Terminal:
    """Writes to this process's standard output, or to whatever takes text in its place."""

    def __init__(self, target: Target, write: Callable[[str], None] | None = None) -> None:
        self._write = write or _to_stdout

    def render(self, notice: Notice) -> Rendered:
        """Return the notice as lines that are safe to print."""
        return Rendered(("\n".join(printable(line) for line in notice_lines(notice)) + "\n").encode("utf-8", "replace"))

    async def send(self, letter: Letter) -> Outcome:
        """Print it."""
        try:
            self._write(letter.body.decode())
        except OSError as error:
            return Retry(f"nothing can be written: {error.strerror}")
        return Delivered("printed")

    async def close(self) -> None:
        """Nothing is held."""


KIND = SinkKind(Terminal, POLICY)


def _to_stdout(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
