"""A real Valkey or Redis server of our own, for people who have none: started with us, restarted for us, gone with us.

Rule: it holds nothing the store could not send again, so its life is simple: one server a directory, no TCP unless asked,
nothing left behind.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

from monitor.bus.connection import connect
from monitor.bus.failures import code_of
from monitor.bus.launch import (
    ServerSettings,
    arguments,
    find_program,
    make_private,
    port_is_taken,
    socket_home,
    spawn,
    try_lock,
)
from monitor.errors import AlreadyRunning, BusUnavailable

START_SECONDS = 20.0
LOADING_SECONDS = 600.0  # reading back a large append-only file
STOP_SECONDS = 10.0
ORPHAN_SECONDS = 8.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0  # up this long: the next crash starts counting anew
_LOOK_SECONDS = 0.1
_URL_FILE = "url"


class EmbeddedServer:
    """A server process in `<state_dir>/redis`; use as an async context manager or call `start` and `stop`."""

    def __init__(
        self,
        state_dir: Path,
        *,
        port: int | None = None,
        program: str | Path | None = None,
        max_memory: int = 0,
        durable: bool = True,
        on_event: Callable[[str], None] = lambda words: None,
    ) -> None:
        """`port` opens loopback TCP beside the socket; `program` is a server program to use instead of the installed one;
        `on_event` hears in words when the server died, came back or was given up waiting for."""
        self.directory = state_dir.absolute() / "redis"
        self._settings = ServerSettings(port or None, max_memory, durable)
        self._program = program
        self._on_event = on_event
        self._locks: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_home: tuple[Path, bool] | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the server listens: its unix socket. Raises BusUnavailable before `start`."""
        if self._socket_home is None:
            raise BusUnavailable("the embedded server is not started")
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def _socket(self) -> Path:
        assert self._socket_home is not None
        return self._socket_home[0] / "server.sock"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def start(self) -> str:
        """Start the server, wait until it answers, and return its URL.

        Raises AlreadyRunning, BusUnavailable (no program, port taken, does not start) or StateUnusable.
        """
        program = find_program(self._program)
        make_private(self.directory)
        try:
            await self._take_directory()
            self._socket_home = socket_home(self.directory)
            await self._launch_healthy(program)
        except BaseException:
            await self.stop()
            raise
        self._write_url()
        self._supervisor = asyncio.create_task(self._supervise(program), name="embedded server")
        return self.url

    async def stop(self) -> None:
        """End the server in order and remove its socket. Harmless when it is not running."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
            self._supervisor = None
        try:
            await self._end_process()
        finally:
            self._clear()

    async def _take_directory(self) -> None:
        """Become the only one who starts a server here, and see off one whose owner died without it."""
        owner = try_lock(self.directory / "owner.lock")
        if owner is None:
            raise AlreadyRunning("another process runs its server here", resource=str(self.directory))
        self._locks.append(owner)
        deadline = time.monotonic() + ORPHAN_SECONDS
        while (lock := try_lock(self.directory / "monitor.lock")) is None:
            await self._ask_orphan_to_stop()
            if time.monotonic() > deadline:
                raise AlreadyRunning(
                    "a server left over from a killed process does not end", resource=str(self.directory),
                    mend="end the valkey-server that works in this directory",
                )  # fmt: skip
            await asyncio.sleep(_LOOK_SECONDS)
        self._locks.append(lock)

    async def _ask_orphan_to_stop(self) -> None:
        url = running_url(self.directory.parent)
        if url is None:
            return
        orphan = connect(url)
        with suppress(BusUnavailable):  # it answers SHUTDOWN by closing the connection
            await orphan.command("SHUTDOWN")
        await orphan.aclose()

    async def _launch_healthy(self, program: Path) -> None:
        """Start the process and wait for it; a damaged append-only file is put aside, for the store refills the server."""
        try:
            await self._launch(program)
        except BusUnavailable:
            files = self.directory / "appendonlydir"
            if not (files.exists() and self._log_says("append only file", "aof", "rdb format")):
                raise
            aside = self.directory / f"appendonlydir.unreadable-{int(time.time())}"
            files.rename(aside)
            self._on_event(f"the server could not read its files; they are now {aside}, and the store refills it")
            await self._launch(program)

    async def _launch(self, program: Path) -> None:
        port = self._settings.port
        if port and port_is_taken(port):
            raise BusUnavailable(
                f"port {port} is taken by another program", resource=f"127.0.0.1:{port}",
                mend="set another redis.embedded.port, or stop what listens there",
            )  # fmt: skip
        log = self.directory / "server.log"
        self._log_start = log.stat().st_size if log.exists() else 0
        words = arguments(self._settings, self.directory, self._socket)
        self._process = spawn(program, words, lock=self._locks[1], log=log)
        await self._answering(self._process)

    async def _answering(self, process: subprocess.Popen[bytes]) -> None:
        connection = connect(self.url)
        deadline = time.monotonic() + START_SECONDS
        try:
            while process.poll() is None:
                try:
                    await connection.command("PING")
                except BusUnavailable as error:
                    if error.__cause__ and code_of(error.__cause__) == "LOADING":
                        deadline = max(deadline, time.monotonic() + LOADING_SECONDS)
                    elif time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(0.02)
                else:
                    return
        finally:
            await connection.aclose()
        raise BusUnavailable(
            f"the server ended while starting (code {process.returncode}): {self._last_words()}",
            resource=str(self.directory),
        )

    async def _supervise(self, program: Path) -> None:
        """Start the server again whenever it ends, at growing intervals."""
        pause = FIRST_PAUSE
        while True:
            since = time.monotonic()
            while self.pid is not None:  # noqa: ASYNC110 -- a process has no event to await
                await asyncio.sleep(_LOOK_SECONDS)
            if time.monotonic() - since > STEADY_SECONDS:
                pause = FIRST_PAUSE
            code = self._process.returncode if self._process else None
            self._on_event(f"the embedded server ended (code {code}); starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await self._launch_healthy(program)
            except (BusUnavailable, OSError) as error:
                self._on_event(f"the embedded server does not start: {error}")
                await self._end_process()
            else:
                self._on_event("the embedded server is back")

    async def _end_process(self) -> None:
        process = self._process
        if process is None:
            return
        deadline = time.monotonic() + STOP_SECONDS
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)  # the server's own orderly end: writes its file, removes its socket
        while process.poll() is None and time.monotonic() < deadline:  # noqa: ASYNC110 -- a process has no event to await
            await asyncio.sleep(0.02)
        if process.poll() is None:
            process.kill()
        process.wait()

    def _clear(self) -> None:
        self._process = None
        (self.directory / _URL_FILE).unlink(missing_ok=True)
        if self._socket_home is not None:
            self._socket.unlink(missing_ok=True)
            if self._socket_home[1]:
                shutil.rmtree(self._socket_home[0], ignore_errors=True)
        self._socket_home = None
        while self._locks:
            os.close(self._locks.pop())

    def _write_url(self) -> None:
        fresh = self.directory / f"{_URL_FILE}.new"
        fresh.write_text(self.url + "\n", "utf-8")
        fresh.replace(self.directory / _URL_FILE)

    def _log_text(self) -> str:
        with suppress(OSError), (self.directory / "server.log").open("rb") as log:
            log.seek(self._log_start)
            return log.read(20_000).decode("utf-8", "replace")
        return ""

    def _log_says(self, *words: str) -> bool:
        text = self._log_text().lower()
        return any(word in text for word in words) and ("fatal" in text or "bad file format" in text or "error" in text)

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._log_text().splitlines() if line.strip()]
        return lines[-1][-300:] if lines else "it said nothing"


def running_url(state_dir: Path) -> str | None:
    """Return the URL of the embedded server that works in a state directory, or None; other processes find it so."""
    try:
        return (state_dir / "redis" / _URL_FILE).read_text("utf-8").strip() or None
    except OSError:
        return None
