"""Two ways to lay the same words out, held against each other.

Rule: letters and digits decide what is the same; words are never changed, only where paragraphs end.
"""

from __future__ import annotations

import re

from monitor.text.characters import canonical

_NO_LETTERS = re.compile(r"\W+")


def letters(text: str | None) -> str:
    """Return a text's letters and digits alone: what stays the same between two layouts of it."""
    return _NO_LETTERS.sub("", canonical(text or "")).casefold()


def with_paragraphs_of(words: str, layout: str) -> str:
    """Return `words` with paragraphs ending where those of `layout` that occur in it, in order, begin and end."""
    kept = [at for at, character in enumerate(words) if character.isalnum()]
    plain = "".join(words[at] for at in kept).casefold()
    if len(plain) != len(kept):  # a letter that folds to two ("ß"): positions would not match
        plain = "".join(words[at].lower()[:1] for at in kept)
    starts: set[int] = set()
    cursor = 0
    for paragraph in layout.split("\n\n"):
        wanted = "".join(character for character in paragraph if character.isalnum()).casefold()
        found = plain.find(wanted, cursor) if len(wanted) > 2 else -1
        if found < 0:
            continue
        cursor = found + len(wanted)
        starts.add(found)
        starts.add(cursor)
    cuts = sorted(_start_of(words, kept, start) for start in starts if 0 < start < len(kept))
    pieces = [words[begin:end].strip() for begin, end in zip([0, *cuts], [*cuts, len(words)], strict=True)]
    return "\n\n".join(piece for piece in pieces if piece)


def _start_of(words: str, kept: list[int], start: int) -> int:
    """Where in `words` the paragraph with the `start`th letter begins: after the white space before its opening marks."""
    at = kept[start]
    while at > kept[start - 1] + 1 and not words[at - 1].isspace():
        at -= 1
    return at
