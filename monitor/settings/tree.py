"""The tree of a settings file: every node knows the place it was written at.

Rule: a scalar is text until the setting it is for gives it a type, so `on`, `no`, `12:30`, `010` and `2016-12-15` mean
what they say (YAML 1.1 would make them a truth value, a number in base 60, an octal number and a date).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.settings.problems import Place


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, or None for an empty or null value."""

    text: str | None
    place: Place
    raw: str = ""  # as written in the file, quotes included; "" where the text does not stand in the file
    varied: bool = False  # the text holds the value of a variable or of a secret's file
    broken: bool = False  # something in it could not be had, and that is noted already

    def place_of(self, offset: int) -> Place:
        """Return the place of the text's character `offset` (from 0), however the scalar was quoted or folded."""
        line, column = _walk(self.raw, self.text or "", offset) if not self.varied else (0, 0)
        return Place(self.place.file, self.place.line + line, column + (1 if line else self.place.column))


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Pair:
    """One key of a mapping and its value."""

    key_place: Place
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file."""

    place: Place
    pairs: dict[str, Pair] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # what YAML 1.1 scanners count as a line
Path = tuple[str | int, ...]


def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines of a settings file as the parser counts them."""
    return tuple(_LINE_BREAK.split(text))


def is_null(node: Node) -> bool:
    """Tell whether the node is an empty or null value: the same as if its key were not there."""
    return isinstance(node, Scalar) and node.text is None


def plain(node: Node) -> object:
    """Return the node as text, lists and dicts; null is None."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(pair.value) for key, pair in node.pairs.items()}


def find(node: Node, path: Path) -> tuple[Node, Place]:
    """Return the deepest node on `path` and the place that stands for it: its key's where it has one, else its own."""
    place = node.place
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str) and step in node.pairs:
            place = node.pairs[step].key_place
            node = node.pairs[step].value
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.place
        else:
            break
    return node, place


def scalars(node: Node) -> Iterator[Scalar]:
    """Yield every scalar below `node`, in the order of the file."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for pair in node.pairs.values():
            yield from scalars(pair.value)
    else:
        for item in node.items:
            yield from scalars(item)


_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}  # YAML 1.2 §5.7; every other escape is two characters


def _walk(raw: str, text: str, offset: int) -> tuple[int, int]:
    """Return how many lines down and characters right of the scalar's start the character `offset` of `text` stands.

    The raw form is walked beside the text: quotes, escapes, block headers and indentation are in the one and not in
    the other, and any white space of the text may be any white space of the file (folding).
    """
    style = raw[:1]
    at = _first_character(raw, style)
    for character in text[: max(0, offset)]:
        at = _skip_layout(raw, at, style, character)
        at += _width(raw, at, style, character)
    if 0 <= offset < len(text):
        at = _skip_layout(raw, at, style, text[offset])
    before = lines_of(raw[: min(at, len(raw))])
    return len(before) - 1, len(before[-1])


def _first_character(raw: str, style: str) -> int:
    if style in {"|", ">"}:
        return raw.find("\n") + 1
    return 1 if style in {"'", '"'} else 0


def _skip_layout(raw: str, at: int, style: str, character: str) -> int:
    """Return where `character` may stand: behind escaped line breaks, and behind white space unless it is some."""
    while at < len(raw):
        if style == '"' and raw.startswith(("\\\n", "\\\r\n"), at):
            at = raw.index("\n", at) + 1
            while raw[at : at + 1] in {" ", "\t"}:
                at += 1
        elif raw[at].isspace() and not character.isspace():
            at += 1
        else:
            break
    return at


def _width(raw: str, at: int, style: str, character: str) -> int:
    """Return how many characters of the file stand for `character` at `at`."""
    if style == '"' and raw[at : at + 1] == "\\":
        return _ESCAPE_LENGTHS.get(raw[at + 1 : at + 2], 2)
    if (
        character.isspace()
    ):  # a folded break may be more or fewer characters than the text has; the next word finds its own
        return int(raw[at : at + 1].isspace())
    return 2 if style == "'" and raw.startswith("''", at) else 1
