"""Sentinel and Cluster: the same promises, with servers started here from the embedded program."""

import asyncio
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from monitor.bus import connect, subscribe
from monitor.bus.launch import find_program
from monitor.errors import BusUnavailable


def free_ports(count):
    """Ports nobody listens on, all different, with room for a cluster's second port (+10000)."""
    with contextlib.ExitStack() as stack:
        ports = []
        while len(ports) < count:
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port < 55_000:
                ports.append(port)
        return ports


class Servers:
    """Server processes on loopback ports."""

    def __init__(self, home, program):
        self.home, self.program, self.running = home, program, {}

    def start(self, port, *words, first=()):
        directory = self.home / str(port)
        directory.mkdir(exist_ok=True)
        log = (directory / "log").open("ab")
        self.running[port] = subprocess.Popen(
            [
                str(self.program),
                *first,
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                str(directory),
                "--save",
                "",
                *words,
            ],
            stdout=log,
            stderr=log,
        )
        log.close()

    def kill(self, port):
        process = self.running.pop(port)
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()

    async def answering(self, port):
        connection = connect(f"redis://127.0.0.1:{port}")
        async with asyncio.timeout(10):
            while True:
                try:
                    await connection.command("PING")
                    break
                except BusUnavailable:
                    await asyncio.sleep(0.02)
        await connection.aclose()

    async def command(self, port, *words):
        connection = connect(f"redis://127.0.0.1:{port}")
        try:
            return await connection.command(*words)
        finally:
            await connection.aclose()

    def end(self):
        for port in list(self.running):
            self.kill(port)


PROGRAMS = ["valkey", pytest.param("redis", marks=[pytest.mark.system_redis, pytest.mark.slow])]
NODE = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--appendonly", "yes")


@contextlib.contextmanager
def servers_of(program_name):
    program = find_program() if program_name == "valkey" else shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on the PATH")
    home = Path(tempfile.mkdtemp(prefix="mon"))
    servers = Servers(home, Path(program))
    yield servers
    servers.end()
    shutil.rmtree(home)


@pytest.fixture(params=PROGRAMS)
def servers(request):
    with servers_of(request.param) as servers:
        yield servers


async def form_cluster(servers):
    """Start three masters that serve a third of the slots each; return their ports."""
    ports = free_ports(3)
    for port in ports:
        servers.start(port, *NODE)
    for port in ports:
        await servers.answering(port)
    for index, port in enumerate(ports):
        last = 16383 if index == 2 else index * 5461 + 5460
        await servers.command(port, "CLUSTER", "ADDSLOTSRANGE", index * 5461, last)
        await servers.command(port, "CLUSTER", "MEET", "127.0.0.1", ports[0])
    async with asyncio.timeout(20):
        for port in ports:
            while b"cluster_state:ok" not in await raw_info(servers, port):
                await asyncio.sleep(0.05)
    return ports


@pytest.fixture(scope="module", params=PROGRAMS)
def shared_cluster(request):
    with servers_of(request.param) as servers:
        yield servers, asyncio.run(form_cluster(servers))


@pytest.fixture
async def cluster(shared_cluster):
    """A cluster of three masters, emptied."""
    servers, ports = shared_cluster
    for port in ports:
        await servers.command(port, "FLUSHALL")
    return ports


async def raw_info(servers, port):
    about = await servers.command(port, "CLUSTER", "INFO")
    if isinstance(about, dict):
        return b"\n".join(f"{key}:{value}".encode() for key, value in about.items())
    return about if isinstance(about, bytes) else about.encode()


def url_of(ports):
    return "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports)


SOURCES = [f"source{n}" for n in range(12)]  # their slots fall to all three masters


async def read_all(subscription, wanted, seconds=20):
    """Return the sequences read of each source once `wanted` of each are there."""
    got = {source: [] for source in SOURCES}
    async with asyncio.timeout(seconds):
        while any(len(sequences) < wanted for sequences in got.values()):
            delta = await anext(subscription)
            got[delta.source.id].append(delta.sequence)
    return got


@pytest.mark.parametrize("listed", [True, False], ids=["sharded channels", "firehose"])
async def test_in_a_cluster_every_delta_arrives_once_and_in_order(listed, cluster, outbox, row, relaying):
    relay = await relaying(url_of(cluster))
    async with subscribe(url_of(cluster), SOURCES if listed else None, since="0") as subscription:
        reading = asyncio.create_task(read_all(subscription, 20))
        for n in range(1, 21):
            for source in SOURCES:
                outbox.add(row(source, n))
            relay.wake()
            await asyncio.sleep(0.01)
        got = await reading
    assert got == {source: list(range(1, 21)) for source in SOURCES}


async def test_in_a_cluster_a_sharded_subscriber_hears_at_once(cluster, outbox, row, relaying):
    relay = await relaying(url_of(cluster))
    async with subscribe(url_of(cluster), SOURCES, since="0", check_every=30) as subscription:
        for source in SOURCES:
            outbox.add(row(source, 1))
        relay.wake()
        await read_all(subscription, 1)
        for source in SOURCES:
            outbox.add(row(source, 2))
        relay.wake()
        assert await read_all(subscription, 1, seconds=5) == {source: [2] for source in SOURCES}


async def test_in_a_cluster_what_a_reset_overtook_is_closed_at_the_end(shared_cluster, cluster, eventually):
    servers, ports = shared_cluster
    connection = connect(url_of(cluster) + "?client_name=overtaken")
    await connection.check()
    keys = [("GET", source) for source in SOURCES]
    under_way = asyncio.create_task(connection.pipelined(keys))
    await asyncio.sleep(0)
    await connection.reset()
    await asyncio.gather(under_way, return_exceptions=True)
    await connection.aclose()

    async def gone():
        lists = [await servers.command(port, "CLIENT", "LIST") for port in ports]
        return not any("overtaken" in str(one) for one in lists)

    await eventually(gone)


async def test_in_a_cluster_the_rights_of_the_page_are_enough(shared_cluster, cluster, outbox, row, relaying):
    servers, _ = shared_cluster
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text("utf-8")
    further = re.search(r"In a Cluster both also need `(.*?)`", page)[1].split()
    for user in ("reader", "publisher"):
        line = re.search(rf"^ACL SETUSER monitor-{user} .*$", page, re.MULTILINE)[0].split()
        for port in cluster:
            await servers.command(port, *line, *further)
    urls = {user: url_of(cluster).replace("://", f"://monitor-{user}:CHANGE-ME@") for user in ("reader", "publisher")}
    relay = await relaying(urls["publisher"])
    for source in SOURCES:
        outbox.add(row(source, 1))
    relay.wake()
    for listed in (SOURCES, None):
        async with subscribe(urls["reader"], listed, since="0") as subscription:
            assert await read_all(subscription, 1) == {source: [1] for source in SOURCES}
    for port in cluster:
        await servers.command(port, "ACL", "DELUSER", "monitor-reader", "monitor-publisher")


@pytest.mark.slow
async def test_in_a_cluster_a_node_that_restarts_empty_is_refilled(servers, outbox, row, relaying, eventually):
    cluster = await form_cluster(servers)
    relay = await relaying(url_of(cluster))
    async with subscribe(url_of(cluster), SOURCES, since="0") as subscription:
        reading = asyncio.create_task(read_all(subscription, 40, seconds=40))
        for n in range(1, 41):
            for source in SOURCES:
                outbox.add(row(source, n))
            relay.wake()
            await asyncio.sleep(0.02)
            if n == 20:
                port = cluster[1]
                servers.kill(port)
                shutil.rmtree(servers.home / str(port) / "appendonlydir")
                servers.start(port, *NODE)
        got = await reading
    assert got == {source: list(range(1, 41)) for source in SOURCES}
    connection = connect(url_of(cluster))

    async def whole():
        replies = await connection.pipelined(("XLEN", f"monitor:{{{source}}}:deltas") for source in SOURCES)
        return replies == [40] * len(SOURCES)

    await eventually(whole)
    await connection.aclose()


@pytest.fixture
async def watched(servers):
    """A primary, its replica and three sentinels that agree by two."""
    primary, replica, *sentinels = free_ports(5)
    servers.start(primary)
    servers.start(replica, "--replicaof", "127.0.0.1", str(primary), "--repl-diskless-sync-delay", "0")
    for port in (primary, replica):
        await servers.answering(port)
    for port in sentinels:
        settings = servers.home / f"sentinel-{port}.conf"
        settings.write_text(
            f"sentinel monitor main 127.0.0.1 {primary} 2\n"
            "sentinel down-after-milliseconds main 800\nsentinel failover-timeout main 3000\n"
        )
        servers.start(port, "--sentinel", first=(str(settings),))
    for port in sentinels:
        await servers.answering(port)
    async with asyncio.timeout(20):
        while await replicas_known(servers, sentinels[0]) < 1 or b"connected" not in await linked(servers, replica):
            await asyncio.sleep(0.1)
    return primary, replica, sentinels


async def replicas_known(servers, sentinel):
    return len(await servers.command(sentinel, "SENTINEL", "REPLICAS", "main"))


async def linked(servers, replica):
    role = await servers.command(replica, "ROLE")
    return role[3]


@pytest.mark.slow
async def test_a_sentinel_failover_loses_and_repeats_nothing(watched, servers, outbox, row, relaying, eventually):
    primary, replica, sentinels = watched
    url = "redis+sentinel://" + ",".join(f"127.0.0.1:{port}" for port in sentinels) + "/main"
    relay = await relaying(url)
    async with subscribe(url, since="0") as subscription:
        reading = asyncio.create_task(read_all(subscription, 60, seconds=40))
        for n in range(1, 61):
            for source in SOURCES:
                outbox.add(row(source, n))
            relay.wake()
            await asyncio.sleep(0.01)
            if n == 20:
                servers.running[replica].send_signal(
                    signal.SIGSTOP
                )  # its copy falls behind: the failover loses the tail
            if n == 30:
                servers.kill(primary)
                servers.running[replica].send_signal(signal.SIGCONT)
        got = await reading
    assert got == {source: list(range(1, 61)) for source in SOURCES}

    async def whole():
        connection = connect(f"redis://127.0.0.1:{replica}")
        replies = await connection.pipelined(("XLEN", f"monitor:{{{source}}}:deltas") for source in SOURCES)
        await connection.aclose()
        return replies == [60] * len(SOURCES)

    await eventually(whole)
