"""What the operators are told of the monitor's own state: each trouble once when it has lasted, and once when it is over. Pure.

Rule: decides; who is told and how is the deliverer's. A trouble is told again only if it ended in between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from monitor.daemon.report import Report

LASTING_SECONDS = 120.0  # shorter troubles are nobody's business
FAILING_SECONDS = 900.0  # one source alone, as long as its longest pause: publishers restart and are slow, too
LISTED = 20  # sources named in one message
APART = 3  # so many sources that fail at once are told one by one; more come as one message
UNUSABLE = ("failing", "suspect", "paused")
HEADLINES = {
    "blind": "the monitor is blind: no source can be read",
    "outbox": "deltas are not published",
}


@dataclass(frozen=True, slots=True)
class Word:
    """Something to be told."""

    key: str
    headline: str
    words: str
    about: tuple[str, ...]  # troubles
    over: bool = False


class Troubles:
    """What has been told and how long each trouble has lasted."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._told: set[str] = set()

    def due(self, present: Mapping[str, str], now: float) -> tuple[Word, ...]:
        """Return what is to be told now; `present` has each trouble there is, in words; `now` is monotonic."""
        for gone in self._since.keys() - present.keys():
            del self._since[gone]
        begun = [key for key in present if self._has_lasted(key, now) and not ("blind" in present and _is_failing(key))]
        over = sorted(self._told - present.keys())
        return (*_words(over, {}, over=True), *_words(begun, present, over=False))

    def told(self, word: Word) -> None:
        """Note that it was told."""
        (self._told.difference_update if word.over else self._told.update)(word.about)

    def is_told(self, key: str) -> bool:
        """Say whether a trouble was told and is not over."""
        return key in self._told

    def _has_lasted(self, key: str, now: float) -> bool:
        since = self._since.setdefault(key, now)
        return key not in self._told and now - since >= (FAILING_SECONDS if _is_failing(key) else LASTING_SECONDS)


def present_troubles(report: Report, bus_trouble: str) -> dict[str, str]:
    """Return each trouble there is, in words, by its key: a code, and the source where it is one source's."""
    polled = [source for source in report.sources if source.condition != "waiting"]
    found = {}
    if polled and all(source.condition in ("failing", "suspect") for source in polled):
        found["blind"] = "\n".join(f"{source.id}: {source.words}" for source in polled[:10])
    for source in report.sources:
        rebuilt = [concern for concern in source.concerns if concern.code == "no_entries"]
        unusable = source.condition in UNUSABLE  # then it is silent, too, and no wonder
        for concern in rebuilt if unusable else source.concerns:
            found[f"{concern.code} {source.id}"] = concern.words
        if unusable and not rebuilt:
            found[f"failing {source.id}"] = source.words
    if report.outbox.depth and bus_trouble:
        found["outbox"] = f"{report.outbox.depth} deltas wait; redis: {bus_trouble}"
    return found


def _is_failing(key: str) -> bool:
    return key.startswith("failing ")


def _words(keys: Iterable[str], present: Mapping[str, str], *, over: bool) -> Iterator[Word]:
    prefix = "over: " if over else ""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for key in keys:
        alike[key.partition(" ")[0]].append(key)
    for code, some in alike.items():
        if len(some) <= APART:
            yield from (Word(key, prefix + _headline(key), present.get(key, ""), (key,), over) for key in some)
            continue
        lines = [
            f"{key.partition(' ')[2]}: {present[key]}" if key in present else key.partition(" ")[2] for key in some
        ]
        rest = [f"and {len(some) - LISTED} more"] if len(some) > LISTED else []
        listed = "\n".join([*lines[:LISTED], *rest])
        yield Word(f"{code} {len(some)}", f"{prefix}{len(some)} sources {_said(code)}", listed, tuple(some), over)


def _headline(key: str) -> str:
    code, _, source = key.partition(" ")
    return f"source {source} {_said(code)}" if source else HEADLINES[code]


def _said(code: str) -> str:
    return "cannot be read" if code == "failing" else f"may be incomplete: {code}"
