"""A value that never shows itself.

Rule: `reveal()` is the only way to the text, and its callers are few enough to be read in one search.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from monitor.settings.problems import VARIABLE
from monitor.settings.tree import Mapping, Node, Scalar, scalars

_HIDDEN: Final = "**********"


class Secret:
    """A secret's text; printing, formatting, logging, comparing in an error or dumping it shows stars."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the secret itself, to hand it to the one who needs it."""
        return self.__text

    def __repr__(self) -> str:
        return f"Secret('{_HIDDEN}')"

    def __str__(self) -> str:
        return _HIDDEN

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__text

    def __hash__(self) -> int:
        return hash(("Secret", self.__text))


SECRET_KEYS: Final = frozenset({"slack", "webhook", "secret", "password", "token", "apprise"})  # of receivers
_SECRET_MAPPINGS: Final = frozenset({"headers"})


def open_secrets(tree: Mapping) -> dict[tuple[str, int], int]:
    """Return where secrets stand in settings files: (file, line) → the column at which the first one begins."""
    found: dict[tuple[str, int], int] = {}
    for scalar in _secret_scalars(tree):
        for down, part in enumerate(scalar.raw.split("\n")):
            if any(character.isalnum() for character in VARIABLE.sub("", part)):
                line = (scalar.place.file, scalar.place.line + down)
                column = 1 if down else scalar.place.column
                found[line] = min(found.get(line, column), column)
    return found


def _secret_scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Mapping):
        for key, pair in node.pairs.items():
            yield from scalars(pair.value) if key in SECRET_KEYS | _SECRET_MAPPINGS else _secret_scalars(pair.value)
    elif not isinstance(node, Scalar):
        for item in node.items:
            yield from _secret_scalars(item)
