"""A rule's text cut into operators, brackets and atoms.

Rule: every character of a rule means something or is refused with its column and what to write instead.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Literal, NamedTuple

from monitor.rules.atoms import check_wild, fail, plain_word, spaced
from monitor.rules.patterns import MAX_PROGRAM, check_pattern
from monitor.rules.syntax import (
    DEFAULT_NEAR,
    FIELDS,
    MAX_NEAR,
    METAS,
    Meta,
    MetaName,
    Node,
    Phrase,
    Regex,
    Verbatim,
)
from monitor.text.passages import pieces_of

TokenKind = Literal["(", ")", "AND", "OR", "NOT", "NEAR", "BEFORE", "EXCEPT", "ATLEAST", "FIELD", "ATOM", "END"]

MAX_RULE = 10_000  # characters; keeps every rule or its error under 50 ms
MAX_ATLEAST = 1000
_DOUBLE_QUOTES = '"“”„‟«»″〝〞〟＂״「」『』'
_OPENING_SINGLE = "'‘‚‛‹"
_CLOSING_SINGLE = re.compile(r"['’‘›‚](?![^\W_]|')")
_MINUS = "-‐‑‒–—−－"
_OPERATOR = re.compile(r"(NEAR|BEFORE|ATLEAST|[A-Z]{2,})/(.*)\Z", re.DOTALL)
_FIELD = re.compile(r"([^\W\d_]+)[:：]")
_WITHIN = re.compile(r"[~～]([^\s()（）]*)")
_HEBREW = re.compile("[\u05d0-\u05ea]")
_LETTER_RUN = re.compile(r"[^\W_]*")


class RuleToken(NamedTuple):
    """One operator, bracket or atom; `start` and `end` count characters of the rule."""

    kind: TokenKind
    start: int
    end: int
    node: Node | None = None
    number: int = 0
    name: str = ""


class Lexer:
    """Cuts one rule; `tokens()` returns the pieces, the last of kind END."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_RULE:
            raise fail(f"a rule may have {MAX_RULE:,} characters; this one has {len(text):,}", MAX_RULE, "split it")
        self.text = text
        self.at = 0
        self._closing: list[int] | None = None  # single quotation marks that close
        self._program = MAX_PROGRAM  # instructions left for the patterns to come

    def tokens(self) -> Iterator[RuleToken]:
        """Yield the rule's tokens as far as somebody reads, the end last."""
        while (token := self._next()).kind != "END":
            yield token
        yield token

    def _next(self) -> RuleToken:
        text = self.text
        while self.at < len(text) and text[self.at].isspace():
            self.at += 1
        start = self.at
        if start >= len(text):
            return RuleToken("END", start, start)
        character = text[start]
        if character in "(（":
            return self._advance("(", 1)
        if character in ")）":
            return self._advance(")", 1)
        if character in _MINUS:
            return self._minus()
        if character == "/":
            return self._regex()
        if character in "=＝":
            return self._verbatim()
        if character in _DOUBLE_QUOTES or (character in _OPENING_SINGLE and self._single_end(start) is not None):
            return self._phrase()
        return self._word()

    def _advance(self, kind: TokenKind, length: int, **rest: int | str) -> RuleToken:
        start, self.at = self.at, self.at + length
        return RuleToken(kind, start, self.at, None, int(rest.get("number", 0)), str(rest.get("name", "")))

    def _atom(self, node: Node, start: int) -> RuleToken:
        return RuleToken("ATOM", start, self.at, node)

    def _minus(self) -> RuleToken:
        after = self.text[self.at + 1 : self.at + 2]
        if not after or after.isspace() or after in ")）":
            raise fail("a minus must touch the word it excludes", self.at, "write -word, or NOT word")
        return self._advance("NOT", 1)

    def _regex(self) -> RuleToken:
        start, text = self.at, self.text
        end = start + 1
        while end < len(text) and text[end] != "/":
            end += 2 if text[end] == "\\" else 1
        if end >= len(text):
            raise fail(
                "this / opens a pattern that no / closes", start, "close it with /, or quote a word that holds a /"
            )
        self.at = end + 1
        while self.at < len(text) and not text[self.at].isspace() and text[self.at] not in "()（）":
            self.at += 1
        flags = text[end + 1 : self.at]
        if flags not in ("", "i"):
            raise fail(f"`{flags}` after a pattern: only i is known", end + 1, r"write / inside a pattern as \/")
        pattern = text[start + 1 : end].replace("\\/", "/")
        self._program -= check_pattern(pattern, flags == "i", start + 1, self._program)
        return self._atom(Regex(text[start : self.at], start + 1, pattern, flags == "i"), start)

    def _quoted(self, start: int) -> str:
        """The text between the quotation marks that open at `start`; leaves the cursor behind them."""
        text = self.text
        if text[start] in _DOUBLE_QUOTES:
            end = next((at for at in range(start + 1, len(text)) if self._closes(at)), None)
        else:
            end = self._single_end(start)
        if end is None:
            raise fail("this quotation mark is never closed", start, "add the closing quotation mark")
        self.at = end + 1
        return text[start + 1 : end]

    def _closes(self, at: int) -> bool:
        return self.text[at] in _DOUBLE_QUOTES and not self._inside_hebrew(at)

    def _inside_hebrew(self, at: int) -> bool:
        """A gershayim: the quotation mark of a Hebrew acronym stands before its last letter (צה״ל)."""
        after = self.text[at + 2 : at + 3]
        return (
            self.text[at] in '"״”“'
            and bool(_HEBREW.match(self.text[at - 1 : at]) and _HEBREW.match(self.text[at + 1 : at + 2]))
            and not _HEBREW.match(after)
        )

    def _single_end(self, start: int) -> int | None:
        """Where the single quotation mark at `start` closes: before a border, so that an apostrophe is none."""
        if self._closing is None:
            self._closing = [found.start() for found in _CLOSING_SINGLE.finditer(self.text)]
        at = bisect_left(self._closing, start + 2)
        return self._closing[at] if at < len(self._closing) else None

    def _phrase(self) -> RuleToken:
        start = self.at
        inside = self._quoted(start)
        words = tuple(self._phrase_word(word, start + 1 + at) for at, word in spaced(inside))
        if not any(pieces_of(word) for word in words):
            raise fail(
                "nothing to look for between these quotation marks", start, "write a word inside, or a /pattern/"
            )
        within: int | None = None
        if found := _WITHIN.match(self.text, self.at):
            if not (found[1].isascii() and found[1].isdigit()) or int(found[1]) > MAX_NEAR:
                raise fail("`~` after a phrase needs a number of words", self.at, f'write "…"~5; at most {MAX_NEAR}')
            within, self.at = int(found[1]), found.end()
        return self._atom(Phrase(self.text[start : self.at], start + 1, words, within), start)

    def _phrase_word(self, word: str, at: int) -> str:
        if len(word) > 1 and word[-1] in "~～" and word[-2].isalnum():
            raise fail("`~` has no meaning inside quotation marks", at + len(word) - 1, "write word~ BEFORE/0 word")
        if "*" in word:
            check_wild(word, at)
        return word

    def _verbatim(self) -> RuleToken:
        start = self.at
        self.at += 1
        if self.text[self.at : self.at + 1] and self.text[self.at] in _DOUBLE_QUOTES + _OPENING_SINGLE:
            inside = self._quoted(self.at)
        else:
            inside = self._run()
        if not pieces_of(inside):
            raise fail(
                "`=` needs a word or a phrase in quotation marks right after it", start, 'write =US or ="White House"'
            )
        if self.text[self.at : self.at + 1] in ("~", "～") or inside[-1] in "~～*":
            raise fail("`=` means exactly as written: no ~ or * with it", start, "leave out the = or the ~")
        return self._atom(Verbatim(self.text[start : self.at], start + 1, inside.strip()), start)

    def _run(self) -> str:
        """The characters up to the next space, bracket or quotation mark."""
        start, text = self.at, self.text
        while self.at < len(text):
            character = text[self.at]
            if character.isspace() or character in "()（）":
                break
            if character in _DOUBLE_QUOTES and not (self.at > start and self._inside_hebrew(self.at)):
                break
            self.at += 1
        return text[start : self.at]

    def _word(self) -> RuleToken:
        start = self.at
        if found := _FIELD.match(self.text, start):
            return self._field(found[1], start, found.end() - start)
        run = self._run()
        if run in ("AND", "OR", "NOT", "EXCEPT"):
            return RuleToken(run, start, self.at)  # type: ignore[arg-type]
        if run in ("NEAR", "BEFORE"):
            return RuleToken(run, start, self.at, number=DEFAULT_NEAR)  # type: ignore[arg-type]
        if run == "ATLEAST":
            raise fail("ATLEAST needs a number", start, "write ATLEAST/2 word")
        if found := _OPERATOR.match(run):
            return self._numbered(found[1], found[2], start)
        return self._atom(plain_word(run, start), start)

    def _numbered(self, name: str, digits: str, start: int) -> RuleToken:
        if name not in ("NEAR", "BEFORE", "ATLEAST"):
            mend = (
                f"write BEFORE/{digits}"
                if name == "ONEAR"
                else f'operators are NEAR/n, BEFORE/n, ATLEAST/n; quote "{name}/{digits}" to look for it'
            )
            raise fail(f"`{name}/` is no operator", start, mend)
        least, most = (1, MAX_ATLEAST) if name == "ATLEAST" else (0, MAX_NEAR)
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 4 or not least <= int(digits) <= most:
            raise fail(
                f"{name}/ needs a number from {least} to {most}, not `{digits}`",
                start + len(name) + 1,
                f"write {name}/{max(least, 4)}",
            )
        return RuleToken(name, start, self.at, number=int(digits))  # type: ignore[arg-type]

    def _field(self, written: str, start: int, length: int) -> RuleToken:
        name = written.lower()
        self.at = start + length
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        if name in FIELDS:
            return RuleToken("FIELD", start, self.at, name=name)
        if name in METAS:
            return self._meta(name, start)
        close = difflib.get_close_matches(name, [*FIELDS, *METAS], n=1)
        guess = f"did you mean {close[0]}:? " if close else ""
        raise fail(
            f"`{written}:` is no field",
            start,
            f"{guess}fields are {', '.join([*FIELDS, *METAS])}; put the words in quotation marks if the colon is theirs",
        )

    def _meta(self, name: MetaName, start: int) -> RuleToken:
        at = self.at
        if at < len(self.text) and self.text[at] in "(（":
            raise fail(f"{name}: takes one value", at, f"write {name}:a OR {name}:b")
        value = self._quoted(at) if at < len(self.text) and self.text[at] in _DOUBLE_QUOTES else self._run()
        if not value.strip():
            raise fail(f"{name}: needs a value", start, f"write {name}:value, with * for any characters")
        return self._atom(Meta(self.text[start : self.at], start + 1, name, value.strip()), start)
