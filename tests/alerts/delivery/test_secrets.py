"""The canary: secrets of every receiver stand in the settings' environment and nowhere else.

The real program polls, alerts, fails in many ways and is asked about it; then everything it said and stored is searched.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import urllib.request
from pathlib import Path

import psutil
import pytest
import redis

from monitor.bus import EmbeddedServer

CANARY = "canary-7f3a9c51"
SETTINGS = """
version: 1
state_dir: {state}
operators: [archive]
sources:
  blog: {{url: {page}, kind: text, every: 1s, allow_fast: true}}
rules:
  halted: {{match: suspended, notify: [desk, archive, gone, post]}}
receivers:
  desk: {{slack: "${{SLACK_URL}}", allow_private: true}}
  archive: {{webhook: "${{HOOK_URL}}", secret: "${{HOOK_SECRET}}", headers: {{X-Key: "${{HOOK_KEY}}"}}, allow_private: true}}
  gone: {{webhook: "${{GONE_URL}}", secret: "${{HOOK_SECRET}}", allow_private: true}}
  post: {{email: a@example.org, sender: b@example.org, host: 127.0.0.1, port: 1, username: ana,
          password: "${{PASSWORD}}", allow_private: true}}
"""
PAGE = "12:07 pm\nAll is calm\nNothing happens here today.\n"
LATER = "12:31 pm\nEvacuation halted\nThe evacuation has been suspended.\n\n" + PAGE


# The real program, with everything it and its libraries log let through.
PROGRAM = """
import logging, sys
from monitor.daemon import logs
usual = logs.configure_logs
def everything(*_, **__):
    usual(level=logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
logs.configure_logs = everything
from monitor.__main__ import main
main()
"""


async def started(environ, *arguments) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        *arguments,
        cwd=Path(__file__).parents[3],
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def monitor(environ, *arguments) -> tuple[int, bytes]:
    process = await started(environ, *arguments)
    said, _ = await process.communicate()
    return process.returncode, said


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_no_secret_is_in_any_log_answer_or_file(world, tmp_path):
    page, settings, state = tmp_path / "live.txt", tmp_path / "monitor.yaml", tmp_path / "state"
    settings.write_text(SETTINGS.format(state=state, page=page))
    page.write_text(PAGE)
    environ = {
        **os.environ,
        "MONITOR_CONFIG": str(settings),
        "SLACK_URL": f"{world.receivers.url}/desk-{CANARY}",
        "HOOK_URL": f"{world.receivers.url}/archive-{CANARY}",
        "GONE_URL": f"{world.receivers.url}/gone-{CANARY}",
        "HOOK_SECRET": f"{CANARY} signing",
        "HOOK_KEY": f"key-{CANARY}",
        "PASSWORD": f"password-{CANARY}",
    }
    world.receivers.answers[f"desk-{CANARY}"] = lambda _: 500
    world.receivers.answers[f"gone-{CANARY}"] = lambda _: 410
    said = []
    for text in (PAGE, LATER):
        page.write_text(text)
        code, output = await monitor(environ, "run", "--once")
        said.append(output)
        assert code == 0, output
    commands = (("alerts", "list"), ("alerts", "list", "--json"), ("status", "--json"), ("check", "--offline"))
    for command in commands:
        said.append((await monitor(environ, *command))[1])
    heard = {one.name for one in world.receivers.heard}
    assert heard == {f"{name}-{CANARY}" for name in ("desk", "archive", "gone")}, "the receivers were really called"
    assert b"gone" in said[2]
    for output in said:
        assert CANARY.encode() not in output
    for stored in state.rglob("*"):
        if stored.is_file():
            assert CANARY.encode() not in stored.read_bytes(), stored


DAEMON = (
    SETTINGS
    + """
http: {{listen: "127.0.0.1:{port}", heartbeat: "${{HEART_URL}}"}}
reload: {{watch: false}}
redis: {{url: "redis://:${{REDIS_PASSWORD}}@127.0.0.1:{redis}/0"}}
"""
).replace(
    "sources:",
    'sources:\n  kept: {{url: "http://127.0.0.1:1/", headers: {{X-Token: "${{SOURCE_KEY}}"}}, allow_private: true}}',
)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.asynccontextmanager
async def a_redis_with_a_password(password: str):
    with tempfile.TemporaryDirectory(prefix="mon") as home:
        port = free_port()
        async with EmbeddedServer(Path(home), port=port) as server:
            with redis.Redis(unix_socket_path=server.url.removeprefix("unix://")) as client:
                client.config_set("requirepass", password)
            yield port


def everything_in(port: int, password: str) -> bytes:
    with redis.Redis(port=port, password=password) as client:
        return b"".join(key + (client.dump(key) or b"") for key in client.scan_iter())


def command_lines(pid: int) -> str:
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return " ".join(word for one in family for word in one.cmdline())


async def asked(port: int) -> bytes:
    def get(path: str) -> bytes:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            return error.read()

    return b"".join([await asyncio.to_thread(get, path) for path in ("/metrics", "/readyz", "/healthz")])


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_running_daemon_shows_no_secret_to_whoever_asks(world, tmp_path):
    page, settings, state, port = tmp_path / "live.txt", tmp_path / "monitor.yaml", tmp_path / "state", free_port()
    page.write_text(PAGE)
    names = ("HOOK_SECRET", "HOOK_KEY", "PASSWORD", "SOURCE_KEY", "REDIS_PASSWORD")
    environ = {**os.environ, "MONITOR_CONFIG": str(settings)} | {name: f"{name}-{CANARY}" for name in names}
    for name, path in (("SLACK_URL", "desk"), ("HOOK_URL", "archive"), ("GONE_URL", "gone"), ("HEART_URL", "heart")):
        environ[name] = f"{world.receivers.url}/{path}-{CANARY}"
    world.receivers.answers |= {f"desk-{CANARY}": lambda _: 500, f"gone-{CANARY}": lambda _: 410}
    async with (
        a_redis_with_a_password(environ["REDIS_PASSWORD"]) as bus,
        contextlib.AsyncExitStack() as left_running,
    ):
        settings.write_text(DAEMON.format(state=state, page=page, port=port, redis=bus))
        said = [(await monitor(environ, "run", "--once"))[1]]
        page.write_text(LATER)
        daemon = await started(environ, "run")
        left_running.push_async_callback(ended, daemon)
        said.append(await until(daemon, b"started"))
        called = {f"{name}-{CANARY}" for name in ("desk", "archive", "gone")}
        async with asyncio.timeout(60):
            while not {one.name for one in world.receivers.heard} >= called:
                await asyncio.sleep(0.05)
        for command in (
            ("status",), ("status", "--json"), ("alerts", "list"), ("check",), ("check", "--json"), ("check", "--send", "desk"),
            ("check", "--send", "archive", "--json"), ("check", "--send", "post"),
        ):  # fmt: skip
            said.append((await monitor(environ, *command))[1])
        tail = await started(environ, "tail", "--since", "0-0", "--source", "blog", "--json")
        said.append(await until(tail, b"specversion"))
        tail.terminate()
        said.append((await tail.communicate())[0])
        settings.write_text(
            settings.read_text().replace("${HOOK_KEY}", f"another-{CANARY}").replace("halted:", "stopped:")
        )
        said.append((await monitor(environ, "reload"))[1])
        settings.write_text(settings.read_text() + f"receivers: {{desk: {{slack: not-an-url-{CANARY}}}}}\n")
        said.append((await monitor(environ, "reload"))[1])
        said += [await asked(port), command_lines(daemon.pid).encode(), everything_in(bus, environ["REDIS_PASSWORD"])]
        kept = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
        daemon.terminate()
        said.append((await daemon.communicate())[0])
    assert b"monitor_notifications_total" in said[-4]
    assert b"stopped" in said[-6], "the reload told what changed"
    for output in (*said, *kept.values()):
        assert CANARY.encode() not in output


async def ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


async def until(process: asyncio.subprocess.Process, word: bytes) -> bytes:
    lines = b""
    async with asyncio.timeout(60):
        while word not in lines:
            lines += await process.stdout.readline()
    return lines
