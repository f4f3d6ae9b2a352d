"""Reach what the settings name, once and without side effects: sources, Redis, receivers; or send one test message."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from monitor.alerts import notice_of_words
from monitor.daemon import plans
from monitor.daemon.delivery.setup import receiver_of
from monitor.daemon.poll import SourcePlan
from monitor.errors import MonitorError
from monitor.fetch import Fetcher, FetchFailed, Fresh, ParseWorker
from monitor.settings import EmailSettings, ReceiverSettings, Settings, SlackSettings
from monitor.sinks import Delivered, Letter
from monitor.sinks.slack import API as SLACK_API

Subject = Literal["source", "redis", "receiver", "message"]
CONNECT_SECONDS = 5.0
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of reaching one thing."""

    subject: Subject
    name: str
    outcome: Literal["ok", "warning", "error"]
    words: str


async def probe(settings: Settings, *, send: str | None = None) -> AsyncIterator[Probe]:
    """Yield a probe for each enabled source, for Redis and each enabled receiver, as they come in.

    With `send` only that receiver is tried, with a real test message.
    """
    if send is not None:
        yield await _test_message(settings.receivers[send])
        return
    room = asyncio.Semaphore(AT_ONCE)

    async def limited(one: Awaitable[Probe]) -> Probe:
        async with room:
            return await one

    async with Fetcher(plans.fetch_settings(settings)) as fetcher, plans.parse_worker(settings) as worker:
        reached: Sequence[Awaitable[Probe]] = [
            *(_source(plan, fetcher, worker) for plan in plans.source_plans(settings).values()),
            _redis(settings),
            *(_receiver(one) for one in settings.receivers.values() if one.enabled),
        ]
        for done in asyncio.as_completed([limited(one) for one in reached]):
            yield await done


async def _source(plan: SourcePlan, fetcher: Fetcher, worker: ParseWorker) -> Probe:
    name = plan.watch.ref.id
    answer = await fetcher.fetch(plan.request)
    if isinstance(answer, FetchFailed):
        return Probe("source", name, "error", answer.verdict.reason)
    assert isinstance(answer, Fresh)
    reading = await worker.read(name, answer.document, plan.options)
    if reading.snapshot is None:
        return Probe("source", name, "error", reading.verdict.reason)
    chosen = f" ({reading.chosen})" if reading.chosen else ""
    words = f"{len(reading.snapshot.entries)} entries, read as {reading.snapshot.kind}{chosen}"
    if not reading.snapshot.entries:
        return Probe("source", name, "warning", words)
    return Probe("source", name, "ok", words)


async def _redis(settings: Settings) -> Probe:
    from monitor.bus.connection import connect
    from monitor.bus.inspection import judge
    from monitor.bus.launch import find_program

    redis = settings.redis
    try:
        if redis.mode == "embedded" or redis.url is None:
            return Probe("redis", "embedded", "ok", f"would run {find_program()}")
        connection = connect(redis.url.reveal())
        try:
            await connection.check()
            report = judge(await connection.info())
        finally:
            await connection.aclose()
    except MonitorError as error:
        return Probe("redis", error.resource or redis.mode, "error", error.message)
    outcome: Literal["ok", "warning"] = "warning" if report.warnings else "ok"
    return Probe("redis", connection.resource, outcome, "; ".join((report.version, *report.warnings)))


async def _receiver(settings: ReceiverSettings) -> Probe:
    place = _host_and_port(settings)
    if place is None:
        return Probe("receiver", settings.name, "ok", "nothing to reach")
    host, port = place
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()
    except TimeoutError:
        return Probe("receiver", settings.name, "error", f"{host}:{port} does not answer in {CONNECT_SECONDS:g} s")
    except OSError as error:
        return Probe("receiver", settings.name, "error", f"{host}:{port}: {error.strerror or error}")
    return Probe("receiver", settings.name, "ok", f"{host}:{port} takes connections; try `monitor check --send`")


def _host_and_port(settings: ReceiverSettings) -> tuple[str, int] | None:
    if isinstance(settings, EmailSettings):
        return settings.host, settings.port
    bot = isinstance(settings, SlackSettings) and settings.token is not None
    parts = urlsplit(SLACK_API if bot else settings.address or "")
    if not parts.hostname:
        return None
    return parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)


async def _test_message(settings: ReceiverSettings) -> Probe:
    receiver = receiver_of(settings)
    now = datetime.now(UTC)
    notice = notice_of_words(
        secrets.token_hex(8), "test message", "The live-update monitor reaches you here.", severity="info", now=now
    )
    try:
        letter = Letter(id=notice.id, body=receiver.sink.render(notice).body, sent_at=now)
        outcome = await receiver.sink.send(letter)
    finally:
        await receiver.sink.close()
    if isinstance(outcome, Delivered):
        return Probe("message", settings.name, "ok", f"delivered {outcome.status}".strip())
    return Probe("message", settings.name, "error", outcome.reason)
