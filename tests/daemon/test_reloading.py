"""New settings come into force whole or not at all, and reading them again goes on whatever came of it."""

import asyncio
import contextlib
import socket

import pytest

from monitor.daemon.app import Monitor
from monitor.daemon.reloading import Reloader
from monitor.daemon.systemd import ServiceManager
from monitor.errors import StoreUnavailable
from monitor.settings import load_settings

SETTINGS = """\
version: 1
state_dir: state
sources: {page: page.txt}
rules: {halted: suspended}
"""


@pytest.fixture
async def running(tmp_path):
    """A running daemon and what reloads it; its settings are in `monitor.yaml`."""
    (tmp_path / "page.txt").write_text("LIVE\n\n\n3:47 pm\n\nFirst\n\nSomething happened.\n")
    file = tmp_path / "monitor.yaml"
    file.write_text(SETTINGS)
    monitor, stop = Monitor(load_settings(file, environ={})), asyncio.Event()
    task = asyncio.create_task(monitor.run(stop))
    await monitor.started.wait()
    yield monitor, Reloader(monitor, lambda: load_settings(file, environ={})), file
    stop.set()
    await task


async def until(holds, what):
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)
    assert holds(), what


async def test_a_store_that_fails_in_the_middle_leaves_everything_as_it_was(running, monkeypatch):
    monitor, reloader, file = running
    rules, settings = monitor._poller.rules, monitor.settings

    async def locked(*_):
        raise StoreUnavailable("is locked by another process")

    with monkeypatch.context() as broken:
        broken.setattr(monitor.store, "ensure_sources", locked)
        file.write_text(SETTINGS.replace("suspended", "halted"))
        done = await reloader.reload()
    assert (done.ok, "locked" in done.words) == (False, True)
    assert monitor._poller.rules is rules
    assert monitor.settings is settings
    assert (await reloader.reload()).words == "rule halted changed (match)"


async def test_a_disk_that_takes_no_note_does_not_end_the_watching(running):
    monitor, reloader, file = running
    (monitor.settings.state_dir / "reloaded.json").mkdir()  # nothing can be written in its place
    stop = asyncio.Event()
    watching = asyncio.create_task(reloader.watch(stop))
    for rule in ("halted", "called"):
        file.write_text(SETTINGS.replace("suspended", rule))
        await until(lambda rule=rule: monitor.settings.rules["halted"].match == rule, rule)
    assert not watching.done()
    stop.set()
    await watching


async def test_a_file_saved_while_it_is_being_read_is_read_again(running):
    monitor, _, file = running

    def load():
        settings = load_settings(file, environ={})
        if settings.rules["halted"].match == "halted":
            file.write_text(SETTINGS.replace("suspended", "called"))  # an editor saves a moment later
        return settings

    reloader, stop = Reloader(monitor, load), asyncio.Event()
    watching = asyncio.create_task(reloader.watch(stop))
    file.write_text(SETTINGS.replace("suspended", "halted"))
    await until(lambda: monitor.settings.rules["halted"].match == "called", "what was saved last")
    stop.set()
    await watching


async def test_a_reload_asked_for_during_the_start_comes_after_it(tmp_path):
    file = tmp_path / "monitor.yaml"
    file.write_text(SETTINGS)
    monitor, stop = Monitor(load_settings(file, environ={})), asyncio.Event()
    reloader = Reloader(monitor, lambda: load_settings(file, environ={}))
    asked = asyncio.create_task(reloader.reload())
    await asyncio.sleep(0)
    running = asyncio.create_task(monitor.run(stop))
    assert (await asked).words == "nothing changed"
    stop.set()
    await running


async def test_the_service_manager_hears_the_end_of_a_reload_that_failed_in_the_middle(running, tmp_path, monkeypatch):
    monitor, reloader, _ = running

    async def locked(*_):
        raise StoreUnavailable("is locked by another process")

    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.setblocking(False)
        monitor._manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        with monkeypatch.context() as broken:
            broken.setattr(monitor.store, "ensure_sources", locked)
            assert not (await reloader.reload()).ok
        assert [channel.recv(4096).decode().partition("=")[0] for _ in range(2)] == ["RELOADING", "READY"]
