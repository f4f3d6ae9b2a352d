"""Addresses as settings name them: URLs of sources and receivers, and which of them point inward.

Rule: judges what is written; the guard at connect time judges what is connected to, and it has the last word.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from monitor.settings.units import Unfit, text
from monitor.text.addresses import host_refusal

_MAX_URL = 8192  # longer than any server takes (RFC 9110 §4.1 asks for 8000 octets)
_USER_INFO = re.compile(r"://[^/\s]*@")


def http_url(value: object) -> str:
    """Return an http or https URL with a host."""
    url = text(value).strip()
    parts = _split(url)
    if parts.scheme not in {"http", "https"}:
        raise Unfit(f"'{_shown(url)}' is not an http or https URL", "start it with https://")
    if not parts.hostname:
        raise Unfit(f"'{_shown(url)}' names no host", "write https://host/path")
    if "@" in parts.netloc:  # the address is published with every delta and alert
        raise Unfit("a URL with a user name or password is not taken", "send them by `headers: {Authorization: …}`")
    return url


def source_address(value: object) -> str:
    """Return an http(s) URL, or a file path as it was written."""
    written = text(value).strip()
    if not written:
        raise Unfit("the address is empty", "write a URL or a file path")
    if not is_url(written):
        if "\0" in written or "\n" in written:
            raise Unfit("a file path holds no control characters", "write the path on one line")
        return written
    scheme = urlsplit_scheme(written)
    if scheme == "file":
        raise Unfit("a file is named by its path", f"write {written[7:] or '/path/to/file'}")
    if scheme == "feed":
        raise Unfit(f"'{_shown(written)}' is not an http or https URL", f"write https:{written[5:]}")
    return http_url(written)


def is_url(written: str) -> bool:
    """Tell a URL from a file path: it has a scheme."""
    return "://" in written or written.lower().startswith(("file:", "feed:", "data:", "javascript:", "http:", "https:"))


def urlsplit_scheme(url: str) -> str:
    """Return the scheme of a URL in lower case."""
    return url.partition(":")[0].lower()


def _split(url: str) -> SplitResult:
    if len(url) > _MAX_URL:
        raise Unfit(f"the URL is longer than {_MAX_URL} characters", "take its tracking parameters out")
    # Parsers disagree on what a backslash or a space in a URL means; one of them would go elsewhere than we judged.
    odd = next((character for character in url if character in "\\ " or not character.isprintable()), None)
    if odd is not None:
        raise Unfit(f"a URL cannot hold U+{ord(odd):04X}", "percent-encode it or take it out")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as wrong:
        raise Unfit(f"'{_shown(url)}' is not a URL: {wrong}", "write https://host/path") from None
    return parts


def _shown(url: str) -> str:
    url = _USER_INFO.sub("://…@", url)
    return url if len(url) <= 80 else url[:79] + "…"


def inward(url: str) -> str | None:
    """Return why a URL's host points at this machine or a private network, as far as its name tells, or None.

    Every spelling that the system's resolver takes for an IPv4 address is taken for one: 127.1, 0x7f.1, 2130706433.
    """
    return host_refusal(urlsplit(url).hostname or "")
