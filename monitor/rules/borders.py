r"""RE2 patterns with Unicode meaning: `\w`, `\d`, `\s` of every script, and `\b` at the borders of words of every script.

RE2 knows `\b` for ASCII only and has no look-around to spell it out (google/re2, syntax.txt). So the borders are put into the
text instead: in a marked text BORDER stands at every border of a word and INSIDE between all other characters; `\b` becomes
BORDER, `\B` becomes INSIDE, and everything else passes over both. A text whose letters are all ASCII needs no marks.
"""

from __future__ import annotations

import re

from monitor.text.tokens import MARKS as WORD_MARKS

BORDER, INSIDE = "\U0010fffe", "\U0010ffff"  # noncharacters (Unicode 23.7): no text holds them
_MARKS = BORDER + INSIDE
_PASS = f"[{_MARKS}]*"
_CLASSES = {"w": r"\pL\pM\pN_", "d": r"\p{Nd}", "s": r"\s\pZ"}
# Complements within a negated class, where no union can express them: how people write "letters".
_LETTERS = {r"[^\W\d_]": r"[\pL\pM]", r"[^\W_]": r"[\pL\pM\pN]", r"[^\W\d]": r"[\pL\pM_]"}
_ESCAPE = re.compile(r"\\(?:x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[pP](?:\{\^?\w+\}|\w)|[0-7]{1,3}|.)", re.DOTALL)
_POSIX = re.compile(r"\[:\^?\w+:\]")
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|(?P<flags>[a-zA-Z]*(?:-[a-zA-Z]+)?)(?P<ends>[:)])))?")
_REPEAT = re.compile(r"\{\d*,?\d*\}")


def has_borders(pattern: str) -> bool:
    r"""Say whether a pattern asks for a word border, `\b` or `\B`."""
    return any(found.group() in (r"\b", r"\B") for found in _ESCAPE.finditer(pattern))


def rewrite(pattern: str, *, marked: bool, loose: bool = False) -> str:
    """Return the pattern RE2 is given: for a text with marked borders, or for any other text; `loose`: borders anywhere."""
    return _Rewriter(pattern, marked, loose).rewritten()


class _Rewriter:
    def __init__(self, pattern: str, marked: bool, loose: bool) -> None:
        self.pattern = pattern
        self.marked = marked
        self.loose = loose
        self.at = 0
        self.out: list[str] = []
        self.dot_is_all = [False]  # the s flag, a level for each open group

    def rewritten(self) -> str:
        while self.at < len(self.pattern):
            self._step()
        return "".join(self.out)

    def _take(self, length: int) -> str:
        taken = self.pattern[self.at : self.at + length]
        self.at += length
        return taken

    def _atom(self, atom: str) -> None:
        self.out.append(f"(?:{_PASS}{atom})" if self.marked else atom)

    def _step(self) -> None:
        character = self.pattern[self.at]
        match character:
            case "\\":
                self._escape()
            case "[":
                self._class()
            case "(":
                self._group()
            case ")":
                if len(self.dot_is_all) > 1:
                    self.dot_is_all.pop()
                self.out.append(self._take(1))
            case ".":
                self.at += 1
                self._atom(self._dot())
            case "$":
                self.at += 1
                self.out.append(f"{_PASS}$" if self.marked else "$")
            case "*" | "+" | "?" | "|" | "^":
                self.out.append(self._take(1))
            case "{" if found := _REPEAT.match(self.pattern, self.at):
                self.out.append(self._take(len(found.group())))
            case _:
                self._atom(self._take(1))

    def _dot(self) -> str:
        if not self.marked:
            return "."
        return f"[^{_MARKS}]" if self.dot_is_all[-1] else f"[^\\n{_MARKS}]"

    def _escape(self) -> None:
        if self.pattern.startswith("\\Q", self.at):
            end = self.pattern.find("\\E", self.at)
            quoted = self.pattern[self.at + 2 : end if end >= 0 else None]
            self.at += len(quoted) + (4 if end >= 0 else 2)
            for character in quoted:
                self._atom("\\" + character if character.isascii() and not character.isalnum() else character)
            return
        found = _ESCAPE.match(self.pattern, self.at)
        escape = self._take(len(found.group()) if found else 1)
        name = escape[1:2]
        if name in ("b", "B") and self.loose:
            self.out.append("(?:)")
        elif name in ("b", "B") and self.marked:
            self.out.append(BORDER if name == "b" else INSIDE)
        elif name in ("b", "B", "A"):
            self.out.append(escape)
        elif name == "z":
            self.out.append(f"{_PASS}{escape}" if self.marked else escape)
        else:
            self._atom(self._shorthand(escape))

    def _shorthand(self, escape: str) -> str:
        name = escape[1:2]
        marks = _MARKS if self.marked else ""
        if name in ("w", "d", "s"):
            return f"[{_CLASSES[name]}]"
        if name in ("W", "D", "S"):
            return f"[^{_CLASSES[name.lower()]}{marks}]"
        if name == "P" and self.marked:
            return f"[^\\p{escape[2:]}{marks}]"
        return escape

    def _group(self) -> None:
        found = _GROUP.match(self.pattern, self.at)
        opening = self._take(len(found.group()) if found else 1)
        flags = (found["flags"] if found else None) or ""
        on, _, off = flags.partition("-")
        all_of_it = (self.dot_is_all[-1] or "s" in on) and "s" not in off
        if found and found["ends"] == ")":
            self.dot_is_all[-1] = all_of_it
        else:
            self.dot_is_all.append(all_of_it)
        self.out.append(opening)

    def _class(self) -> None:
        """A class in brackets: shorthands become Unicode; what is negated inside stands beside it as an alternative."""
        start = self.at
        self.at += 1
        negated = self.pattern.startswith("^", self.at)
        self.at += negated
        members: list[str] = []
        besides: list[str] = []
        while self.at < len(self.pattern) and (self.pattern[self.at] != "]" or not (members or besides)):
            self._member(members, besides, negated)
        self.at += 1
        known = _LETTERS.get(self.pattern[start : self.at])
        marks = _MARKS if self.marked else ""
        if known is not None:
            self._atom(known)
        elif negated:
            self._atom(f"[^{''.join(members)}{marks}]")
        else:
            choices = [f"[{''.join(members)}]"] if members else []
            self._atom(choices[0] if choices and not besides else f"(?:{'|'.join(choices + besides)})")

    def _member(self, members: list[str], besides: list[str], negated: bool) -> None:
        if posix := _POSIX.match(self.pattern, self.at):
            name = self._take(len(posix.group()))
            if name[2] == "^" and not negated and self.marked:
                besides.append(f"[^[:{name[3:]}{_MARKS}]")
            else:
                members.append(name)
            return
        found = _ESCAPE.match(self.pattern, self.at)
        if found is None:
            character = self._take(1)
            members.append("\\]" if character == "]" else character)
            return
        escape = self._take(len(found.group()))
        name = escape[1:2]
        if name in ("w", "d", "s"):
            members.append(_CLASSES[name])
        elif name in ("W", "D", "S", "P") and not negated:
            besides.append(self._shorthand(escape) if name != "P" or self.marked else f"[{escape}]")
        else:
            members.append(escape)


_FOREIGN_WORD = re.compile(r"[^\W\x00-\x7f]")
_RUN = re.compile(rf"(?:\w|[{WORD_MARKS}])+|(?:(?![{WORD_MARKS}])\W)+")
_WORD_START = re.compile(rf"\w|[{WORD_MARKS}]")
MARKED_LENGTH = 3  # characters of a marked text for each character of the original


def needs_marks(text: str) -> bool:
    """Say whether RE2's own word borders are wrong in `text`: it holds letters beyond ASCII."""
    return not text.isascii() and _FOREIGN_WORD.search(text) is not None


def mark_borders(text: str) -> str:
    """Return `text` with two marks before each character and at the end: whether a word begins or ends there.

    Two, so that two `\\b` in a row are both true; the character at index n of the result is the one at n // 3.
    """
    if not text:
        return INSIDE * 2
    runs: list[str] = _RUN.findall(text)
    first = BORDER if _WORD_START.match(runs[0]) else INSIDE
    last = BORDER if _WORD_START.match(runs[-1]) else INSIDE
    between = INSIDE * 2
    return first * 2 + (BORDER * 2).join([between.join(run) for run in runs]) + last * 2
