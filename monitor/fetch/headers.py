"""What the headers of an HTTP answer say: freshness, waiting, validators, walls.

Rule: pure; header text is a stranger's, so a value that makes no sense is as good as none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from monitor.fetch.request import CacheHints

MAX_RETRY_AFTER = 3600.0  # a live blog that asks for more is asked again after an hour
MAX_FRESH_FOR = 86_400.0
MAX_VALIDATOR = 1024  # characters of an ETag or Last-Modified worth keeping

_MAX_AGE = re.compile(r"(?:^|[,\s])(s-maxage|max-age)\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[,\s])no-(?:store|cache)(?:$|[,\s=])", re.IGNORECASE)
# Bodies of answers that are no page of the publisher: what a wall's own page carries, in the first bytes.
_WALL_MARKS = (
    b"_cf_chl_opt",
    b"/cdn-cgi/challenge-platform/",
    b"cf-browser-verification",
    b"<title>Just a moment...</title>",
    b"<title>Attention Required! | Cloudflare</title>",
    b"captcha-delivery.com",  # DataDome
    b"window._pxAppId",  # HUMAN
    b"awsWafCookieDomainList",
    b"/_Incapsula_Resource",
    b"ddos-guard/js-challenge",
)


def http_date(text: str | None) -> datetime | None:
    """Return an HTTP date (RFC 9110 §5.6.7, all three forms) as an aware datetime, or None."""
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text.strip()[:64])
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def seconds(text: str | None) -> int | None:
    """Return delta-seconds (RFC 9111 §1.2.2) or None; anything beyond 2^31 is 2^31."""
    if not text or not re.fullmatch(r"[0-9]{1,19}", stripped := text.strip()):
        return None
    return min(int(stripped), 1 << 31)


def retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After (RFC 9110 §10.2.3: seconds or a date), clamped to [0, 3600], or None."""
    wait: float | None = seconds(text)
    if wait is None:
        at = http_date(text)
        wait = None if at is None else (at - now).total_seconds()
    return None if wait is None else min(max(wait, 0.0), MAX_RETRY_AFTER)


def cache_hints(headers: Mapping[str, str], now: datetime) -> CacheHints:
    """Return how long the answer says it stays fresh and how long it asks us to wait.

    RFC 9111 §4.2.1: s-maxage before max-age (a monitor shares its answer with many readers) before Expires - Date.
    """
    return CacheHints(fresh_for=_fresh_for(headers), retry_after=retry_after(headers.get("Retry-After"), now))


def _fresh_for(headers: Mapping[str, str]) -> float | None:
    control = headers.get("Cache-Control", "")[:1024]
    ages = {name.lower(): int(value) for name, value in _MAX_AGE.findall(control)}
    lifetime: float | None = ages.get("s-maxage", ages.get("max-age"))
    if lifetime is None and not _NO_STORE.search(control):
        expires, date = http_date(headers.get("Expires")), http_date(headers.get("Date"))
        if expires is not None and date is not None:
            lifetime = (expires - date).total_seconds()
    if lifetime is None:
        return None
    age = seconds(headers.get("Age")) or 0
    return min(max(lifetime - age, 0.0), MAX_FRESH_FOR)


def validator(text: str | None) -> str | None:
    """Return an ETag or Last-Modified to be sent back verbatim, or None when it cannot be."""
    if not text or len(text) > MAX_VALIDATOR or not text.isprintable() or not text.isascii():
        return None
    return text


def wall(status: int, headers: Mapping[str, str], body: bytes = b"") -> str | None:
    """Return which wall answered instead of the publisher, in words, or None.

    Headers that only walls send (Cloudflare documents `cf-mitigated: challenge` as the way to tell); for an error
    status also the marks of a wall's page in `body`.
    """
    if "challenge" in headers.get("cf-mitigated", "").lower():
        return "a Cloudflare challenge page"
    if headers.get("x-amzn-waf-action", "").lower() in ("challenge", "captcha"):
        return "an AWS WAF challenge page"
    if status >= 400:
        if "x-datadome" in headers:
            return "a DataDome challenge page"
        if headers.get("server", "").lower() == "ddos-guard":
            return "a DDoS-Guard challenge page"
        if any(mark in body for mark in _WALL_MARKS):
            return "a challenge page"
    return None
