"""A value that never shows itself.

Rule: `reveal()` is the only way to the text, and its callers are few enough to be read in one search.
"""

from __future__ import annotations

from typing import Final

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
