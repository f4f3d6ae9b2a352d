"""What parent and parse worker say to each other: frames of JSON and raw bytes over a pipe.

Rule: JSON checked against the values' types on both sides, never pickle: whoever owns the child owns nothing else.
A frame is two unsigned 32-bit lengths, big-endian, then that many bytes of JSON and of body.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import msgspec

from monitor.model import Document, Reading, ReadOptions

LENGTHS = struct.Struct(">II")
READY = b'"ready"'
OPEN = b"open"  # beside READY: the kernel could not take network, programs and files away from the child
NOTE = struct.Struct(
    ">?I"
)  # beside a reading: whether the child leaves after it, milliseconds of processor time it took
MAX_REPLY = 64 << 20  # bytes of JSON a child may answer


@dataclass(frozen=True, slots=True)
class Order:
    """One document to read. Its body travels beside it."""

    source_id: str
    document: Document
    options: ReadOptions


_order_decoder = msgspec.json.Decoder(Order)
_reading_decoder = msgspec.json.Decoder(Reading)


def frame(message: bytes, body: bytes = b"") -> bytes:
    """Return a frame."""
    return LENGTHS.pack(len(message), len(body)) + message + body


def encode_order(order: Order) -> bytes:
    """Return the frame of an order."""
    bare = replace(order, document=replace(order.document, body=b""))
    return frame(msgspec.json.encode(bare), order.document.body)


def decode_order(message: bytes, body: bytes) -> Order:
    """Return the order of a frame. Raises msgspec.MsgspecError when it is none."""
    order = _order_decoder.decode(message)
    return replace(order, document=replace(order.document, body=body))


def encode_reading(reading: Reading) -> bytes:
    """Return the JSON of a reading. Raises UnicodeEncodeError on a lone surrogate."""
    return msgspec.json.encode(reading)


def decode_reading(message: bytes) -> Reading:
    """Return the reading of a frame's JSON. Raises msgspec.MsgspecError when it is none."""
    return _reading_decoder.decode(message)
