"""Wildcards without backtracking: `*` for any characters, `?` for one."""

from __future__ import annotations

import re
from functools import lru_cache


class Glob:
    """A glob with `*` and `?`, compiled. The parts between stars are looked for from left to right."""

    __slots__ = ("_first", "_last", "_middle", "_width")

    def __init__(self, glob: str) -> None:
        # A part between stars has a fixed length, so its leftmost place is as good as any: linear, nothing to backtrack.
        first, *rest = glob.split("*")
        self._first = _part(first)
        self._middle = [_part(part) for part in rest[:-1]]
        self._last = _part(rest[-1]) if rest else None
        self._width = len(rest[-1]) if rest else 0

    def __call__(self, value: str) -> bool:
        """Say whether the glob describes the whole of `value`; case counts."""
        found = self._first.match(value)
        if found is None:
            return False
        at = found.end()
        if self._last is None:
            return at == len(value)
        for part in self._middle:
            found = part.search(value, at)
            if found is None:
                return False
            at = found.end()
        return len(value) - at >= self._width and self._last.fullmatch(value, len(value) - self._width) is not None


def _part(part: str) -> re.Pattern[str]:
    return re.compile(re.escape(part).replace(r"\?", "."), re.DOTALL)


@lru_cache(maxsize=4096)
def glob_of(glob: str) -> Glob:
    """Return a compiled glob."""
    return Glob(glob)
