"""What the reader of one source keeps from poll to poll: to spend less, and to know a page that is suddenly another.

Rule: opaque outside this room; one source, one memory, one reader at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.sources.drafts import Draft


@dataclass(slots=True)
class ReadMemory:
    """The kind that read the source last, and the drafts of feed items by the hash of their bytes."""

    kind: str | None = None
    strange: int = 0  # polls in a row that looked like a lesser kind
    context: int = 0  # hash of everything of a feed that its items are read in the light of
    version: str = ""  # of that feed
    items: dict[int, Draft] = field(default_factory=dict)
    parsed_whole: int = 0  # polls that needed a whole parse, for those who measure
    parsed_items: int = 0  # items parsed by themselves
