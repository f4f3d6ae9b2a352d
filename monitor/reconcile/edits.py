"""What an edit did, in the tags and the significance of the contract.

Rule: judged on content, furniture aside; when in doubt the graver one. An edit that touches a number or a negation is
critical, whatever else it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz.distance import OSA

from monitor.model import Significance
from monitor.reconcile.lexicon import HEDGES, is_negation, is_number
from monitor.text.diff import Hunk, hunks
from monitor.text.tokens import Token, tokens, units

REWRITE_SHARE = 0.6  # of the words of both sides changed
TYPO_SHORT = 5  # letters; one slip fits a short word, two a longer one
_SUBSTANTIVE = frozenset(
    {"hedge", "addition", "deletion", "title", "quote", "name", "rewrite", "merged", "split", "reverted"}
)
_CRITICAL = frozenset({"number", "negation", "entity"})
_SENTENCE_END = frozenset(".!?…。！？؟۔।\n")
_QUOTES = frozenset("\"'")


class Judged(NamedTuple):
    """The tags of an edit, gravest first, and its significance."""

    tags: tuple[str, ...]
    significance: Significance


@dataclass(frozen=True, slots=True)
class Side:
    """Title and content of one state of an entry, both in canonical form, furniture aside."""

    title: str
    text: str


def judge(old: Side, new: Side, vocabulary: Container[str], *, retimed: bool, extra: Sequence[str] = ()) -> Judged:
    """Judge an edit. `vocabulary`: casefolded words of the source's other entries; `retimed`: the published time changed."""
    tags = set(extra)
    if retimed:
        tags.add("time")
    if old.title != new.title:
        tags |= _tags(old.title, new.title, vocabulary) - {"addition", "deletion", "rewrite", "wording"} | {"title"}
    if old.text != new.text:
        tags |= _tags(old.text, new.text, vocabulary)
    if "punctuation" in tags and len(tags) > 1:
        tags.discard("punctuation")
    return Judged(tuple(sorted(tags, key=_gravity)), significance(tags))


def significance(tags: Collection[str]) -> Significance:
    """Return the significance of an edit with these tags; none is cosmetic."""
    if not tags:
        return Significance.COSMETIC
    if _CRITICAL & set(tags):
        return Significance.CRITICAL
    return Significance.SUBSTANTIVE if _SUBSTANTIVE & set(tags) else Significance.MINOR


def _gravity(tag: str) -> tuple[int, str]:
    return (0 if tag in _CRITICAL else 1 if tag in _SUBSTANTIVE else 2, tag)


def _tags(old: str, new: str, vocabulary: Container[str]) -> set[str]:
    found = hunks(old, new)
    tags: set[str] = set()
    in_quote, at_start = False, True
    for place, hunk in enumerate(found):
        if not hunk.equal:
            after = found[place + 1].new if place + 1 < len(found) else []
            whole = at_start and _is_whole(hunk.old or hunk.new, after)
            if whole and not (hunk.old and hunk.new) and _words_in(hunk.old + hunk.new) > 1:
                tags.add("addition" if hunk.new else "deletion")
                tags |= {"quote"} if '"' in hunk.old + hunk.new else set()
            else:
                tags |= _hunk_tags(hunk, vocabulary, in_quote=in_quote, at_start=at_start)
        shown = "".join(hunk.new)
        in_quote ^= shown.count('"') % 2 == 1
        at_start = _ends_sentence(shown) if shown.strip() else at_start or "\n" in shown
    changed = sum(_words_in(h.old) + _words_in(h.new) for h in found if not h.equal)
    if changed > 12 and any(h.old and h.new for h in found if not h.equal) and _share(found, changed) > REWRITE_SHARE:
        tags = tags - {"wording", "addition", "deletion", "typo"} | {"rewrite"}
    return tags


def _ends_sentence(text: str) -> bool:
    """Say whether what follows a text begins a sentence: after an end mark, its closing quote, or a line's end."""
    tail = text.rstrip(" \t\"')")
    return tail[-1:] in _SENTENCE_END or text.endswith("\n")


def _is_whole(run: Sequence[str], after: Sequence[str]) -> bool:
    """Say whether a run that begins a sentence also ends one."""
    next_piece = after[0] if after else ""
    space = next_piece[: len(next_piece) - len(next_piece.lstrip())]
    return _ends_sentence("".join(run).rstrip()) or not after or "\n" in space or "\n" in run[-1]


def _share(found: Sequence[Hunk], changed: int) -> float:
    equal = "".join(piece for hunk in found if hunk.equal for piece in hunk.old)  # long stretches are one piece
    return changed / (changed + 2 * _words_in(units(equal)))


def _words_in(pieces: Sequence[str]) -> int:
    return sum(piece[0].isalnum() for piece in pieces)


def _hunk_tags(hunk: Hunk, vocabulary: Container[str], *, in_quote: bool, at_start: bool) -> set[str]:
    """Return what a change of some words does; words put into somebody's mouth weigh more, a slip mended in them not."""
    tags = _change_tags(hunk, vocabulary, at_start=at_start)
    if in_quote and tags != {"typo"} and _words_in(hunk.old + hunk.new):
        tags.add("quote")
    return tags


def _change_tags(hunk: Hunk, vocabulary: Container[str], *, at_start: bool) -> set[str]:
    gone, come = tokens("".join(hunk.old)), tokens("".join(hunk.new))
    old_words, new_words = _words(gone), _words(come)
    tags: set[str] = set()
    if _of_class(is_number, old_words) != _of_class(is_number, new_words):
        tags.add("number")
    if _of_class(is_negation, old_words) != _of_class(is_negation, new_words):
        tags.add("negation")
    if HEDGES.intersection(old_words) != HEDGES.intersection(new_words):
        tags.add("hedge")
    if _quote_marks(gone) != _quote_marks(come):
        tags.add("quote")
    if old_words == new_words:
        return tags or {"punctuation"}
    if not old_words or not new_words:
        tags.add("addition" if new_words else "deletion")
        return tags | _entity(gone, come, at_start)
    if len(gone) == len(come) == 1 or len(old_words) == len(new_words):
        return tags | _paired(gone, come, vocabulary, tags, at_start=at_start)
    return tags | {"wording"} | _entity(gone, come, at_start)


def _paired(
    gone: list[Token], come: list[Token], vocabulary: Container[str], grave: set[str], *, at_start: bool
) -> set[str]:
    """Judge words replaced one for one."""
    tags: set[str] = set()
    pairs = zip([t for t in gone if t.kind != "mark"], [t for t in come if t.kind != "mark"], strict=True)
    for place, (a, b) in enumerate(pairs):
        if a.text.casefold() == b.text.casefold():
            continue
        name = a.text[:1].isupper() and b.text[:1].isupper() and not (at_start and place == 0)
        if grave & {"number", "negation", "hedge"} and (is_number(a.text.casefold()) or is_number(b.text.casefold())):
            continue
        tags.add(_word_tag(a.text.casefold(), b.text.casefold(), vocabulary, name=name))
    if "wording" in tags:
        tags |= _entity(gone, come, at_start)
    return tags


def _word_tag(a: str, b: str, vocabulary: Container[str], *, name: bool) -> str:
    allowed = 1 if min(len(a), len(b)) <= TYPO_SHORT else 2
    if is_negation(a) or is_negation(b) or a in HEDGES or b in HEDGES or OSA.distance(a, b) > allowed:
        return "entity" if name else "wording"
    known_a, known_b = a in vocabulary, b in vocabulary
    if not (a[:1].isalpha() and b[:1].isalpha()) or min(len(a), len(b)) < 2 or (known_a and known_b):
        return "entity" if name and known_a and known_b else "wording"
    if name and known_a == known_b:
        return "name"
    return "typo"


def _entity(gone: list[Token], come: list[Token], at_start: bool) -> set[str]:
    """Say whether a capitalised word, not at a sentence's start, came or went."""
    old, new = _capitalised(gone, at_start), _capitalised(come, at_start)
    everywhere_old = {t.text.casefold() for t in gone}
    everywhere_new = {t.text.casefold() for t in come}
    if {w for w in old if w not in everywhere_new} and {w for w in new if w not in everywhere_old}:
        return {"entity"}
    return set()


def _capitalised(run: list[Token], at_start: bool) -> set[str]:
    found: set[str] = set()
    start = at_start
    for token in run:
        if token.kind == "mark":
            start = start or token.text in '.!?:"'
            continue
        if not start and token.text[:1].isupper():
            found.add(token.text.casefold())
        start = False
    return found


def _words(run: Sequence[Token]) -> list[str]:
    return [token.text.casefold() for token in run if token.kind != "mark"]


def _of_class(belongs: Callable[[str], bool], words: Sequence[str]) -> list[str]:
    return sorted([word for word in words if belongs(word)])


def _quote_marks(run: Sequence[Token]) -> int:
    return sum(token.text in _QUOTES for token in run)
