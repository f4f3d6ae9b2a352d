"""A real server, an outbox in memory with a store's promises, and deltas to put into it."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.bus import EmbeddedServer, Relay, connect
from monitor.bus.launch import ServerSettings, arguments, find_program, spawn, try_lock
from monitor.errors import BusUnavailable
from monitor.model import Alert, AlertKind, Change, ChangeType, Delta, Entry, Match, Outgoing, SourceRef
from monitor.wire import encode_alert, encode_delta, renumber_delta

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class MemoryOutbox:
    """What a store keeps of messages: dense positions, published or not, and retention."""

    def __init__(self):
        self.rows = {}
        self.published = set()
        self.epochs = {}
        self.rewinds = []

    def add(self, row):
        self.rows[row.topic, row.source_id, row.epoch, row.sequence] = row

    def drop_before(self, topic, source_id, position):
        """Retention: forget published messages before a position."""
        for key in [key for key in self.rows if key[:2] == (topic, source_id) and key[2:] < position]:
            del self.rows[key]

    async def pending(self, limit, skip=()):
        waiting = (
            row for key, row in sorted(self.rows.items()) if key not in self.published and key[:2] not in set(skip)
        )
        return [row for row, _ in zip(waiting, range(limit), strict=False)]

    async def mark_published(self, rows):
        self.published |= {(row.topic, row.source_id, row.epoch, row.sequence) for row in rows}

    async def heads(self):
        heads = {}
        for topic, source_id, *position in self.rows:
            heads[topic, source_id] = max(heads.get((topic, source_id), (0, 0)), tuple(position))
        for key, epoch in self.epochs.items():
            heads[key] = max(heads.get(key, (0, 0)), (epoch, 0))
        return heads

    async def waiting(self, topic, source_id, limit):
        others = {key[:2] for key in self.rows} - {(topic, source_id)}
        return await self.pending(limit, others)

    async def messages_at(self, places):
        keys = [(*key, *place) for key, place in places]
        return [self.rows[key] for key in keys if key in self.rows]

    async def begin_after(self, ends):
        """As the store does: an epoch above these ends, and what waits under taken ids moved into it."""
        for key, end in ends.items():
            waiting = await self.waiting(*key, len(self.rows))
            given = [place[2] for place in self.rows if place[:2] == tuple(key)]
            epoch = max([end[0], *given, self.epochs.get(key, 0)]) + 1
            if waiting and (waiting[0].epoch, waiting[0].sequence) <= end:
                for sequence, row in enumerate(waiting, 1):
                    del self.rows[row.topic, row.source_id, row.epoch, row.sequence]
                    payload = renumber_delta(row.payload, epoch, sequence) if row.topic == "deltas" else row.payload
                    self.add(Outgoing(row.topic, row.source_id, epoch, sequence, payload))
            else:
                self.epochs[key] = epoch

    async def rewind(self, topic, source_id, epoch, after_sequence):
        self.rewinds.append((topic, source_id, epoch, after_sequence))
        back = {
            key
            for key in self.published
            if key[:2] == (topic, source_id) and key[2:] > (epoch, after_sequence) and key in self.rows
        }
        self.published -= back
        return len(back)


def make_delta(source="live", sequence=1, *, epoch=1, text="The road is open.", seen_at=None):
    return Delta(
        SourceRef(source, "Live", "https://example.org/live"),
        epoch,
        sequence,
        seen_at or NOON + timedelta(seconds=sequence),
        Change(ChangeType.NEW, f"e{sequence}", Entry(0, text), 1),
    )


def make_row(source="live", sequence=1, *, epoch=1, **options):
    return Outgoing(
        "deltas", source, epoch, sequence, encode_delta(make_delta(source, sequence, epoch=epoch, **options))
    )


def make_alert_row(sequence=1, *, epoch=1):
    alert = Alert(
        f"a{sequence}",
        "road",
        "warning",
        AlertKind.NEW,
        make_delta(sequence=sequence),
        (Match("text", 4, 8, "road", "road"),),
    )
    return Outgoing("alerts", "", epoch, sequence, encode_alert(alert))


def _program(name):
    if name == "valkey":
        return None
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("no redis-server on the PATH")
    return found


@pytest.fixture
def short_dir():
    """A directory with a path short enough for sockets, as a state directory has."""
    path = Path(tempfile.mkdtemp(prefix="mon"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
async def server(short_dir, monkeypatch):
    """An embedded server that comes back fast."""
    monkeypatch.setattr("monitor.bus.server.FIRST_PAUSE", 0.1)
    async with EmbeddedServer(short_dir) as running:
        yield running


PROGRAMS = ["valkey", pytest.param("redis", marks=pytest.mark.system_redis)]


@pytest.fixture(params=PROGRAMS)
async def own_server(request, short_dir):
    """A server of this test's own: the embedded one, and once more the system's redis-server in its place."""
    async with EmbeddedServer(short_dir, program=_program(request.param)) as running:
        yield running


class SharedServer:
    """A server that several tests use one after the other, as good as new for each."""

    def __init__(self, program):
        self.home = Path(tempfile.mkdtemp(prefix="mon"))
        words = arguments(ServerSettings(), self.home, self.home / "server.sock")
        self.lock = try_lock(self.home / "lock")  # started as the embedded one: a killed test run leaves nothing behind
        self.process = spawn(find_program(program), words, lock=self.lock, log=self.home / "log")
        self.url = f"unix://{self.home}/server.sock"

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.lock)
        shutil.rmtree(self.home)

    async def renew(self):
        connection = connect(self.url)
        async with asyncio.timeout(10):
            while True:
                try:
                    await connection.command("PING")
                    break
                except BusUnavailable:
                    await asyncio.sleep(0.02)
        for words in (
            "REPLICAOF NO ONE",
            "CONFIG SET maxmemory 0",
            "CONFIG SET min-replicas-to-write 0",
            "CONFIG SET maxmemory-policy noeviction",
            "FLUSHALL",
            "SCRIPT FLUSH",
        ):
            await connection.command(*words.split())
        for user in await connection.command("ACL", "USERS"):
            if user != b"default":
                await connection.command("ACL", "DELUSER", user)
        await connection.aclose()


@pytest.fixture(scope="session")
def embedded_process():
    server = SharedServer(None)
    yield server
    server.end()


@pytest.fixture(scope="session", params=PROGRAMS)
def shared_process(request):
    if request.param == "valkey":
        yield request.getfixturevalue("embedded_process")
        return
    server = SharedServer(_program(request.param))
    yield server
    server.end()


@pytest.fixture
async def any_server(shared_process):
    """A server as good as new: the embedded program, and once more the system's redis-server."""
    await shared_process.renew()
    return shared_process


@pytest.fixture
def outbox():
    return MemoryOutbox()


@pytest.fixture
def delta():
    return make_delta


@pytest.fixture
def row():
    return make_row


@pytest.fixture
def alert_row():
    return make_alert_row


@pytest.fixture
async def client(any_server):
    """A plain connection for looking into the server."""
    connection = connect(any_server.url)
    yield connection
    await connection.aclose()


@pytest.fixture
async def relaying(outbox):
    """Start a running relay on the server of a URL."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(url, **options):
            relay = Relay(url, outbox, **options)
            stop = asyncio.Event()
            task = asyncio.create_task(relay.run(stop))

            async def end():
                stop.set()
                await task
                await relay.aclose()

            stack.push_async_callback(end)
            return relay

        yield start


@pytest.fixture
def eventually():
    """Wait until something holds, at most some seconds; the condition may be a coroutine function."""

    async def wait(condition, seconds=10.0):
        async with asyncio.timeout(seconds):
            while True:
                holds = condition()
                if asyncio.iscoroutine(holds):
                    holds = await holds
                if holds:
                    return
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def free_port():
    """A loopback port nobody listened on a moment ago."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
