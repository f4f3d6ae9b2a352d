"""Deltas and alerts as subscribers see them: CloudEvents 1.0 in JSON, and the names of channels and streams.

Rule: the only room that knows these shapes. The bytes made here are stored in the outbox and are the bytes in the
stream, the channel, `monitor tail` and the webhook. Additive changes only; anything else is a new `dataschema`.
Sources: CloudEvents 1.0.2 (spec.md §Context Attributes), its `sequence` extension (zero-padded so that it sorts as text).
"""

from monitor.wire.decode import decode_alert, decode_delta
from monitor.wire.encode import (
    ALERT_SCHEMA,
    DELTA_SCHEMA,
    DIGEST_SCHEMA,
    MAX_MESSAGE_BYTES,
    AlertEvent,
    alert_data,
    alert_event,
    delta_event,
    encode_alert,
    encode_delta,
    encode_event,
    entry_data,
    renumber_delta,
    rfc3339,
    verdict_event,
)
from monitor.wire.names import Names

__all__ = [
    "ALERT_SCHEMA",
    "DELTA_SCHEMA",
    "DIGEST_SCHEMA",
    "MAX_MESSAGE_BYTES",
    "AlertEvent",
    "Names",
    "alert_data",
    "alert_event",
    "decode_alert",
    "decode_delta",
    "delta_event",
    "encode_alert",
    "encode_delta",
    "encode_event",
    "entry_data",
    "renumber_delta",
    "rfc3339",
    "verdict_event",
]
