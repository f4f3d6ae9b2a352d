"""What a YAML parser complains of, said as the mistake a person made.

Rule: the parser's position and words are the last resort; what was opened and not closed is shown where it was opened,
and the usual slips are recognised by the line they stand on.
"""

from __future__ import annotations

import re

import yaml

from monitor.settings.problems import Place, Problem

_MENDS = (
    ("mapping values are not allowed", "put text that holds ': ' in quotes, or indent the line like its neighbours"),
    ("could not find expected ':'", "a key needs a colon and a space after it: `key: value`"),
    ("cannot start any token", "text that starts with this character needs quotes"),
    ("expected ',' or", "close the bracket or brace, or put a comma between its items"),
    ("unexpected end of stream", "close the quote that was opened here"),
    ("expected alphabetic or numeric", "text that starts with * or & needs quotes"),
    ("did not find expected key", "indent this line like its neighbours, and put the value above in quotes"),
    ("expected <block end>", "indent this line like its neighbours"),
    ("block sequence entries are not allowed", "start the list on its own line, or write it in brackets"),
    ("unknown escape", "write the backslash twice, or use single quotes"),
)
_UNCLOSED = ("could not find expected ':'", "unexpected end of stream", "expected ',' or")
_APOSTROPHE = re.compile(r"'\s*$")
_HIDDEN = re.compile(r"[\[{,]\s*(?P<hash>#)\w[^\"']*[\]}]")
_QUOTED = re.compile(r"[:,\[{-]\s*(\"[^\"]*\"|'[^']*')\s*$")


def syntax_problem(wrong: yaml.YAMLError, lines: tuple[str, ...], file: str) -> Problem:
    """Return the mistake behind a parser's error in a file of `lines`."""
    place = _place(wrong, lines, file)
    line = lines[place.line - 1]
    if hidden := _HIDDEN.search(line):
        said = "what follows this # is a comment, brackets included"
        return Problem(
            Place(file, place.line, hidden.start("hash") + 1), "error", said, 'put the word in quotes: "#word"'
        )
    before, after = line[: place.column - 1], line[place.column - 1 :]
    message, mend = _slip(before, after) or _parsers_words(wrong)
    return Problem(place, "error", message, mend)


def blanked(lines: tuple[str, ...], number: int) -> tuple[str, ...]:
    """Return the lines without line `number` (from 1) and what is indented below it, so that the rest can be read."""
    start = number - 1
    indent = _indent(lines[start])
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    return (*lines[:start], *[""] * (end - start), *lines[end:])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _place(wrong: yaml.YAMLError, lines: tuple[str, ...], file: str) -> Place:
    at, opened = getattr(wrong, "problem_mark", None), getattr(wrong, "context_mark", None)
    unclosed = any(part in str(getattr(wrong, "problem", "")) for part in _UNCLOSED)
    mark = opened if opened and unclosed and (at is None or opened.line != at.line) else at or opened
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if line > len(lines) or not lines[line - 1].strip():  # behind the last text: show where that ended
        line = next((number for number in range(min(line, len(lines)), 0, -1) if lines[number - 1].strip()), 1)
        column = len(lines[line - 1]) + 1
    return Place(file, line, column)


def _slip(before: str, after: str) -> tuple[str, str] | None:
    """Return a usual slip at this point of a line and its mend."""
    if before.endswith("$") and after.startswith("{"):
        return "a variable inside braces or brackets needs quotes", 'write "${NAME}"'
    if not after.strip() or after[0] in ",]}#":
        return None
    if quoted := _QUOTED.search(before):
        if quoted[1].startswith("'") and after[0].isalpha() and _APOSTROPHE.search(before) and not before.endswith(" "):
            return "the text ends at this apostrophe", "write it twice: 'it''s over', or use double quotes"
        return "text goes on after its closing quote", _whole_in_quotes(quoted[1], after)
    return None


def _whole_in_quotes(quoted: str, after: str) -> str:
    whole = (quoted + " " + after.strip().rstrip("]},").strip())[:60]
    return (
        f"put all of it in quotes: '{whole}'"
        if "'" not in whole
        else "write it as a block: `match: |` and the text below"
    )


def _parsers_words(wrong: yaml.YAMLError) -> tuple[str, str]:
    said = str(getattr(wrong, "problem", None) or getattr(wrong, "context", None) or wrong)
    mend = next((mend for part, mend in _MENDS if part in said), "put the text in quotes if it is meant as text")
    return f"this is not YAML: {said}", mend
