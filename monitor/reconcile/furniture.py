"""A page's furniture: share and comment counters, adverts, follow-us lines, and what a source repeats under every entry.

Rule: a paragraph is furniture as a whole or not at all; words inside a paragraph of content are never dropped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

LEARNED_SHARE = 0.3  # of the page's entries show it at an edge
LEARNED_MIN = 4  # entries
SOLE_SHARE = 0.3  # of its uses, at most, may be a whole entry
MAX_LEARNED = 64

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*[kKmM]?\b|\d+")
_PLACES = r"(?:facebook|twitter|x|whatsapp|telegram|linkedin|reddit|e-?mail|instagram|bluesky|threads|messenger|vk|weibo|flipboard)"
# One piece of furniture each. A paragraph made of such pieces only, with counts and marks between them, is furniture.
_ATOMS = re.compile(
    "|".join(
        (
            rf"(?:share|teilen|partager|compartir|condividi|поделиться|paylaş|شارك|مشاركة|分享|シェア|공유)(?: (?:this|on|via|sur|auf|en|su|в|across)\b)?(?: (?:post|article|update|story|page))?(?: (?:on|via|sur|auf|en|su|в))?(?: {_PLACES}\b)?",
            rf"(?:tweet|retweet|pin it|e-?mail|print|copy link|link copied!?|bookmark|save|reply|report|{_PLACES})\b",
            r"(?:no )?(?:comments?|shares?|likes?|views?|reads?|reactions?|retweets?|replies|readers?|watching(?: now)?|reading(?: now)?)\b",
            r"(?:kommentare?|aufrufe|commentaires?|partages?|comentarios?|commenti|комментари(?:й|я|ев)|просмотр(?:а|ов)?|yorum|تعليقات?|مشاهدة|评论|條評論|条评论|コメント|댓글)",
            r"(?:last )?updated?:?(?: (?:at|on))?(?: (?:just now|\d+ (?:sec(?:ond)?|min(?:ute)?|hour|day)s? ago))?\b",
            r"(?:\d+ )?(?:sec(?:ond)?|min(?:ute)?|hour|day)s? ago\b",
            r"(?:article continues below (?:this )?)?(?:advertisement|advertising|sponsored(?: content)?|anzeige|werbung|publicité|publicidad|pubblicità|реклама|إعلان|广告)\b",
            r"(?:follow|join|find|like) us(?: (?:on|at|via|@\w+|and|or|,|for (?:more|updates|the latest)|live)|,|"
            + _PLACES
            + r"\b| )*",
            r"(?:sign up|subscribe)(?: (?:to|for) (?:our|the)(?: (?:free|daily|weekly|morning|email))* newsletters?)?(?: here)?\b",
            r"(?:read|show|load|see) more(?: posts| updates)?\b|continue reading\b|click here\b|back to top\b|view (?:all )?comments?\b",
        )
    ),
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\W\d_]+[kKmM]?\b|[\W\d_]+")


def is_atom(paragraph: str) -> bool:
    """Say whether a canonical paragraph dissolves wholly into counters, share lines and adverts."""
    if len(paragraph) > 160 or not paragraph:
        return False
    rest = _BETWEEN.sub(" ", _ATOMS.sub(" ", paragraph))
    return not rest.strip() and any(character.isalpha() for character in paragraph)


def masked(paragraph: str) -> str:
    """Return a canonical paragraph with its numbers masked: counters differ, furniture stays."""
    return _DIGITS.sub("0", paragraph)


def learn(pages_edges: Iterable[tuple[tuple[str, bool], ...]], known: Collection[str]) -> tuple[str, ...]:
    """Return the masked paragraphs that this page proves to be furniture and that are not in `known` yet.

    Proof: at the edge of at least 30 % of the entries (and four of them), and seldom an entry of its own.
    """
    shown: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    entries = 0
    for edges in pages_edges:
        entries += 1
        for paragraph, sole in edges:
            shown[paragraph] += 1
            alone[paragraph] += sole
    needed = max(LEARNED_MIN, LEARNED_SHARE * entries)
    return tuple(
        paragraph
        for paragraph, uses in shown.items()
        if uses >= needed and alone[paragraph] <= SOLE_SHARE * uses and paragraph not in known
    )
