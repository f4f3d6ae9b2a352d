"""A rule as a tree: what its author asked for, with the place of each part in the rule's text.

Rule: the tree knows words as written; what they mean in a language is decided when a text of that language comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

FieldName = Literal["title", "body"]
MetaName = Literal["source", "author", "tag", "url", "lang", "kind"]
FIELDS: dict[str, FieldName] = {"title": "title", "body": "body", "text": "body", "summary": "body"}
METAS: tuple[MetaName, ...] = ("source", "author", "tag", "url", "lang", "kind")

DEFAULT_NEAR = 6  # words in between, where the rule names no number
MAX_NEAR = 500  # half the distance between two fields: no NEAR reaches from the title into the text


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a rule. `term` is that part as written, `column` where it starts, counted from 1."""

    term: str = field(compare=False)
    column: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Word(Node):
    """A word in any inflection; in capitals possibly verbatim."""

    text: str


@dataclass(frozen=True, slots=True)
class Fuzzy(Node):
    """A word, or a token that no dictionary lists within `distance` slips of it (None: by its length)."""

    text: str
    distance: int | None


@dataclass(frozen=True, slots=True)
class Wild(Node):
    """A spelling with `*` (any letters) and `?` (one letter) after at least three letters."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Phrase(Node):
    """Spellings next to each other in this order; with `within` in any order with so many words in between."""

    words: tuple[str, ...]  # a word with `*` is a wildcard
    within: int | None


@dataclass(frozen=True, slots=True)
class Verbatim(Node):
    """Spellings next to each other exactly as written, capitals included."""

    text: str


@dataclass(frozen=True, slots=True)
class Regex(Node):
    """An RE2 pattern over the original text."""

    pattern: str
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Group(Node):
    """A natural phrase: all operands close together in one sentence, in any order."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Near(Node):
    """Two operands with at most `distance` words in between; in this order if `ordered`."""

    left: Node
    right: Node
    distance: int
    ordered: bool


@dataclass(frozen=True, slots=True)
class Except(Node):
    """Occurrences of `left` that do not overlap an occurrence of `right`."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class AtLeast(Node):
    """At least `count` different occurrences."""

    count: int
    operand: Node


@dataclass(frozen=True, slots=True)
class InField(Node):
    """The operand, inside one field."""

    name: FieldName
    operand: Node


@dataclass(frozen=True, slots=True)
class Meta(Node):
    """A fact about the entry that is not its text; `glob` is compared case-blind."""

    name: MetaName
    glob: str


@dataclass(frozen=True, slots=True)
class Not(Node):
    """The operand is nowhere in the entry."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """All operands, wherever they stand."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """Any operand."""

    operands: tuple[Node, ...]


LEAVES = (Word, Fuzzy, Wild, Phrase, Verbatim, Regex, Meta)


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts directly below `node`."""
    match node:
        case Group() | And() | Or():
            return node.operands
        case Near() | Except():
            return (node.left, node.right)
        case AtLeast() | InField() | Not():
            return (node.operand,)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and every part below it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)
