"""Where a fetch may go: the URL an operator wrote, and every URL a redirect names.

Rule: pure. A URL that two parsers could read differently is refused, not mended (CVE class "parser differential":
`http://internal\\@public/`). Which *address* a name leads to is judged at connect, in `guard`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from monitor.fetch.request import FetchRequest

MAX_URL = 8192
PERMANENT = (301, 308)
REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
# Headers without a secret: may follow a redirect to another origin.
_PLAIN_HEADERS = frozenset({"accept", "accept-language"})
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f\\]")
# Ports of other protocols a redirect has no business at: the list of the Fetch standard ("bad port"), and databases,
# caches and control planes that answer to a line of text.
_FOREIGN_PORTS = frozenset(
    {
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109),
        *(110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530),
        *(531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045),
        *(4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
        *(1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5672, 5900, 6379, 6443, 9042, 9200, 9300, 10250, 11211),
        *(26379, 27017),
    }
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL (RFC 6454)."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a URL is not fetched."""

    reason: str


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that may be fetched, without its fragment."""

    url: str
    origin: Origin


@lru_cache(maxsize=4096)
def check_url(url: str, *, credentials: bool = False) -> Link | Refused:
    """Return the http(s) URL as a link, or why it is refused.

    `credentials`: the operator's own URL may carry user and password; a redirect's may not.
    """
    if len(url) > MAX_URL:
        return Refused(f"a URL of {len(url)} characters")
    if _CONTROL_OR_SPACE.search(url):
        return Refused("a URL with a space, control character or backslash")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return Refused(f"not a URL: {error}")
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        return Refused(f"scheme {scheme[:20]!r} is not http or https")
    if not parts.hostname:
        return Refused("a URL without a host")
    if "@" in parts.netloc and not credentials:
        return Refused("a URL with user information")
    if "%" in _host_text(parts):
        return Refused("a host with percent escapes")
    origin = Origin(scheme, _ascii_host(parts.hostname), _PORTS[scheme] if port is None else port)
    return Link(parts._replace(fragment="").geturl(), origin)


def follow(current: Link, location: str | None, *, start: Origin) -> Link | Refused:
    """Return where a redirect of `current` leads, or why it is not followed.

    Never from https to http; never to user information or a port of another protocol, the first port excepted.
    """
    if not location or not location.strip():
        return Refused("a redirect to nowhere")
    target = location.strip(" \t")
    if _CONTROL_OR_SPACE.search(target):
        return Refused("a redirect with a space, control character or backslash")
    try:
        joined = urljoin(current.url, target)
        urlsplit(target)
    except ValueError as error:
        return Refused(f"a redirect to no URL: {error}")
    # RFC 3986 resolves "http://" and "//" to the page itself; nobody who sends them means that.
    hostless = target.startswith(("//", "http:", "https:")) and not urlsplit(target).netloc
    link = Refused("a URL without a host") if hostless else check_url(joined)
    if isinstance(link, Refused):
        return Refused(f"a redirect to {_shown(target)}: {link.reason}")
    if current.origin.scheme == "https" and link.origin.scheme == "http":
        return Refused(f"a redirect from https to {_shown(target)}")
    if link.origin.port in _FOREIGN_PORTS and link.origin.port != start.port:
        return Refused(f"a redirect to port {link.origin.port} of another protocol")
    return link


def headers_for(link: Link, start: Origin, headers: Mapping[str, str]) -> dict[str, str]:
    """Return which of the source's own headers go to `link`: all to its own origin, none that can hold a secret beyond."""
    return dict(headers) if link.origin == start else plain_headers(headers)


def plain_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that hold no secret."""
    return {name: value for name, value in headers.items() if name.lower() in _PLAIN_HEADERS}


def elsewhere(request: FetchRequest, url: str) -> FetchRequest:
    """Return the request for another URL that a publisher named: where a source moved, an older page, a page's script.

    Such a URL is never a file, and headers that can hold a secret go there only if it is of the source's own origin.
    """
    home, link = check_url(request.url, credentials=True), check_url(url)
    own = isinstance(home, Link) and isinstance(link, Link) and home.origin == link.origin
    headers = dict(request.headers) if own else plain_headers(request.headers)
    return replace(request, url=url, headers=headers, etag=None, last_modified=None, body_hash=None, foreign=True)


def without_credentials(link: Link) -> tuple[Link, tuple[str, str] | None]:
    """Return the link without user information, and that as (user, password)."""
    parts = urlsplit(link.url)
    if "@" not in parts.netloc:
        return link, None
    who, _, host = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    return Link(parts._replace(netloc=host).geturl(), link.origin), (unquote(user), unquote(password))


def _host_text(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _ascii_host(host: str) -> str:
    """One spelling per host: lower case, IDNA, no trailing dot; a host IDNA cannot spell stays as it is (and fails in DNS)."""
    host = host.lower().rstrip(".")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:119] + "…")
