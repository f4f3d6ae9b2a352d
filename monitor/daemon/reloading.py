"""Reading the settings again while the daemon runs: on a signal, on command, or when a file changed.

Rule: new settings are put in force whole or not at all; on any error the old ones stay and the trouble is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from monitor.daemon import state_directory
from monitor.daemon.app import Monitor
from monitor.daemon.state_directory import Reloaded
from monitor.errors import MonitorError
from monitor.settings import Settings

log = structlog.get_logger(__name__)

WATCH_SECONDS = 1.0

Stamp = tuple[int, int, int]  # inode, size, time of change: editors replace files, others write them in place


class Reloader:
    """Reloads a monitor's settings, one reload at a time, and leaves a note for `monitor reload`."""

    def __init__(self, monitor: Monitor, load: Callable[[], Settings]) -> None:
        """`load` reads the settings anew and raises SettingsError with every problem."""
        self._monitor = monitor
        self._load = load
        self._turn = asyncio.Lock()
        self._seen = _stamps(monitor.settings.files)

    async def reload(self) -> Reloaded:
        """Read the settings and put them in force; return what changed, or why nothing did."""
        await self._monitor.started.wait()  # asked for during the start, it comes after it
        async with self._turn:
            before = self._stamps()  # what is saved from here on is another change
            try:
                settings = await asyncio.to_thread(self._load)
                done = Reloaded(True, await self._monitor.reload(settings))
            except MonitorError as error:
                done = Reloaded(False, f"refused, the old settings stay in force:\n{error}")
                log.error("reload_refused", reason=str(error))
            self._seen = {path: before.get(path, stamp) for path, stamp in self._stamps().items()}
            self._monitor.metrics.reloaded(ok=done.ok, at=self._monitor.clock.now())
            await asyncio.to_thread(self._write_down, done)
            return done

    def _stamps(self) -> dict[Path, Stamp | None]:
        return _stamps(self._monitor.settings.files)

    def _write_down(self, done: Reloaded) -> None:
        try:
            state_directory.write_reloaded(self._monitor.settings.state_dir, done)
        except MonitorError as error:  # on a full disk: who waits for the note is told nothing, and all else goes on
            log.warning("reload_not_written", error=str(error))

    async def watch(self, stop: asyncio.Event) -> None:
        """Reload when a settings file changed and then stood still for a moment, until `stop` is set."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await stop.wait()
            except TimeoutError:
                await self._look()

    async def _look(self) -> None:
        if not self._monitor.settings.reload.watch:
            return
        now = self._stamps()
        if now == self._seen:
            return
        await asyncio.sleep(WATCH_SECONDS / 2)
        if self._stamps() == now:  # an editor that still writes is waited for
            await self.reload()


def _stamps(files: Iterable[Path]) -> dict[Path, Stamp | None]:
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
