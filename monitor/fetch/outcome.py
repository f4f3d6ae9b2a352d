"""What an HTTP answer is good for: fresh bytes, no change, or nothing.

Rule: pure; believes no more than the answer proves. A status other than 200 never carries entries, a 200 may still be a
wall, and a body that ended early is marked as such.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import xxhash

from monitor.fetch import headers
from monitor.fetch.decoding import Undecodable, decode
from monitor.fetch.request import Answer, FetchFailed, FetchOutcome, FetchRequest, Fresh, NotModified, failed, walled
from monitor.model import Document

_WORDS = {
    401: "the publisher wants a login",
    402: "the publisher wants money",
    403: "the publisher forbids it",
    404: "there is nothing at this address",
    407: "the proxy wants a login",
    408: "the server waited too long for us",
    410: "the publisher says that it is gone for good",
    421: "the server does not serve this host",
    429: "we ask too often",
    451: "withheld for legal reasons",
}


@dataclass(frozen=True, slots=True)
class Chain:
    """The answer a chain of redirects ended in."""

    answer: Answer
    url: str  # that gave it
    moved_to: str | None  # where permanent redirects alone led


def judged(chain: Chain, request: FetchRequest, now: datetime, *, patience: int | None = None) -> FetchOutcome | None:
    """Return what the answer is good for; None when its body inflates to more than `patience` bytes."""
    answer = chain.answer
    hints = headers.cache_hints(answer.headers, now)
    if answer.status == 304:
        return _not_modified(chain, request, now)
    if answer.status not in (200, 203):
        return replace(_refusal(answer, request), retry_after=hints.retry_after, hints=hints)
    wall = headers.wall(answer.status, answer.headers)
    if wall is not None:
        return walled("challenge", f"blocked by {wall}", status=answer.status, retry_after=hints.retry_after)
    decoded = decode(answer.body, answer.headers.get("Content-Encoding", ""), request.limits, patience=patience)
    if isinstance(decoded, Undecodable):
        if decoded.code == "too_long":
            return None
        return replace(failed(decoded.code, decoded.reason, status=answer.status), hints=hints)
    etag = headers.validator(answer.headers.get("ETag"))
    last_modified = headers.validator(answer.headers.get("Last-Modified"))
    digest = xxhash.xxh3_128_hexdigest(decoded.body)
    complete = decoded.complete and not answer.reset
    if complete and digest == request.body_hash:
        return NotModified(hints, etag, last_modified, chain.moved_to, len(answer.body))
    document = Document(
        body=decoded.body,
        seen_at=now,
        url=chain.url,
        content_type=answer.headers.get("Content-Type"),
        complete=complete,
        status=answer.status,
        modified_at=headers.http_date(last_modified),
        served_age=headers.seconds(answer.headers.get("Age")),
    )
    return Fresh(document, etag, last_modified, digest, hints, chain.moved_to, len(answer.body))


def _not_modified(chain: Chain, request: FetchRequest, now: datetime) -> FetchOutcome:
    if not request.etag and not request.last_modified:
        return failed("unexpected_304", "304 Not Modified to a request without validators", status=304)
    answer = chain.answer
    return NotModified(
        headers.cache_hints(answer.headers, now),
        headers.validator(answer.headers.get("ETag")),
        headers.validator(answer.headers.get("Last-Modified")),
        chain.moved_to,
    )


def _refusal(answer: Answer, request: FetchRequest) -> FetchFailed:
    """Return why a status other than 200 gives nothing. 2xx without a whole body is suspect: the page may be there."""
    status = answer.status
    glimpse = decode(answer.body, answer.headers.get("Content-Encoding", ""), request.limits)
    wall = headers.wall(status, answer.headers, b"" if isinstance(glimpse, Undecodable) else glimpse.body)
    if wall is not None:
        return walled("challenge", f"blocked by {wall}", status=status)
    if status < 300:
        return walled(f"http_{status}", f"HTTP {status} instead of a page", status=status)
    if status == 410:
        return replace(failed("gone", f"HTTP 410: {_WORDS[410]}", status=status), gone=True)
    words = _WORDS.get(status, "the server has a fault" if status >= 500 else "no page")
    return failed(f"http_{status}", f"HTTP {status}: {words}", status=status)
