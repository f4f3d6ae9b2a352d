"""Redis URLs → where to connect.

Rule: every kind of URL is read here and only here, so all of them take the same options and complain in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote

Kind = Literal["tcp", "unix", "sentinel", "cluster"]

_SCHEMES: dict[str, tuple[Kind, bool]] = {
    "redis": ("tcp", False),
    "rediss": ("tcp", True),
    "valkey": ("tcp", False),
    "valkeys": ("tcp", True),
    "unix": ("unix", False),
    "redis+unix": ("unix", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_DEFAULT_PORTS: dict[Kind, int] = {"tcp": 6379, "unix": 0, "sentinel": 26379, "cluster": 6379}
_TLS_OPTIONS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_keyfile_password", "ssl_cert_reqs"})
_OPTIONS = frozenset({"db", "protocol", "client_name", "sentinel_username", "sentinel_password"}) | _TLS_OPTIONS


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server, a group of sentinels or a cluster is."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...] = ()  # sentinels, or nodes to learn the cluster from
    path: str | None = None  # of a unix socket
    service: str | None = None  # the name the sentinels know the primary by
    tls: bool = False
    username: str | None = None
    password: str | None = None
    database: int = 0
    options: dict[str, str] = field(default_factory=dict)  # the URL's query, names checked

    @property
    def resource(self) -> str:
        """The address in words, without secrets."""
        scheme = next(name for name, meaning in _SCHEMES.items() if meaning == (self.kind, self.tls))
        if self.kind == "unix":
            return f"unix://{self.path}"
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        return f"{scheme}://{hosts}" + (f"/{self.service}" if self.service else "")


def parse_address(url: str) -> Address:
    """Return the address a URL names.

    redis://[user:password@]host[:port][/db] · rediss:// (TLS) · unix:///path · redis+sentinel://host:port,host:port/service[/db]
    · redis+cluster://host:port,host:port, with options after `?`. Raises ValueError in words, never quoting a password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise ValueError(f"{scheme[:20]!r} is no scheme of a Redis URL; known: {', '.join(_SCHEMES)}")
    kind, tls = _SCHEMES[scheme]
    rest, _, query = rest.partition("?")
    options = _options_of(query)
    credentials, _, place = rest.rpartition("@")
    username, _, password = credentials.partition(":")
    user, secret = unquote(username) or None, unquote(password) or None
    if kind == "unix":
        if not place.startswith("/"):
            raise ValueError("a unix:// URL needs the absolute path of the socket: unix:///run/redis.sock")
        database = _number(options.pop("db", "0"))
        return Address(kind, path=unquote(place), username=user, password=secret, database=database, options=options)
    authority, _, path = place.partition("/")
    hosts = tuple(_host(part, _DEFAULT_PORTS[kind]) for part in (authority or "localhost").split(","))
    parts = [unquote(part) for part in path.split("/") if part]
    service = parts.pop(0) if kind == "sentinel" and parts else None
    _check(kind, hosts, service, parts)
    database = _number(parts[0] if parts else options.pop("db", "0"))
    return Address(kind, hosts, None, service, tls, user, secret, database, options)


def _check(kind: Kind, hosts: tuple[tuple[str, int], ...], service: str | None, rest: list[str]) -> None:
    if kind == "sentinel" and not service:
        raise ValueError(
            "a redis+sentinel:// URL ends in the name of the service: redis+sentinel://host:26379/mymaster"
        )
    if kind == "tcp" and len(hosts) > 1:
        raise ValueError("several hosts need redis+sentinel:// or redis+cluster://")
    if kind == "cluster" and rest not in ([], ["0"]):
        raise ValueError("a cluster has database 0 only")
    if len(rest) > 1:
        raise ValueError(f"{'/'.join(rest)!r} is no database number")


def _options_of(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(options) - _OPTIONS):
        raise ValueError(f"unknown option {unknown[0]!r} in the Redis URL; known: {', '.join(sorted(_OPTIONS))}")
    if options.get("protocol", "3") not in {"2", "3"}:
        raise ValueError("protocol is 2 or 3")
    return options


def _host(text: str, default_port: int) -> tuple[str, int]:
    if text.startswith("["):  # an IPv6 literal (RFC 3986 section 3.2.2)
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    return unquote(host) or "localhost", _number(port) if port else default_port


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65_535:
        raise ValueError(f"{text[:20]!r} is no port or database number")
    return int(text)
