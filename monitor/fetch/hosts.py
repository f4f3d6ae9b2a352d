"""How hard one host may be asked: requests at once, time between them, and when it asked us to stay away.

Rule: shared by all sources of a host; first come, first served, so that no source of a busy host starves.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_SWEEP_FROM = 1024  # hosts
_FORGET = 600.0  # seconds after which an idle host's state is dropped


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """Limits per host. `spacing` is seconds between the starts of two requests."""

    concurrency: int = 2
    spacing: float = 0.5
    max_wait: float = 30.0  # seconds a request may queue; beyond it the poll gives up its turn
    max_crawl_delay: float = 10.0  # a larger Crawl-delay of robots.txt counts as this


@dataclass(slots=True)
class _Host:
    slots: asyncio.Semaphore
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)  # who holds it is next; asyncio's locks are fair
    last_start: float = -math.inf
    queue: int = 0  # requests before their start
    running: int = 0
    closed_until: float = 0.0
    spacing: float = 0.0  # asked for by robots.txt
    last_used: float = 0.0


class HostBusyError(Exception):
    """No turn within the policy's wait; `retry_after` seconds may help."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"no turn within {retry_after:.0f} s")
        self.retry_after = retry_after


class HostLimiter:
    """Turns at hosts."""

    def __init__(self, policy: HostPolicy | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy or HostPolicy()
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._sweep_at = _SWEEP_FROM

    @asynccontextmanager
    async def turn(self, host: str, *, hurried: bool = False) -> AsyncIterator[Callable[[], None]]:
        """Wait for the host's turn and hold one of its slots. Call what is given when a new connection stands.

        The distance is counted from there, because a request that had to connect first reaches the host later.
        `hurried` keeps no distance: for the parts of one page, which a browser asks for together.
        Raises HostBusyError at once when the queue cannot come to an end within the policy's wait, and after that wait
        when slow answers hold it up.
        """
        state = self._state(host)
        if hurried:
            await state.slots.acquire()
        else:
            expected = state.last_start + self._spacing(state) * (state.queue + 1) - self._clock()
            if expected > self._policy.max_wait:
                raise HostBusyError(expected)
            await self._start(state)
        state.running += 1
        try:
            yield lambda: self._begun(state)
        finally:
            state.running -= 1
            state.last_used = self._clock()
            state.slots.release()

    async def _start(self, state: _Host) -> None:
        """Take a slot, then keep the distance to the last actual start: a late loop must not make two starts meet."""
        alone = not state.queue and not state.slots.locked()
        if alone and self._rest(state) <= 0:  # the usual case
            await state.slots.acquire()
            self._begun(state)
            return
        state.queue += 1
        try:
            async with asyncio.timeout(self._policy.max_wait), state.gate:
                await state.slots.acquire()
                try:
                    # Until, not once: a connection that stood late moves the distance on while we sleep.
                    while (rest := self._rest(state)) > 0:  # noqa: ASYNC110
                        await asyncio.sleep(rest)
                except BaseException:
                    state.slots.release()
                    raise
                self._begun(state)
        except TimeoutError:
            raise HostBusyError(self._policy.max_wait) from None
        finally:
            state.queue -= 1

    def _begun(self, state: _Host) -> None:
        state.last_start = self._clock()

    def _rest(self, state: _Host) -> float:
        return state.last_start + self._spacing(state) - self._clock()

    def _spacing(self, state: _Host) -> float:
        return max(self._policy.spacing, state.spacing)

    def stay_away(self, host: str, seconds: float) -> None:
        """Send nothing to `host` for `seconds`: it answered 429 or 503."""
        state = self._state(host)
        state.closed_until = max(state.closed_until, self._clock() + seconds)

    def closed_for(self, host: str) -> float:
        """Return the seconds until `host` may be asked again; 0 when it may be now."""
        state = self._hosts.get(host)
        return 0.0 if state is None else max(0.0, state.closed_until - self._clock())

    def space(self, host: str, seconds: float) -> None:
        """Keep at least `seconds` between requests to `host`, as its robots.txt asks."""
        self._state(host).spacing = min(seconds, self._policy.max_crawl_delay)

    def _state(self, host: str) -> _Host:
        state = self._hosts.get(host)
        if state is None:
            self._forget()
            state = self._hosts[host] = _Host(asyncio.Semaphore(self._policy.concurrency), last_used=self._clock())
        return state

    def _forget(self) -> None:
        """Drop hosts idle for long, once there are many: redirects name hosts without end."""
        if len(self._hosts) < self._sweep_at:
            return
        now = self._clock()
        self._hosts = {
            name: state
            for name, state in self._hosts.items()
            if state.running or state.queue or state.closed_until > now or now - state.last_used < _FORGET
        }
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._hosts))
