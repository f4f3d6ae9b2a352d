"""One HTTP exchange over aiohttp: a request out, status, headers and the body's bytes as sent back.

Rule: the only module that knows aiohttp; its exceptions become `FetchFailed` here and nowhere else. HTTP/1.1 with
keep-alive, no cookies, no environment proxies, no redirects, no decoding: those are decided by us.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from monitor.fetch.guard import AddressRefusedError, Resolve, allowed_addresses, guarded_socket, open_socket
from monitor.fetch.lease import Lease
from monitor.fetch.links import Link
from monitor.fetch.request import Answer, FetchFailed, FetchLimits, failed

_KEEP_ALIVE = 120.0  # seconds: polls every 10-60 s find their connection open; a TLS handshake costs ten 304s
_DNS_TTL = 30  # seconds an answer is reused; its addresses are judged at every connect anyway
_MAX_HEADER_LINE = 32_768  # Content-Security-Policy alone passes 8 KiB at large publishers
_MAX_HEADS = 8  # answers to one request, the final one included; 103 Early Hints and 100 Continue come once or twice
_ERROR_BODY = 32_768  # of an error page: enough to see whose wall it is
_ERROR_BODY_SECONDS = 2.0
_BODILESS = (204, 205, 304)


class Transport:
    """Connections to publishers: one pool a trust class, so that no public source meets a private connection."""

    def __init__(self, *, resolve: Resolve, tls: ssl.SSLContext | None = None) -> None:
        self._resolve = resolve
        self._tls = tls
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()

    async def exchange(
        self,
        link: Link,
        headers: Mapping[str, str],
        limits: FetchLimits,
        *,
        allow_private: bool,
        proxy: str | None = None,
        lease: Lease,
        connected: Callable[[], None],
    ) -> Answer | FetchFailed:
        """Send a GET and return its answer, or why there is none; `connected` is called when it took a new connection.

        Raises TimeoutError only for the caller's own timeout.
        """
        session = self._session(allow_private, proxy is not None)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.connect, sock_read=limits.idle)
        url = URL(link.url, encoded=link.url.isascii())
        try:
            async with session.get(
                url,
                headers=headers,
                allow_redirects=False,
                timeout=timeout,
                proxy=proxy,
                max_field_size=_MAX_HEADER_LINE,
                trace_request_ctx=connected,
            ) as response:
                return await _read(response, limits, lease)
        except (aiohttp.ClientError, aiohttp.ServerTimeoutError, OSError, ValueError) as error:
            return _translated(error, limits)

    def _session(self, allow_private: bool, proxied: bool) -> aiohttp.ClientSession:
        key = (allow_private, proxied)
        if key not in self._sessions:
            connector = _Connector(
                limit=0,  # hosts are limited by HostLimiter, and the number of polls by the daemon
                keepalive_timeout=_KEEP_ALIVE,
                ttl_dns_cache=_DNS_TTL,
                ssl=self._tls if self._tls is not None else True,
                resolver=_Resolver(self._resolve, allow_private=allow_private or proxied),
                socket_factory=open_socket if proxied else guarded_socket(allow_private),
            )
            self._sessions[key] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trace_configs=[_tell_connections()],
                trust_env=False,
                skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept"),
            )
        return self._sessions[key]


class _Exchange(ResponseHandler):
    """aiohttp's protocol, which takes interim answers (1xx) without end: a flood of them keeps the loop busy."""

    _heads = 0

    def set_response_params(self, **params: Any) -> None:
        """Begin a request."""
        self._heads = 0
        super().set_response_params(**params)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take one more head of an answer to the present request."""
        self._heads += 1
        if self._heads <= _MAX_HEADS:
            super().feed_data(data, size)
        elif self._heads == _MAX_HEADS + 1:
            self.set_exception(aiohttp.ClientPayloadError("interim answers without end"))
            if self.transport is not None:  # not `self.abort`, which forgets the exception
                self.transport.abort()


class _Connector(aiohttp.TCPConnector):
    """Connections that speak `_Exchange`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = cast("partial[ResponseHandler]", partial(_Exchange, loop=self._loop))


def _tell_connections() -> aiohttp.TraceConfig:
    async def connected(
        session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceConnectionCreateEndParams
    ) -> None:
        context.trace_request_ctx()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
    return trace


class _Resolver(AbstractResolver):
    """aiohttp's way to ask for addresses; answers only the allowed ones."""

    def __init__(self, resolve: Resolve, *, allow_private: bool) -> None:
        self._ask = resolve
        self._allow_private = allow_private

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        import socket

        addresses = allowed_addresses(host, await self._ask(host), allow_private=self._allow_private)
        if not addresses:
            raise OSError(f"{host} has no address")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return


async def _read(response: aiohttp.ClientResponse, limits: FetchLimits, lease: Lease) -> Answer | FetchFailed:
    """Read the body the status calls for, within the limits."""
    status = response.status
    size = sum(len(name) + len(value) + 4 for name, value in response.raw_headers)
    if size > limits.header_bytes:
        return failed("too_large", f"{size} bytes of headers", status=status)
    if status in _BODILESS or 300 <= status < 400:
        return Answer(status, response.headers, b"")
    if status >= 400:
        return Answer(status, response.headers, await _glimpse(response))
    announced = response.content_length
    if announced is not None and announced > limits.wire_bytes:
        return failed("too_large", f"the server announces {announced} bytes", status=status)
    protocol = response.connection.protocol if response.connection else None
    parts: list[bytes] = []
    received = 0
    try:
        with _woken_when_closed(response, protocol):
            async for part in response.content.iter_any():
                received += len(part)
                if received > limits.wire_bytes:
                    return failed("too_large", f"the body is larger than {limits.wire_bytes} bytes", status=status)
                parts.append(part)
                await lease.for_size(received)
    except (aiohttp.ClientPayloadError, OSError):
        if protocol is None or not isinstance(protocol.exception(), OSError) or not parts:
            raise
        return Answer(status, response.headers, b"".join(parts), reset=True)
    # A body that ends with the connection looks whole to aiohttp even when the connection was reset.
    reset = protocol is not None and isinstance(protocol.exception(), OSError)
    return Answer(status, response.headers, b"".join(parts), reset=reset)


@contextlib.contextmanager
def _woken_when_closed(response: aiohttp.ClientResponse, protocol: ResponseHandler | None) -> Iterator[None]:
    """End the body when its connection ends: after a bad chunk aiohttp closes and leaves the reader to its time-out."""

    def wake(future: asyncio.Future[None]) -> None:
        cause = None if future.cancelled() else future.exception()
        body = response.content
        if not body.is_eof() and body.exception() is None:
            body.set_exception(aiohttp.ClientPayloadError(f"the connection was closed: {cause or 'bad framing'}"))

    closed = protocol.closed if protocol is not None else None
    if closed is None:
        yield
        return
    closed.add_done_callback(wake)
    try:
        yield
    finally:
        closed.remove_done_callback(wake)  # the connection outlives the response


async def _glimpse(response: aiohttp.ClientResponse) -> bytes:
    """Return the first bytes of an error page; whatever goes wrong with the rest does not matter."""
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            async for part in response.content.iter_any():
                parts.append(part)
                if sum(map(len, parts)) > _ERROR_BODY:
                    break
    except (aiohttp.ClientError, OSError):
        pass
    return b"".join(parts)[:_ERROR_BODY]


def _translated(error: Exception, limits: FetchLimits) -> FetchFailed:
    """Return what an exception of aiohttp means."""
    refused = _cause(error, AddressRefusedError)
    if refused is not None:
        return failed("refused_address", f"refused to connect: {refused}")
    for kind, code, words in _MEANINGS:
        if isinstance(error, kind):
            return failed(code, words.format(error=_plain(error), limits=limits))
    return failed("connection", f"the connection failed: {_plain(error)}")


_MEANINGS: tuple[tuple[type[Exception], str, str], ...] = (
    (aiohttp.ConnectionTimeoutError, "connect_timeout", "no connection within {limits.connect:g} s"),
    (aiohttp.ServerTimeoutError, "idle_timeout", "no byte for {limits.idle:g} s"),
    (aiohttp.ClientConnectorCertificateError, "tls", "the certificate is not valid: {error}"),
    (aiohttp.ClientSSLError, "tls", "TLS failed: {error}"),
    (aiohttp.ClientConnectorDNSError, "dns", "the name does not resolve: {error}"),
    (aiohttp.ClientProxyConnectionError, "proxy", "the proxy does not answer: {error}"),
    (aiohttp.ClientHttpProxyError, "proxy", "the proxy refuses: {error}"),
    (aiohttp.ClientConnectorError, "connect", "no connection: {error}"),
    (aiohttp.ClientOSError, "reset", "the connection broke: {error}"),
    (aiohttp.ServerDisconnectedError, "reset", "the server closed the connection before an answer"),
    (aiohttp.ClientPayloadError, "truncated", "the body ended early or is badly framed: {error}"),
    (aiohttp.InvalidURL, "refused_url", "not a URL that can be fetched: {error}"),
    (aiohttp.ClientResponseError, "bad_http", "not an HTTP answer: {error}"),
    (ConnectionError, "reset", "the connection was reset"),
    (ValueError, "refused_url", "not a URL that can be fetched: {error}"),
)


def _cause(error: BaseException, kind: type[Exception]) -> BaseException | None:
    """Return the first error of `kind` behind `error`: aiohttp wraps what a resolver or socket factory raises."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None or isinstance(seen, kind):
            return seen
        seen = getattr(seen, "os_error", None) or seen.__cause__ or seen.__context__
    return None


def _unconnected(error: aiohttp.ClientConnectorError) -> str:
    """Say who was not reached and why, as an operator would: aiohttp's own words carry its ssl argument and a tuple."""
    number = error.os_error.errno or 0
    why = os.strerror(number) if number > 0 else error.os_error.strerror or ""  # getaddrinfo's numbers are < 0
    return f"{error.host}:{error.port}" + (f": {why.lower()}" if why else "")


def _plain(error: BaseException) -> str:
    """Return an error's message on one line, cut: parts of it are the server's words."""
    if type(error) in (aiohttp.ClientConnectorError, aiohttp.ClientConnectorDNSError):
        return _unconnected(error)  # type: ignore[arg-type]  # of the two
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"
