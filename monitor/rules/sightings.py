"""Where the terms of a set of rules stand in one entry.

Positions count words over title and text together; a span is a first and a last position. Characters are worked out only
for what is shown to somebody.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple

from monitor.model import Match
from monitor.rules.patterns import Searchable
from monitor.text.characters import normal
from monitor.text.lemmas import FRUGAL
from monitor.text.passages import PARAGRAPH_GAP, SENTENCE_GAP, Chunk, read_chunk

Span = tuple[int, int]

MAX_CHARACTERS = 200_000  # of a field; what follows is not looked at
MAX_CHUNK = 1024  # characters without white space read in one piece
MAX_WORDS = 40_000  # of a field, in scripts without spaces: characters
MAX_TITLE = 5000  # characters of a title
MAX_PRICE = 40_000  # µs to look up the different words of one text; further ones go by their spelling
_SAMPLE, _MAX_ALPHABET, NO_TEXT_PRICE = 8000, 4000, 3000  # no writing has so many different characters among so many
LONG_TEXT, LONG_FRUGAL = 6000, 1500  # characters from which on they are counted; where the dictionary is packed
MAX_SHOWN = 100  # matches of one term or window: of more the first are shown, …
MAX_SHOWN_OF_ALL = 5000  # … and of each further rule one, where rules of several terms show so many in one entry
MAX_BLOCKS = 5000  # paragraphs and list items of a field; what follows counts as one

_CHUNK = re.compile(rf"\S{{1,{MAX_CHUNK}}}")
# A word divided at the end of a line stays one chunk.
_DIVIDED_CHUNK = re.compile(rf"\S{{1,{MAX_CHUNK}}}(?:(?<=[^\W\d_][-‐])\n[ \t]*(?=[^\W\d_])\S{{1,{MAX_CHUNK}}}){{0,3}}")
_DIVIDED = re.compile(r"[^\W\d_][-‐]\n[ \t]*[^\W\d_]")
_HARD_SPACE = re.compile("[\u00a0\u2009\u202f]")
_APART = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_BREAK = re.compile(r"\n[^\S\n]*\n\s*|\n(?=[^\S\n]*[•*–—·▪◦‣-]\s)")


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a rule looks at: one state of one entry."""

    text: str
    title: str | None = None
    language: str | None = "en"  # BCP 47
    author: str | None = None
    tags: tuple[str, ...] = ()
    url: str | None = None
    source: str | None = None  # id of the source
    kind: str | None = None  # new, edited, removed, restored


class Block(NamedTuple):
    """Chunks that only sentence ends part, and the positions between them and the block before."""

    gap: int
    chunks: list[str]


@lru_cache(maxsize=8192)
def chunk_of(text: str, language: str) -> Chunk:
    """Return what a chunk holds; the tokens of a chunk are the same wherever it stands."""
    return read_chunk(text, language)


def _read(text: str) -> str:
    """A text as it is cut: numbers whose thousands stand apart (`4 000`) stay one chunk; every character keeps its place."""
    return _APART.sub("٬", text) if _HARD_SPACE.search(text) else text


def blocks_of(text: str) -> list[Block]:
    """Return the paragraphs and list items of a field as chunks."""
    text = _read(text)
    if "\n" not in text:
        return [Block(0, _split(text))]
    blocks = []
    at = gap = 0
    for found in islice(_BREAK.finditer(text), MAX_BLOCKS):
        blocks.append(Block(gap, _split(text[at : found.start()])))
        gap = PARAGRAPH_GAP if found.group().count("\n") > 1 else SENTENCE_GAP
        at = found.end()
    blocks.append(Block(gap, _split(text[at:])))
    return blocks


def _split(text: str) -> list[str]:
    if "\n" in text and _DIVIDED.search(text):
        return _DIVIDED_CHUNK.findall(text)
    chunks = text.split()
    if max(map(len, chunks), default=0) > MAX_CHUNK:
        return _CHUNK.findall(text)
    return chunks


@dataclass(slots=True)
class FieldSight:
    """One field of an entry as it was read: which chunk begins at which position."""

    name: Literal["title", "text"]
    text: str  # the original
    first: int = 0  # position of its first word
    blocks: list[Block] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # of each chunk
    _begins: list[int] | None = None
    _searchable: Searchable | None = None

    @property
    def searchable(self) -> Searchable:
        """The field as patterns see it."""
        if self._searchable is None:
            self._searchable = Searchable(self.text[:MAX_CHARACTERS])
        return self._searchable

    def characters(self, span: Span, language: str) -> tuple[int, int]:
        """Return the first character and the one after the last of a span."""
        at, chunk = self._chunk(span[0], language)
        within = span[0] - self.starts[at]
        start = next((word.start for word in chunk.words if word.first == within), 0)
        until, chunk = self._chunk(span[1], language)
        within = span[1] - self.starts[until]
        end = next((word.end for word in chunk.words if word.last == within), 0)
        return self.begins[at] + start, self.begins[until] + end

    def words(self, start: int, end: int, language: str) -> Span | None:
        """Return the span of the words that characters `start` to `end` touch, or None where they touch none."""
        firsts: list[int] = []
        begins = self.begins
        chunks = self.all_chunks()
        for at in range(max(0, bisect_right(begins, start) - 1), len(self.starts)):
            if begins[at] >= end:
                break
            firsts += [
                self.starts[at] + word.first
                for word in chunk_of(chunks[at], language).words
                if begins[at] + word.start < end and begins[at] + word.end > start
            ]
        return (min(firsts), max(firsts)) if firsts else None

    def one_sentence(self, span: Span, language: str) -> bool:
        """Say whether no sentence ends inside a span."""
        at = bisect_right(self.starts, span[0]) - 1
        chunks = self.all_chunks()
        position = -1
        while at < len(self.starts) and self.starts[at] <= span[1]:
            for word in chunk_of(chunks[at], language).words:
                here = self.starts[at] + word.first
                if span[0] <= here <= span[1] and word.first == word.last:
                    if position >= 0 and here - position >= SENTENCE_GAP:
                        return False
                    position = here
            at += 1
        return True

    def _chunk(self, position: int, language: str) -> tuple[int, Chunk]:
        at = bisect_right(self.starts, position) - 1
        return at, chunk_of(self.all_chunks()[at], language)

    def all_chunks(self) -> list[str]:
        """Return the chunks of all blocks, in order."""
        return self.blocks[0].chunks if len(self.blocks) == 1 else [c for block in self.blocks for c in block.chunks]

    @property
    def begins(self) -> list[int]:
        """The first character of each chunk."""
        if self._begins is None:
            text = _read(self.text[:MAX_CHARACTERS])
            chunk = _DIVIDED_CHUNK if "\n" in text and _DIVIDED.search(text) else _CHUNK
            self._begins = [found.start() for found in chunk.finditer(text)]
        return self._begins


class Learnt(NamedTuple):
    """A chunk wherever it stands, as far as these rules are concerned."""

    width: int
    ending: int
    opens: bool
    hits: tuple[tuple[tuple[int, ...], int, int, int, int], ...]  # terms, first and last position, characters
    price: int = 0  # of looking its words up


@dataclass(slots=True)
class LongText:
    """What reading a long text has cost so far; the same whatever was read before it."""

    left: int
    chunks: dict[str, Learnt] = field(default_factory=dict)  # the different ones so far
    words: set[str] = field(default_factory=set)  # paid for
    block: list[str] | None = None  # the chunks at hand, once nothing is left, …
    folded: list[str] = field(default_factory=list)  # … as spellings are compared


@dataclass(slots=True)
class Sightings:
    """Where each term, by its number, stands in one entry."""

    entry: RuleText
    language: str  # base language
    fields: list[FieldSight]
    spans: dict[int, list[Span]] = field(default_factory=dict)
    places: dict[Span, tuple[int, int, int]] = field(default_factory=dict)  # span → its chunk, characters in the chunk
    long: LongText | None = None
    left: int = MAX_SHOWN_OF_ALL
    known: dict[object, list[Span]] = field(default_factory=dict)  # where parts of rules stand, …
    counts: dict[object, int] = field(default_factory=dict)  # … how often, …
    widths: dict[object, int] = field(default_factory=dict)  # … and how many positions it takes at most
    _ordered: dict[int, list[Span]] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """How many matches of one term or window are shown."""
        return MAX_SHOWN if self.left > 0 else 1

    def in_order(self, number: int) -> list[Span]:
        """Return where a term stands, in order; many rules ask for the same terms."""
        found = self._ordered.get(number)
        if found is None:
            found = self._ordered[number] = sorted(set(self.spans.get(number, ())))
        return found

    def widest(self, part: object, spans: list[Span]) -> int:
        """Return how many positions the widest of the spans takes where a part of a rule stands."""
        found = self.widths.get(part)
        if found is None:
            found = self.widths[part] = max(last - first + 1 for first, last in spans)
        return found

    @property
    def body(self) -> int:
        """The position from which on words are the text's, not the title's."""
        return self.fields[-1].first

    def field_of(self, position: int) -> FieldSight:
        """Return the field in which a position lies."""
        fields = self.fields
        return fields[-1] if position >= fields[-1].first else fields[0]

    def characters(self, span: Span) -> tuple[int, int]:
        """Return the first character of a span in its field and the one after its last."""
        sight = self.field_of(span[0])
        place = self.places.get(span)
        if place is None:
            return sight.characters(span, self.language)
        base = sight.begins[place[0]]
        return base + place[1], base + place[2]

    def match(self, span: Span, term: str) -> Match:
        """Return a span as it is shown: field, characters and the words there."""
        fields = self.fields
        sight = fields[-1] if span[0] >= fields[-1].first else fields[0]
        if span in self.places:  # the commonest case by far, and every alert of a large desk passes here
            at, start, end = self.places[span]
            base = sight.begins[at]
            start, end = base + start, base + end
        else:
            start, end = sight.characters(span, self.language)
        return Match(sight.name, start, end, sight.text[start:end], term)

    def words_between(self, one: Span, other: Span) -> int:
        """Return how many words stand between two spans of one field."""
        first, last = sorted((one, other))
        sight, count = self.field_of(first[0]), 0
        chunks = sight.all_chunks()
        for at in range(max(0, bisect_right(sight.starts, first[1]) - 1), len(sight.starts)):
            if sight.starts[at] > last[0]:
                break
            words = chunk_of(chunks[at], self.language).words
            count += sum(
                first[1] < sight.starts[at] + word.first < last[0] for word in words if word.first == word.last
            )
        return count

    def shown(self, span: Span) -> str:
        """Return the original characters of a span."""
        start, end = self.characters(span)
        return self.field_of(span[0]).text[start:end]


def verbatim_form(text: str) -> str:
    """Return the form of verbatim phrases: NFC, one kind of apostrophe, single spaces."""
    return " ".join(normal("NFC", text).replace("’", "'").split())


def new_sightings(entry: RuleText, language: str) -> Sightings:
    """Return an entry cut into chunks, with nothing found in it yet."""
    fields = [FieldSight("text", entry.text, blocks=blocks_of(entry.text[:MAX_CHARACTERS]))]
    if entry.title:
        title = entry.title[:MAX_TITLE]
        fields.insert(0, FieldSight("title", title, blocks=blocks_of(title)))
    long = len(entry.text) > (LONG_FRUGAL if language in FRUGAL else LONG_TEXT)
    return Sightings(entry, language, fields, long=LongText(_price_of(entry.text)) if long else None)


def _price_of(text: str) -> int:
    return MAX_PRICE if len(set(text[: MAX_CHARACTERS : len(text) // _SAMPLE + 1])) <= _MAX_ALPHABET else NO_TEXT_PRICE
