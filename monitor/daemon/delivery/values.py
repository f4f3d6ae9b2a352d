"""What the delivery job works with and what it tells.

Rule: frozen values, no IO.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.alerts import ReceiverPolicy
from monitor.sinks import Outcome, Sink, Target
from monitor.store.messages import Leased


@dataclass(frozen=True, slots=True)
class Receiver:
    """One configured way to tell people."""

    name: str
    sink: Sink
    policy: ReceiverPolicy
    target: Target
    configured: str = ""  # hash of its configuration: a change enables a disabled receiver again
    enabled: bool = True  # False: undelivered messages are kept and none is sent


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one try."""

    receiver: str
    message: Leased
    outcome: Outcome
    state: str  # sent, pending, dead
    waited: float  # seconds from composing or the last try's due time until it was settled
