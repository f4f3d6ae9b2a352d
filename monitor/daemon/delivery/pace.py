"""How fast a receiver may be written to: a token bucket, a limit in flight, and a circuit that opens when it fails.

Rule: no IO, no clock, no chance of its own: time and random numbers are arguments.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.alerts import ReceiverPolicy

FIRST_DELAY, LONGEST_DELAY = 1.0, 300.0  # seconds; doubles with each try
OPENS_AFTER = 5  # failures in a row


def retry_delay(attempts: int, asked: float | None, chance: float) -> float:
    """Return the seconds before the next try: full jitter under a doubling limit, never before the receiver asks.

    `chance` from 0 to 1. Full jitter spreads the retries of many messages best (AWS Architecture Blog, "Exponential
    backoff and jitter").
    """
    limit = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempts, 30))
    return max(asked or 0.0, chance * limit)


class Pace:
    """One receiver's rate, room and circuit."""

    def __init__(self, policy: ReceiverPolicy) -> None:
        self.policy = policy
        self.failures = 0  # in a row
        self._tokens = float(policy.rate_burst)
        self._filled_at: datetime | None = None
        self._closed_until: datetime | None = None

    def room(self, now: datetime, in_flight: int) -> int:
        """Return how many messages may leave now; after failures only one at a time, until one arrives."""
        if self.paused(now):
            return 0
        self._fill(now)
        allowed = 1 if self.failures >= OPENS_AFTER else self.policy.in_flight
        return min(allowed - in_flight, int(self._tokens))

    def paused(self, now: datetime) -> bool:
        """Whether the receiver asked for a pause, or failed so often that it gets one."""
        return self._closed_until is not None and now < self._closed_until

    def opens_in(self, now: datetime) -> float | None:
        """Return the seconds until time alone makes room; None if a message in flight has to end first."""
        if self._closed_until is not None and now < self._closed_until:
            return (self._closed_until - now).total_seconds()
        self._fill(now)
        missing = 1.0 - self._tokens
        return missing / self.policy.rate + 0.001 if missing > 0 else None

    def left(self, now: datetime) -> None:
        """A message leaves."""
        self._fill(now)
        self._tokens -= 1.0

    def succeeded(self) -> None:
        """A message arrived: the circuit closes."""
        self.failures = 0
        self._closed_until = None

    def failed(self, now: datetime, asked: float | None, chance: float) -> None:
        """A try failed. A Retry-After holds for the whole receiver; so does the pause after failures in a row."""
        self.failures += 1
        pause = asked or 0.0
        if self.failures >= OPENS_AFTER:
            doubled = FIRST_DELAY * 2.0 ** min(self.failures - OPENS_AFTER + 1, 30)
            pause = max(pause, (0.5 + chance / 2) * min(LONGEST_DELAY, doubled))
        if pause:
            until = now + timedelta(seconds=pause)
            self._closed_until = max(until, self._closed_until or until)

    def _fill(self, now: datetime) -> None:
        if self._filled_at is not None:
            gained = max(0.0, (now - self._filled_at).total_seconds()) * self.policy.rate
            self._tokens = min(float(self.policy.rate_burst), self._tokens + gained)
        self._filled_at = now
