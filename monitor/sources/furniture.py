"""What stands in an entry and is not its text: share links, comment counts, "read more", labels of the page.

Rule: only what is furniture on every page by its words alone; what is furniture on one page is learned from its
repetition when snapshots are reconciled.
"""

from __future__ import annotations

import re

_FURNITURE = re.compile(
    r"(?:share|tweet|e-?mail|copy link|copy url|link copied|save|print|follow|like|reply|retweet|edit|view (?:image )?(?:gallery|in fullscreen)"
    r"|image caption|image source.*|image credit.*|advertisement|advertising|sponsored|(?:read|continue|keep) (?:more|reading)|show more|load more|key events?|pinned(?: post)?|comments?"
    r"|(?:last )?(?:updated|edited|posted|published)(?: at| on)?"
    r"|facebook|twitter|whats ?app|linkedin|telegram|messenger|reddit|pinterest|threads|bluesky|flipboard"
    r"|anzeige|werbung|publicité|publicidad|pubblicità|publicidade|advertentie|annons|annonse|реклама|広告|광고"
    r"|weiterlesen|mehr lesen|lire (?:plus|la suite)|leer más|leggi (?:di più|tutto)|lees meer|link kopieren|copier le lien|copiar enlace|copia link"
    r"|partager|teilen|compartir|condividi|delen|del|поделиться|paylaş|مشاركة|分享|シェア|공유)"
    r"(?:\s+(?:on|this|via|to|by|with|auf|sur|en|su|post|article|entry|update|link|here|options?|facebook|twitter|x|email|whatsapp|linkedin"
    r"|messenger|reddit|pinterest|threads|bluesky|button|\d[\d,.]*|comments?))*",
    re.IGNORECASE,
)
# "Read more: Another story of the day" is a link to elsewhere, and what it says is no news of this entry.
_ELSEWHERE = re.compile(
    r"(?:read (?:more|also|next|this)|also read|see also|more on this|related(?: stor(?:y|ies)| articles?)?|lesen sie (?:auch|hier)|mehr dazu"
    r"|(?:à )?lire (?:aussi|également)|lee también|le puede interesar|leia (?:também|mais)|leggi anche|lees ook|läs också|les også|læs også"
    r"|читайте также|ayrıca okuyun|اقرأ أيضا)\s*[:|>→]\s*\S.*|read (?:the )?(?:full|whole) (?:story|article|report|piece|text)(?: here)?",
    re.IGNORECASE,
)
_LONGEST_ELSEWHERE = 160
_NO_TITLE = re.compile(
    r"(?:VIDEO|PHOTOS?|PHOTO|LIVE|WATCH|READ MORE|PICTURED?|MORE|UPDATED?|BREAKING)\s*:", re.IGNORECASE
)


def is_furniture(paragraph: str) -> bool:
    """Return whether a paragraph is page furniture by its words alone ("Share on Facebook", "Share 59 comments")."""
    if len(paragraph) > 200:
        return False
    line = " ".join(paragraph.split())
    bare = line.strip(" .:·|…→»>[]()")
    if len(line) < 60 and _FURNITURE.fullmatch(bare) is not None:
        return True
    return len(line) < _LONGEST_ELSEWHERE and _ELSEWHERE.fullmatch(bare) is not None


def is_title(paragraph: str) -> bool:
    """Return whether the first of several paragraphs reads as a headline: short, no full stop, no caption mark."""
    words = paragraph.count(" ") + 1
    if len(paragraph) > 140 or words > 22 or _NO_TITLE.match(paragraph):
        return False
    if paragraph[-1] in "?!？！":
        return words <= 14
    return paragraph[-1] not in ".:,;。：，、；…،؛।"
