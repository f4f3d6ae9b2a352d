"""What an adapter hands over: entries as the page shows them, before their times are placed and their sizes capped.

Rule: a draft holds only what the publisher gave; nothing in it depends on the moment of the poll, so a draft may be kept
from one poll to the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.model import SourceKind, Stamp, Verdict
from monitor.text.times import TimeClaim


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry in page order."""

    text: str
    title: str | None = None
    native_id: str | None = None
    url: str | None = None
    stamp: Stamp | None = None  # an exact time; goes before `claim`
    claim: TimeClaim | None = None  # a label that needs the fetch time, the zone or the page's day
    header: TimeClaim | None = None  # the date header it stands under
    updated_at: datetime | None = None
    author: str | None = None
    tags: tuple[str, ...] = ()
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What an adapter read; `verdict` is set where its content alone already says that the page is not to be believed."""

    drafts: tuple[Draft, ...]
    kind: SourceKind
    how: str  # in words: what was recognised ("RSS 2.0 feed", "schema.org LiveBlogPosting in JSON-LD")
    title: str | None = None
    whole: bool = False
    deleted: tuple[str, ...] = ()
    modified_at: datetime | None = None
    intro: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    ttl: int | None = None
    next_url: str | None = None
    remarks: tuple[str, ...] = ()
    verdict: Verdict | None = None
    left_out: int = 0  # older entries the document has and nobody read, because there are too many


def with_sound_ids(drafts: Sequence[Draft], page_url: str | None) -> list[Draft]:
    """Drop ids that name no single entry: the page's own address, or one id for most of the entries."""
    counts = Counter(draft.native_id for draft in drafts if draft.native_id)
    shared = {key for key, count in counts.items() if count > 1 and 2 * count > len(drafts)} | {page_url}
    return [replace(draft, native_id=None) if draft.native_id in shared else draft for draft in drafts]
