"""What Redis, Valkey and the network answer when they refuse, in the words an operator needs.

Rule: the only place that turns an exception of the Redis client into one of ours; the cause stays chained.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 -- the client's own tree, not the built-in one
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004
)

from monitor.errors import BusUnavailable

# The code that begins a server's error reply → what happened, what to do.
_REPLIES: dict[str, tuple[str, str]] = {
    "NOAUTH": ("the server wants a password", "put user and password into the redis URL"),
    "WRONGPASS": ("the server refuses the user or the password", "correct them in the redis URL"),
    "NOPERM": ("the user lacks a permission", "let it do what docs/channels.md lists for a publisher or a reader"),
    "READONLY": ("the server is a read-only replica", "connect to the primary, or use redis+sentinel://"),
    "OOM": ("the server's memory limit is reached", "raise maxmemory or shorten the streams"),
    "MISCONF": ("the server cannot write its files and refuses writes", "free its disk, see the server's log"),
    "LOADING": ("the server is still loading its data", "wait"),
    "MASTERDOWN": ("the replica has lost its primary", "wait for the failover or repair the primary"),
    "CLUSTERDOWN": ("the cluster does not serve all its slots", "repair the cluster"),
    "NOREPLICAS": ("too few replicas are in step", "repair the replicas or lower min-replicas-to-write"),
    "BUSY": ("the server is busy with a script", "wait, or SCRIPT KILL"),
    "WRONGTYPE": ("the name holds something that is not a stream", "delete that key, or choose another prefix"),
    "unknown command": ("the server lacks a command we need", "use Redis 6.2 or newer (7 as a Cluster), or Valkey"),
}
_ANONYMOUS = "must be called with the client already authenticated"  # of HELLO, by the version under various classes
# A refusal while the connection is made reaches us without code and class.
_PHRASES = {
    _ANONYMOUS: "NOAUTH",
    "invalid username-password pair": "WRONGPASS",
    "no permissions to": "NOPERM",
}
_SAID_LENGTH = 70
# The client takes the code off the replies it has a class for.
_CODES: tuple[tuple[type[RedisError], str], ...] = (
    (NoPermissionError, "NOPERM"),
    (ReadOnlyError, "READONLY"),
    (OutOfMemoryError, "OOM"),
    (BusyLoadingError, "LOADING"),
    (MasterDownError, "MASTERDOWN"),
    (ClusterDownError, "CLUSTERDOWN"),
    (AuthenticationError, "WRONGPASS"),
    (AuthorizationError, "NOPERM"),
)


def code_of(error: BaseException) -> str:
    """Return the code of a server's error reply, "" for one we do not know and for a failure of the connection.

    A command refused within a script has its code at the front since Redis 7 and somewhere in the middle before.
    """
    text = str(error)
    for kind, code in _CODES:
        if isinstance(error, kind):
            return "NOAUTH" if "required" in text or _ANONYMOUS in text else code
    spelled = next((code for code in _REPLIES if code in text), "")
    return spelled or next((code for phrase, code in _PHRASES.items() if phrase in text), "")


def in_words(error: BaseException) -> tuple[str, str | None]:
    """Return what happened and what to do about it."""
    said = _first_line(str(error))
    if code := code_of(error):
        happened, mend = _REPLIES[code]
        return f"{happened}: {_shortened(said)}", mend
    if isinstance(error, TimeoutError):
        return "the server did not answer in time", None
    if isinstance(error, ConnectionError | OSError):
        return f"no connection: {said or type(error).__name__}", None
    return said or type(error).__name__, None


def unavailable(error: BaseException, resource: str) -> BusUnavailable:
    """Return our error for one of the client's; raise it `from` the client's."""
    happened, mend = in_words(error)
    return BusUnavailable(happened, resource=resource, mend=mend)


@contextmanager
def translated(resource: str) -> Iterator[None]:
    """Within, every failure of the client or of its sockets is raised as BusUnavailable about `resource`.

    A cancellation that came meanwhile is raised whatever else happened: the client library sometimes takes one for the
    end of its own time limit, and whoever cancelled would wait for ever.
    """
    task = asyncio.current_task()
    cancelled = task.cancelling() if task else 0
    try:
        yield
    except (RedisError, OSError, EOFError) as error:
        _raise_if_cancelled(task, cancelled)
        raise unavailable(error, resource) from error
    except Exception as error:
        # Not derived from RedisError in the client's tree, though it is one (redis.exceptions.RedisClusterException).
        if type(error).__module__.startswith("redis."):
            raise unavailable(error, resource) from error
        raise
    _raise_if_cancelled(task, cancelled)


def _raise_if_cancelled(task: asyncio.Task[object] | None, before: int) -> None:
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


def _shortened(said: str) -> str:
    """Leave room for what to do about it: who shows our words shows a line."""
    return said if len(said) <= _SAID_LENGTH else said[: _SAID_LENGTH - 1] + "…"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else ""
