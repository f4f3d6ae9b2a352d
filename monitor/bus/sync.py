"""`subscribe` for programs without an event loop.

Rule: the same code in a loop of its own, driven by the caller; nothing is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Generic, Self, TypeVar

from monitor.bus.places import Since
from monitor.bus.subscriber import Subscription, subscribe
from monitor.model import Delta

T = TypeVar("T")


class SyncSubscription(Generic[T]):
    """An endless iterator; a context manager that closes its connections."""

    def __init__(self, subscription: Subscription[T]) -> None:
        self._subscription = subscription
        self._runner = asyncio.Runner()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Wait for the next one. Raises what the asynchronous twin raises."""
        return self._runner.run(self._subscription.__anext__())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._subscription.aclose())
        self._runner.close()

    @property
    def positions(self) -> dict[str, str]:
        """The last id delivered of each source, as `since=` takes them."""
        return self._subscription.positions


def subscribe_sync(
    url: str,
    sources: Sequence[str] | None = None,
    since: Since = None,
    *,
    prefix: str = "monitor",
    patience: float | None = None,
) -> SyncSubscription[Delta]:
    """Return a blocking iterator of deltas; arguments, promises and errors are those of `subscribe`.

    Between two of its steps nothing is read from the server, which may cut a connection that lags 32 MB; what was missed
    is then read back from the streams.
    """
    return SyncSubscription(subscribe(url, sources, since, prefix=prefix, patience=patience))
