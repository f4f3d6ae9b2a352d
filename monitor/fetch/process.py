"""One parse process as its parent sees it: started when needed, asked one document at a time, killed when late.

Rule: after anything unexpected the process is killed and forgotten; the next document gets a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

import monitor
from monitor.fetch.frames import LENGTHS, MAX_REPLY, NOTE, OPEN, READY, Order, decode_reading, encode_order
from monitor.model import Reading

_BUFFER = 1 << 20  # bytes of a reply read ahead
_SLOW_NICE = 5  # a third of the processor share of others: a slow parse may be an honest one
_ROOT = str(Path(monitor.__file__).resolve().parent.parent)


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How a parse process is started and bounded. Times in seconds."""

    reader: str
    address_space: int
    cpu_seconds: int
    deadline: float
    start_deadline: float


class ProcessLostError(Exception):
    """The process gave no reading; `code` and `reason` say why as a verdict does."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ParseProcess:
    """A parse process; not to be asked by two tasks at once."""

    def __init__(self, spec: ProcessSpec) -> None:
        self._spec = spec
        self._process: asyncio.subprocess.Process | None = None
        self.cpu_seconds = 0.0  # processor time the last document took
        self.confined: bool | None = None  # None until one was started

    @property
    def pid(self) -> int | None:
        """The process id, or None while none runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def ask(self, order: Order) -> Reading:
        """Return the reading of one document. Raises ProcessLostError; the process is gone then."""
        frame = encode_order(order)
        process = await self.ready()
        try:
            async with asyncio.timeout(self._spec.deadline):
                return await self._exchange(process, frame)
        except TimeoutError:
            await self.kill()
            raise ProcessLostError("parse_timeout", f"parsing was stopped after {self._spec.deadline:g} s") from None
        except (OSError, EOFError) as error:
            raise _lost(await self._buried(process)) from error
        except (msgspec.MsgspecError, ValueError, struct.error) as error:
            await self.kill()
            raise ProcessLostError("parse_crash", f"the parser's answer makes no sense: {error}") from error
        except BaseException:  # cancelled: the reply to this document must not be taken for the next one's
            await self.kill()
            raise

    def slow_down(self) -> None:
        """Let everybody else on the machine go first."""
        if self.pid is not None:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.pid, _SLOW_NICE)

    async def kill(self) -> None:
        """End the process, if one runs."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            _kill(process)
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

    async def _exchange(self, process: asyncio.subprocess.Process, frame: bytes) -> Reading:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(frame)
        await process.stdin.drain()
        message, note = await _received(process.stdout)
        leaving, milliseconds = NOTE.unpack(note)
        self.cpu_seconds = milliseconds / 1000
        if leaving:
            await self.kill()
        return decode_reading(message)

    async def ready(self) -> asyncio.subprocess.Process:
        """Return the running process, a new one if there is none or it left after its last document.

        Raises ProcessLostError when none can be started.
        """
        if self._process is not None:
            if self._process.returncode is None and self._process.stdout and not self._process.stdout.at_eof():
                return self._process
            await self.kill()
        try:
            async with asyncio.timeout(self._spec.start_deadline):
                self._process = process = await self._start()
                assert process.stdout is not None
                self.confined = _expect_ready(await _received(process.stdout))
        except (TimeoutError, OSError, EOFError, ValueError) as error:
            await self.kill()
            raise ProcessLostError("parse_unavailable", f"no parse process can be started: {error!r}") from error
        except BaseException:
            await self.kill()
            raise
        return process

    async def _start(self) -> asyncio.subprocess.Process:
        """Start the process with nothing of ours but the package's place: no descriptors, no secrets in its environment."""
        spec = self._spec
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "monitor.fetch.child"),
            *(spec.reader, str(os.getpid()), str(spec.address_space), str(spec.cpu_seconds)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={"PYTHONPATH": _ROOT, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,  # a Ctrl-C at the terminal is the parent's to handle
            limit=_BUFFER,
        )

    async def _buried(self, process: asyncio.subprocess.Process) -> int:
        """Return how the process ended by itself; kill it if it only closed its pipe."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await process.wait()
        await self.kill()
        return process.returncode or 0


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill without reaping: `Process.kill` polls first and takes the exit status away from asyncio's own watcher."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)


async def _received(stream: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return JSON and note of one frame. Raises EOFError (IncompleteReadError) at the end, ValueError on a monstrous one."""
    message_length, note_length = LENGTHS.unpack(await stream.readexactly(LENGTHS.size))
    if message_length > MAX_REPLY or note_length > NOTE.size:
        raise ValueError(f"a reply of {message_length} bytes")
    return await stream.readexactly(message_length), await stream.readexactly(note_length)


def _expect_ready(received: tuple[bytes, bytes]) -> bool:
    """Return whether the process that says it is ready could be confined."""
    message, note = received
    if message != READY:
        raise ValueError("the process does not say that it is ready")
    return note != OPEN


def _lost(code: int) -> ProcessLostError:
    if code in (-signal.SIGPROF, -signal.SIGXCPU):
        return ProcessLostError("parse_timeout", "parsing was stopped: too much processor time")
    if code < 0:
        return ProcessLostError("parse_crash", f"the parser died of {signal.Signals(-code).name}")
    return ProcessLostError("parse_crash", f"the parser left with exit code {code}")
