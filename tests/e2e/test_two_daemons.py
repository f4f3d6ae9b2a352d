"""Two daemons on one PostgreSQL and one Redis: what one stored the other does not store again, whoever stands still."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis

from monitor.bus.launch import find_program
from monitor.demo.blog import load_blog

BLOG = load_blog()
SETTINGS = """\
version: 1
state_dir: STATE
store: "POSTGRESQL"
redis: redis://127.0.0.1:PORT
sources:
  aleppo: {url: "PAGE", every: 0.2s, allow_fast: true, allow_private: true, robots: false, timezone: Etc/GMT}
rules:
  halted: {match: suspended, max_age: 0}
fetch: {spacing: 0.01s}
"""
PATIENCE = 45  # seconds; for machines with more to do than this


def _binaries():
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max((place.parent for place in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


@pytest.fixture
def postgresql():
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server binaries here")
    place = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a unix socket's path has 107 bytes
    whose = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root and there is no user postgres")
        os.chown(place, user.pw_uid, user.pw_gid)
        whose = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def run(command, *words):
        """Run one of the server's programs on its data."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(
            [binaries / command, "-D", place / "data", *words], cwd=place, check=True, timeout=60, **quiet, **whose
        )

    try:
        run("initdb", "-U", "monitor", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {place} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-o", options, "-l", place / "log", "-w", "start")
        start = partial(run, "pg_ctl", "-o", options, "-l", place / "log", "-w", "start")
        stop = partial(run, "pg_ctl", "-m", "immediate", "-w", "stop")
        yield SimpleNamespace(url=f"postgresql://monitor@/postgres?host={place}", start=start, stop=stop)
        stop()
    finally:
        shutil.rmtree(place)


@pytest.fixture
def bus(free_port, tmp_path):
    words = [find_program(), "--port", str(free_port), "--bind", "127.0.0.1", "--dir", tmp_path, "--save", ""]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.closing(redis.Redis(port=free_port, socket_timeout=20)) as client:
        deadline = time.monotonic() + PATIENCE
        while not _answers(client):
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.05)
        yield client
    server.kill()
    server.wait(10)


def _answers(client):
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


@pytest.fixture
def pair(daemon, postgresql, bus, free_port, served, tmp_path):
    served.pages["/live"] = BLOG.page(0)
    settings = SETTINGS.replace("POSTGRESQL", postgresql.url).replace("PORT", str(free_port))
    settings = settings.replace("PAGE", f"{served.address}/live")
    here = daemon(settings)
    (tmp_path / "there").mkdir()
    there = type(here)(tmp_path / "there", settings)
    yield here, there
    if there.process is not None:
        there.process.send_signal(signal.SIGCONT)
        there.kill()


@pytest.mark.slow
@pytest.mark.postgresql
def test_two_daemons_on_one_store_tell_each_change_once_in_order_though_each_stands_still_for_a_while(
    pair, bus, served, wait
):
    here, there = pair
    here.start()
    there.start()
    wait(lambda: here.polled("aleppo"), "the first poll", PATIENCE)
    for step in range(1, BLOG.last_step + 1):
        served.pages["/live"] = BLOG.page(step)
        still = (here, there)[step // 4 % 2]  # each is stopped in the midst of whatever it does
        still.process.send_signal(signal.SIGSTOP if step % 4 == 1 else signal.SIGCONT)
        time.sleep(0.4)
    for one in pair:
        one.process.send_signal(signal.SIGCONT)
    wait(lambda: _told(_stream(bus, "monitor:{aleppo}:deltas")) >= _needed(), "every change", PATIENCE)
    assert (here.stop(), there.stop()) == (0, 0)
    deltas = _stream(bus, "monitor:{aleppo}:deltas")
    assert [key for key, _ in deltas] == [f"1-{number}" for number in range(1, len(deltas) + 1)]
    revisions = [(event["subject"], event["data"]["entry"]["revision"], event["type"]) for _, event in deltas]
    assert len(revisions) == len(set(revisions))
    alerts = [event["data"]["rule"] for _, event in _stream(bus, "monitor:alerts")]
    assert alerts == ["halted"]


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_database_server_that_goes_away_is_named_and_nothing_is_lost_when_it_is_back(
    pair, postgresql, bus, served, wait, tmp_path
):
    here, _ = pair
    here.start()
    wait(lambda: here.polled("aleppo"), "the first poll", PATIENCE)
    before = len(bus.xrange("monitor:{aleppo}:deltas"))
    postgresql.stop()
    try:
        served.pages["/live"] = BLOG.page(BLOG.last_step // 2)
        wait(lambda: "does not answer" in here.command("status").stderr, "the trouble", PATIENCE)
        assert here.command("status", "--quiet").returncode == 69
        wait(lambda: any("store: " in one for one in _troubles(tmp_path)), "what the daemon says itself", PATIENCE)
        assert not any("redis: " in one for one in _troubles(tmp_path))
        assert here.process.poll() is None
    finally:
        postgresql.start()
    served.pages["/live"] = BLOG.page(BLOG.last_step)
    wait(lambda: _told(_stream(bus, "monitor:{aleppo}:deltas")) >= _needed(), "every change", PATIENCE)
    wait(lambda: here.command("status", "--quiet").returncode == 0, "a good status", PATIENCE)
    assert here.stop() == 0
    assert len(bus.xrange("monitor:{aleppo}:deltas")) > before


def _troubles(home):
    return json.loads((home / "state" / "troubles.json").read_text("utf-8"))


def _stream(client, name):
    return [(key.decode(), json.loads(fields[b"d"])) for key, fields in client.xrange(name)]


def _told(deltas):
    """The last text of each entry told of, removed ones left out."""
    last = {event["subject"]: event for _, event in deltas}
    return {event["data"]["entry"]["text"] for event in last.values() if not event["type"].endswith("removed")}


def _needed():
    """What the last page says that the first did not."""
    final = ((post, BLOG._corrected(post, BLOG.last_step)) for post in BLOG.posts if post.withdrawn is None)
    return {"\n\n".join(last.paragraphs) for post, last in final if post.appears or last != post}
