"""A store on disk, receivers on real sockets, and a clock that moves only when told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from aiohttp import web

from monitor.alerts import RuleOptions, consider_poll
from monitor.daemon.delivery.clock import Time
from monitor.daemon.delivery.deliverer import Deliverer, DeliverySetup
from monitor.daemon.delivery.values import Receiver
from monitor.model import Change, ChangeType, Delta, Entry, FieldChange, Judgement, Match, Revision, SourceRef, Stamp
from monitor.sinks import SINKS, Target
from monitor.store import PollCommit, PollState, Store, Superseded
from monitor.store.alert_lists import list_alerts
from monitor.store.deliveries import fired_alerts

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeTime(Time):
    """Time that stands still until `World.advance` moves it; chance is a fixed half."""

    def __init__(self, start: datetime) -> None:
        self.current = start
        self.waiting: dict[asyncio.Future[None], datetime] = {}
        self.chance = 0.5

    def now(self) -> datetime:
        return self.current

    def stamp(self) -> datetime:
        return self.current

    def random(self) -> float:
        return self.chance

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        if seconds == 0:
            await asyncio.sleep(0)
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting[over] = (
            datetime.max.replace(tzinfo=UTC) if seconds is None else self.current + timedelta(seconds=seconds)
        )
        woken = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait([over, woken], return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            self.waiting.pop(over, None)
            with contextlib.suppress(asyncio.CancelledError):
                await woken


@dataclass
class Heard:
    """One POST as a receiver got it."""

    name: str
    at: datetime
    headers: dict[str, str]
    body: bytes
    status: int = 200

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def event(self):
        return json.loads(self.body)


@dataclass
class Receivers:
    """One HTTP server, a path a receiver; `answers[name]` is asked for each POST, `ok` where there is none."""

    time: FakeTime
    heard: list[Heard] = field(default_factory=list)
    answers: dict[str, Callable[[int], Answer | int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        heard = Heard(name, self.time.now(), dict(request.headers), await request.read())
        self.heard.append(heard)
        self.counts[name] = self.counts.get(name, 0) + 1
        answer = self.answers[name](self.counts[name]) if name in self.answers else 200
        if isinstance(answer, int):
            heard.status = answer
            return web.Response(
                status=answer, text="ok", headers={"Location": "/elsewhere"} if 300 <= answer < 400 else {}
            )
        heard.status = 0
        response = await answer(request)
        heard.status = response.status
        return response

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Receivers]:
        """Serve on a free port of loopback."""
        app = web.Application()
        app.router.add_post("/{name}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def of(self, name: str) -> list[Heard]:
        return [one for one in self.heard if one.name == name]


@dataclass
class World:
    """Everything of a delivery but the pages."""

    path: Path
    time: FakeTime
    receivers: Receivers
    store: Store
    rules: dict[str, RuleOptions] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)  # rule → the word that makes it true
    chosen: list[Receiver] = field(default_factory=list)
    deliverer: Deliverer | None = None
    polls: dict[str, tuple[int, int]] = field(default_factory=dict)  # source → version, sequence
    texts: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)  # (source, entry) → text, revision

    def receiver(
        self, name: str, kind: str = "webhook", *, timeout: float = 5.0, url: str | None = None, **policy
    ) -> Receiver:
        """Add a receiver; `policy` overrides its kind's."""
        target = Target(name, url or f"{self.receivers.url}/{name}", allow_private=True, timeout=timeout)
        row = SINKS[kind]
        made = Receiver(name, row.make(target), replace(row.policy, **policy), target, configured=f"{name}-1")
        self.chosen.append(made)
        return made

    def rule(self, name: str, word: str, **options) -> None:
        self.words[name] = word
        self.rules[name] = RuleOptions(**{"notify": tuple(one.name for one in self.chosen)} | options)

    def judge(self, old: str | None, new: str | None) -> list[Judgement]:
        found = []
        for rule, word in self.words.items():
            before, after = (old or "").count(word), (new or "").count(word)
            if before or after:
                text = (new if after else old) or ""
                at = text.index(word)
                transition = "holds" if before and after else "fired" if after else "retracted"
                match = Match("text", at, at + len(word), word, word)
                found.append(Judgement(rule, transition, (match,) * (after or before), before, after))
        return found

    async def poll(self, source: str, *steps: tuple[str, str | None], catch_up: bool = False) -> tuple:
        """Commit one poll: each step is (entry, its new text, None for removed). Returns the told alerts."""
        version, head = self.polls.get(source, (None, 0))
        ref = SourceRef(source, f"{source} live", f"https://example.org/{source}")
        now = self.time.now()
        if version is None:
            await self.store.ensure_sources([ref], now)
            version = 0
        deltas, judged, entries = [], [], {}
        for number, (entry, text) in enumerate(steps, 1):
            delta, judgements = self.delta(ref, head + number, entry, text, now)
            deltas.append(delta)
            entries[source, entry] = None if text is None else (text, delta.change.revision)
            if judgements:
                judged.append((delta, judgements))
        ids = [delta.change.entry_id for delta in deltas]
        earlier = await self.store.read(partial(fired_alerts, entry_ids=ids))
        raised = consider_poll(judged, self.rules, now=now, earlier=earlier, catch_up=catch_up)
        changes = tuple(delta.change for delta in deltas)
        commit = PollCommit(ref, version, changes, tuple(deltas), poll=PollState(), alerts=raised.alerts, seen_at=now)
        done = await self.store.commit(commit)
        assert not isinstance(done, Superseded)
        self.polls[source] = (done.version, done.sequence)
        for key, state in entries.items():
            if state is None:
                self.texts.pop(key, None)
            else:
                self.texts[key] = state
        if self.deliverer is not None:
            self.deliverer.wake()
        return raised.alerts

    def delta(self, ref, sequence, entry, text, now):
        old, revision = self.texts.get((ref.id, entry), (None, 0))
        type_ = ChangeType.REMOVED if text is None else ChangeType.NEW if old is None else ChangeType.EDITED
        shown = old if text is None else text
        edited = type_ is ChangeType.EDITED
        change = Change(
            type_,
            f"{ref.id}:{entry}",
            Entry(0, shown or "", published=Stamp(now)),
            revision + (text is not None),
            previous=Revision(revision, None, old or "") if edited else None,
            changes=(FieldChange("text", (("-", old or ""), ("+", shown or ""))),) if edited else (),
        )
        return Delta(ref, 1, sequence, now, change), self.judge(old, text)

    @contextlib.asynccontextmanager
    async def delivering(self) -> AsyncIterator[Deliverer]:
        """Run the deliverer until the block ends."""
        setup = DeliverySetup(tuple(self.chosen), self.rules)
        stop = asyncio.Event()
        async with Deliverer(self.store, setup, time=self.time, look_every=1e6) as self.deliverer:
            running = asyncio.create_task(self.deliverer.run(stop))
            await self.idle()
            try:
                yield self.deliverer
                await self.idle()
            finally:
                stop.set()
                await running
                self.deliverer = None

    async def idle(self) -> None:
        """Wait until every line waits for time or for news."""
        lines = list(self.deliverer._lines.values())
        quiet = 0
        async with asyncio.timeout(20):
            while quiet < 3:
                await asyncio.sleep(0.001)
                still = len(self.time.waiting) >= len(lines) and not self.deliverer._words
                still = still and not any(line.sending or line._woken.is_set() for line in lines)
                quiet = quiet + 1 if still else 0

    async def advance(self, seconds: float) -> None:
        """Let time pass; whatever falls due in between happens at its time."""
        until = self.time.current + timedelta(seconds=seconds)
        while True:
            await self.idle()
            due = [(at, over) for over, at in self.time.waiting.items() if at <= until]
            if not due:
                break
            first = min(at for at, _ in due)
            self.time.current = max(self.time.current, first)
            for at, over in due:
                if at <= self.time.current and not over.done():
                    over.set_result(None)
            await asyncio.sleep(0)
        self.time.current = until

    async def listed(self, **which):
        return await self.store.read(partial(list_alerts, **{"limit": 10_000} | which))

    async def states(self, **which) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in await self.listed(**which):
            found[one.state] = found.get(one.state, 0) + 1
        return found
