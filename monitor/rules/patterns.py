"""Patterns of rule authors, run by RE2: linear time, bounded memory, no look-arounds; on the original text in NFC."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from monitor.errors import RuleError
from monitor.rules.borders import MARKED_LENGTH, has_borders, mark_borders, needs_marks, rewrite
from monitor.text.characters import normal

MAX_PATTERN = 1000  # characters; RE2 compiles them within milliseconds
MAX_MEMORY = 1 << 20  # bytes RE2 may spend on one pattern
MAX_PROGRAM = 40_000  # instructions of RE2 for all patterns of one rule: 0.2 to 0.4 µs each to compile
_PATTERN, _CHARACTER, _CLASS = 400, 8, 1000  # what each counts for at least, a class though RE2 merges it with others
_UNICODE_CLASS = re.compile(r"\\[wWpP]")
_SET_MEMORY = 64 << 20  # … and on a set of them: a ceiling, spent only where a text needs it
_SET_SIZE = 64  # patterns searched for in one pass
MAX_FOUND = 1000  # occurrences of one pattern in one field; ATLEAST asks for no more
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Found(Protocol):
    def start(self) -> int: ...
    def end(self) -> int: ...


class _Compiled(Protocol):
    def finditer(self, text: str) -> list[_Found]: ...
    def search(self, text: str) -> _Found | None: ...
    @property
    def programsize(self) -> int: ...


class _Set(Protocol):
    def Add(self, pattern: str) -> int: ...  # noqa: N802 - RE2's names
    def Compile(self) -> None: ...  # noqa: N802
    def Match(self, text: str) -> list[int] | None: ...  # noqa: N802


@dataclass(slots=True)
class Searchable:
    """One field as patterns see it; each form is made when the first pattern asks for it."""

    text: str  # the original
    _plain: str | None = None
    _origin: Sequence[int] | None = None
    _marked: str | None = None
    _needs_marks: bool | None = None

    @property
    def plain(self) -> str:
        """The text in NFC."""
        if self._plain is None:
            self._plain = normal("NFC", _SURROGATE.sub("\ufffd", self.text))
        return self._plain

    @property
    def origin(self) -> Sequence[int]:
        """For each character of the text in NFC, and for its end, the index in the original."""
        if self._origin is None:
            changed = self.plain != _SURROGATE.sub("\ufffd", self.text)
            self._origin = _origin(self.text) if changed else range(len(self.text) + 1)
        return self._origin

    @property
    def marked(self) -> str:
        """The text with word borders marked."""
        if self._marked is None:
            self._marked = mark_borders(self.plain)
        return self._marked

    @property
    def needs_marks(self) -> bool:
        if self._needs_marks is None:
            self._needs_marks = needs_marks(self.plain)
        return self._needs_marks

    def find(self, pattern: str, ignore_case: bool) -> list[tuple[int, int]]:
        """Return the characters of the original that a pattern matches, at most MAX_FOUND times; none empty."""
        marked = self.needs_marks and has_borders(pattern)
        spans = []
        for found in compile_pattern(pattern, ignore_case, marked).finditer(self.marked if marked else self.plain):
            start, end = found.start(), found.end()
            if marked:
                start, end = start // MARKED_LENGTH, end // MARKED_LENGTH
            start, end = self.origin[start], self.origin[end]
            if end > start:
                spans.append((start, end))
                if len(spans) == MAX_FOUND:
                    break
        return spans


def _origin(text: str) -> list[int]:
    """For each character of `text` in NFC, and for its end, the index it comes from."""
    origin: list[int] = []
    at = 0
    for start, end in _composing(text):
        origin += range(at, start)
        origin += [start] * len(_composed(text[start:end]))
        at = end
    origin += range(at, len(text) + 1)
    return origin


def _composing(text: str) -> Iterator[tuple[int, int]]:
    """The pieces of a text that NFC may change: a character with the marks behind it, or one that is another by itself."""
    different = {character for character in set(text) if not character.isascii()}
    marks = "".join(map(re.escape, filter(_joins, different)))
    others = "".join(re.escape(one) for one in different if unicodedata.normalize("NFC", one) != one)
    after = f"[{marks}]" if marks else "(?!)"
    pattern = f"(?s:.){after}+" + (f"|[{others}]" if others else "")
    return (found.span() for found in re.finditer(pattern, text))


@lru_cache(maxsize=4096)
def _composed(piece: str) -> str:
    return normal("NFC", piece)


def _joins(character: str) -> bool:
    """Say whether a character can become one with those before it: marks, Hangul vowels and finals."""
    return unicodedata.category(character)[0] == "M" or "\u1160" <= character <= "\u11ff"


@lru_cache(maxsize=16384)
def compile_pattern(pattern: str, ignore_case: bool, marked: bool) -> _Compiled:
    """Return the compiled pattern, for texts with or without marked borders; raises re2.error."""
    import re2

    compiled: _Compiled = re2.compile(
        _given(pattern, ignore_case, marked=marked), _options(MAX_MEMORY * (8 if marked else 1))
    )
    return compiled


def check_pattern(pattern: str, ignore_case: bool, at: int, left: int = MAX_PROGRAM) -> int:
    """Return what the pattern costs of the `left` instructions of its rule; `at` is its index in the rule.

    Raises RuleError where it cannot be used.
    """
    import re2

    if len(pattern) > MAX_PATTERN:
        said = f"a pattern may have {MAX_PATTERN:,} characters; this one has {len(pattern):,}"
        raise RuleError(said, column=at + 1, mend="split it into several, joined by OR")
    if _SURROGATE.search(pattern):
        raise RuleError("this pattern holds half a character", column=at + 1, mend="write it again")
    if (byte := pattern.find(r"\C")) >= 0:
        raise RuleError(r"`\C` is a byte, not a character", column=at + byte + 1, mend="write . for any character")
    cost = _PATTERN + max(_CHARACTER * len(pattern), _CLASS * len(_UNICODE_CLASS.findall(pattern)))
    try:
        if cost <= left:  # else it is not even read
            _read_as_written(pattern)
            compiled = compile_pattern(pattern, ignore_case, marked=False)
            cost = max(cost, compiled.programsize)
        if has_borders(pattern) and 2 * cost <= left:
            cost += compile_pattern(pattern, ignore_case, marked=True).programsize
        elif has_borders(pattern):
            cost *= 2
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise RuleError(f"RE2 refuses this pattern: {said}", column=at + 1, mend=_mend(said)) from error
    if cost > left:
        raise _too_costly(left, at)
    if compiled.search("") is not None:
        raise RuleError(
            "this pattern matches the empty text, so it would always fire", column=at + 1, mend="use + for *"
        )
    return cost


def _read_as_written(pattern: str) -> None:
    """Raise re2.error about what the author wrote, before it is rewritten; reading is a small part of compiling."""
    import re2

    try:
        re2.Set.SearchSet(_options(MAX_MEMORY)).Add(pattern)
    except re2.error:
        re2.compile(pattern, _options(MAX_MEMORY))  # says what is wrong
        raise


def _too_costly(left: int, at: int) -> RuleError:
    if left == MAX_PROGRAM:
        return RuleError("this pattern is too large", column=at + 1, mend=_mend("too large"))
    said = "the patterns of this rule are too large together; here it is too much"
    return RuleError(said, column=at + 1, mend="split it into several rules, or repeat less")


def _mend(said: str) -> str:
    if "perl operator" in said:
        return "RE2 has no look-arounds; use EXCEPT or NOT beside the pattern"
    if "escape" in said:
        return "RE2 has no back-references; write the words twice"
    if "too large" in said or "repetition size" in said:
        return "repeat less"
    return "see github.com/google/re2/wiki/Syntax"


def _given(pattern: str, ignore_case: bool, *, marked: bool, loose: bool = False) -> str:
    return ("(?i)" if ignore_case else "") + rewrite(pattern, marked=marked, loose=loose)


def _options(memory: int) -> object:
    import re2

    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    return options


@dataclass(slots=True)
class _Batch:
    """Patterns searched for in one pass; without `searched` each counts as found, and its own search decides."""

    numbers: list[int]
    searched: _Set | None


@dataclass(slots=True)
class PatternSet:
    """Many patterns searched for in few passes: which of them a text holds at all."""

    patterns: list[tuple[str, bool, int]] = field(default_factory=list)  # pattern, ignore case, number
    _batches: dict[bool, list[_Batch]] = field(default_factory=dict)

    def touched(self, searchable: Searchable) -> list[int]:
        """Return the numbers of the patterns that match somewhere in a field; now and then one that does not.

        Where RE2's own word borders are wrong, any place counts as one: marking a long text costs more than this search.
        """
        loose = searchable.needs_marks
        if loose not in self._batches:
            self._batches[loose] = self._built(loose)
        found: list[int] = []
        for batch in self._batches[loose]:
            if batch.searched is None:
                found += batch.numbers
            else:
                found += [batch.numbers[index] for index in batch.searched.Match(searchable.plain) or ()]
        return found

    def _built(self, loose: bool) -> list[_Batch]:
        batches = []
        for at in range(0, len(self.patterns), _SET_SIZE):
            part = self.patterns[at : at + _SET_SIZE]
            given = [_given(pattern, ignore_case, marked=False, loose=loose) for pattern, ignore_case, _ in part]
            batches.append(_Batch([number for *_, number in part], _set_of(given)))
        return batches


def _set_of(patterns: list[str]) -> _Set | None:
    import re2

    made: _Set = re2.Set.SearchSet(_options(_SET_MEMORY))
    try:
        for pattern in patterns:
            made.Add(pattern)
        made.Compile()
    except re2.error:
        return None  # together they are too large
    return made
