"""What Redis, Valkey and the network answer when they refuse, in the words an operator needs.

Rule: the only place that turns an exception of the Redis client into one of ours; the cause stays chained.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,  # noqa: A004 -- the client's own tree, not the built-in one
    RedisError,
    TimeoutError,  # noqa: A004
)

from monitor.errors import BusUnavailable

# First words of a server's error reply → what happened, what to do. Scripts wrap the reply of a command they call
# ("… script: f_…" since Redis 7, "Error running script … @user_script: OOM …" before), so the word is looked for anywhere.
_REPLIES: tuple[tuple[str, str, str], ...] = (
    ("NOAUTH", "the server wants a password", "put user and password into the redis URL"),
    ("WRONGPASS", "the server refuses the user or the password", "correct user and password in the redis URL"),
    ("NOPERM", "the user lacks a permission", "let the user XADD, XREVRANGE, PUBLISH, EVALSHA and EVAL on our prefix"),
    ("READONLY", "the server is a read-only replica", "connect to the primary, or use redis+sentinel://"),
    ("OOM", "the server's memory limit is reached", "raise maxmemory or shorten the streams"),
    ("MISCONF", "the server cannot write its files to disk and refuses writes", "free its disk, see the server's log"),
    ("LOADING", "the server is still loading its data", "wait"),
    ("MASTERDOWN", "the replica has lost its primary", "wait for the failover or repair the primary"),
    ("CLUSTERDOWN", "the cluster does not serve all its slots", "repair the cluster"),
    ("NOREPLICAS", "too few replicas are in step", "repair the replicas or lower min-replicas-to-write"),
    ("BUSY", "the server is busy with a script", "wait, or SCRIPT KILL"),
    ("WRONGTYPE", "the name holds something that is not a stream", "delete that key, or choose another redis prefix"),
    ("unknown command", "the server lacks a command we need", "use Redis 6.2 or newer, or Valkey"),
)


def in_words(error: BaseException) -> tuple[str, str | None]:
    """Return what happened and what to do about it."""
    text = str(error)
    for word, happened, mend in _REPLIES:
        if word in text:
            return f"{happened}: {_first_line(text)}", mend
    if isinstance(error, AuthenticationError | AuthorizationError):
        return f"the server refuses the user or the password: {_first_line(text)}", "correct them in the redis URL"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time", None
    if isinstance(error, ConnectionError | OSError):
        return f"no connection: {_first_line(text) or type(error).__name__}", None
    return _first_line(text) or type(error).__name__, None


def unavailable(error: BaseException, resource: str) -> BusUnavailable:
    """Return our error for one of the client's; raise it `from` the client's."""
    happened, mend = in_words(error)
    return BusUnavailable(happened, resource=resource, mend=mend)


@contextmanager
def translated(resource: str) -> Iterator[None]:
    """Within, every failure of the client or of its sockets is raised as BusUnavailable about `resource`."""
    try:
        yield
    except (RedisError, OSError, EOFError) as error:
        raise unavailable(error, resource) from error
    except Exception as error:
        # Not derived from RedisError in the client's tree, though it is one (redis.exceptions.RedisClusterException).
        if type(error).__module__.startswith("redis."):
            raise unavailable(error, resource) from error
        raise


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else ""
