"""Patterns of rule authors, compiled by RE2: linear time, bounded memory, no look-arounds."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from monitor.errors import RuleError

if TYPE_CHECKING:
    import re2

MAX_MEMORY = 1 << 20  # bytes RE2 may spend on one pattern


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str, ignore_case: bool) -> re2._Regexp[str]:
    """Return the compiled pattern; raises re2.error."""
    import re2

    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    options.case_sensitive = not ignore_case
    return re2.compile(pattern, options)


def check_pattern(pattern: str, ignore_case: bool, at: int) -> None:
    """Raise RuleError where RE2 refuses the pattern; `at` is its index in the rule."""
    import re2

    try:
        compiled = compile_pattern(pattern, ignore_case)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise RuleError(
            f"RE2 refuses this pattern: {said}", column=at + 1, mend="RE2 has no look-arounds or back-references"
        ) from error
    if compiled.search("") is not None:
        raise RuleError(
            "this pattern matches the empty text, so it would always fire", column=at + 1, mend="use + for *"
        )


def find_all(pattern: str, ignore_case: bool, text: str) -> list[tuple[int, int]]:
    """Return the characters of every match of a pattern in the original `text`, empty matches left out."""
    compiled = compile_pattern(pattern, ignore_case)
    return [found.span() for found in compiled.finditer(text) if found.end() > found.start()]
