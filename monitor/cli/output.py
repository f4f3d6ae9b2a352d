"""What a command may write where: data to stdout, words to stderr, source text only through `printable`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

import click

from monitor.text.characters import printable

EXIT_FINDING = 1  # what was asked about is not as it should be
EXIT_BROKEN_PIPE = 128 + 13  # as a shell reports a process that SIGPIPE ended
STRUCK, BOLD, DIM, RESET = "\x1b[9;31m", "\x1b[1;32m", "\x1b[2m", "\x1b[0m"


def write_json(value: Mapping[str, Any]) -> None:
    """Write one JSON object as one line of UTF-8 to stdout at once."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")
    write_bytes(line)


def write_bytes(line: bytes) -> None:
    """Write one line, already encoded, to stdout at once. Ends the command when its reader went away."""
    try:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _end_quietly()


def write_line(text: str = "") -> None:
    """Write one line of words to stdout at once; `text` is already safe for a terminal."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _end_quietly()


def _end_quietly() -> NoReturn:
    # What is still buffered goes nowhere, so that the interpreter does not complain when it flushes stdout at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise click.exceptions.Exit(EXIT_BROKEN_PIPE)


def time_json(instant: datetime | None) -> str | None:
    """Return an instant as every command's JSON has it; None stays None."""
    from monitor.wire import rfc3339

    return None if instant is None else rfc3339(instant)


def complain(text: str) -> None:
    """Write words about what went wrong, or what goes on, to stderr."""
    sys.stderr.write("\n".join(printable(line) for line in text.split("\n")) + "\n")
    sys.stderr.flush()


def colours(stream: Any = None) -> bool:
    """Return whether the stream is a terminal that wants colour (https://no-color.org)."""
    stream = stream or sys.stdout
    if os.environ.get("NO_COLOR"):
        return False
    return bool(stream.isatty())


def word_diff(diff: Sequence[Sequence[str]], *, colour: bool, context: int = 60) -> str:
    """Return a word diff on one line: removed words struck and red, added words bold and green.

    Without colour they stand as `[-old-]{+new+}`. Unchanged runs longer than `context` characters are shortened in
    the middle, so that the change itself is always to be seen.
    """
    parts = []
    for index, (operation, text) in enumerate(diff):
        shown = printable(text.replace("\n", " "))
        if operation == "=":
            parts.append(_shortened(shown, context, first=index == 0, last=index == len(diff) - 1))
        elif operation == "-":
            parts.append(f"{STRUCK}{shown}{RESET}" if colour else f"[-{shown}-]")
        else:
            parts.append(f"{BOLD}{shown}{RESET}" if colour else f"{{+{shown}+}}")
    return "".join(parts)


def _shortened(text: str, context: int, *, first: bool, last: bool) -> str:
    if len(text) <= context:
        return text
    if first:
        return "…" + text[-context // 2 :]
    if last:
        return text[: context // 2] + "…"
    return text[: context // 2] + " … " + text[-context // 2 :]
