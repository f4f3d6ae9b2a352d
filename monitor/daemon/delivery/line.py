"""One receiver's deliveries: what waits is planned, composed, frozen, sent and settled, at this receiver's own pace.

    outlook ─▶ plan ─▶ compose ─▶ render ─▶ freeze (on disk) ─▶ send ─▶ settle

Rule: does what `alerts.plan` and the sink's outcome decide. Nothing leaves before its bytes and key are on disk, so every
repeat is the same message under the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from monitor.alerts import RuleOptions
from monitor.daemon.delivery.clock import Time
from monitor.daemon.delivery.look import Look, look_around
from monitor.daemon.delivery.pace import Pace, retry_delay
from monitor.daemon.delivery.values import Receiver, Settled
from monitor.errors import MonitorError
from monitor.sinks import Delivered, GiveUp, Letter, Outcome, Retry, redacted
from monitor.store import Store, messages
from monitor.store import deliveries as rows
from monitor.store.messages import Leased

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)  # four times the longest try
AFTER_STORE_TROUBLE = 1.0
AFTER_A_BUG = 5.0
LOOK_EVERY = 5.0  # seconds


class Line:
    """Delivers to one receiver, several groups at a time, each group in order."""

    def __init__(
        self,
        store: Store,
        receiver: Receiver,
        rules: Mapping[str, RuleOptions],
        *,
        time: Time,
        wake_others: Callable[[tuple[str, ...]], None],
        on_settled: Callable[[Settled], None],
        on_trouble: Callable[[Receiver, str, str], None],
        look_every: float = LOOK_EVERY,
    ) -> None:
        """`on_trouble(receiver, kind, words)` hears of dead letters and of the receiver being disabled."""
        self._look_every = look_every
        self.receiver = receiver
        self.rules = rules
        self.pace = Pace(receiver.policy)
        self.off: str | None = None  # why nothing is sent
        self._store = store
        self._time = time
        self._wake_others = wake_others
        self._on_settled = on_settled
        self._on_trouble = on_trouble
        self._woken = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._missed = False  # the last look wanted more than it got
        self._more = False  # something could leave at once if the pace allowed it

    def wake(self) -> None:
        """Look again now: something new waits, or something was settled."""
        self._woken.set()

    def adopt(self, receiver: Receiver) -> None:
        """Go on as the same receiver with another policy; connections, pace and what is being sent stay."""
        self.receiver = receiver
        self.pace.policy = receiver.policy

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set and `wake` was called; what is being sent goes on, see `finish`."""
        while not stop.is_set():
            self._woken.clear()
            try:
                pause = await self.step()
            except MonitorError as error:
                log.warning("delivery_delayed", receiver=self.receiver.name, error=str(error))
                pause = AFTER_STORE_TROUBLE
            except Exception as error:  # noqa: BLE001 - a bug met by one receiver must not end its line without a word
                log.error("delivery_failed", receiver=self.receiver.name, error=repr(error)[:300])
                pause = AFTER_A_BUG
            # Commands of another process wake nobody: what they ask for is found by looking.
            await self._time.wait(self._woken, self._look_every if pause is None else min(pause, self._look_every))

    async def drain(self) -> None:
        """Send everything that can leave now and wait for it; what is held, or failed, stays for later.

        Late alerts need not gather: whoever drains has polled everything before.
        """
        self.adopt(replace(self.receiver, policy=replace(self.receiver.policy, late_wait=timedelta(0))))
        while True:
            self._woken.clear()
            pause = await self.step()
            if not self._sending and not self._more:
                return
            await self._time.wait(self._woken, pause)

    @property
    def sending(self) -> int:
        """How many messages are being sent."""
        return len(self._sending)

    async def finish(self, patience: float) -> None:
        """Wait for what is being sent, then let go: leases end by themselves and the next process takes over."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=patience)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def step(self) -> float | None:
        """Start what may leave now; return the seconds until there may be more, None if only a wake-up can tell."""
        if self.off is not None:
            self.off = await self._store.read(self._why_off)  # a command may have enabled it
        now = self._time.now()
        limit = 0 if self.off or not self.receiver.enabled else self.pace.room(now, len(self._sending))
        if limit <= 0:
            self._more = self.off is None and self.receiver.enabled and not self.pace.paused(now)
            return self.pace.opens_in(now)
        look = await self._store.read(
            partial(look_around, receiver=self.receiver, rules=self.rules, now=now, limit=limit)
        )
        due = await self._claim(now, limit) if look.next_due is not None and look.next_due <= now else ()
        planned = await self._freeze(look, now) if len(due) < limit else ()
        for message in (*due, *planned):
            self._start(message)
        full, missed = len(due) + len(planned) >= limit, len(planned) < len(look.composed)
        self._more = full or (missed and not self._missed)
        self._missed = missed  # another process was faster; should that go on, there is no hurry
        if self._more:
            return self.pace.opens_in(self._time.now()) if full else 0.0
        times = [at for at in (look.plan.next_at, look.next_due) if at is not None and at > now]
        return max(0.0, (min(times) - self._time.now()).total_seconds()) if times else None

    def _why_off(self, connection: Connection) -> str | None:
        mine = self.receiver
        return messages.disabled(connection, {mine.name: mine.configured}).get(mine.name)

    async def _claim(self, now: datetime, limit: int) -> tuple[Leased, ...]:
        claim = partial(messages.claim_due, receiver=self.receiver.name, now=now, limit=limit, lease_until=now + LEASE)
        return await self._store.run(claim)

    async def _freeze(self, look: Look, now: datetime) -> tuple[Leased, ...]:
        if not (look.composed or look.plan.verdicts or look.plan.also):
            return ()
        frozen, added = await self._store.run(partial(self._write, look=look, now=now))
        expired = sum(verdict.state == "expired" for verdict in look.plan.verdicts)
        if expired:
            self._on_trouble(self.receiver, "dead", f"{expired} alerts waited longer than they are kept")
        if added:
            self._wake_others(added)
        return frozen

    def _write(self, connection: Connection, look: Look, now: datetime) -> tuple[tuple[Leased, ...], tuple[str, ...]]:
        rows.apply_verdicts(connection, self.receiver.name, look.plan.verdicts)
        added = rows.add_receivers(connection, look.plan.also)
        return messages.freeze(connection, self.receiver.name, look.composed, lease_until=now + LEASE), added

    def _start(self, message: Leased) -> None:
        self.pace.left(self._time.now())
        task = asyncio.create_task(self._deliver(message), name=f"deliver-{self.receiver.name}")
        self._sending.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self.wake()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease stays: the message is tried again when it ends.
            log.error(
                "delivery_unsettled", receiver=self.receiver.name, error=redacted(repr(error), self.receiver.target)
            )

    async def _deliver(self, message: Leased) -> None:
        began = self._time.now()
        outcome = await self._try(Letter(message.id, message.body, self._time.stamp(), message.attempts))
        now = self._time.now()
        state = await self._settle(message, outcome, now)
        waited = (now - began).total_seconds()
        self._on_settled(Settled(self.receiver.name, message, outcome, state, waited))

    async def _try(self, letter: Letter) -> Outcome:
        try:
            async with asyncio.timeout(self.receiver.target.timeout * 3):
                outcome = await self.receiver.sink.send(letter)
        except TimeoutError:
            return Retry("no end within three times its time limit")
        except Exception as error:  # noqa: BLE001 - a sink that breaks its promise must not stop the others
            log.warning("sink_failed", receiver=self.receiver.name, error=type(error).__name__)
            return Retry(f"the sink failed ({type(error).__name__})")
        if isinstance(outcome, Delivered):
            return outcome
        return replace(outcome, reason=redacted(outcome.reason, self.receiver.target))

    async def _settle(self, message: Leased, outcome: Outcome, now: datetime) -> str:
        match outcome:
            case Delivered():
                if self.pace.failures:
                    log.info("delivery_resumed", receiver=self.receiver.name, failures=self.pace.failures)
                self.pace.succeeded()
                sent = partial(
                    messages.settle_sent,
                    message=message,
                    now=now,
                    status=outcome.status,
                    receipt=outcome.receipt,
                    revised=outcome.revised,
                )
                await self._store.run(sent)
                return "sent"
            case Retry(simpler=True) if message.simpler or not message.has_plain:
                return await self._bury(message, outcome.reason, outcome.status)
            case Retry():
                return await self._again(message, outcome, now)
            case GiveUp():
                state = await self._bury(message, outcome.reason, outcome.status, tell=not outcome.disable)
                if outcome.disable:
                    await self._disable(outcome.reason, now)
                return state

    async def _again(self, message: Leased, outcome: Retry, now: datetime) -> str:
        mine = self.receiver
        if outcome.simpler:
            next_at = now
        else:
            delay = retry_delay(message.attempts, outcome.after, self._time.random())
            self.pace.failed(now, outcome.after, self._time.random())
            if self.pace.failures.bit_count() == 1:  # the 1st, 2nd, 4th … in a row: a long outage fills no log
                log.warning("delivery_retried", receiver=mine.name, reason=outcome.reason, failures=self.pace.failures)
            next_at = now + timedelta(seconds=delay)
            limit = mine.policy.max_attempts
            if next_at > message.expires_at or 0 < limit <= message.attempts:
                return await self._bury(message, f"{outcome.reason}, {message.attempts} times", outcome.status)
        again = partial(
            messages.settle_retry,
            message=message,
            next_at=next_at,
            status=outcome.status,
            error=outcome.reason,
            simpler=outcome.simpler,
        )
        await self._store.run(again)
        return "pending"

    async def _bury(self, message: Leased, reason: str, status: str, *, tell: bool = True) -> str:
        await self._store.run(partial(messages.settle_dead, message=message, status=status, error=reason))
        log.error("delivery_dead", receiver=self.receiver.name, message=message.id, reason=reason)
        if tell and not message.group.startswith(messages.NOTICE_GROUP):
            self._on_trouble(self.receiver, "dead", reason)
        return "dead"

    async def _disable(self, reason: str, now: datetime) -> None:
        self.off = reason
        mine = self.receiver
        turn_off = partial(messages.disable, name=mine.name, configured=mine.configured, reason=reason, now=now)
        if await self._store.run(turn_off):
            log.error("receiver_disabled", receiver=mine.name, reason=reason)
            self._on_trouble(mine, "disabled", reason)
