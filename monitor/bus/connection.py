"""One connection pool to a Redis, Valkey, Sentinel-watched primary or Cluster, with timeouts that suit a daemon.

Rule: nobody else in the package builds a Redis client. Commands are never repeated behind the caller's back: a lost
connection must be seen, because the server behind the next one may be empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import Connection as TcpConnection
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from monitor.bus.address import Address, parse_address
from monitor.bus.failures import translated
from monitor.errors import BusUnavailable

if TYPE_CHECKING:
    from redis.asyncio.client import PubSub

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0  # a stopped server is noticed in this time; longer than the slowest command we send
POOL_SIZE = 16  # the client's own default went from 2^31 to 100 in redis-py 8; ours waits instead of failing


class Connection:
    """A client of one server, primary or cluster. `resource` names it without secrets."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.resource = address.resource
        self.is_cluster = address.kind == "cluster"
        self._sentinel: Sentinel | None = None
        self._sides: list[Redis] = []
        self.client: Any = self._build()

    def _build(self) -> Any:
        address, settings = self.address, _settings_of(self.address)
        if address.kind == "cluster":
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            return RedisCluster(startup_nodes=nodes, max_connections=POOL_SIZE, ssl=address.tls, **settings)
        settings["db"] = address.database
        if address.kind == "sentinel":
            own = {name.removeprefix("sentinel_"): address.options.get(name) for name in _SENTINEL_LOGIN}
            timeouts = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": CONNECT_SECONDS}
            self._sentinel = Sentinel(list(address.hosts), sentinel_kwargs={**own, **timeouts})  # type: ignore[no-untyped-call]
            return self._sentinel.master_for(address.service or "", ssl=address.tls, **settings)
        return Redis(connection_pool=_pool(address, settings))

    async def command(self, *words: bytes | str | int | float) -> Any:
        """Send one command and return its reply. Raises BusUnavailable."""
        with translated(self.resource):
            return await self.client.execute_command(*words)

    async def pipelined(self, commands: Iterable[Sequence[bytes | str | int | float]]) -> list[Any]:
        """Send commands in one go and return their replies in order; a refused one's reply is its exception.

        Raises BusUnavailable when the connection fails; then any of the commands may have been done.
        """
        pipeline = self.client.pipeline() if self.is_cluster else self.client.pipeline(transaction=False)
        for words in commands:
            pipeline.execute_command(*words)
        with translated(self.resource):
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies

    async def info(self) -> list[dict[str, object]]:
        """Return the server's report about itself, of a Cluster each primary's. Raises BusUnavailable."""
        with translated(self.resource):
            if self.is_cluster:
                by_node = await self.client.execute_command("INFO", target_nodes=RedisCluster.PRIMARIES)
                return [dict(info) for info in by_node.values()]
            return [dict(await self.client.execute_command("INFO"))]

    async def check(self) -> None:
        """Raise BusUnavailable unless the server answers."""
        if self.is_cluster:
            with translated(self.resource):
                await self.client.initialize()
        await self.command("PING")

    def pubsub(self) -> PubSub:
        """Return a subscriber connection; in a Cluster one of any node, where ordinary channels reach every node."""
        if not self.is_cluster:
            listener: PubSub = self.client.pubsub()
            return listener
        node = self.client.get_default_node()
        return self._side_client(node.host, node.port).pubsub()

    def pubsubs_by_node(self, channels: Iterable[str]) -> list[tuple[PubSub, list[str]]]:
        """Return, for sharded channels in a Cluster, a subscriber connection per node with the channels it serves."""
        served: dict[tuple[str, int], list[str]] = {}
        for channel in channels:
            node = self.client.get_node_from_key(channel)
            if node is None:
                raise BusUnavailable("a slot of the cluster has no node", resource=self.resource)
            served.setdefault((node.host, node.port), []).append(channel)
        return [(self._side_client(*place).pubsub(), theirs) for place, theirs in served.items()]

    def _side_client(self, host: str, port: int) -> Redis:
        address = Address("tcp", ((host, port),), tls=self.address.tls)
        client = Redis(connection_pool=_pool(address, _settings_of(self.address)))
        self._sides.append(client)
        return client

    async def reset(self) -> None:
        """Drop every connection, so that the next command finds the present primary."""
        await self._drop_sides()
        if self.is_cluster:
            await self._quietly(self.client.aclose)
        else:
            await self._quietly(self.client.connection_pool.disconnect)

    async def aclose(self) -> None:
        """Close every connection, also when whoever waits for it is cancelled meanwhile.

        A cancelled close of a pool leaves those open whose turn had not come: the client gathers their tasks.
        """
        closing = asyncio.ensure_future(self._close())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
        await asyncio.shield(closing)

    async def _close(self) -> None:
        await self._drop_sides()
        await self._quietly(self.client.aclose)
        if self.is_cluster:
            # The cluster client takes itself for closed after `reset`, whatever commands under way have opened since.
            nodes = self.client.nodes_manager
            for node in (*nodes.nodes_cache.values(), *nodes.startup_nodes.values()):
                await self._quietly(node.disconnect)
        else:
            await self._quietly(self.client.connection_pool.aclose)
        for sentinel in self._sentinel.sentinels if self._sentinel else ():
            await self._quietly(sentinel.aclose)

    async def _drop_sides(self) -> None:
        while self._sides:
            side = self._sides.pop()
            await self._quietly(side.aclose)
            await self._quietly(side.connection_pool.aclose)

    async def _quietly(self, close: Callable[[], Awaitable[object]]) -> None:
        with suppress(BusUnavailable), translated(self.resource):  # gone already is what was asked for
            await close()


_closing: set[asyncio.Future[None]] = set()  # the loop itself keeps its tasks by weak references only
_SENTINEL_LOGIN = ("sentinel_username", "sentinel_password")


def _settings_of(address: Address) -> dict[str, Any]:
    """Return what every connection of this address is made with, places and databases apart."""
    tls = {name: value for name, value in address.options.items() if name.startswith("ssl_")}
    return {
        "username": address.username,
        "password": address.password,
        "protocol": int(address.options.get("protocol", "3")),
        "client_name": address.options.get("client_name", "live-update-monitor"),
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        **(tls if address.tls else {}),
    }


def _pool(address: Address, settings: dict[str, Any]) -> BlockingConnectionPool:
    if address.kind == "unix":
        place: dict[str, Any] = {"connection_class": UnixDomainSocketConnection, "path": address.path}
    else:
        host, port = address.hosts[0]
        place = {"connection_class": SSLConnection if address.tls else TcpConnection, "host": host, "port": port}
        place["socket_keepalive"] = True
    return BlockingConnectionPool(max_connections=POOL_SIZE, timeout=ANSWER_SECONDS, **place, **settings)


def connect(url: str) -> Connection:
    """Return a connection for any Redis URL (see `parse_address`); nothing is sent yet.

    Raises BusUnavailable when the URL has no meaning.
    """
    try:
        return Connection(parse_address(url))
    except ValueError as error:
        raise BusUnavailable(str(error), mend="correct `redis:` in the settings") from error
