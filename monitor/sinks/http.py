"""One POST, guarded: judged addresses, no redirects, a deadline, and at most 64 KB of an answer.

Rule: the only module of the sinks that knows aiohttp, and the one place where its errors become words.
"""

from __future__ import annotations

import asyncio
import email.utils
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from monitor.sinks.base import MAX_RETRY_AFTER, Delivered, GiveUp, Outcome, Retry
from monitor.text.addresses import refusal

if TYPE_CHECKING:
    import aiohttp

MAX_ANSWER = 65_536
# RFC 9110 §15.5.9 and §15.6, RFC 8470 §5.2 (425), RFC 6585 §4 (429): the request may be repeated.
_RETRIED = frozenset({408, 425, 429})
# The receiver understood who we are and what we want, and there is nothing for us: repeating it only annoys.
_DISABLING = frozenset({401, 403, 404, 410})
_REFUSED_BODY = frozenset({400, 413, 422})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""  # its first 64 KB


class _Refused(OSError):
    """Our own guard refuses the address."""


class Poster:
    """Posts to one receiver over kept connections."""

    def __init__(self, *, allow_private: bool, timeout: float) -> None:
        self._allow_private = allow_private
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | Retry | GiveUp:
        """POST once. Anything that is not an answer is a Retry with the reason, or a GiveUp for a refused address."""
        import aiohttp

        try:
            async with (
                asyncio.timeout(self._timeout),
                self._opened().post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return Answer(response.status, dict(response.headers), await _beginning(response.content))
        except TimeoutError:
            return Retry(f"no answer within {self._timeout:g} s")
        except aiohttp.InvalidURL:
            return GiveUp("its URL cannot be used")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _unreachable(error)

    async def close(self) -> None:
        """Close the kept connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            connector = aiohttp.TCPConnector(limit=8, keepalive_timeout=30, socket_factory=self._guarded)
            # No proxy from the environment: it would connect in our place, past the guard.
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                headers={"User-Agent": "live-update-monitor"},
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=min(5.0, self._timeout)),
            )
        return self._session

    def _guarded(self, info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        """Judge the very address that is about to be connected to: a name may answer differently each time."""
        family, kind, protocol, _, address = info
        reason = refusal(str(address[0]), allow_private=self._allow_private)
        if reason is not None:
            raise _Refused(reason)
        return socket.socket(family, kind, protocol)


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """Return the first 64 KB of an answer; what breaks off after the status is no failure of the message."""
    import aiohttp

    read = bytearray()
    try:
        while len(read) < MAX_ANSWER and (chunk := await content.read(MAX_ANSWER - len(read))):
            read += chunk
    except (aiohttp.ClientError, OSError):
        return bytes(read)
    return bytes(read)


def judge(answer: Answer, now: datetime) -> Outcome:
    """Return what an HTTP status means for a message: delivered, later, with a simpler body, or never."""
    status = str(answer.status)
    if 200 <= answer.status < 300:
        return Delivered(status)
    if 300 <= answer.status < 400:
        return GiveUp("it redirects, and redirects are not followed", status)
    if answer.status in _RETRIED or answer.status >= 500:
        return Retry(f"it answered {status}", status, after=retry_after(answer.headers, now))
    if answer.status in _REFUSED_BODY:
        return Retry(f"it refused the message with {status}", status, simpler=True)
    return GiveUp(f"it answered {status}", status, disable=answer.status in _DISABLING)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for in either of its forms (RFC 9110 §10.2.3), None without sense."""
    written = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if written.isascii() and written.isdigit():
        return min(float(written[:12]), MAX_RETRY_AFTER)
    try:
        at = email.utils.parsedate_to_datetime(written)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def _unreachable(error: Exception) -> Retry | GiveUp:
    """Say why there was no answer in words that hold nothing of the URL."""
    import aiohttp

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, _Refused):
        cause = getattr(cause, "os_error", None) or cause.__cause__
    if isinstance(cause, _Refused):
        return GiveUp(f"its address is refused: {cause} (allow_private: true lets it through)", disable=True)
    for kind, words in (
        (aiohttp.ClientConnectorDNSError, "its name does not resolve"),
        (aiohttp.ClientConnectorCertificateError, "its certificate is not valid"),
        (aiohttp.ClientSSLError, "TLS could not be agreed on"),
        (aiohttp.ServerDisconnectedError, "it closed the connection without an answer"),
        (aiohttp.ClientResponseError, "its answer is not HTTP"),
        (ConnectionRefusedError, "the connection was refused"),
        (ConnectionResetError, "the connection was reset"),
    ):
        if isinstance(error, kind) or isinstance(getattr(error, "os_error", None), kind):
            return Retry(words)
    return Retry(f"it cannot be reached ({type(error).__name__})")
