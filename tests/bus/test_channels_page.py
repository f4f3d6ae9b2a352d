"""What docs/channels.md tells people to type works as it stands there."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.bus import EmbeddedServer, Relay, connect, subscribe
from monitor.errors import BusUnavailable

PAGE = (Path(__file__).parents[2] / "docs" / "channels.md").read_text("utf-8")
STREAM = "monitor:{aleppo}:deltas"


def block(name):
    """The code under `<!-- tested: name -->`."""
    found = re.search(rf"<!-- tested: {re.escape(name)} -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def test_every_block_of_code_is_tested():
    fences = len(re.findall(r"^```", PAGE, re.MULTILINE)) // 2
    assert fences == len(re.findall("<!-- tested:", PAGE))


@pytest.fixture
async def port(short_dir, free_port, outbox, row):
    """A server on loopback with three deltas of a source."""
    for sequence in (1, 2, 3):
        outbox.add(row("aleppo", sequence, text=f"Text {sequence}"))
    async with EmbeddedServer(short_dir, port=free_port) as server:
        relay = Relay(server.url, outbox)
        await relay.drain()
        await relay.aclose()
        yield free_port


async def output_of(*command, lines=None, env=None, cwd=None):
    """Run a program and return what it printed; with `lines` end it after that many."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **(env or {})}, cwd=cwd
    )
    try:
        async with asyncio.timeout(30):
            if lines is None:
                return (await process.communicate())[0].decode()
            return "".join([(await process.stdout.readline()).decode() for _ in range(lines)])
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.skipif(not shutil.which("redis-cli"), reason="no redis-cli on the PATH")
async def test_redis_cli(port):
    last_ten, after, waiting, sources = block("redis-cli").replace("1-42", "1-2").strip().splitlines()
    answers = [
        await output_of("sh", "-c", line.replace("redis-cli", f"redis-cli -p {port}"))
        for line in (last_ten, after, waiting, sources)
    ]
    assert re.findall(r"^1-\d", answers[0], re.MULTILINE) == ["1-3", "1-2", "1-1"]
    assert re.findall(r"^1-\d", answers[1], re.MULTILINE) == ["1-3"]
    assert re.findall(r"^1-\d", answers[2], re.MULTILINE) == ["1-3"]
    assert answers[3].split() == ["aleppo"]


@pytest.mark.skipif(not shutil.which("redis-cli"), reason="no redis-cli on the PATH")
async def test_redis_cli_watching(port, outbox, row):
    lines = block("redis-cli watching").strip().splitlines()
    watching = [
        await asyncio.create_subprocess_exec(
            "sh", "-c", "exec " + line.replace("redis-cli", f"redis-cli -p {port}"), stdout=subprocess.PIPE
        )
        for line in lines
    ]
    relay = Relay(f"redis://127.0.0.1:{port}", outbox)
    try:
        async with asyncio.timeout(10):
            for process in watching:
                assert b"subscribe" in await process.stdout.readline()
                await process.stdout.readline(), await process.stdout.readline()
            outbox.add(row("aleppo", 4))
            await relay.drain()
            for process in watching:
                while (await process.stdout.readline()).rstrip() != row("aleppo", 4).payload:
                    pass
    finally:
        await relay.aclose()
        for process in watching:
            process.kill()
            await process.communicate()


async def test_python(port):
    program = block("python") + f"\nasyncio.run(main('redis://127.0.0.1:{port}', '1-1'))\n"
    root = str(Path(__file__).parents[2])
    printed = await output_of(sys.executable, "-u", "-c", program, lines=2, env={"PYTHONPATH": root})
    assert printed == "aleppo/1-2 new Text 2\naleppo/1-3 new Text 3\n"


async def test_redis_py_alone(port):
    namespace = {}
    exec(block("redis-py"), namespace)
    deltas = namespace["follow"](f"redis://127.0.0.1:{port}", "aleppo", "1-1")
    assert [(next(deltas)["id"]) for _ in range(2)] == ["aleppo/1-2", "aleppo/1-3"]
    deltas.close()


def node_can_require_redis():
    if not shutil.which("node"):
        return False
    return subprocess.run(["node", "-e", "require('redis')"], capture_output=True, timeout=20).returncode == 0


async def test_node(port):
    if not node_can_require_redis():
        pytest.skip("no node with the package `redis` (npm install redis; NODE_PATH=…/node_modules)")
    program = block("node") + (
        "\n(async () => { for await (const delta of follow(process.argv[1], 'aleppo', '1-1'))"
        " console.log(delta.id, delta.data.entry.text); })();"
    )
    printed = await output_of("node", "-e", program, f"redis://127.0.0.1:{port}", lines=2)
    assert printed == "aleppo/1-2 Text 2\naleppo/1-3 Text 3\n"


def go_build(directory):
    """Build the page's Go program with what is installed; the reason why not, or None."""
    if not shutil.which("go"):
        return "no go on the PATH"
    (directory / "main.go").write_text(block("go"))
    offline = {"GO111MODULE": "off", "GOPROXY": "off", "GOPATH": f"{os.environ.get('GOPATH', '')}:/usr/share/gocode"}
    build = subprocess.run(
        ["go", "build", "-o", "follow", "main.go"],
        cwd=directory,
        env={**os.environ, **offline},
        capture_output=True,
        timeout=100,
    )
    if b"cannot find package" in build.stderr:
        return "no redigo (apt-get install golang-github-gomodule-redigo-dev)"
    assert build.returncode == 0, build.stderr.decode()
    return None


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_go(port, tmp_path):
    if reason := await asyncio.to_thread(go_build, tmp_path):
        pytest.skip(reason)
    printed = await output_of(str(tmp_path / "follow"), f"redis://127.0.0.1:{port}", "aleppo", "1-1", lines=2)
    assert printed == "aleppo/1-2 Text 2\naleppo/1-3 Text 3\n"


@pytest.fixture
async def users(any_server, client):
    """The two users of the page on a server; return a URL for each."""
    for name in ("reader", "publisher"):
        await client.command(*block(f"acl {name}").split())
    return {
        name: any_server.url.replace("unix://", f"unix://monitor-{name}:CHANGE-ME@") for name in ("reader", "publisher")
    }


@pytest.mark.parametrize("protocol", [2, 3])
async def test_the_readers_rights_are_enough_to_subscribe(protocol, users, outbox, row, alert_row):
    relay = Relay(users["publisher"], outbox)
    outbox.add(row("aleppo", 1))
    await relay.drain()
    for sources in (["aleppo"], None):
        async with subscribe(f"{users['reader']}?protocol={protocol}", sources, since="0") as subscription:
            async with asyncio.timeout(5):
                assert (await anext(subscription)).id == "aleppo/1-1"
    await relay.aclose()


async def test_the_publishers_rights_are_enough_to_run_a_relay(users, outbox, row, alert_row, delta):
    relay = Relay(users["publisher"], outbox)
    for sequence in range(1, 6):
        outbox.add(row("aleppo", sequence))
    outbox.add(alert_row(1))
    assert await relay.drain() == 6
    assert await relay.publish_status({"source": "aleppo"})
    assert await relay.trim_before(delta(sequence=3).seen_at) == 2
    await relay.aclose()


@pytest.mark.parametrize(
    "forbidden",
    [
        ("XADD", STREAM, "*", "d", "forged"),
        ("PUBLISH", STREAM, "forged"),
        ("DEL", STREAM),
        ("GET", "other"),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("FLUSHALL",),
        ("XRANGE", "other:{aleppo}:deltas", "-", "+"),
        ("EVAL", "return 1", 0),
    ],
    ids=lambda words: words[0],
)
async def test_the_reader_may_do_nothing_else(forbidden, users):
    reader = connect(users["reader"])
    with pytest.raises(BusUnavailable, match="lacks a permission"):
        await reader.command(*forbidden)
    await reader.aclose()


async def test_the_reader_may_use_the_pattern_of_the_page(users):
    reader = connect(users["reader"])
    pubsub = reader.pubsub()
    await pubsub.psubscribe("monitor:*:deltas")
    assert (await pubsub.get_message(timeout=2))["type"] == "psubscribe"
    await pubsub.aclose()
    await reader.aclose()


async def test_the_heartbeat_is_as_shown(server, relaying):
    connection = connect(server.url)
    pubsub = connection.pubsub()
    await pubsub.subscribe("monitor:status")
    await pubsub.get_message(timeout=1)
    await relaying(server.url)
    beat = json.loads((await pubsub.get_message(timeout=3))["data"])
    assert {"interval", "run", "published"} <= beat["data"].keys()
    await pubsub.aclose()
    await connection.aclose()
