"""The nearest miss of a part of a rule that does not hold, in words an editor can act on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from monitor.rules.compiling import Compiler, group_slack
from monitor.rules.proximity import Span
from monitor.rules.sightings import Sightings, chunk_of
from monitor.rules.syntax import AtLeast, Except, Fuzzy, Group, Meta, Near, Node, Phrase, Regex, Verbatim, Wild, Word
from monitor.rules.terms import default_distance
from monitor.text.compounds import Word as Piece
from monitor.text.passages import SENTENCE_GAP
from monitor.text.words import is_known, spelling, text_keys

_LOOKED_AT = 200  # occurrences of each term compared
_SLIP_LETTERS = 4  # shorter words are too close to too many others


def nearest_miss(node: Node, compiler: Compiler, seen: Sightings, field: str | None) -> str | None:
    """Return why `node`, which does not hold, does not; None where its parts say it better."""
    match node:
        case Group() | Near():
            return _too_far(node, compiler, seen, field)
        case Except():
            plan = compiler.plan(node.left, field)
            return f"every `{node.left.term}` lies within `{node.right.term}`" if plan.holds(seen) else None
        case AtLeast():
            count = compiler.plan(node.operand, field).count(seen)
            return f"`{node.operand.term}` is there {_times(count)}, {node.count} are asked for" if count else None
        case Word() | Fuzzy():
            return _missing_word(node, seen, field)
        case Phrase():
            return _broken_phrase(node, compiler, seen, field)
        case Verbatim():
            return _other_capitals(node, seen)
        case Wild() | Regex():
            return f"nothing in the {_where(field)} is like `{node.term}`"
        case Meta():
            return f"`{node.term}` is not so"
        case _:
            return None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _where(field: str | None) -> str:
    return {"title": "title", "body": "text"}.get(field or "", "title and text")


def _too_far(node: Group | Near, compiler: Compiler, seen: Sightings, field: str | None) -> str | None:
    """Of the operands that are there: which two stand furthest apart where they come closest."""
    operands = compiler.kept(node) if isinstance(node, Group) else (node.left, node.right)
    spans = [(operand.term, compiler.plan(operand, field).spans(seen)) for operand in operands]
    if not all(found for _, found in spans):
        return None  # the operand that is missing says so itself
    worst: tuple[int, str] = (-1, "")
    for (one, left), (other, right) in pairwise(spans):
        pairs = ((a, b) for a in left[:_LOOKED_AT] for b in right[:_LOOKED_AT] if a != b)
        pair = min(pairs, key=_gap, default=(left[0], right[0]))
        worst = max(worst, (_gap(pair), _apart(node, (one, other), pair, seen, group_slack(len(operands)))))
    return worst[1]


def _apart(node: Group | Near, terms: tuple[str, str], pair: tuple[Span, Span], seen: Sightings, reach: int) -> str:
    """Why two terms that are there are not together."""
    one, other = terms
    near, far = pair
    if seen.field_of(near[0]) is not seen.field_of(far[0]):
        return f"`{one}` and `{other}` are in different fields; write AND between them"
    words = seen.words_between(near, far)
    if isinstance(node, Near):
        reach, said = node.distance, f"{'BEFORE' if node.ordered else 'NEAR'}/{node.distance} reaches {node.distance}"
        if node.ordered and far < near:
            return f"`{other}` comes before `{one}`; NEAR takes both orders"
    else:
        said = f"natural phrases reach {reach}"
    if words <= reach and _gap(pair) - words >= SENTENCE_GAP:
        return f"a sentence ends between `{one}` and `{other}`; write `{one} NEAR/20 {other}` to cross it"
    return f"`{other}` is {words} word{'' if words == 1 else 's'} from `{one}`; {said}"


def _gap(pair: tuple[Span, Span]) -> int:
    (first, last), (other_first, other_last) = pair
    return max(0, other_first - last - 1, first - other_last - 1)


def _pieces(seen: Sightings, field: str | None) -> Iterator[tuple[str, Piece]]:
    for sight in seen.fields:
        if field is None or sight.name == ("title" if field == "title" else "text"):
            for block in sight.blocks:
                for chunk in block.chunks:
                    for piece in chunk_of(chunk, seen.language).words:
                        yield sight.name, piece


def _missing_word(node: Word | Fuzzy, seen: Sightings, field: str | None) -> str:
    where = _where(field)
    if field is not None and any(
        True for name, piece in _pieces(seen, None) if _same(node.text, piece.text, seen.language)
    ):
        return f"`{node.text}` is not in the {where}, only in the {'text' if field == 'title' else 'title'}"
    slip = _slip(node.text, seen, field) if isinstance(node, Word) else None
    if slip is not None:
        return f"`{node.text}` is not in the {where}, but the unknown word {slip!r} is; `{node.text}~` finds it"
    return f"`{node.term}` is not in the {where}"


def _same(word: str, shown: str, language: str) -> bool:
    mine, theirs = text_keys(word, language), text_keys(shown, language)
    return not set(mine.spellings + mine.lemmas).isdisjoint(theirs.spellings + theirs.lemmas)


def _slip(word: str, seen: Sightings, field: str | None) -> str | None:
    """The unknown word of the text that is closest to a rule's word, if `~` would find it."""
    from rapidfuzz.distance import OSA

    meant = spelling(word, seen.language)
    allowed = default_distance(len(meant))
    if len(meant) < _SLIP_LETTERS:
        return None
    best: tuple[int, str] | None = None
    for _, piece in _pieces(seen, field):
        shown = spelling(piece.text, seen.language)
        if shown[:1] != meant[:1] or not shown.isalpha():
            continue
        distance = OSA.distance(meant, shown, score_cutoff=allowed)
        if distance <= allowed and (best is None or distance < best[0]) and not is_known(piece.text, seen.language):
            best = (distance, piece.text)
    return best[1] if best else None


def _broken_phrase(node: Phrase, compiler: Compiler, seen: Sightings, field: str | None) -> str:
    missing = [
        word for word in node.words if not compiler.plan(Phrase(word, node.column, (word,), None), field).holds(seen)
    ]
    if missing:
        pieces = [piece.text for _, piece in _pieces(seen, field)]
        for word in missing:
            if any(_same(word, piece, seen.language) for piece in pieces):
                return f"`{word}` is there in another form only; quotation marks mean exactly as written"
        return f"`{missing[0]}` is not in the {_where(field)}"
    return f"the words of {node.term} are there, but not next to each other in this order"


def _other_capitals(node: Verbatim, seen: Sightings) -> str:
    shown = next((p.text for _, p in _pieces(seen, None) if p.text.casefold() == node.text.casefold()), None)
    return f"`{node.text}` is there as {shown!r} only" if shown else f"`{node.text}` is not there, written like this"
