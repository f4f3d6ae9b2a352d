"""The embedded server: one a directory, tied to our life, nothing left behind."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from monitor.bus import EmbeddedServer, Relay, connect, running_url, subscribe
from monitor.errors import AlreadyRunning, BusUnavailable


async def answers(url):
    connection = connect(url)
    try:
        return await connection.command("PING")
    except BusUnavailable:
        return False
    finally:
        await connection.aclose()


async def test_it_answers_once_started_and_tells_its_url(own_server):
    assert await answers(own_server.url)
    assert running_url(own_server.directory.parent) == own_server.url


async def test_stopping_leaves_no_process_no_socket_and_no_url(short_dir):
    server = EmbeddedServer(short_dir)
    await server.start()
    pid, path = server.pid, Path(server.url.removeprefix("unix://"))
    assert path.exists()
    await server.stop()
    assert not psutil.pid_exists(pid)
    assert not path.exists()
    assert running_url(short_dir) is None


async def test_only_its_owner_may_enter_the_directory_and_the_socket(server):
    path = Path(server.url.removeprefix("unix://"))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


async def test_no_tcp_port_is_open_unless_asked_for(server):
    listening = [c for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening == []


async def test_a_port_asked_for_is_open_on_loopback_only(short_dir, free_port):
    async with EmbeddedServer(short_dir, port=free_port) as server:
        assert await answers(f"redis://127.0.0.1:{free_port}")
        listening = [
            c.laddr for c in psutil.Process(server.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN
        ]
        assert listening == [("127.0.0.1", free_port)]


async def test_a_taken_port_is_told_with_its_number(short_dir, free_port):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", free_port))
        holder.listen()
        with pytest.raises(BusUnavailable, match=f"port {free_port} is taken"):
            await EmbeddedServer(short_dir, port=free_port).start()


async def test_a_second_server_on_the_directory_is_refused(server):
    with pytest.raises(AlreadyRunning):
        await EmbeddedServer(server.directory.parent).start()
    assert await answers(server.url)


async def test_what_it_holds_survives_kill_9_and_it_comes_back_by_itself(own_server, eventually):
    connection = connect(own_server.url)
    await connection.command("SET", "kept", "yes")
    os.kill(own_server.pid, signal.SIGKILL)
    await connection.aclose()
    await eventually(lambda: answers(own_server.url))
    again = connect(own_server.url)
    assert await again.command("GET", "kept") == b"yes"
    await again.aclose()


async def test_a_server_that_keeps_dying_is_started_at_growing_intervals(short_dir):
    heard = []
    async with EmbeddedServer(short_dir, on_event=heard.append) as server:
        for pause in ("0.5 s", "1 s"):
            os.kill(server.pid, signal.SIGKILL)
            async with asyncio.timeout(5):
                while not any(pause in words for words in heard) or heard[-1] != "the embedded server is back":
                    await asyncio.sleep(0.02)


OWNER = """
import asyncio, sys
from pathlib import Path
from monitor.bus import EmbeddedServer
async def main():
    server = EmbeddedServer(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def killed_owner(directory, *, freeze=False, program=OWNER):
    """Start a server in another process, kill that process, and return the server's process id."""
    owner = subprocess.Popen([sys.executable, "-c", program, str(directory)], stdout=subprocess.PIPE, cwd=os.getcwd())
    pid = int(owner.stdout.readline())
    if freeze:
        os.kill(pid, signal.SIGSTOP)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    return pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_it_ends_when_its_owner_is_killed(short_dir):
    pid = killed_owner(short_dir)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_a_start_right_after_the_owner_was_killed_succeeds(short_dir):
    killed_owner(short_dir)
    async with EmbeddedServer(short_dir) as server:
        assert await answers(server.url)


UNTIED = OWNER.replace(
    "async def main",
    "import monitor.bus.launch as launch\nlaunch._TIED_TO_PARENT = launch._TIED_TO_PARENT.replace('linux', 'elsewhere')\nasync def main",
)


async def test_where_no_kernel_ends_orphans_the_next_start_does_and_keeps_what_they_held(short_dir):
    pid = killed_owner(short_dir, program=UNTIED)
    assert psutil.pid_exists(pid)
    orphan = connect(running_url(short_dir))
    await orphan.command("SET", "kept", "yes")
    await orphan.aclose()
    async with EmbeddedServer(short_dir) as server:
        assert server.pid != pid
        connection = connect(server.url)
        assert await connection.command("GET", "kept") == b"yes"
        await connection.aclose()


async def test_an_orphan_that_lives_keeps_a_second_server_from_writing_its_file(short_dir, monkeypatch):
    monkeypatch.setattr("monitor.bus.server.ORPHAN_SECONDS", 0.5)
    monkeypatch.setattr("monitor.bus.connection.ANSWER_SECONDS", 0.5)
    pid = killed_owner(short_dir, freeze=True)  # frozen: hears neither the kernel's word nor ours
    try:
        with pytest.raises(AlreadyRunning, match="left over"):
            await EmbeddedServer(short_dir).start()
    finally:
        os.kill(pid, signal.SIGKILL)


async def test_a_path_too_long_for_a_socket_moves_the_socket_elsewhere(tmp_path):
    deep = tmp_path / ("x" * 100)
    async with EmbeddedServer(deep) as server:
        path = Path(server.url.removeprefix("unix://"))
        assert len(os.fsencode(path)) <= 107
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert await answers(running_url(deep))
    assert not path.parent.exists()


async def test_an_unreadable_file_is_put_aside_and_the_server_starts_empty(short_dir):
    async with EmbeddedServer(short_dir) as server:
        connection = connect(server.url)
        for number in range(50):
            await connection.command("SET", f"k{number}", "v" * 50)
        await connection.aclose()
    log = next((short_dir / "redis" / "appendonlydir").glob("*.incr.aof"))
    content = bytearray(log.read_bytes())
    content[200:260] = b"\xff" * 60
    log.write_bytes(content)
    heard = []
    async with EmbeddedServer(short_dir, on_event=heard.append) as server:
        assert await answers(server.url)
    assert "could not read its files" in heard[0]
    assert list((short_dir / "redis").glob("appendonlydir.unreadable-*"))


async def test_a_program_that_is_not_there_is_told_by_its_name(short_dir):
    with pytest.raises(BusUnavailable, match="/nowhere/valkey-server"):
        await EmbeddedServer(short_dir, program="/nowhere/valkey-server").start()


async def test_a_program_that_ends_at_once_is_told_with_its_last_words(short_dir):
    broken = short_dir / "broken"
    broken.write_text("#!/bin/sh\necho 'no such thing' >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(BusUnavailable, match=r"code 3.*no such thing"):
        await EmbeddedServer(short_dir, program=broken).start()
    async with EmbeddedServer(short_dir) as server:  # nothing of the failed start is in the way
        assert await answers(server.url)


def test_it_works_under_uvloop_too(short_dir, outbox, row):
    uvloop = pytest.importorskip("uvloop")

    async def everything():
        async with EmbeddedServer(short_dir) as server:
            relay = Relay(server.url, outbox)
            outbox.add(row())
            async with subscribe(server.url, since="0") as subscription:
                await relay.drain()
                delta = await asyncio.wait_for(anext(subscription), 5)
            await relay.aclose()
            os.kill(server.pid, signal.SIGKILL)
            async with asyncio.timeout(5):
                while not await answers(server.url):
                    await asyncio.sleep(0.05)
            return delta.id

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(everything()) == "live/1-1"
