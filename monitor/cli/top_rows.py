"""The table of `monitor top` as lines: what is shown of each source, in which order, and what a narrow terminal leaves out.

Rule: pure; the state in words is what somebody woken at night looks for, so pace, delay and
sparkline go before it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len

from monitor.cli.output import DIM, RESET
from monitor.cli.standing import MARKS
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.daemon.report import Report, SourceReport
    from monitor.store import Activity

SLOTS = 20  # of three minutes: fine enough to see a burst
BARS = "▁▂▃▄▅▆▇█"
QUIET = "·"
FULL_BAR = 4  # a lone change is a low bar, not a full one
URGENCY = ("failing", "suspect", "paused", "waiting", "ok")
WIDE = 120  # columns from which there is room for everything and for long names
NAME, LONGEST_NAME = 18, 32
CONCERNED = "\x1b[33m●\x1b[0m"


def table(
    report: Report, activity: Mapping[str, Sequence[Activity]], *, width: int | None, colour: bool
) -> tuple[str, ...]:
    """Return the head and a line a source, the troubled ones first, none longer than `width` columns (None: any)."""
    wide = width is None or width >= WIDE
    longest = max((len(source.id) for source in report.sources), default=0)
    name = min(max(longest, NAME), LONGEST_NAME) if wide else NAME
    changes = f"{'NEW':>4} {'EDIT':>4} {'GONE':>4}"
    figures = (
        f"{'SEEN':>6} {'EVERY':>6} {changes} {'DELAY':>6} {'LAST HOUR':<{SLOTS}}" if wide else f"{'SEEN':>6} {changes}"
    )
    head = cut(f"  {'SOURCE':<{name}} {figures} STATE", width)
    urgent = sorted(report.sources, key=lambda source: (URGENCY.index(source.condition), not source.concerns))
    rows = []
    for source in urgent:
        seen = activity.get(source.id, ())
        figures = _figures(source, seen, report.at, wide=wide)
        shown = f"{cut(source.id, name):<{name}} {figures} {_state(source, report.at)}"
        rows.append(f"{_mark(source, colour=colour)} {cut(shown, None if width is None else width - 2)}")
    return (f"{DIM}{head}{RESET}" if colour else head, *rows)


def sparkline(numbers: Sequence[int]) -> str:
    """Return one bar a number, the greatest filling its line; nothing happened is a dot."""
    top = max(FULL_BAR, *numbers)
    return "".join(BARS[(number * len(BARS) - 1) // top] if number else QUIET for number in numbers)


def totals(seen: Sequence[Activity]) -> tuple[int, ...]:
    """Return how many changes fell into each slot."""
    found = [0] * SLOTS
    for one in seen:
        found[min(one.slot, SLOTS - 1)] += one.count
    return tuple(found)


def changes_of(seen: Sequence[Activity], name: str) -> int:
    """Return how many changes of one type there were."""
    return sum(one.count for one in seen if one.type.value == name)


def cut(text: str, width: int | None) -> str:
    """Return `text` as far as `width` columns of a terminal show it, with … for the rest."""
    if width is None or cell_len(text) <= width:
        return text
    while text and cell_len(text) >= width:
        text = text[:-1]
    return text + "…"


def _mark(source: SourceReport, *, colour: bool) -> str:
    if not colour:
        return source.condition[0] if source.condition != "ok" or not source.concerns else "!"
    return CONCERNED if source.condition == "ok" and source.concerns else MARKS[source.condition]


def _figures(source: SourceReport, seen: Sequence[Activity], at: datetime, *, wide: bool) -> str:
    poll = source.poll
    ago = None if poll.last_ok_at is None else (at - poll.last_ok_at).total_seconds()
    counted = " ".join(f"{changes_of(seen, name) or QUIET:>4}" for name in ("new", "edited", "removed"))
    if not wide:
        return f"{_span(ago):>6} {counted}"
    return (
        f"{_span(ago):>6} {_span(poll.interval):>6} {counted} {_span(poll.late):>6} {sparkline(totals(seen)):<{SLOTS}}"
    )


def _state(source: SourceReport, at: datetime) -> str:
    """The state in few words, since when first: the reason may be long."""
    from monitor.daemon.report import clock_words

    poll = source.poll
    if source.condition == "ok":
        return printable("; ".join(concern.words for concern in source.concerns) or "ok")
    if source.condition == "waiting":
        return source.words
    since = f"{clock_words(poll.since, at)} " if poll.since else ""
    return printable(f"{since}{poll.reason or poll.code}")


def _span(seconds: float | None) -> str:
    """Return a length of time in at most six characters."""
    from monitor.daemon.completeness import span_in_words

    return "" if seconds is None else span_in_words(seconds).replace(" ", "")
