"""Messages → their streams and channels, through one script a message that makes a repeat harmless.

Rule: a message is stored and announced in one step on the server, or neither. MULTI would not do: when its XADD is
refused for a repeated id, its PUBLISH still goes out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from redis.exceptions import NoScriptError

from monitor.bus.connection import Connection
from monitor.bus.failures import code_of, in_words, unavailable
from monitor.bus.outbox import Position, StreamKey
from monitor.bus.places import entries_of
from monitor.model import Outgoing
from monitor.wire import Names

DEFAULT_STREAM_LENGTH = 10_000
Command = tuple[bytes | str | int, ...]

# Replies that concern one stream only; after any other refusal the whole server is to be tried again later.
_OF_ONE_STREAM = frozenset({"WRONGTYPE"})
_TOPS_AT_ONCE = 200
_HELD_AT_ONCE = 500

_TOPS = """
local tops = {}
for i, stream in ipairs(KEYS) do
  tops[i] = ''
  if redis.call('TYPE', stream)['ok'] == 'stream' then
    local about = redis.call('XINFO', 'STREAM', stream)
    for j = 1, #about, 2 do
      if about[j] == 'last-generated-id' then tops[i] = about[j + 1] end
    end
  end
end
return tops
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message."""

    kind: Literal["stored", "known", "other", "past", "gap", "refused"]
    top: Position | None = None  # of a gap: where the stream ends
    words: str = ""  # of a refusal


@cache
def _script() -> tuple[str, str]:
    text = files("monitor.bus").joinpath("publish.lua").read_text("utf-8")
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def stream_name(names: Names, key: StreamKey) -> str:
    """Return the Redis name of a stream and of its channel."""
    return names.alerts if key.topic == "alerts" else names.deltas_of(key.source_id)


def key_of(row: Outgoing) -> StreamKey:
    """Return which stream a message belongs to."""
    return StreamKey(row.topic, row.source_id)


class Publisher:
    """Publishes messages over one connection."""

    def __init__(self, connection: Connection, names: Names, *, stream_length: int = DEFAULT_STREAM_LENGTH) -> None:
        self.connection = connection
        self.names = names
        self.stream_length = stream_length
        self._registered: set[str] = set()

    async def publish(self, rows: Sequence[Outgoing], forced: Collection[StreamKey] = ()) -> list[Outcome]:
        """Publish messages in order, and return what became of each. Raises BusUnavailable.

        A stream in `forced` takes its first message here even after a gap.
        """
        await self._register(rows)
        unforced = set(forced)
        commands: list[Command] = []
        for row in rows:
            key = key_of(row)
            commands.append(self._arguments(row, forced=key in unforced))
            unforced.discard(key)
        text, sha = _script()
        replies = await self.connection.pipelined(("EVALSHA", sha, *arguments) for arguments in commands)
        missing = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if missing:  # a fresh server, or SCRIPT FLUSH; EVAL also puts the script into the server's cache
            again = await self.connection.pipelined(("EVAL", text, *commands[index]) for index in missing)
            for index, reply in zip(missing, again, strict=True):
                replies[index] = reply
        return [self._outcome(reply) for reply in replies]

    def _arguments(self, row: Outgoing, *, forced: bool) -> Command:
        everything = self.names.deltas if row.topic == "deltas" else ""
        sharded = self.connection.is_cluster and row.topic == "deltas"
        return (
            1,
            stream_name(self.names, key_of(row)),
            row.epoch,
            row.sequence,
            row.payload,
            self.stream_length,
            everything,
            "1" if sharded else "0",
            "1" if forced else "0",
        )

    def _outcome(self, reply: object) -> Outcome:
        if isinstance(reply, Exception):
            if code_of(reply) in _OF_ONE_STREAM:
                happened, mend = in_words(reply)
                return Outcome("refused", words=f"{happened} ({mend})")
            raise unavailable(reply, self.connection.resource) from reply
        if reply == 1:
            return Outcome("stored")
        if reply == 0:
            return Outcome("known")
        assert isinstance(reply, bytes | str)
        text = reply.decode() if isinstance(reply, bytes) else reply
        if text == "other":
            return Outcome("other")
        if text == "past":
            return Outcome("past")
        return Outcome("gap", top=Position.parse(text.removeprefix("gap:")))

    async def _register(self, rows: Iterable[Outgoing]) -> None:
        """Add new sources to the set of sources, before their first message: readers of everything start from it."""
        new = {row.source_id for row in rows if row.topic == "deltas"} - self._registered
        if new:
            await self.connection.command("SADD", self.names.sources, *sorted(new))
            self._registered |= new

    async def held(self, places: Sequence[tuple[StreamKey, Position]]) -> list[bytes | None]:
        """Return the message a stream holds at each place, None where it holds nothing. Raises BusUnavailable."""
        found: list[bytes | None] = []
        for start in range(0, len(places), _HELD_AT_ONCE):
            some = places[start : start + _HELD_AT_ONCE]
            ranges = [("XRANGE", stream_name(self.names, key), str(place), str(place)) for key, place in some]
            for reply in await self.connection.pipelined(ranges):
                entries = entries_of(reply, self.connection)
                found.append(entries[0][1].get(b"d", b"") if entries else None)
        return found

    def forget(self) -> None:
        """Assume nothing about what the server holds."""
        self._registered.clear()

    async def tops(self, keys: Sequence[StreamKey]) -> dict[StreamKey, Position | None]:
        """Return where each stream ends, None for one that is empty or missing. Raises BusUnavailable."""
        size = 1 if self.connection.is_cluster else _TOPS_AT_ONCE  # a script's keys lie in one slot of a Cluster
        slices = [keys[start : start + size] for start in range(0, len(keys), size)]
        found: dict[StreamKey, Position | None] = {}
        replies = await self.connection.pipelined(
            ("EVAL", _TOPS, len(some), *(stream_name(self.names, key) for key in some)) for some in slices
        )
        for some, reply in zip(slices, replies, strict=True):
            if isinstance(reply, Exception):
                raise unavailable(reply, self.connection.resource) from reply
            found.update({key: Position.parse(top) if top else None for key, top in zip(some, reply, strict=True)})
        return found
