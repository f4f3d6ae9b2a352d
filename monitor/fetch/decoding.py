"""Undo a Content-Encoding, bounded in output, and say whether the body ended where its encoding says it ends.

Rule: pure; works on the whole wire body (itself bounded), so that no client library's streaming decides what a cut or
poisoned body is. HTTP clients hand out a truncated gzip body as a good 200; here `complete` is False.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from monitor.fetch.request import FetchLimits

_STEP = 262_144  # bytes of output asked for at a time: what may be produced past a limit before it is noticed
_SLICE = 65_536  # bytes of input at a time
_MAX_MEMBERS = 4_096  # a member may be 20 bytes long and cost a slice's copy: bgzip writes 64 KiB ones
_MAX_FRAMES = 64  # of zstd, each of which costs a copy of the rest
_GZIP_MAGIC = b"\x1f\x8b"
ACCEPT_ENCODING = "gzip, br, zstd"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body without its encoding. `complete` is False when the encoding says that bytes are missing at the end."""

    body: bytes
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Why there is no body: `too_large` (a limit) or `bad_encoding` (broken or unknown)."""

    code: str
    reason: str


class _TooLargeError(Exception):
    pass


class _TooLongError(Exception):
    pass


class _Output:
    """Collects decoded bytes and stops at the limits."""

    def __init__(self, wire: int, limits: FetchLimits, patience: int | None) -> None:
        self._patience = limits.decoded_bytes if patience is None else patience
        self.parts: list[bytes] = []
        self.size = 0
        self._ratio_limit = max(limits.ratio_from, wire * limits.ratio)
        self._limits = limits

    def add(self, part: bytes) -> None:
        self.size += len(part)
        if self.size > self._limits.decoded_bytes:
            raise _TooLargeError(f"the body is larger than {self._limits.decoded_bytes} bytes when decoded")
        if self.size > self._ratio_limit:
            raise _TooLargeError(f"the body inflates more than {self._limits.ratio} times")
        if self.size > self._patience:
            raise _TooLongError
        self.parts.append(part)


def decode(
    wire: bytes, content_encoding: str, limits: FetchLimits, *, patience: int | None = None
) -> Decoded | Undecodable:
    """Return the body that `wire` encodes, or why there is none.

    With `patience`, a body that inflates to more bytes than that is left with the code `too_long`: what may be decoded
    where nobody waits is to be asked for again without it.
    Names per RFC 9110 §8.4.1, RFC 7932 (br), RFC 8878 (zstd). One layer only: several are legal (§8.4), never sent by
    honest servers, and the classic way to multiply a bomb.
    """
    names = [name for name in (part.strip().lower() for part in content_encoding.split(",")) if name]
    names = [name for name in names if name != "identity"]
    if not names:
        if len(wire) > limits.decoded_bytes:
            return Undecodable("too_large", f"the body is larger than {limits.decoded_bytes} bytes")
        return Decoded(wire)
    if len(names) > 1:
        return Undecodable("bad_encoding", f"{len(names)} layers of Content-Encoding")
    step = _STEPS.get(names[0])
    if step is None:
        return Undecodable("bad_encoding", f"unknown Content-Encoding {names[0][:40]!r}")
    if not wire:
        return Decoded(b"")
    output = _Output(len(wire), limits, patience)
    try:
        complete = step(wire, output)
    except _TooLargeError as error:
        return Undecodable("too_large", str(error))
    except _TooLongError:
        return Undecodable("too_long", f"more than {patience} bytes")
    except Exception as error:  # noqa: BLE001 - zlib.error, brotli.error, ZstdError: each library its own, one meaning
        return Undecodable("bad_encoding", f"the body is not {names[0]}: {error}")
    return Decoded(b"".join(output.parts), complete)


def _gzip(wire: bytes, output: _Output) -> bool:
    """Every member (RFC 1952 §2.2), its check sum and length verified by zlib; zero padding and junk after it ignored."""
    at = 0
    for _ in range(_MAX_MEMBERS):
        decoder = zlib.decompressobj(31)
        at = _inflate(decoder, wire, at, output)
        if not decoder.eof:
            return False
        if wire[at : at + 2] != _GZIP_MAGIC:
            return True
    raise ValueError(f"more than {_MAX_MEMBERS} members")


def _deflate(wire: bytes, output: _Output) -> bool:
    """The zlib format, or the raw one that some servers send by the same name (RFC 9110 §8.4.1.2, note)."""
    looks_zlib = len(wire) >= 2 and wire[0] & 0x0F == 8 and (wire[0] << 8 | wire[1]) % 31 == 0  # RFC 1950 §2.2
    decoder = zlib.decompressobj(15 if looks_zlib else -15)
    _inflate(decoder, wire, 0, output)
    return decoder.eof


def _inflate(decoder: zlib._Decompress, wire: bytes, at: int, output: _Output) -> int:
    """Feed one zlib stream from `at` on, a slice at a time: zlib copies what it leaves over. Return where it ended."""
    view = memoryview(wire)
    while at < len(wire) and not decoder.eof:
        data: bytes | memoryview = view[at : at + _SLICE]
        at += len(data)
        while data and not decoder.eof:
            output.add(decoder.decompress(data, _STEP))
            data = decoder.unconsumed_tail
    return at - len(decoder.unused_data)


def _brotli(wire: bytes, output: _Output) -> bool:
    import brotli

    decoder = brotli.Decompressor()
    data = wire
    while True:
        output.add(decoder.process(data, output_buffer_limit=_STEP))
        data = b""
        if decoder.is_finished():
            return True
        if decoder.can_accept_more_data():
            return False


def _zstd(wire: bytes, output: _Output) -> bool:
    """Every frame, windows of 8 MiB at most (RFC 9659 §3: what an HTTP decoder must take and need not exceed)."""
    import zstandard

    decoder = zstandard.ZstdDecompressor(max_window_size=8 << 20)
    with decoder.stream_reader(wire, read_across_frames=True, read_size=_STEP) as reader:
        while part := reader.read(_STEP):
            output.add(part)
    # The bounded reader does not tell a cut frame from a whole one; `decompressobj` does, but cannot be bounded. What
    # the reader just produced within the limits may be produced once more.
    rest = wire
    for _ in range(_MAX_FRAMES):
        frame = decoder.decompressobj()
        frame.decompress(rest)
        if not frame.eof:
            return False
        rest = frame.unused_data
        if not rest:
            return True
    raise ValueError(f"more than {_MAX_FRAMES} frames")


_STEPS: dict[str, Callable[[bytes, _Output], bool]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
