"""What a server's own report says about keeping our streams, in words for the operator.

Rule: a warning names what would happen to the streams and which setting prevents it; nothing here changes the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OLDEST = (6, 2)  # XTRIM MINID and exclusive ranges came with Redis 6.2
NEARLY_FULL = 0.8


@dataclass(frozen=True, slots=True)
class ServerReport:
    """What a server, or all primaries of a Cluster, are."""

    run: str  # changes whenever a process behind the address does
    version: str
    warnings: tuple[str, ...]


def judge(nodes: Sequence[Mapping[str, object]]) -> ServerReport:
    """Return the report on the INFO replies of all primaries."""
    warnings: dict[str, None] = {}
    for info in nodes:
        warnings.update(dict.fromkeys(_warnings(info)))
    run = " ".join(sorted(str(info.get("run_id", "")) for info in nodes))
    versions = sorted({_version(info) for info in nodes})
    return ServerReport(run, ", ".join(versions), tuple(warnings))


def _warnings(info: Mapping[str, object]) -> list[str]:
    found = []
    if _numbers(str(info.get("redis_version", "7"))) < OLDEST:
        found.append(f"the server is {_version(info)}: Redis 6.2 or newer, or Valkey, is needed")
    if info.get("role") == "slave":
        found.append("the server is a replica and takes no messages: name its primary, or use redis+sentinel://")
    limit, used = _number(info, "maxmemory"), _number(info, "used_memory")
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if limit and policy.startswith("allkeys"):
        found.append(f"with maxmemory-policy {policy} a full server drops whole streams silently: set it to noeviction")
    if limit and used > NEARLY_FULL * limit:
        found.append(f"the server's memory is {used / limit:.0%} full: it will refuse messages; raise maxmemory")
    if info.get("aof_enabled") == 0:
        found.append(
            "the server keeps no append-only file: after a restart it holds the last snapshot or nothing, and is filled "
            "again with what the store still keeps; set appendonly yes to keep more"
        )
    if info.get("aof_last_write_status", "ok") != "ok" or info.get("aof_last_bgrewrite_status", "ok") != "ok":
        found.append("the server fails to write its append-only file: look at its disk and its log")
    return found


def _version(info: Mapping[str, object]) -> str:
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info.get('redis_version', 'of unknown version')}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _number(info: Mapping[str, object], name: str) -> int:
    value = info.get(name, 0)
    return value if isinstance(value, int) else 0
