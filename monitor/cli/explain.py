"""`monitor explain`: why a rule does or does not match a text."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option, json_option
from monitor.cli.output import BOLD, DIM, RESET, colours, complain, write_json, write_line
from monitor.errors import MonitorError, RuleError
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.model import Match
    from monitor.rules import Explanation, Part, RuleText
    from monitor.settings import Settings

EXIT_SILENT = 1
_MARKS = {True: "✓", False: "✗"}


@click.command(
    epilog="Examples:\n\n\b\n  monitor explain 'ceasefire violation' 'They violated the ceasefire.'\n"
    "  monitor explain -c config/monitor.yaml truce-broken < entry.txt"
)
@click.argument("rule")
@click.argument("text", required=False)
@click.option("--title", default=None, help="The entry's title.")
@click.option("--lang", default="en", show_default=True, help="Language of the text (BCP 47).")
@config_option("Settings: RULE may be a rule's name.")
@json_option("One JSON object.")
def command(*, rule: str, text: str | None, title: str | None, lang: str, config: Path | None, as_json: bool) -> None:
    """Say why RULE does or does not match TEXT.

    RULE is a rule's text or the name of one in the settings. Without TEXT it is read from stdin. Exit code 0
    if the rule fires, 1 if it does not.
    """
    from monitor.rules import RuleText, explain, lint

    if text is None:
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    meant = _meant(rule, config)
    entry = RuleText(text=text, title=title, language=lang)
    try:
        explanation = explain(meant, entry)
    except RuleError as error:
        complain(f"{meant if isinstance(meant, str) else rule}\n{' ' * (error.column - 1)}^")
        raise RuleError(f"column {error.column}: {error.message}", column=error.column, mend=error.mend) from error
    hints = lint(meant, languages=(lang,))
    if as_json:
        write_json(
            _as_data(explanation) | {"hints": [f"{hint.column}: {hint.message} ({hint.mend})" for hint in hints]}
        )
    else:
        for line in _lines(explanation, entry, colour=colours()):
            write_line(line)
        for hint in hints:
            complain(f"hint, column {hint.column}: {hint.message}; {hint.mend}")
    raise click.exceptions.Exit(0 if explanation.fires else EXIT_SILENT)


def _meant(rule: str, config: Path | None) -> str | Mapping[str, object]:
    """The rule of that name in the settings, or the text itself. Without -c, settings that cannot be read do not matter."""
    from monitor.cli.context import open_context

    try:
        return meant_rule(rule, open_context(config).settings)
    except MonitorError:
        if config is not None:
            raise
        return rule


def meant_rule(rule: str, settings: Settings) -> str | Mapping[str, object]:
    """Return the rule of that name in the settings, or `rule` itself as a rule's text."""
    return settings.rules[rule].match if rule in settings.rules else rule


def _lines(explanation: Explanation, entry: RuleText, *, colour: bool) -> list[str]:
    lines = ["fires" if explanation.fires else "does not fire"]
    for name, text in (("title", entry.title), ("text", entry.text)):
        found = [match for match in explanation.matches if match.field == name]
        if text and found:
            lines.append(f"  {name}: {highlighted(text, found, colour=colour)}")
    lines += [f"  {printable(miss)}" for miss in explanation.misses]
    if len(explanation.parts) > 1:
        lines += [_part_line(part, colour=colour) for part in explanation.parts]
    return lines


def _part_line(part: Part, *, colour: bool) -> str:
    found = ", ".join(
        dict.fromkeys(f"{match.field} {match.start}-{match.end} “{match.text}”" for match in part.matches)
    )
    said = printable(f"{_MARKS[part.holds]} {part.term}") + (f"  {_dim(printable(found), colour)}" if found else "")
    return "  " + "  " * part.depth + said


def _dim(text: str, colour: bool) -> str:
    return f"{DIM}{text}{RESET}" if colour else text


def highlighted(text: str, matches: list[Match], *, colour: bool) -> str:
    """Return the text with what matched in bold, or between brackets where there is no colour."""
    before, after = (BOLD, RESET) if colour else ("[", "]")
    pieces = []
    at = 0
    for match in sorted(matches, key=lambda match: match.start):
        if match.start >= at:
            pieces += [printable(text[at : match.start]), before, printable(match.text), after]
            at = match.end
    return " ".join("".join([*pieces, printable(text[at:])]).split())


def _as_data(explanation: Explanation) -> dict[str, Any]:
    return {
        "fires": explanation.fires,
        "occurrences": explanation.occurrences,
        "matches": [match_data(match) for match in explanation.matches],
        "misses": list(explanation.misses),
        "parts": [
            {
                "term": part.term,
                "column": part.column,
                "depth": part.depth,
                "holds": part.holds,
                "note": part.note,
                "matches": [match_data(match) for match in part.matches],
            }
            for part in explanation.parts
        ],
    }


def match_data(match: Match) -> dict[str, Any]:
    """Return a match as JSON shows it."""
    return {"field": match.field, "start": match.start, "end": match.end, "text": match.text, "term": match.term}
