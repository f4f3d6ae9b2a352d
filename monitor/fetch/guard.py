"""Which socket addresses a fetch may connect to, and name resolution that a slow name server cannot exhaust.

Rule: addresses are judged twice: a resolved name keeps only its allowed answers, and the socket is created only for an
allowed address. The second look is the guard: it covers IP literals, answers that change between look-ups (DNS
rebinding) and every redirect, because there is no way to a connection around it.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from monitor.text.addresses import refusal

Resolve = Callable[[str], Awaitable[Sequence[str]]]  # host name → IP addresses as text; OSError when there are none
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]  # as getaddrinfo gives it

MAX_LOOKUPS = 64  # threads waiting in getaddrinfo at once
_lookups = threading.BoundedSemaphore(MAX_LOOKUPS)


class AddressRefusedError(OSError):
    """No connection may be made to this address. An OSError because connectors treat it like any failed connect."""


def guarded_socket(allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """Return a socket factory that creates no socket for a refused address."""

    def create(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        reason = refusal(str(address[0]), allow_private=allow_private)
        if reason is not None:
            raise AddressRefusedError(reason)
        return socket.socket(family, kind, protocol)

    return create


def open_socket(info: AddressInfo) -> socket.socket:
    """Create a socket for any address: of a proxy the operator named."""
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


def allowed_addresses(host: str, addresses: Sequence[str], *, allow_private: bool) -> list[str]:
    """Return the addresses that may be connected to, in order.

    Raises AddressRefusedError when there are answers and none of them is allowed.
    """
    reasons = [refusal(address, allow_private=allow_private) for address in addresses]
    allowed = [address for address, reason in zip(addresses, reasons, strict=True) if reason is None]
    if addresses and not allowed:
        raise AddressRefusedError(f"{host}: {reasons[0]}")
    return allowed


async def system_resolve(host: str) -> list[str]:
    """Return the system's addresses of `host`. Raises OSError when it has none or all look-up threads are stuck.

    A daemon thread a look-up, not the loop's executor: name servers that do not answer for 20 s would fill that, stop
    every other user of it and hold up the exit of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()
    room = _lookups
    if not room.acquire(blocking=False):
        raise OSError(f"{MAX_LOOKUPS} name look-ups are waiting for name servers")

    def settle(addresses: list[str] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(addresses or [])

    def look_up() -> None:
        addresses: list[str] | None = None
        error: Exception | None = None
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        except (OSError, UnicodeError) as caught:
            error = caught if isinstance(caught, OSError) else OSError(f"not a host name: {caught}")
        finally:
            room.release()
        try:
            loop.call_soon_threadsafe(settle, addresses, error)
        except RuntimeError:  # the loop was closed while the name server thought
            return

    threading.Thread(target=look_up, name=f"lookup-{host[:40]}", daemon=True).start()
    return await answer
