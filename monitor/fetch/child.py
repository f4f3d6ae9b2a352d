"""The parse worker's side: a process that takes documents and gives readings, and can do nothing else.

Rule: a stranger's bytes meet a parser only here. The process dies with its parent, has a bounded address space, bounded
processor time per document, no inherited descriptor but its two pipes, and on Linux no network, no other programs and no
file it could write; what it says is checked by its parent.
Imports stay few: the start is paid whenever a hostile document had its parser killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import math
import os
import resource
import signal
import sys
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO

from monitor.fetch.frames import LENGTHS, NOTE, OPEN, READY, decode_order, encode_reading, frame
from monitor.fetch.sandbox import confine
from monitor.model import Document, Reading, ReadOptions, Verdict, VerdictKind

Reader = Callable[[Document, ReadOptions, Any], Reading]

_PR_SET_PDEATHSIG = 1
_MAX_MEMORIES = 1024  # sources whose parse memory is kept; a feed's is some KiB
_OPEN_FILES = 64  # parsers load time zones and code pages late; sockets and floods of files stay impossible in number


def main() -> None:
    """Serve documents until the parent closes the pipe. Arguments: reader, parent's pid, address space, CPU seconds."""
    reader_name, parent, address_space, cpu_seconds = sys.argv[1:5]
    _die_with(int(parent))
    inbound, outbound = _own_pipes()
    module_name, _, function = reader_name.partition(":")
    module = importlib.import_module(module_name)
    reader: Reader = getattr(module, function)
    memories = _Memories(getattr(module, "ReadMemory", None))
    _warm_up(reader, memories)
    _bound(int(address_space))
    note = b"" if confine() else OPEN
    gc.freeze()  # what was imported stays: collections during a parse look only at the parse
    _send(outbound, frame(READY, note))
    while (taken := _take(inbound)) is not None:
        before = _cpu_used()
        _allow_cpu(before, int(cpu_seconds))
        reply = _served(reader, memories, *taken)
        leaving = _swollen(int(address_space))
        _send(outbound, frame(reply, NOTE.pack(leaving, int((_cpu_used() - before) * 1000))))
        if leaving:
            return


def _warm_up(reader: Reader, memories: _Memories) -> None:
    """Read one small document of each make, so that no real one pays for imports out of its deadline."""
    for body in (b"<rss version='2.0'><channel/></rss>", b"<html><p>3:47 pm</p></html>", b'{"items": []}'):
        with contextlib.suppress(Exception):
            reader(Document(body, datetime.now(UTC)), ReadOptions(), memories.of(""))


def _served(reader: Reader, memories: _Memories, message: bytes, body: bytes) -> bytes:
    """Return the reading of one order as JSON; a parser's exception is a failed reading that names it."""
    try:
        order = decode_order(message, body)
        return encode_reading(reader(order.document, order.options, memories.of(order.source_id)))
    except MemoryError:
        return encode_reading(_failed("parse_memory", "the document needs more memory than a parse may have"))
    except RecursionError:
        return encode_reading(_failed("parse_depth", "the document is nested too deeply"))
    except Exception as error:  # noqa: BLE001 - feedparser raises whatever its input provokes; that is the input's fault
        # The message may quote the document: only the type and the place in our code are told.
        return encode_reading(_failed("parse_error", f"the parser failed with {_where(error)}"))


def _failed(code: str, reason: str) -> Reading:
    return Reading(Verdict(VerdictKind.FAILED, reason, code))


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""  # noqa: PTH119
    return f"{type(error).__name__}{place}"


class _Memories:
    """What the reader remembers of each source, least recently used dropped first."""

    def __init__(self, create: Callable[[], Any] | None) -> None:
        self._create = create
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def of(self, source_id: str) -> Any:
        """Return the source's memory, new if there is none."""
        if self._create is None:
            return None
        if source_id not in self._kept:
            self._kept[source_id] = self._create()
            if len(self._kept) > _MAX_MEMORIES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(source_id)
        return self._kept[source_id]


def _die_with(parent: int) -> None:
    """Be killed when the parent dies, however it dies (prctl(2)); it may have died before we could ask for that."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes away from stdin and stdout, so that a library that prints cannot break a frame.

    Everything else is closed here and not left to the parent: uvloop hands on what was made inheritable.
    """
    os.closerange(3, 65_536)
    inbound = os.fdopen(os.dup(0), "rb", buffering=1 << 20)
    outbound = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    return inbound, outbound


def _bound(address_space: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))


def _cpu_used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _allow_cpu(before: float, seconds: int) -> None:
    """Grant the next document its processor time.

    The timer is exact, the limit cannot be taken back by a parser taken over; it counts the whole life of the process.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)  # SIGPROF kills (signal(7))
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(before + seconds) + 1, resource.RLIM_INFINITY))


def _swollen(address_space: int) -> bool:
    """Return whether a document made this process so large that its next ones would run short: a lean one follows."""
    try:  # not ru_maxrss: a process inherits that from its parent's size through fork and exec
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - pathlib is 10 ms of this process's start
            return int(statm.read().split()[1]) * resource.getpagesize() > address_space // 2
    except OSError:
        return False


def _take(inbound: BinaryIO) -> tuple[bytes, bytes] | None:
    lengths = inbound.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    message_length, body_length = LENGTHS.unpack(lengths)
    message, body = inbound.read(message_length), inbound.read(body_length)
    return (message, body) if len(message) + len(body) == message_length + body_length else None


def _send(outbound: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[outbound.write(view) :]


if __name__ == "__main__":
    main()
