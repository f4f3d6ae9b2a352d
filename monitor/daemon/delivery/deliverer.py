"""The delivery job: one line a receiver, so that none waits for another, and a word to the operators when one fails.

Rule: owns the lines' tasks; what a message is and when it leaves is decided in `alerts`, what came of it in `sinks`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

import structlog

from monitor.alerts import Draft, RuleOptions, notice_of_words
from monitor.daemon.delivery.clock import Time
from monitor.daemon.delivery.line import LOOK_EVERY, Line
from monitor.daemon.delivery.values import Receiver, Settled
from monitor.errors import MonitorError
from monitor.model import Severity
from monitor.store import Store, messages
from monitor.store.messages import NOTICE_GROUP, Composed

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = structlog.get_logger(__name__)

PATIENCE = 10.0  # seconds for messages being sent at shutdown
LONGEST_WAIT = timedelta(hours=2)  # between two tries; more is a clock that was set back
NOTICE_EVERY = 3600  # seconds: the same trouble of the same receiver is told once in this time


@dataclass(frozen=True, slots=True)
class DeliverySetup:
    """Who is told, how, and by which rules' wishes; swapped whole on reload."""

    receivers: tuple[Receiver, ...] = ()
    rules: Mapping[str, RuleOptions] = field(default_factory=dict)
    operators: tuple[str, ...] = ()  # who hears of the monitor's own troubles; none: any other than the failing


class Deliverer:
    """Delivers every stored alert to its receivers; an async context manager, so that connections are let go of."""

    def __init__(
        self,
        store: Store,
        setup: DeliverySetup,
        *,
        time: Time | None = None,
        on_settled: Callable[[Settled], None] | None = None,
        alone: bool = True,
        look_every: float = LOOK_EVERY,
    ) -> None:
        """`alone`: no other process delivers from this store, so leases left by a killed one are freed at once.

        `look_every`: seconds after which each line looks for what commands of other processes asked for.
        """
        self._look_every = look_every
        self.setup = setup
        self.counts: Counter[tuple[str, str]] = Counter()  # (receiver, sent | pending | dead) → tries that ended so
        self._store = store
        self._time = time or Time()
        self._listener = on_settled
        self._alone = alone
        self._lines: dict[str, Line] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._words: set[asyncio.Task[bool]] = set()
        self._stop = asyncio.Event()
        self._running = False

    async def __aenter__(self) -> Deliverer:
        """Take over what an earlier process left. Raises StoreUnavailable."""
        names = [receiver.name for receiver in self.setup.receivers]
        await self._store.run(partial(self._take_over, names=names))
        await self._put_in_force(self.setup)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is being sent, then close every connection."""
        await asyncio.gather(*(line.finish(PATIENCE) for line in self._lines.values()))
        await asyncio.gather(*self._words, return_exceptions=True)
        await asyncio.gather(*(receiver.sink.close() for receiver in self.setup.receivers))

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set, then let what is being sent end (at most 10 s)."""
        self._running = True
        for name in self._lines:
            self._start(name)
        await stop.wait()
        self._stop.set()
        self.wake()
        await asyncio.gather(*self._tasks.values())
        await asyncio.gather(*(line.finish(PATIENCE) for line in self._lines.values()))
        self._running = False

    async def drain(self, patience: float = 60.0) -> None:
        """Send everything that can leave now and wait for it, at most `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                await asyncio.gather(*(line.drain() for line in self._lines.values()))
        except TimeoutError:
            log.warning("drain_unfinished", seconds=patience)

    def wake(self, names: Iterable[str] | None = None) -> None:
        """Something new may wait for these receivers, or for any: called after each commit with alerts."""
        for name in self._lines if names is None else names:
            if name in self._lines:
                self._lines[name].wake()

    async def reconfigure(self, setup: DeliverySetup) -> None:
        """Put another setup in force; receivers that did not change keep their connections and their pace."""
        before = {receiver.name: receiver for receiver in self.setup.receivers}
        receivers, unused = [], []
        for wanted in setup.receivers:
            known = before.pop(wanted.name, None)
            if known is not None and known.configured and known.configured == wanted.configured:
                unused.append(wanted)
                receivers.append(replace(wanted, sink=known.sink))
                self._lines[wanted.name].adopt(receivers[-1])
                continue
            if known is not None:
                await self._end(known)
                unused.append(known)
            receivers.append(wanted)
        for gone in before.values():
            await self._end(gone)
            unused.append(gone)
        await asyncio.gather(*(receiver.sink.close() for receiver in unused))
        await self._put_in_force(DeliverySetup(tuple(receivers), setup.rules, setup.operators))

    async def say(
        self, key: str, headline: str, words: str, *, severity: Severity = "critical", but_not: str | None = None
    ) -> bool:
        """Tell the operators something of the monitor's own, once for each key; False if nobody can be told.

        It waits on disk like every message. `but_not` names the receiver it is about.
        """
        now = self._time.now()
        told = False
        for receiver in self._operators(but_not):
            notice = notice_of_words(f"{key}\x1f{receiver.name}", headline, words, severity=severity, now=now)
            rendered = receiver.sink.render(notice)
            draft = Draft(f"{NOTICE_GROUP}{notice.id}", "fired", (), severity, timedelta())
            composed = Composed(
                notice.id, draft, headline, rendered.body, rendered.plain, now, now + receiver.policy.keep
            )
            await self._store.run(partial(messages.post_words, receiver=receiver.name, composed=composed))
            self._lines[receiver.name].wake()
            told = True
        if not told:
            log.error("nobody_to_tell", headline=headline, mend="configure a second receiver")
        return told

    def tell(self, key: str, headline: str, words: str, *, but_not: str | None = None) -> None:
        """`say`, without waiting for it; the same key is told at most once an hour."""
        period = int(self._time.now().timestamp()) // NOTICE_EVERY
        task = asyncio.create_task(self.say(f"{key} {period}", headline, words, but_not=but_not))
        self._words.add(task)
        task.add_done_callback(self._said)

    async def _put_in_force(self, setup: DeliverySetup) -> None:
        self.setup = setup
        configured = {one.name: one.configured for one in setup.receivers}
        if anew := await self._store.read(partial(messages.configured_anew, configured=configured)):
            await self._store.run(partial(messages.enable, names=anew))
        off = await self._store.read(partial(messages.disabled, configured=configured))
        for receiver in setup.receivers:
            line = self._lines.get(receiver.name)
            if line is None or line.receiver is not receiver:
                line = self._lines[receiver.name] = self._line(receiver)
                if self._running:
                    self._start(receiver.name)
            line.rules = setup.rules
            line.off = off.get(receiver.name)
            line.wake()

    def _line(self, receiver: Receiver) -> Line:
        return Line(
            self._store,
            receiver,
            self.setup.rules,
            time=self._time,
            wake_others=self.wake,
            on_settled=self._settled,
            on_trouble=self._trouble,
            look_every=self._look_every,
        )

    def _start(self, name: str) -> None:
        self._tasks[name] = asyncio.create_task(self._lines[name].run(self._stop), name=f"line-{name}")

    async def _end(self, receiver: Receiver) -> None:
        line = self._lines.pop(receiver.name)
        task = self._tasks.pop(receiver.name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await line.finish(PATIENCE)

    def _operators(self, but_not: str | None) -> Sequence[Receiver]:
        able = [
            receiver
            for receiver in self.setup.receivers
            if receiver.name != but_not and receiver.enabled and self._lines[receiver.name].off is None
        ]
        named = [receiver for receiver in able if receiver.name in self.setup.operators]
        return named or able[:1]

    def _settled(self, settled: Settled) -> None:
        self.counts[settled.receiver, settled.state] += 1
        if self._listener is not None:
            self._listener(settled)

    def _trouble(self, receiver: Receiver, kind: str, words: str) -> None:
        """Tell the operators through another receiver."""
        headline = {
            "disabled": f"receiver {receiver.name} is disabled",
            "dead": f"receiver {receiver.name}: messages could not be delivered",
        }[kind]
        name = receiver.name
        mend = (
            f"Until it is mended, what is for it waits. Then `monitor alerts retry --receiver {name}` enables it, and "
            "sends again what did not arrive."
            if kind == "disabled"
            else f"`monitor alerts list --dead --receiver {name}` shows them, `monitor alerts retry --receiver {name}` "
            "sends them again."
        )
        self.tell(f"{kind} {name}", headline, f"{words}\n{mend}", but_not=name)

    def _said(self, task: asyncio.Task[bool]) -> None:
        self._words.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, MonitorError):
            log.error("notice_lost", error=str(error))
        elif error is not None:
            log.error("notice_lost", error=type(error).__name__)

    def _take_over(self, connection: Connection, names: Sequence[str]) -> None:
        if self._alone:
            messages.release_leases(connection, names)
        messages.clamp_waits(connection, names, now=self._time.now(), longest=LONGEST_WAIT)
