"""What is asked of a fetch, and every way it can end.

Rule: values only; every outcome of a hostile or broken server is one of three, never an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from monitor.model import Document, Verdict, VerdictKind

MiB = 1 << 20
MOVE_SIGHTINGS = 3  # a redirect called permanent is believed when it was seen this often in a row


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much one fetch may cost. Sizes in bytes, times in seconds."""

    wire_bytes: int = 8 * MiB  # body as sent
    decoded_bytes: int = 16 * MiB  # body after Content-Encoding
    ratio: int = 200  # decoded / wire, judged above `ratio_from` decoded bytes
    ratio_from: int = MiB
    header_bytes: int = 65_536  # all response headers of one hop
    connect: float = 5.0  # to one address
    idle: float = 10.0  # without a byte
    total: float = 25.0  # the whole fetch, redirects included, waiting for the host's turn excluded
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One fetch of one source. `url` is http(s), a `file:` URL the operator wrote, or a file path."""

    url: str
    etag: str | None = None  # as the server sent it, verbatim
    last_modified: str | None = None  # as the server sent it, verbatim: nginx answers 304 only to its own string
    body_hash: str | None = None  # of the last body that was used; the same bytes again are NotModified
    allow_private: bool = False  # private and loopback addresses may be connected to
    headers: Mapping[str, str] = field(default_factory=dict)  # sent to the source's own origin only
    limits: FetchLimits = field(default_factory=FetchLimits)
    robots: Literal["respect", "ignore"] = "respect"
    proxy: str | None = None  # http://host:port; None: the fetcher's own setting
    render: Literal["none", "browser"] = "none"
    foreign: bool = False  # the URL is a publisher's word and not the operator's: never a file; see `links.elsewhere`
    hurried: bool = False  # part of a page being rendered: its host is not spaced, only limited in number


@dataclass(frozen=True, slots=True)
class CacheHints:
    """What the publisher says about when to come back, in seconds. Hints, never orders."""

    fresh_for: float | None = None  # Cache-Control s-maxage/max-age or Expires, less Age
    retry_after: float | None = None  # clamped to [0, 3600]


@dataclass(frozen=True, slots=True)
class Fresh:
    """A body to be parsed. Store the validators only after it was parsed and committed."""

    document: Document
    etag: str | None
    last_modified: str | None
    body_hash: str  # xxh3-128 of the decoded body, hex
    hints: CacheHints = CacheHints()
    moved_to: str | None = None  # where permanent redirects alone led (301, 308)
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True)
class NotModified:
    """The publisher (304), the file system or the bytes say that nothing changed."""

    hints: CacheHints = CacheHints()
    etag: str | None = None  # to be stored in place of the last ones; None: keep those
    last_modified: str | None = None
    moved_to: str | None = None
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """Nothing to parse: `verdict` is failed, or suspect where a wall stands before the source (challenge, login)."""

    verdict: Verdict
    retry_after: float | None = None  # seconds the server asks us to wait, clamped to [0, 3600]
    gone: bool = False  # 410: the publisher says for good
    hints: CacheHints = CacheHints()
    status: int | None = None  # of the last answer, if there was one


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered to one request. `reset`: the connection broke before the body's end, `body` is what came."""

    status: int
    headers: Mapping[str, str]  # case-insensitive
    body: bytes  # as sent
    reset: bool = False


FetchOutcome = Fresh | NotModified | FetchFailed


@dataclass(frozen=True, slots=True)
class Move:
    """How often in a row a source was seen to have moved for good to the same place."""

    url: str
    sightings: int = 1

    @property
    def settled(self) -> bool:
        """True when the new place is to be kept."""
        return self.sightings >= MOVE_SIGHTINGS


def sight_move(known: Move | None, moved_to: str | None) -> Move | None:
    """Return the state after one more good poll, which was led to `moved_to` (None: not redirected for good)."""
    if moved_to is None:
        return None
    if known is not None and known.url == moved_to:
        return Move(moved_to, known.sightings + 1)
    return Move(moved_to)


def failed(code: str, reason: str, *, status: int | None = None, retry_after: float | None = None) -> FetchFailed:
    """Return a fetch that gave nothing."""
    return FetchFailed(Verdict(VerdictKind.FAILED, reason, code), status=status, retry_after=retry_after)


def walled(code: str, reason: str, *, status: int | None = None, retry_after: float | None = None) -> FetchFailed:
    """Return a fetch that was answered by something standing before the source."""
    return FetchFailed(Verdict(VerdictKind.SUSPECT, reason, code), status=status, retry_after=retry_after)
