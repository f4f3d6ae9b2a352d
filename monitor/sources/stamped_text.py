"""Plain text with time lines → entries: the shape of live blogs saved, mailed or shown without markup.

    page title, introduction │ time line, title, paragraphs │ time line, paragraphs │ … │ background

Rule: a time line is a whole line that is a time (`monitor.text.times_grammar`); a sentence that begins with a time is
text. Weak forms ("15.47", "5m") count only where they are the page's style.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from monitor.model import Verdict, VerdictKind
from monitor.sources.content import Content
from monitor.sources.drafts import Draft, Page
from monitor.sources.furniture import is_furniture, is_title
from monitor.text.html import join_paragraphs
from monitor.text.times import TimeClaim, read_claim

_AFTER_TIME = re.compile(r"(?:\s+[–—|-]\s+|\s*[|:\t]\s+|\t)(?=\S)")
_LONGEST_LABEL = 40
_NARROW, _WIDE = 36, 100  # characters of the widest line of a text that was wrapped by a program
_FULL = 0.75  # of that width: a shorter line ends its paragraph
_BULLET = re.compile(r"^[•·*▪■►>–—-]\s+")
_SPACED = re.compile(
    r"^(\[?\d{1,2}[:h]\d{2}\]?(?:\s?[ap]\.?m\b\.?)?(?:\s?(?:GMT|BST|CET|CEST|Uhr))?)\s+(?!min\b)(?=[^\s\d])",
    re.IGNORECASE,
)
_STYLE_SHARE = 0.08  # a weak style rarer than this beside the page's style is text


@dataclass(frozen=True, slots=True)
class _Line:
    """A paragraph with the number of blank lines before it, and the time it is, if it is one."""

    text: str
    gap: int
    claim: TimeClaim | None = None
    rest: str = ""  # what follows the time on the same line
    spaced: bool = False  # with nothing but a space between


@dataclass(slots=True)
class _Block:
    """A time line and the paragraphs under it."""

    claim: TimeClaim
    header: TimeClaim | None
    paragraphs: list[_Line]


def read_stamped_text(content: Content) -> Page | Verdict:
    """Return the entries of a stamped text; a failed verdict where no line of it is a time."""
    return segmented(content.text)


def segmented(text: str) -> Page | Verdict:
    """Return the entries of a text with time lines, whatever it was taken from."""
    lines = _settled(_lines(text))
    first = next((at for at, line in enumerate(lines) if line.claim is not None and not line.claim.is_date), None)
    if first is None:
        return Verdict(VerdictKind.FAILED, "no line of the text is a time", "no_entries")
    preface = [line.text for line in lines[:first] if line.claim is None]
    header = next((line.claim for line in reversed(lines[:first]) if line.claim is not None), None)
    blocks = _blocks(lines[first:], header)
    background = _cut_background(blocks)
    return Page(
        drafts=tuple(_draft(block) for block in blocks),
        kind="text",
        how="text with time lines",
        title=preface[0] if preface else None,
        intro=tuple(preface[1:]),
        background=tuple(background),
    )


def _lines(text: str) -> list[_Line]:
    found: list[_Line] = []
    gap = 0
    for raw in text.splitlines():
        line = " ".join(raw.replace("\t", " \t ").split(" ")).strip() if "\t" in raw else " ".join(raw.split())
        if not line:
            gap += 1
            continue
        found.append(_timed(line, gap))
        gap = 0
    return _unwrapped(found)


def _timed(line: str, gap: int) -> _Line:
    claim = read_claim(line)
    if claim is not None:
        return _Line(line, gap, claim)
    bare = _BULLET.sub("", line)
    for mark in _AFTER_TIME.finditer(bare, 3, _LONGEST_LABEL + 8):  # "10 March 2026 - 15:47 - Boats stop" has two
        if mark.start() <= _LONGEST_LABEL and (claim := _clock(bare[: mark.start()])) is not None:
            return _Line(line, gap, claim, " ".join(bare[mark.end() :].split()))
    spaced = _SPACED.match(bare)
    if spaced and (claim := _clock(spaced.group(1))) is not None:
        return _Line(line, gap, claim, " ".join(bare[spaced.end() :].split()), spaced=True)
    return _Line(" ".join(line.split()), gap)


def _clock(label: str) -> TimeClaim | None:
    claim = read_claim(label)
    return claim if claim is not None and not claim.is_date else None


def _unwrapped(lines: list[_Line]) -> list[_Line]:
    """Join the lines of hard-wrapped paragraphs: lines without a blank line between them, all of about one width."""
    loose = [line for line in lines if line.claim is None]
    width = max((len(line.text) for line in loose), default=0)
    if sum(line.gap == 0 for line in loose) < 3 or not _NARROW <= width <= _WIDE:
        return lines
    paragraphs: list[list[_Line]] = []
    full = False  # the line before went to the edge: the paragraph goes on
    for line in lines:
        if full and line.gap == 0 and line.claim is None:
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
        full = line.claim is None and len(line.text) > _FULL * width
    return [replace(first, text=" ".join([first.text, *(line.text for line in more)])) for first, *more in paragraphs]


def _settled(lines: list[_Line]) -> list[_Line]:
    """Decide which styles of time are this page's: the others become text."""
    styles = Counter(_style(line) for line in lines if line.claim is not None and not line.claim.is_date)
    strong = sum(count for style, count in styles.items() if style in _STRONG)
    most = max(styles.values(), default=0)
    taken = {
        style for style, count in styles.items() if style in _STRONG or _counts_as_style(style, count, strong, most)
    }
    return [
        line if line.claim is None or line.claim.is_date or _style(line) in taken else _Line(line.text, line.gap)
        for line in lines
    ]


_STRONG = frozenset({"iso", "colon", "12h", "h", "compact", "han", "relative", "dot zoned"})


def _style(line: _Line) -> str:
    claim = line.claim
    if claim is None:
        return ""
    if line.rest:
        return "spaced" if line.spaced else "inline"
    return "dot zoned" if claim.form == "dot" and not claim.weak else claim.form


def _counts_as_style(style: str, count: int, strong: int, most: int) -> bool:
    needed = 3 if style in {"inline", "spaced"} else 1 if style == "dot" else 2
    return count >= needed and (count > strong if strong else True) and count >= _STYLE_SHARE * most


def _blocks(lines: Sequence[_Line], header: TimeClaim | None) -> list[_Block]:
    blocks: list[_Block] = []
    for line in lines:
        if line.claim is not None and line.claim.is_date:
            header = line.claim
        elif line.claim is not None:
            blocks.append(_Block(line.claim, header, [_Line(line.rest, 0)] if line.rest else []))
        elif blocks:
            blocks[-1].paragraphs.append(line)
    return [block for block in blocks if block.paragraphs]


def _cut_background(blocks: list[_Block]) -> list[str]:
    """Take the article that follows the last entry off it: a gap wider than any inside the other entries, then two
    paragraphs or more; or far more paragraphs than entries have here, after a change of spacing."""
    if len(blocks) < 3:
        return []
    last = blocks[-1]
    inner = max((line.gap for block in blocks[:-1] for line in block.paragraphs[1:]), default=0)
    usual = statistics.median(len(block.paragraphs) for block in blocks[:-1])
    widest_after = list(accumulate((line.gap for line in reversed(last.paragraphs)), max, initial=0))[::-1]
    for at, line in enumerate(last.paragraphs[1:], 1):
        left = len(last.paragraphs) - at
        wide = line.gap > max(inner, 1) and left >= 2
        if wide or (left > 3 * usual + 4 and line.gap > widest_after[at + 1]):
            tail = last.paragraphs[at:]
            last.paragraphs[at:] = []
            return [line.text for line in tail]
    return []


def _draft(block: _Block) -> Draft:
    paragraphs = [line.text for line in block.paragraphs]
    solid = [text for text in paragraphs if not is_furniture(text)]
    title = None
    if len(solid) > 1 and solid[0] == paragraphs[0] and is_title(solid[0]):
        title, paragraphs = paragraphs[0], paragraphs[1:]
    return Draft(join_paragraphs(paragraphs), title=title, claim=block.claim, header=block.header)
