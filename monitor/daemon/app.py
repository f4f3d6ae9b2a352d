"""The daemon: everything wired together, started in order and stopped in the opposite order.

Rule: the composition root; the only file that knows every room. Nothing here decides what a page means.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack

import structlog

from monitor.bus import Relay
from monitor.daemon import plans, state_directory
from monitor.daemon.delivery.deliverer import Deliverer
from monitor.daemon.delivery.heartbeat import Heartbeat
from monitor.daemon.delivery.setup import delivery_setup
from monitor.daemon.ending import finish, last_drain, until_one_ends
from monitor.daemon.health import HealthPage
from monitor.daemon.metrics import Metrics
from monitor.daemon.notes import PollNotes
from monitor.daemon.opening import open_bus, open_store, relay_events
from monitor.daemon.poll import Poller, PollResult, SourcePlan
from monitor.daemon.report import report
from monitor.daemon.schedule import Clock, Schedule
from monitor.daemon.systemd import ServiceManager
from monitor.daemon.upkeep import keep_up
from monitor.daemon.vitals import LOOK_SECONDS, Parts, Vitals
from monitor.fetch import Fetcher
from monitor.settings import Settings, difference, put_in_force
from monitor.wire import Names

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 0.25
UPKEEP_SECONDS = 3600.0
PATIENCE_SECONDS = 10.0  # for polls and deliveries under way at shutdown
FIRST_POLLS_SPREAD = 10.0  # seconds over which the first polls are spread, at most
POLLS_AT_ONCE = 20  # of `run_once`


class Monitor:
    """A monitor made from settings: `await run(stop)` is the daemon, `await run_once()` one look at everything."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        on_poll: Callable[[PollResult], None] | None = None,
    ) -> None:
        """`on_poll` hears of every poll's result; `clock` is the outside world's time."""
        self.settings = settings
        self.clock = clock or Clock()
        self.bus_url = ""
        self.started = asyncio.Event()  # set once polling has begun
        self._on_poll = on_poll or (lambda result: None)
        self._plans: dict[str, SourcePlan] = {}
        self.metrics = Metrics()
        self._manager = ServiceManager(os.environ)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Take the state directory and open store, server, fetcher, worker and deliverer; close them on the way out.

        Raises AlreadyRunning, StateUnusable, NotPermitted, StoreUnavailable or BusUnavailable.
        """
        settings = self.settings
        directory = state_directory.prepare(settings.state_dir)
        async with AsyncExitStack() as stack:
            stack.enter_context(state_directory.locked(directory))
            self.store = await stack.enter_async_context(open_store(settings, self._outbox_filled))
            self.bus_url = await stack.enter_async_context(open_bus(settings, directory))
            self._relay = Relay(
                self.bus_url,
                self.store,
                Names(settings.prefix),
                stream_length=settings.retention.stream_length,
                events=relay_events(self.store, lambda: self._poller.forget(*self._plans)),
            )
            stack.push_async_callback(self._relay.aclose)
            self._fetcher = await stack.enter_async_context(Fetcher(plans.fetch_settings(settings), now=self.clock.now))
            self._worker = await stack.enter_async_context(plans.parse_worker(settings))
            alone = settings.store == "sqlite"  # other daemons on a database server hold leases of their own
            self._deliverer = await stack.enter_async_context(
                Deliverer(self.store, delivery_setup(settings), on_settled=self.metrics.settled, alone=alone)
            )
            self._noted = PollNotes(self.store)
            self._poller = Poller(
                store=self.store,
                fetcher=self._fetcher,
                worker=self._worker,
                rules=await asyncio.to_thread(plans.rules_in_force, settings),
                now=self.clock.now,
                boottime=self.clock.boottime,
                new_id=lambda: secrets.token_hex(8),
                note=self._noted.keep,
                on_commit=self._committed,
                jitter=self.clock.random,
            )
            self._plans = plans.source_plans(settings)
            await self.store.ensure_sources([plan.watch.ref for plan in self._plans.values()], self.clock.now())
            state_directory.write_runtime(directory, self._runtime())
            stack.callback(state_directory.remove_runtime, directory)
            yield

    async def run(self, stop: asyncio.Event) -> None:
        """Poll, publish and deliver until `stop` is set; then finish what is under way and close."""
        async with self.opened(), AsyncExitStack() as stack:
            schedule = self._schedule = Schedule(
                self._poll_on_schedule, clock=self.clock, on_start=self.metrics.lateness.observe
            )
            self._vitals = Vitals(self._parts(schedule), self.metrics)
            self._expect_series()
            await self._open_health_page(stack)
            schedule.every(FLUSH_SECONDS, self._noted.flush_if_taken, "flush")
            schedule.every(UPKEEP_SECONDS, self._upkeep, "upkeep")
            schedule.every(LOOK_SECONDS, self._vitals.look, "vitals")
            if (pace := self._manager.watchdog_seconds) is not None:
                schedule.every(pace, self._feed_watchdog, "watchdog")
            await self._schedule_first_polls(schedule)
            ending = asyncio.Event()
            tasks = [
                asyncio.create_task(self._relay.run(ending), name="relay"),
                asyncio.create_task(self._deliverer.run(ending), name="deliverer"),
            ]
            if (url := self.settings.http.heartbeat) is not None:
                heartbeat = Heartbeat(url.reveal(), well=self._vitals.well)
                tasks.append(asyncio.create_task(heartbeat.run(ending), name="heartbeat"))
            schedule.start()
            self.metrics.reloaded(ok=True, at=self.clock.now())
            self.started.set()
            self._manager.ready(f"{len(self._plans)} sources")
            log.info(
                "started", sources=len(self._plans), redis=self._public_bus_url(), state=str(self.settings.state_dir)
            )
            await until_one_ends(stop, tasks)
            await self._wind_down(schedule, ending, tasks)
        log.info("stopped")

    async def run_once(self) -> list[PollResult]:
        """Poll every source once, drain the outboxes and return each poll's result."""
        async with self.opened():
            room = asyncio.Semaphore(POLLS_AT_ONCE)

            async def one(plan: SourcePlan) -> PollResult:
                async with room:
                    return await self._poller.poll(plan)

            results = await asyncio.gather(*(one(plan) for plan in self._plans.values()))
            await self._noted.flush()
            await self._relay.drain()
            await self._deliverer.drain()
            for result in results:
                self._on_poll(result)
            return list(results)

    async def reload(self, settings: Settings) -> str:
        """Put other settings in force and return what changed, in words; sources that did not change go on undisturbed.

        A source keeps its state while its id stays. A new rule is judged on changes from now on and never fires for
        what was there before. Raises RuleError or StoreUnavailable, and then nothing has changed.
        """
        self._manager.reloading()
        try:
            return await self._replace_settings(settings)
        finally:
            self._manager.ready(f"{len(self._plans)} sources")

    async def _replace_settings(self, settings: Settings) -> str:
        changed = difference(self.settings, settings)
        wanted = plans.source_plans(settings)
        rules = await asyncio.to_thread(plans.rules_in_force, settings)
        await self.store.ensure_sources([plan.watch.ref for plan in wanted.values()], self.clock.now())
        await self._deliverer.reconfigure(delivery_setup(settings))  # the last thing that may fail
        self._poller.rules = rules
        for gone in self._plans.keys() - wanted.keys():
            self._schedule.remove(gone)
            self._poller.forget(gone)
        fresh = wanted.keys() - self._plans.keys()
        moved = plans.moved(self._plans, wanted)
        self._plans, self.settings = wanted, put_in_force(self.settings, settings)
        for source_id in fresh | moved:
            self._schedule.add(source_id, self.clock.random() * min(FIRST_POLLS_SPREAD, wanted[source_id].timing.floor))
        self._expect_series()
        log.info("reloaded", changes=str(changed))
        return str(changed)

    def _public_bus_url(self) -> str:
        """Where the server is, without the password of one that is not our own: it is written down and logged."""
        return self.bus_url if self.settings.redis.mode == "embedded" else self._relay.connection.resource

    def _runtime(self, health: str | None = None) -> state_directory.Runtime:
        started = self.clock.now().isoformat(timespec="seconds")
        return state_directory.Runtime(os.getpid(), self._public_bus_url(), started, str(self.settings.path), health)

    def _parts(self, schedule: Schedule) -> Parts:
        return Parts(
            report=lambda: report(self.store, self.settings, self.clock.now(), counted=False),
            last_tick=lambda: schedule.last_tick,
            hurry=schedule.hurry,
            bus_trouble=lambda: self._relay.state.trouble,
            store_trouble=lambda: self._noted.trouble,
            write_down=lambda troubles: state_directory.write_troubles(self.settings.state_dir, troubles),
            figures=lambda: {
                "published": self._relay.state.published,
                "kills": self._worker.kills,
                "jumps": schedule.jumps,
            },
            announce=self._relay.publish_status,
            say=self._deliverer.say,
        )

    def _expect_series(self) -> None:
        settings = self.settings
        self.metrics.expect(tuple(settings.sources), tuple(settings.rules), tuple(settings.receivers))

    async def _open_health_page(self, stack: AsyncExitStack) -> None:
        listen = self.settings.http.listen
        if listen is None:
            return
        vitals = self._vitals
        page = HealthPage(listen, alive=vitals.alive, ready=vitals.ready, metrics=self.metrics.render)
        await stack.enter_async_context(page)
        state_directory.write_runtime(self.settings.state_dir, self._runtime(page.address))

    async def _feed_watchdog(self) -> None:
        if not self._vitals.alive():
            self._manager.alive()

    async def _schedule_first_polls(self, schedule: Schedule) -> None:
        """Go on where the last run ended: what was due later stays due then, the rest is spread over some seconds."""
        states = await self.store.poll_states()
        now = self.clock.now()
        for source_id, plan in self._plans.items():
            state = states.get(source_id)
            due = state.next_poll_at if state else None
            waits = (due - now).total_seconds() if due else 0.0
            spread = self.clock.random() * min(FIRST_POLLS_SPREAD, plan.timing.floor) if len(self._plans) > 1 else 0.0
            schedule.add(source_id, min(max(waits, spread), plan.timing.ceiling))

    async def _poll_on_schedule(self, source_id: str) -> float | None:
        plan = self._plans.get(source_id)
        if plan is None:
            return None
        began = self.clock.monotonic()
        result = await self._poller.poll(plan)
        await self._vitals.polled(result, self.clock.monotonic() - began)
        self._on_poll(result)
        return result.delay

    async def _upkeep(self) -> None:
        if await keep_up(self.store, self._relay, self.settings, self.clock.now()):
            self._poller.forget(*self._plans)  # what the store has forgotten must not live on in memory

    def _outbox_filled(self) -> None:
        if hasattr(self, "_relay"):
            self._relay.wake()

    def _committed(self, result: PollResult) -> None:
        self._relay.wake()
        if result.alerts:
            corrected = any(alert.corrects for alert in result.alerts)  # those go to whoever was told
            self._deliverer.wake(None if corrected else {name for one in result.alerts for name in one.notify})
        if result.flood:
            self._deliverer.tell(f"flood {result.source_id}", f"source {result.source_id}: a flood", result.flood)

    async def _wind_down(self, schedule: Schedule, ending: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
        log.info("stopping")
        self._manager.stopping()
        await schedule.stop(PATIENCE_SECONDS)
        await self._noted.flush_if_taken()
        await last_drain(self.store, self._relay, PATIENCE_SECONDS)
        ending.set()
        await finish(tasks, PATIENCE_SECONDS)
