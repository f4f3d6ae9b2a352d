"""What the server's streams and the store's heads say about each other.

Rule: pure. The tops must have been read before the heads: then a message published in between cannot look like one the
store does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.bus.outbox import START, Position, StreamKey


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be done about each stream that does not end where the store's messages end."""

    behind: tuple[tuple[StreamKey, Position], ...]  # send again everything after this place
    ahead: tuple[tuple[StreamKey, Position], ...]  # the stream ends here, after everything the store knows


def compare(tops: Mapping[StreamKey, Position | None], heads: Mapping[StreamKey, Position]) -> Comparison:
    """Return which streams lost messages (emptied, rolled back) and which hold more than the store (restored)."""
    behind, ahead = [], []
    for key, top in tops.items():
        head = heads.get(key, START)
        place = START if top is None else top
        if place < head:
            behind.append((key, place))
        elif place > head:
            ahead.append((key, place))
    return Comparison(tuple(behind), tuple(ahead))
