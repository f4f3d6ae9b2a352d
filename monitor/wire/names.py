"""Redis names of streams and channels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """Redis names. Braces are literal: they keep everything of one source in one Cluster hash slot."""

    prefix: str = "monitor"

    def deltas_of(self, source_id: str) -> str:
        """Stream and channel of one source."""
        return f"{self.prefix}:{{{source_id}}}:deltas"

    @property
    def deltas(self) -> str:
        """Channel with every delta."""
        return f"{self.prefix}:deltas"

    @property
    def sources(self) -> str:
        """Set of the ids of all sources that have a stream."""
        return f"{self.prefix}:sources"

    @property
    def alerts(self) -> str:
        """Stream and channel of alerts."""
        return f"{self.prefix}:alerts"

    @property
    def status(self) -> str:
        """Channel of heartbeats and source state changes."""
        return f"{self.prefix}:status"
