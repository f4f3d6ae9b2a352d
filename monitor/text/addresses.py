"""Whether a program that follows other people's links may connect to an IP address, or to a host by its spelling alone.

Rule: judge the address a socket is about to connect to. The name is judged only where nobody has looked it up: names
change their answer between two look-ups (DNS rebinding), and a name has many spellings (`2130706433`, `0x7f.1`,
`①②⑦.⓪.⓪.①` are all 127.0.0.1). An IPv6 address that carries an IPv4 one is judged by both. `ipaddress.is_global` alone
is no guard: it takes 64:ff9b::7f00:1 (NAT64 of 127.0.0.1), 2002:7f00:1:: (6to4), ::127.0.0.1, fec0::/10 and multicast
for public.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Never connected to, whatever a source is allowed: nothing that publishes a live blog lives there.
_NEVER: tuple[tuple[Network, str], ...] = (
    (IPv4Network("0.0.0.0/8"), "means this host"),  # RFC 1122 §3.2.1.3; Linux connects it to loopback
    (IPv6Network("::/128"), "means this host"),
    (IPv4Network("169.254.0.0/16"), "is link-local, where cloud metadata is served"),  # RFC 3927
    (IPv6Network("fe80::/10"), "is link-local"),  # RFC 4291 §2.5.6
    (IPv4Network("100.100.100.200/32"), "serves cloud metadata"),  # Alibaba Cloud
    (IPv4Network("168.63.129.16/32"), "serves cloud metadata"),  # Azure; a public address by its number
    (IPv4Network("192.0.0.192/32"), "serves cloud metadata"),  # Oracle Cloud
    (IPv6Network("fd00:ec2::/32"), "serves cloud metadata"),  # AWS
    (IPv4Network("224.0.0.0/4"), "is multicast"),
    (IPv6Network("ff00::/8"), "is multicast"),
    (IPv4Network("240.0.0.0/4"), "is reserved"),  # RFC 1112 §4, 255.255.255.255 included
)
# Not public although `is_global` says so in at least one supported Python.
_PRIVATE: tuple[tuple[Network, str], ...] = (
    (IPv4Network("100.64.0.0/10"), "is carrier-grade NAT"),  # RFC 6598
    (IPv4Network("192.0.0.0/24"), "is reserved for protocols"),  # RFC 6890
    (IPv4Network("192.88.99.0/24"), "is a deprecated relay"),  # RFC 7526
    (IPv6Network("fec0::/10"), "is site-local"),  # RFC 3879
    (IPv6Network("64:ff9b:1::/48"), "is a local translation prefix"),  # RFC 8215
)
_LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")
_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|[0-9]{1,11}")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291 §2.5.5.1
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214 §6.1: the interface id's upper half


def refusal(address: str, *, allow_private: bool = False) -> str | None:
    """Return why no connection may be made to `address` (an IP address as a socket names it), or None if it may.

    `allow_private` lets loopback and private networks through; link-local, metadata, multicast and reserved addresses
    stay refused.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return f"{address!r} is not an IP address"
    for form in _forms(parsed):
        reason = _judged(form, allow_private)
        if reason is not None:
            carried = "" if form == parsed else f" (carries {form})"
            return f"{parsed}{carried} {reason}"
    return None


def host_refusal(host: str, *, allow_private: bool = False) -> str | None:
    """Return why the host of a URL points inward as far as its spelling tells, or None.

    For who does not connect himself: settings that are only checked, and fetches through a proxy, which would take
    `localhost` and `2130706433` for its own machine.
    """
    host = unicodedata.normalize("NFKC", host).rstrip(".").lower()
    if not allow_private and any(host == name or host.endswith("." + name) for name in _LOCAL_NAMES):
        return f"{host} is a name of the local network"
    address = host.partition("%")[0] if ":" in host else _spelled(host)
    return refusal(address, allow_private=allow_private) if address is not None else None


def _spelled(host: str) -> str | None:
    """Return the IPv4 address that resolvers read from a host's numbers (inet_aton(3)): 127.1, 0x7f.1, 2130706433."""
    *parts, last = host.split(".")
    try:
        numbers = [_number(part) for part in (*parts, last)]
    except ValueError:
        return None
    if len(parts) > 3 or any(number > 0xFF for number in numbers[:-1]) or numbers[-1] >= 1 << 8 * (4 - len(parts)):
        return None
    return str(IPv4Address(sum(number << 8 * (3 - at) for at, number in enumerate(numbers[:-1])) + numbers[-1]))


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text, 16) if text.startswith("0x") else int(text, 8 if text.startswith("0") else 10)


def _forms(address: Address) -> Iterator[Address]:
    """Yield the address and every IPv4 address that a network on the way may unwrap from it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    inner = address.ipv4_mapped
    if inner is not None:  # the kernel connects to exactly the IPv4 address (RFC 4038 §4.2)
        yield inner
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    low = int(address) & 0xFFFF_FFFF
    if address in _NAT64 or (address in _COMPATIBLE and low > 1):
        yield IPv4Address(low)
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(low)


def _judged(address: Address, allow_private: bool) -> str | None:
    for network, reason in _NEVER:
        if address.version == network.version and address in network:
            return reason
    if allow_private:
        return None
    for network, reason in _PRIVATE:
        if address.version == network.version and address in network:
            return reason
    if address.is_loopback:
        return "is loopback"
    return None if address.is_global else "is not a public address"
