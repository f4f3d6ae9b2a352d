"""What no publisher writes and parsers choke on, told from the bytes before a parser sees them.

Rule: cheap scans, linear in the size; figures from measurements of the parsers in use. What slips through meets the
deadline of the process that parses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from monitor.model import Verdict, VerdictKind

Item = TypeVar("Item")

_DTD = 65_536  # bytes in which a document type definition has to begin and end
_SUBSET = re.compile(rb"<!DOCTYPE[^<>\[]*\[")
_SUBSET_END = re.compile(rb"\]\s*>")
_ENTITY = re.compile(rb"<!ENTITY\s+(?:%\s+)?([\w.:-]+)\s+(?:\"([^\"]*)\"|'([^']*)')")
_EXTERNAL = re.compile(rb"<!ENTITY\s+(%\s+)?([\w.:-]+)\s+(?:SYSTEM|PUBLIC)\s")
_REFERENCE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)[\w.:-]+;|%[\w.:-]+;")
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{200000,}")
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")
_ATTRIBUTES = 2_000  # of one tag; 20,000 take feedparser 4 s (quadratic)
_COMMENTS = 20_000  # openings of comments; 40,000 unclosed ones take feedparser 4 s, 100,000 take 26 s (quadratic)
_EXPANDED = 16 << 20  # bytes all references to an entity may stand for: as many as a body may have


def too_complex(body: bytes) -> Verdict | None:
    """Return a failed verdict for XML that is built to be dear: entities that multiply, endless tags, comments by the
    ten thousand."""
    if (bomb := _entity_bomb(body)) is not None:
        return Verdict(VerdictKind.FAILED, bomb, "entity_bomb")
    dear_tag = any(len(_QUOTED.sub(b"", tag).split()) > _ATTRIBUTES for tag in _LONG_TAG.findall(body))
    if dear_tag or body.count(b"<!--") > _COMMENTS:
        return Verdict(VerdictKind.FAILED, "the document is too complex to be a publisher's", "too_complex")
    return None


def _entity_bomb(body: bytes) -> str | None:
    """Return what is wrong with the entities a document defines, or None."""
    head = body[:_DTD]
    subset = _SUBSET.search(head)
    if subset is not None and _SUBSET_END.search(head, subset.end()) is None:
        return f"the document type definition does not end within {_DTD} bytes"
    for name, double, single in _ENTITY.findall(head) if b"<!ENTITY" in head else ():
        if _REFERENCE.search(double or single):
            return "the document defines entities by entities"
        if len(double or single) * body.count(b"&" + name + b";") > _EXPANDED:
            return f"the entity {name.decode('ascii', 'replace')[:40]!r} stands for megabytes"
    return None


def external_entity(body: bytes) -> Verdict | None:
    """Return a suspect verdict for a document that takes some of its text from elsewhere: nothing is fetched or opened
    for it, so what it shows without that text is no edit."""
    head = body[:_DTD]
    for parameter, name in _EXTERNAL.findall(head) if b"<!ENTITY" in head else ():
        reference = (b"%" if parameter else b"&") + name + b";"
        if reference in (head if parameter else body):
            reason = f"the document takes text from elsewhere ({reference.decode('ascii', 'replace')[:60]}), which is left out"
            return Verdict(VerdictKind.SUSPECT, reason, "external_entity")
    return None


def newest_part(items: Sequence[Item], most: int, when: Callable[[Item], datetime | None]) -> Sequence[Item]:
    """Return `items`, or of too many of them the newest end: reading one costs a quarter of a millisecond.

    Five times `most` are kept: some of them may hold nothing.
    """
    if len(items) <= 5 * most:
        return items
    first, last = when(items[0]), when(items[-1])
    return items[-5 * most :] if first is not None and last is not None and first < last else items[: 5 * most]
