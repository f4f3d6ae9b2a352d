"""The daemon while what it stands on fails: disk, database, embedded and external server. Nothing is lost, nobody is
lied to, polling goes on, and when the fault is gone everything is exact again without anybody's help.
"""

import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

import psutil
import pytest
import redis

from monitor.bus.launch import find_program
from monitor.demo.blog import load_blog

BLOG = load_blog()
SETTINGS = """\
version: 1
state_dir: STATE
redis: REDIS
sources:
  aleppo: {url: "PAGE", every: 0.2s, allow_fast: true, allow_private: true, robots: false, timezone: Etc/GMT}
fetch: {spacing: 0.01s}
"""
PATIENCE = 45  # seconds; for machines with more to do than this


class Server:
    """A plain server of our own on a fixed port, without files: every start is empty."""

    def __init__(self, port, home):
        self.port, self.home = port, home
        self.client = redis.Redis(port=port, socket_timeout=20)
        self.process = None

    def start(self):
        words = [str(find_program()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.home)]
        self.process = subprocess.Popen(
            [*words, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(redis.ConnectionError):
                self.client.ping()
                return
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def deltas(self):
        return [(key.decode(), fields[b"d"]) for key, fields in self.client.xrange("monitor:{aleppo}:deltas")]


@pytest.fixture
def server(free_port, tmp_path):
    made = Server(free_port, tmp_path)
    yield made
    if made.process is not None:
        made.process.send_signal(signal.SIGCONT)
        made.kill()
    made.client.close()


@pytest.fixture
def site(served):
    served.pages["/live"] = BLOG.page(0)
    return served


@pytest.fixture
def running(daemon, site, free_port):
    """A daemon that polls the site and publishes to the server of the `server` fixture."""
    return daemon(SETTINGS.replace("REDIS", f"redis://127.0.0.1:{free_port}").replace("PAGE", f"{site.address}/live"))


def own_line(running):
    """What `monitor status` says of the daemon itself, None where it says nothing."""
    lines = running.status()
    return lines[-1] if lines else None


def trouble(running, words):
    """The daemon's line if one of its troubles holds these words."""
    line = own_line(running)
    return line if line and any(words in one for one in line["troubles"]) else None


def is_well(running):
    done = running.command("status", "--quiet")
    return done.returncode == 0


def assert_exact(deltas):
    assert [key for key, _ in deltas] == [f"1-{number}" for number in range(1, len(deltas) + 1)]
    told = [
        (event["subject"], event["data"]["entry"]["revision"]) for event in (json.loads(body) for _, body in deltas)
    ]
    assert len(told) == len(set(told))


def assert_polls_go_on(site, wait, polls=5):
    before = len(site.times)
    wait(lambda: len(site.times) >= before + polls, f"{polls} further polls", PATIENCE)


def began(running, wait):
    running.start()
    wait(lambda: running.polled("aleppo"), "the first poll", PATIENCE)


@pytest.mark.slow
def test_a_server_that_is_down_at_the_start_gets_everything_in_order_when_it_comes(running, server, site, wait):
    began(running, wait)
    site.pages["/live"] = BLOG.page(3)
    told = wait(lambda: (line := trouble(running, "redis")) and line["outbox"] >= 3 and line, "the trouble", PATIENCE)
    assert told["outbox"] == 3
    assert running.command("status", "--quiet").returncode == 1
    assert_polls_go_on(site, wait)
    server.start()
    wait(lambda: len(server.deltas()) == 3, "the backlog", PATIENCE)
    assert_exact(server.deltas())
    wait(lambda: is_well(running), "a good status", PATIENCE)
    assert running.stop() == 0


@pytest.mark.slow
def test_a_server_that_stands_still_holds_up_no_poll_and_misses_nothing(running, server, site, wait):
    server.start()
    began(running, wait)
    server.process.send_signal(signal.SIGSTOP)
    site.pages["/live"] = BLOG.page(2)
    assert_polls_go_on(site, wait)
    wait(lambda: trouble(running, "redis"), "the trouble", PATIENCE)
    site.pages["/live"] = BLOG.page(4)
    assert_polls_go_on(site, wait)
    server.process.send_signal(signal.SIGCONT)
    wait(lambda: len(server.deltas()) >= 4, "every delta", PATIENCE)
    assert_exact(server.deltas())
    wait(lambda: is_well(running), "a good status", PATIENCE)


@pytest.mark.slow
def test_a_server_emptied_or_started_anew_is_filled_with_the_same_bytes(running, server, site, wait):
    server.start()
    began(running, wait)
    site.pages["/live"] = BLOG.page(4)
    wait(lambda: len(server.deltas()) >= 4, "four deltas", PATIENCE)
    first = server.deltas()
    server.client.flushall()
    wait(lambda: server.deltas() == first, "the same again after FLUSHALL", PATIENCE)
    server.kill()
    site.pages["/live"] = BLOG.page(6)
    server.start()
    wait(lambda: len(server.deltas()) >= len(first) + 2, "the same and more after a start with nothing", PATIENCE)
    assert server.deltas()[: len(first)] == first
    assert_exact(server.deltas())
    wait(lambda: is_well(running), "a good status", PATIENCE)


@pytest.mark.slow
def test_an_embedded_server_killed_again_and_again_ends_with_an_exact_stream(daemon, site, free_port, client, wait):
    settings = SETTINGS.replace("REDIS", f"{{embedded: {{port: {free_port}}}}}")
    running = daemon(settings.replace("PAGE", f"{site.address}/live"))
    began(running, wait)
    for step in (2, 4, 6):
        site.pages["/live"] = BLOG.page(step)
        (child,) = [one for one in psutil.Process(running.process.pid).children() if "valkey" in one.name()]
        child.kill()
        assert_polls_go_on(site, wait)
        wait(lambda: _answers(client), "the server again", PATIENCE)
    wait(lambda: len(client.xrange("monitor:{aleppo}:deltas")) >= 6, "every delta", PATIENCE)
    assert_exact([(key.decode(), fields[b"d"]) for key, fields in client.xrange("monitor:{aleppo}:deltas")])
    wait(lambda: is_well(running), "a good status", PATIENCE)
    assert running.stop() == 0


def _answers(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False


@pytest.mark.slow
def test_a_database_locked_by_another_program_is_named_and_waited_for(running, server, site, wait):
    server.start()
    began(running, wait)
    with contextlib.closing(sqlite3.connect(running.home / "state" / "monitor.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        site.pages["/live"] = BLOG.page(3)
        wait(lambda: trouble(running, "locked by another process"), "the trouble", PATIENCE)
        assert running.command("status", "--quiet").returncode == 1
        assert server.deltas() == []
        other.execute("ROLLBACK")
    wait(lambda: len(server.deltas()) >= 3, "what happened meanwhile", PATIENCE)
    assert_exact(server.deltas())
    wait(lambda: is_well(running), "a good status", PATIENCE)


@pytest.mark.slow
def test_a_disk_that_refuses_to_write_costs_nothing_but_time(running, server, site, wait):
    """A limit on the size of files, set from outside: the next write of the store's log fails with EFBIG."""
    server.start()
    began(running, wait)
    pid, unlimited = running.process.pid, resource.RLIM_INFINITY
    log = running.home / "state" / "monitor.db-wal"
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size, unlimited))
    site.pages["/live"] = _long_page()
    wait(lambda: trouble(running, "store:"), "the trouble", PATIENCE)
    assert running.command("status", "--quiet").returncode == 1
    assert server.deltas() == []
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    wait(lambda: len(server.deltas()) >= 3, "what happened meanwhile", PATIENCE)
    assert_exact(server.deltas())
    wait(lambda: is_well(running), "a good status", PATIENCE)
    assert running.process.poll() is None


def _can_trace():
    return (
        shutil.which("strace")
        and not subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode
    )


@pytest.mark.slow
@pytest.mark.skipif(not _can_trace(), reason="needs strace, and to be allowed to trace")
@pytest.mark.parametrize("fault", ["fdatasync,fsync:error=EIO", "pwrite64:error=EROFS"])
def test_system_calls_that_fail_in_mid_run_are_told_and_waited_out(daemon, server, site, free_port, wait, fault):
    settings = SETTINGS.replace("REDIS", f"redis://127.0.0.1:{free_port}").replace("PAGE", f"{site.address}/live")
    running = daemon(settings + 'http: {listen: "127.0.0.1:0"}\n')
    server.start()
    began(running, wait)
    address = own_line(running)["health"]
    wait(lambda: _readiness(address)[0] == 200, "readiness", PATIENCE)
    tracer = subprocess.Popen(
        ["strace", "-f", "-o", "/dev/null", "-e", f"inject={fault}", "-p", str(running.process.pid)],
        stderr=subprocess.PIPE,
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(tracer)
        stack.callback(tracer.terminate)  # lets go of the daemon, whose calls succeed again
        tracer.stderr.readline()  # attached
        site.pages["/live"] = BLOG.page(3)
        code, reasons = wait(lambda: (told := _readiness(address))[0] == 503 and told, "the trouble", PATIENCE)
        assert_polls_go_on(site, wait, 1)
        assert (code, [one.split(":")[0] for one in reasons]) == (503, ["store"])
        assert server.deltas() == []
    wait(lambda: len(server.deltas()) >= 3, "what happened meanwhile", PATIENCE)
    assert_exact(server.deltas())
    wait(lambda: _readiness(address)[0] == 200, "readiness again", PATIENCE)
    assert running.stop() == 0


def _readiness(address):
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=PATIENCE) as answer:
            return answer.status, []
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["reasons"]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MB where the state directory will be."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    place = tmp_path / "state"
    place.mkdir(mode=0o700)
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", place], capture_output=True
    ).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.slow
def test_a_full_disk_is_named_and_everything_is_stored_and_told_once_there_is_room(
    small_disk, running, server, site, wait
):
    server.start()
    began(running, wait)
    _fill(small_disk / "filler")
    site.pages["/live"] = _long_page()
    told = wait(lambda: trouble(running, "store:"), "the trouble", PATIENCE)
    assert any("full" in words for words in told["troubles"])
    assert "the disk is full" in running.command("status").stdout
    assert server.deltas() == []
    (small_disk / "filler").unlink()
    wait(lambda: len(server.deltas()) >= 3, "what happened meanwhile", PATIENCE)
    assert_exact(server.deltas())
    wait(lambda: is_well(running), "a good status", PATIENCE)
    assert running.stop() == 0


@pytest.mark.slow
def test_a_full_disk_that_holds_the_embedded_server_too_is_recovered_from(
    small_disk, daemon, site, free_port, client, wait
):
    settings = SETTINGS.replace("REDIS", f"{{embedded: {{port: {free_port}}}}}")
    running = daemon(settings.replace("PAGE", f"{site.address}/live"))
    began(running, wait)
    site.pages["/live"] = BLOG.page(1)
    wait(lambda: client.xlen("monitor:{aleppo}:deltas") == 1, "the first delta", PATIENCE)
    _fill(small_disk / "filler")
    site.pages["/live"] = _long_page(1)
    wait(lambda: trouble(running, "store:"), "the trouble", PATIENCE)
    (small_disk / "filler").unlink()
    wait(lambda: _length(client) >= 4, "what happened meanwhile", PATIENCE)
    assert_exact([(key.decode(), fields[b"d"]) for key, fields in client.xrange("monitor:{aleppo}:deltas")])
    wait(lambda: is_well(running), "a good status", PATIENCE)
    assert running.stop() == 0


def _length(client):
    try:
        return client.xlen("monitor:{aleppo}:deltas")
    except redis.RedisError:
        return 0


@pytest.mark.slow
def test_a_disk_mounted_read_only_is_named_by_run_and_by_status(small_disk, running, server, wait):
    server.start()
    began(running, wait)
    assert running.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    refused = running.command("run")
    assert refused.returncode == 73
    assert "ead-only" in refused.stderr
    assert "Traceback" not in refused.stderr
    looked = running.command("status")
    assert looked.returncode != 0
    assert "read-only" in looked.stdout + looked.stderr
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    running.start()
    wait(lambda: is_well(running), "a good status", PATIENCE)


@pytest.mark.slow
def test_a_damaged_database_is_named_and_a_restored_copy_goes_on(running, server, site, wait, tmp_path):
    server.start()
    began(running, wait)
    running.command("backup", str(tmp_path / "copy.db"), check=True)
    assert running.stop() == 0
    database = tmp_path / "state" / "monitor.db"
    damaged = bytearray(database.read_bytes())
    for page in range(1, len(damaged) // 4096):
        damaged[page * 4096 : page * 4096 + 64] = os.urandom(64)
    database.write_bytes(damaged)
    for words in (("run",), ("status",), ("replay", "--source", "aleppo")):
        refused = running.command(*words)
        assert (refused.returncode, "damaged" in refused.stderr, "Traceback" in refused.stderr) == (73, True, False)
    assert "monitor restore" in running.command("run").stderr
    assert database.read_bytes() == damaged
    running.command("restore", str(tmp_path / "copy.db"), check=True)
    running.start()
    site.pages["/live"] = BLOG.page(2)
    wait(lambda: [key for key, _ in server.deltas()] == ["2-1", "2-2"], "the deltas of a new epoch", PATIENCE)


@pytest.mark.slow
def test_a_store_that_went_back_in_time_unannounced_begins_an_epoch_of_its_own(running, server, site, wait, tmp_path):
    server.start()
    began(running, wait)
    assert running.stop() == 0
    database = tmp_path / "state" / "monitor.db"
    older = database.read_bytes()
    running.start()
    site.pages["/live"] = BLOG.page(2)
    wait(lambda: len(server.deltas()) == 2, "two deltas", PATIENCE)
    assert running.stop() == 0
    database.write_bytes(older)
    running.start()
    # What the older store had not seen is told again, under ids that no stream holds yet.
    wait(lambda: [key for key, _ in server.deltas()] == ["1-1", "1-2", "2-1", "2-2"], "a new epoch", PATIENCE)
    assert "streams_of_another_store" in running.words()
    wait(lambda: is_well(running), "a good status", PATIENCE)
    assert running.stop() == 0
    assert "the epoch is 3 now" in running.command("restore", "--new-epoch", check=True).stderr
    assert running.command("restore").returncode == 2


@pytest.mark.slow
def test_a_lost_state_directory_tells_what_it_finds_before_it_meets_the_old_streams(running, server, site, wait):
    server.start()
    began(running, wait)
    site.pages["/live"] = BLOG.page(4)
    wait(lambda: len(server.deltas()) >= 4, "four deltas", PATIENCE)
    assert running.stop() == 0
    old = server.deltas()
    shutil.rmtree(running.home / "state")
    server.process.send_signal(signal.SIGSTOP)  # away when the daemon starts anew, and for its first changes
    site.pages["/live"] = BLOG.page(0)
    began(running, wait)
    site.pages["/live"] = BLOG.page(3)
    told = wait(lambda: (line := trouble(running, "redis")) and line["outbox"] >= 3 and line, "the trouble", PATIENCE)
    server.process.send_signal(signal.SIGCONT)
    wait(lambda: len(server.deltas()) >= len(old) + told["outbox"], "every delta", PATIENCE)
    wait(lambda: is_well(running), "a good status", PATIENCE)
    assert server.deltas()[: len(old)] == old
    fresh = server.deltas()[len(old) :]
    assert [key for key, _ in fresh] == [f"2-{number}" for number in range(1, told["outbox"] + 1)]
    assert [json.loads(body)["id"] for _, body in fresh] == [f"aleppo/{key}" for key, _ in fresh]
    assert "streams_of_another_store" in running.words()


@pytest.mark.slow
def test_two_daemons_with_stores_of_their_own_on_one_prefix_are_told_and_lose_nothing(
    running, server, site, wait, tmp_path
):
    server.start()
    (tmp_path / "there").mkdir()
    settings = running.config.read_text("utf-8").replace(str(tmp_path / "state"), "STATE")
    there = type(running)(tmp_path / "there", settings)
    try:
        for one in (running, there):
            began(one, wait)
        for step in range(1, 9):
            site.pages["/live"] = BLOG.page(step)
            wait(lambda n=step: len(server.deltas()) >= 2 * n, "both daemons' deltas", PATIENCE)
        words = "another monitor with a store of its own"
        wait(lambda: trouble(running, words) or trouble(there, words), "the trouble", PATIENCE)
    finally:
        there.process.send_signal(signal.SIGTERM)
        there.process.wait(20)
    keys = [tuple(map(int, key.split("-"))) for key, _ in server.deltas()]
    assert keys == sorted(set(keys))
    texts = [json.loads(body)["data"]["entry"]["text"] for _, body in server.deltas()]
    assert all(texts.count(text) % 2 == 0 for text in texts)


def test_commands_that_only_look_make_no_store(running):
    for words in (("backup", str(running.home / "copy.db")), ("replay", "--source", "aleppo")):
        refused = running.command(*words)
        assert (refused.returncode, "no store is here yet" in refused.stderr) == (73, True)
    assert running.command("status").returncode == 0
    assert not (running.home / "state" / "monitor.db").exists()


def _long_page(step=0):
    """The page with three more entries that are too long for what a log has left."""
    texts = (" ".join(f"{word}{number}" for number in range(8_000)) for word in ("convoy", "crossing", "quarter"))
    entries = [f"4:{minute} pm\n\n{text}" for minute, text in zip((10, 20, 30), texts, strict=True)]
    head, _, rest = BLOG.page(step).partition("\n\n\n")
    return "\n\n\n".join([head, *reversed(entries), rest])


def _fill(path):
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
