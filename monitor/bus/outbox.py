"""What the relay needs of a store: the messages that wait, and a way back.

Rule: an interface only. The store keeps published messages for as long as an emptied server is to be refilled from them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from monitor.model import Outgoing


class StreamKey(NamedTuple):
    """One stream: the deltas of a source, or the alerts (source id "")."""

    topic: str
    source_id: str


class Position(NamedTuple):
    """A place in a stream: `epoch-sequence`, the id of a stream entry. Sorts as the stream does."""

    epoch: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.sequence}"

    @classmethod
    def parse(cls, text: str | bytes) -> Position:
        """Return the position a stream id names. Raises ValueError."""
        plain = text.decode("ascii", "replace") if isinstance(text, bytes) else text
        epoch, separator, sequence = plain.partition("-")
        if not separator or not all(part.isascii() and part.isdigit() for part in (epoch, sequence)):
            raise ValueError(f"{plain[:60]!r} is no stream id of the form epoch-sequence")
        return cls(int(epoch), int(sequence))


START = Position(0, 0)


class Outbox(Protocol):
    """Messages written in the same transaction as what they tell."""

    async def pending(self, limit: int, skip: Collection[tuple[str, str]] = ()) -> Sequence[Outgoing]:
        """Return up to `limit` messages not yet published; of each stream the oldest ones, in order and without a hole.

        Streams in `skip`, (topic, source id), are left out.
        """

    async def mark_published(self, rows: Sequence[Outgoing]) -> None:
        """Remember that these are in their streams."""

    async def heads(self) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Return the newest (epoch, sequence) of every (topic, source id), published or not."""

    async def rewind(self, topic: str, source_id: str, epoch: int, after_sequence: int) -> int:
        """Make every kept message of one stream after (epoch, after_sequence) wait again; return how many do."""

    async def waiting(self, topic: str, source_id: str, limit: int) -> Sequence[Outgoing]:
        """Return up to `limit` messages of one stream not yet published, the oldest first."""

    async def messages_at(self, places: Collection[tuple[StreamKey, Position]]) -> Sequence[Outgoing]:
        """Return the messages at these places of these streams; those no longer kept are left out."""
