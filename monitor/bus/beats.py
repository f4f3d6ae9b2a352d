"""Heartbeats, as a subscriber hears them: when is it worth asking whether the streams were begun anew?

A store that was lost counts its deltas from one again, and a server that was lost with it keeps none of the old ids. Whoever
waits for what comes after 1-57 would wait in silence until 1-58. That can only come with another run of a daemon, and is
certain once that run has nothing more to send: until then a stream that ends early is only being refilled.
"""

from __future__ import annotations

import msgspec

LOOKS = 2  # at each run: what was read between two beats may have been on its way


class _Facts(msgspec.Struct):
    run: str = ""
    waiting: bool = True
    blocked: int = 0


class _Beat(msgspec.Struct):
    type: str = ""
    data: _Facts = msgspec.field(default_factory=_Facts)


class Beats:
    """Remembers which runs of daemons were heard of."""

    def __init__(self) -> None:
        self._looks: dict[str, int] = {}

    def heard(self, message: bytes) -> bool:
        """Take note of a message of the status channel; return whether to compare the streams' ends now."""
        try:
            beat = msgspec.json.decode(message, type=_Beat)
        except msgspec.DecodeError:  # another writer's
            return False
        if beat.type != "monitor.status.heartbeat" or beat.data.waiting or beat.data.blocked:
            return False
        looks = self._looks.get(beat.data.run, 0)
        self._looks[beat.data.run] = min(looks + 1, LOOKS)
        return looks < LOOKS
