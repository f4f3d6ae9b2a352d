"""What of an entry decides whether two showings of it are the same: content without furniture, in one form.

Rule: the only place that knows the normal form. `NORMALISER` is part of every hash that is stored; a changed normaliser
re-reads stored texts silently instead of telling every entry as edited.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

import msgspec
import xxhash

from monitor.model import Entry
from monitor.reconcile.furniture import LONGEST, is_atom, is_learned, masked
from monitor.text.characters import canonical
from monitor.text.tokens import pieces

NORMALISER = 1

# Parameters that say where a reader came from (Google Analytics, click ids of ad networks, "ref"); `amp;` is left of an
# address that was escaped twice.
_TRACKING = re.compile(
    r"(?:amp;?)?(?:utm_\w+|(?:fb|g|dc|ms|yc)clid|mc_[ce]id|cmp(?:id)?|ref(?:errer)?|ns_\w+|at_(?:medium|campaign)\w*)=",
    re.IGNORECASE,
)
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")


class Features(msgspec.Struct, frozen=True, gc=False):
    """The comparable side of an entry's title and text."""

    exact: int  # equal: the same content, layout apart
    loose: int  # equal: the same words, case and punctuation apart; 0 where there is no word
    title: tuple[str, ...]  # casefolded words
    body: tuple[str, ...]
    bag: frozenset[str]  # all of them
    edges: tuple[str, ...]  # first and last paragraphs, digits masked
    sole: bool  # one paragraph is all of it

    @property
    def words(self) -> int:
        return len(self.title) + len(self.body)


def features(title: str | None, text: str, furniture: Collection[str] = ()) -> Features:
    """Return the features of a title and a text; `furniture` holds masked paragraphs that are no content here."""
    paragraphs = [canonical(paragraph) for paragraph in _PARAGRAPHS.split(text.strip())]
    kept = [paragraph for paragraph in paragraphs if paragraph and not is_atom(paragraph)]
    content = [paragraph for paragraph in kept if not is_learned(paragraph, furniture)] or kept or paragraphs
    marks_title, words_title = _split((canonical(title),) if title else ())
    marks_body, words_body = _split(content)
    exact = hashed("\x1f".join((*marks_title, "\x1e", *marks_body)))
    loose = hashed("\x1f".join((*words_title, *words_body))) if words_title or words_body else 0
    bag = frozenset((*words_title, *words_body))
    return Features(exact, loose, words_title, words_body, bag, _edges(kept), len(kept) == 1)


def features_of(entry: Entry, furniture: Collection[str]) -> Features:
    """Return the features of an entry."""
    return features(entry.title, entry.text, furniture)


def identifier(entry: Entry) -> str | None:
    """Return what the publisher may identify an entry by: its id, else its own address. None: neither is given.

    Of an address, scheme, `www.` and tracking parameters are left out: they change without the entry changing.
    """
    key = entry.native_id or entry.url
    if not key or not key.startswith(("http://", "https://")):
        return key
    return _kept_address(key) if len(key) <= _LONGEST_KEPT else _address(key)


def _address(url: str) -> str:
    address, mark, fragment = url.partition("#")
    place, _, query = address.partition("://")[2].removeprefix("www.").partition("?")
    kept = [pair for pair in query.split("&") if pair and not _TRACKING.match(pair)]
    return place.rstrip("/") + ("?" + "&".join(kept) if kept else "") + mark + fragment


_LONGEST_KEPT = 500  # characters; nobody's endless addresses fill the memory
_kept_address = lru_cache(maxsize=8192)(_address)  # asked several times a poll for every entry


def content(text: str, furniture: Collection[str]) -> str:
    """Return `text` without furniture as it was written; the whole text where nothing would be left."""
    paragraphs = [paragraph for paragraph in _PARAGRAPHS.split(text.strip()) if paragraph]
    kept = [paragraph for paragraph in paragraphs if not _is_furniture(canonical(paragraph), furniture)]
    return "\n\n".join(kept or paragraphs)


def canonical_content(text: str, furniture: Collection[str]) -> str:
    """Return `text` without furniture in the one form of all texts that read alike, for judging what an edit changed."""
    paragraphs = [canonical(paragraph) for paragraph in _PARAGRAPHS.split(text.strip()) if paragraph]
    kept = [paragraph for paragraph in paragraphs if not _is_furniture(paragraph, furniture)]
    return "\n\n".join(kept or paragraphs)


def _is_furniture(paragraph: str, furniture: Collection[str]) -> bool:
    return is_atom(paragraph) or is_learned(paragraph, furniture)


def hashed(text: str) -> int:
    """Return 64 bits of a text, the normaliser's version mixed in."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"), seed=NORMALISER)


def _split(parts: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    found = [piece for part in parts for piece in pieces(part)]
    return found, tuple([piece.casefold() for piece in found if piece[0].isalnum()])  # `is_mark`, without a call a word


def _edges(paragraphs: Sequence[str]) -> tuple[str, ...]:
    at_edge = {paragraphs[0], *paragraphs[-2:]} if paragraphs else set()
    return tuple([masked(paragraph) for paragraph in at_edge if len(paragraph) <= LONGEST])
