"""What a parser may do at worst, as readers a parse worker can be told to run."""

import ctypes
import os
import socket
import sys
import threading
import time
from datetime import UTC, datetime

from monitor.model import Entry, Reading, ReadOptions, Snapshot, Stamp, Verdict, VerdictKind


class ReadMemory:
    def __init__(self):
        self.times = 0


def read(document, options: ReadOptions, memory):
    """Obey the first word of the body."""
    memory.times += 1
    word, _, rest = document.body.partition(b" ")
    answer = BEHAVIOURS[word](rest, memory)
    stamp = Stamp(datetime(2016, 12, 15, 13, 47, tzinfo=UTC), "3:47 pm", 60)
    entry = Entry(0, answer, title=document.url, published=stamp, tags=(options.kind,))
    return Reading(
        Verdict(VerdictKind.OK), Snapshot((entry,), "text", document.seen_at, remarks=(str(memory.times),)), "told to"
    )


def _spin(rest, memory):
    while True:
        pass


def _eat(rest, memory):
    return len(bytearray(1 << 32)) and "ate"


def _segfault(rest, memory):
    return str(ctypes.string_at(0))


def _kill(rest, memory):
    return str(os.kill(os.getppid(), 0))


def _fork(rest, memory):
    return str(os.fork())


def _remove(rest, memory):
    return str(os.unlink("/nowhere/at/all"))


def _thread(rest, memory):
    threading.Thread(target=print).start()
    return "started"


def _busy(rest, memory):
    until = time.process_time() + float(rest)
    while time.process_time() < until:
        pass
    return "busy"


def _leave(rest, memory):
    os._exit(3)


def _raise(rest, memory):
    raise RuntimeError("a secret text of the page")


def _recurse(rest, memory):
    return _recurse(rest, memory)


def _print(rest, memory):
    print("noise on stdout", flush=True)
    os.write(1, b"\xff" * 100)
    return "printed"


def _write(rest, memory):
    with open(rest.decode(), "w") as file:
        file.write("x" * 100)
    return "written"


def _connect(rest, memory):
    with socket.create_connection(("127.0.0.1", int(rest)), timeout=2):
        return "connected"


def _run(rest, memory):
    os.execlp("true", "true")


def _environment(rest, memory):
    return " ".join(sorted(os.environ))


def _descriptors(rest, memory):
    return " ".join(sorted(os.listdir("/proc/self/fd"), key=int))


def _swell(rest, memory):
    memory.ballast = b"x" * int(rest)
    return str(len(memory.ballast))


BEHAVIOURS = {
    b"say": lambda rest, memory: rest.decode("utf-8", "surrogateescape"),
    b"modules": lambda rest, memory: " ".join(sorted(sys.modules)),
    b"sleep": lambda rest, memory: time.sleep(float(rest)) or "slept",
    b"spin": _spin,
    b"eat": _eat,
    b"segfault": _segfault,
    b"kill": _kill,
    b"fork": _fork,
    b"remove": _remove,
    b"thread": _thread,
    b"busy": _busy,
    b"leave": _leave,
    b"raise": _raise,
    b"recurse": _recurse,
    b"print": _print,
    b"write": _write,
    b"connect": _connect,
    b"run": _run,
    b"environment": _environment,
    b"descriptors": _descriptors,
    b"swell": _swell,
    b"pid": lambda rest, memory: str(os.getpid()),
}
