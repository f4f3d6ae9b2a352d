"""The state directory: ours alone, one daemon at a time, with a note of who runs in it.

monitor.lock   held while a daemon runs        runtime.json   its pid and where its server listens
monitor.db     the store                       redis/         the embedded server
troubles.json  what keeps it from its work     reloaded.json  what the last reload did
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import AlreadyRunning, NotPermitted, StateUnusable
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.settings import Settings

LOCK, RUNTIME, RELOADED, DATABASE = "monitor.lock", "runtime.json", "reloaded.json", "monitor.db"
TROUBLES = "troubles.json"
TROUBLES_SIZE = 4096
LEAST_ROOM = 64 * 1024  # bytes; less takes no transaction of any size


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a running daemon tells other commands of itself."""

    pid: int
    bus_url: str  # of the embedded server; of another one the same without its secrets
    started_at: str
    settings_file: str
    health: str | None = None  # host:port of the health and metrics endpoint


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of reading the settings again."""

    ok: bool
    words: str  # what changed, or why nothing did


def prepare(directory: Path) -> Path:
    """Create the state directory with mode 0700, or check that the one there is ours alone.

    Raises StateUnusable when it cannot be made or is a link or no directory, NotPermitted when it is somebody else's.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except (FileExistsError, NotADirectoryError) as error:
        mend = "name a directory, or one that can be made"
        raise StateUnusable("is no directory", resource=str(directory), mend=mend) from error
    except PermissionError as error:
        mend = "set `state_dir`, or run it as the user who may"
        raise NotPermitted("may not be made by this user", resource=str(directory), mend=mend) from error
    except OSError as error:
        raise StateUnusable(error.strerror or str(error), resource=str(directory)) from error
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        raise StateUnusable("is a link or no directory", resource=str(directory), mend="name the directory itself")
    if found.st_uid != os.geteuid():
        raise NotPermitted("belongs to another user", resource=str(directory), mend="set `state_dir` to one of yours")
    if found.st_mode & 0o077:
        try:
            directory.chmod(0o700)
        except OSError as error:
            raise StateUnusable(f"cannot be made private: {error.strerror}", resource=str(directory)) from error
    return directory


def store_place(settings: Settings) -> str:
    """Return where the store is: a file in the state directory, or the URL of a database."""
    return str(settings.state_dir / DATABASE) if settings.store == "sqlite" else settings.store


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory for this process; the lock falls with the process, however it ends.

    Raises AlreadyRunning with the other's pid when it is held, StateUnusable when the lock cannot be made.
    """
    path = directory / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StateUnusable(error.strerror or str(error), resource=str(path)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        running = read_runtime(directory)
        who = f"a daemon with pid {running.pid} works here" if running else "another process works here"
        raise AlreadyRunning(who, resource=str(directory), mend="stop it, or set another `state_dir`") from error
    try:
        yield
    finally:
        os.close(descriptor)


def is_running(directory: Path) -> bool:
    """Return whether a daemon holds the directory now."""
    try:
        # Reading is enough to ask with, and works on a disk that has become read-only.
        descriptor = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def write_runtime(directory: Path, runtime: Runtime) -> None:
    """Write the note whole or not at all, and that there is no trouble yet.

    Raises StateUnusable when the disk does not take it.
    """
    write_troubles(directory, ())
    _write(directory, RUNTIME, asdict(runtime))


def write_reloaded(directory: Path, reloaded: Reloaded) -> None:
    """Write what the last reload did."""
    _write(directory, RELOADED, asdict(reloaded))


def read_reloaded(directory: Path) -> tuple[int, Reloaded] | None:
    """Return what the last reload did and when it was written (ns), None where there is no such note."""
    path = directory / RELOADED
    try:
        return path.stat().st_mtime_ns, Reloaded(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_troubles(directory: Path, troubles: tuple[str, ...]) -> None:
    """Write what keeps the daemon from its work, in place: a disk that is full has no room for a second file.

    The first call makes the file at its full size. Raises StateUnusable when the disk does not take it.
    """
    path = directory / TROUBLES
    lines = [printable(trouble)[:190] for trouble in troubles[:5]]  # fits, at 4 bytes a character
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(descriptor, json.dumps(lines, ensure_ascii=False).encode().ljust(TROUBLES_SIZE), 0)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StateUnusable(error.strerror or str(error), resource=str(path)) from error


def read_troubles(directory: Path) -> tuple[str, ...]:
    """Return what the running daemon says keeps it from its work; () where it says nothing."""
    try:
        return tuple(json.loads((directory / TROUBLES).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return ()


def disk_trouble(directory: Path) -> str:
    """Return what the disk under a directory will not take, in words; "" for nothing known."""
    try:
        disk = os.statvfs(directory)
    except OSError as error:
        return f"{directory}: {error.strerror}"
    if disk.f_flag & os.ST_RDONLY:
        return f"{directory}: the disk is read-only"
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < LEAST_ROOM:
        return f"{directory}: the disk is full"
    return ""


def _write(directory: Path, name: str, value: Mapping[str, object]) -> None:
    draft = directory / f".{name}.{os.getpid()}"
    try:
        draft.write_text(json.dumps(value), encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(directory / name)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise StateUnusable(error.strerror or str(error), resource=str(directory / name)) from error


def read_runtime(directory: Path) -> Runtime | None:
    """Return the note of the daemon that runs or ran last, None where there is none that can be read."""
    try:
        return Runtime(**json.loads((directory / RUNTIME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def remove_runtime(directory: Path) -> None:
    """Take the note away."""
    with contextlib.suppress(OSError):
        (directory / RUNTIME).unlink()
