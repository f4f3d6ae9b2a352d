"""What every sink is: it renders a notice, purely, and sends the bytes, once, and says what came of it.

Rule: a sink classifies, the deliverer retries. A sink never follows, never repeats and never raises for what a receiver
does; what it says of a failure holds no address, token or password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from monitor.alerts import Notice, ReceiverPolicy

MAX_RETRY_AFTER = 3_600.0  # seconds; a receiver that asks for longer is asked again after this


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""

    status: str = ""  # in the receiver's terms: "200", "250"
    receipt: bytes | None = None  # what is needed to answer or update it later
    revised: bytes | None = None  # of an answer: the receipt of the answered message as it is now


@dataclass(frozen=True, slots=True)
class Retry:
    """It may work later, or with a simpler body."""

    reason: str
    status: str = ""
    after: float | None = None  # seconds the receiver asks us to wait
    simpler: bool = False  # it refused this body; the plain one is worth one try


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It will not work, however often it is tried."""

    reason: str
    status: str = ""
    disable: bool = False  # nothing sent to this receiver will work until a person mends it


Outcome = Delivered | Retry | GiveUp


@dataclass(frozen=True, slots=True)
class Rendered:
    """A notice as one sink sends it."""

    body: bytes
    plain: bytes | None = None  # short text only, for a receiver that refuses the body; None: there is none simpler


@dataclass(frozen=True, slots=True)
class Letter:
    """One try of one message."""

    id: str  # the idempotency key, the same on every try
    body: bytes
    sent_at: datetime
    attempt: int = 1


class Sink(Protocol):
    """A way to tell people."""

    def render(self, notice: Notice) -> Rendered:
        """Return the notice as this sink sends it; no IO, the same bytes for the same notice."""
        ...

    async def send(self, letter: Letter) -> Outcome:
        """Send one letter once and return what came of it."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where one receiver is and what it needs to be written to; its strings may be secrets and are never shown."""

    name: str
    address: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)  # signing secrets, a token, a password, further URLs
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)  # of the kind: see each sink's module
    recipients: tuple[str, ...] = ()
    allow_private: bool = False
    timeout: float = 15.0  # seconds for one try, everything included


@dataclass(frozen=True, slots=True)
class SinkKind:
    """One row of the table of sinks."""

    make: Callable[[Target], Sink]
    policy: ReceiverPolicy  # unless the settings say otherwise


def redacted(text: str, target: Target) -> str:
    """Return words about a failure without anything of the receiver's that may be secret."""
    hidden = (target.address, *target.secrets, *target.headers.values(), *target.options.values())
    for secret in sorted((one for one in hidden if len(one) >= 4), key=len, reverse=True):
        text = text.replace(secret, "…")
    return " ".join(text.split())[:300]
