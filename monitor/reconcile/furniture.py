"""A page's furniture: share and comment counters, adverts, follow-us lines, and what a source repeats under every entry.

Rule: a paragraph is furniture as a whole or not at all; words inside a paragraph of content are never dropped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Protocol

LEARNED_SHARE = 0.3  # of the page's entries show it at an edge
LONGEST = 200  # characters; furniture is short
LEARNED_MIN = 4  # entries
SOLE_SHARE = 0.3  # of its uses, at most, may be a whole entry
MAX_LEARNED = 64

_DIGITS = re.compile(r"\d+(?:(?:[.,]\d+)*[kKmM]?\b)?")
_ASCII_DIGITS = frozenset("0123456789")  # canonical paragraphs have no others
_PLACES = r"(?:facebook|twitter|x|whatsapp|telegram|linkedin|reddit|e-?mail|instagram|bluesky|threads|messenger|vk|weibo|flipboard)"
# One piece of furniture each. A paragraph made of such pieces only, with counts and marks between them, is furniture.
_ATOMS = re.compile(
    "|".join(
        (
            r"(?:read|show|load|see) more(?: posts| updates)?\b|continue reading\b|click here\b|back to top\b|view (?:all )?comments?\b",
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
        )
    ),
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<![\w@])[^\W\d_]+")
_WORDS = """
share teilen partager compartir condividi поделиться paylaş شارك مشاركة 分享 シェア 공유 this on via sur auf en su
в across post posts article update updates story page facebook twitter x whatsapp telegram linkedin reddit e
mail email instagram bluesky threads messenger vk weibo flipboard tweet retweet pin it print copy link
copied bookmark save reply report no comment comments shares like likes view views read reads reaction
reactions retweets replies reader readers watching now reading kommentar kommentare aufrufe commentaire
commentaires partage partages comentario comentarios commenti комментарий комментария комментариев просмотр
просмотра просмотров yorum تعليق تعليقات مشاهدة 评论 條評論 条评论 コメント 댓글 last updated at just sec secs second
seconds min mins minute minutes hour hours day days ago continues below advertisement advertising sponsored
content anzeige werbung publicité publicidad pubblicità реклама إعلان 广告 follow join find us and or for more
the latest live sign up subscribe to our free daily weekly morning newsletter newsletters here show load see
continue click back top all k m
"""
_VOCABULARY = frozenset(_WORDS.split())
_BETWEEN = re.compile(r"[\W\d_]+[kKmM]?\b|[\W\d_]+")


class Edged(Protocol):
    """A text of the page."""

    @property
    def edges(self) -> tuple[str, ...]:
        """Its first and last paragraphs, masked."""

    @property
    def sole(self) -> bool:
        """Whether one paragraph is all of it."""


def is_atom(paragraph: str) -> bool:
    """Say whether a canonical paragraph dissolves wholly into counters, share lines and adverts."""
    if len(paragraph) > LONGEST or not paragraph:
        return False
    # the first word of nearly all content settles it, a hundred times cheaper than the patterns
    first = _WORD.search(paragraph)
    if first and first.group().casefold() not in _VOCABULARY:
        return False
    if any(found.group().casefold() not in _VOCABULARY for found in _WORD.finditer(paragraph)):
        return False
    rest = _BETWEEN.sub(" ", _ATOMS.sub(" ", paragraph))
    return not rest.strip() and any(character.isalpha() for character in paragraph)


def is_learned(paragraph: str, furniture: Collection[str]) -> bool:
    """Say whether a canonical paragraph is one that this source was found to repeat."""
    return bool(furniture) and len(paragraph) <= LONGEST and masked(paragraph) in furniture


def masked(paragraph: str) -> str:
    """Return a canonical paragraph with its numbers masked: counters differ, furniture stays."""
    return paragraph if _ASCII_DIGITS.isdisjoint(paragraph) else _DIGITS.sub("0", paragraph)


def learn(page: Collection[Edged], fresh: Iterable[Edged], known: Collection[str]) -> tuple[str, ...]:
    """Return the masked paragraphs that this page proves to be furniture and that are not in `known` yet.

    Proof: at the edge of at least 30 % of the entries (and four of them), and seldom an entry of its own. Only what
    `fresh` texts show can have become common since the last page.
    """
    candidates = {paragraph for text in fresh for paragraph in text.edges if paragraph not in known}
    if not candidates:
        return ()
    shown: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    is_without = candidates.isdisjoint
    for text in [text for text in page if not is_without(text.edges)]:
        for paragraph in candidates.intersection(text.edges):
            shown[paragraph] += 1
            alone[paragraph] += text.sole
    needed = max(LEARNED_MIN, LEARNED_SHARE * len(page))
    return tuple(found for found, uses in shown.items() if uses >= needed and alone[found] <= SOLE_SHARE * uses)
