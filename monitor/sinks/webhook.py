"""Signed webhooks: the alert's event as it is in the stream, with the headers of Standard Webhooks.

Source: Standard Webhooks 1.0 (spec/standard-webhooks.md): `webhook-id` is the same on every retry, the timestamp is the
try's, the signature covers `id.timestamp.body`, several signatures are parted by a space.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitor.alerts import Notice, NoticeItem, ReceiverPolicy
from monitor.sinks.base import Letter, Outcome, Rendered, SinkKind, Target
from monitor.sinks.http import Answer, Poster, judge
from monitor.wire import DIGEST_SCHEMA, MAX_MESSAGE_BYTES, alert_data, encode_alert, encode_event, rfc3339

# Machines sort for themselves: every alert at once, in order for each entry, several at a time; tried for three days as
# the retry schedule of Standard Webhooks is.
POLICY = ReceiverPolicy(
    group_by=("rule", "entry"),
    burst=timedelta(0),
    rate=50.0,
    rate_burst=50,
    in_flight=8,
    keep=timedelta(hours=76),
    full_items=20,
    coalesce_above=0,
)
MIN_KEY, MAX_KEY = 24, 64  # bytes of a Standard Webhooks secret


class Webhook:
    """Posts events to one URL."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._keys = tuple(signing_key(secret) for secret in target.secrets)
        self._poster = Poster(allow_private=target.allow_private, timeout=target.timeout)

    def render(self, notice: Notice) -> Rendered:
        """Return the event's bytes; there is nothing simpler than JSON."""
        if len(notice.items) == 1 and notice.form in {"fired", "corrected"}:
            alert = replace(notice.items[0].alert, severity=notice.severity)
            return Rendered(encode_alert(alert, "corrected" if notice.form == "corrected" else "fired"))
        return Rendered(_digest(notice) if notice.items else encode_event(_words(notice)))

    async def send(self, letter: Letter) -> Outcome:
        """POST once, signed for this moment."""
        timestamp = int(letter.sent_at.timestamp())
        headers = {**self._target.headers, "Content-Type": "application/cloudevents+json; charset=utf-8"}
        headers |= {"webhook-id": letter.id, "webhook-timestamp": str(timestamp)}
        if self._keys:
            headers["webhook-signature"] = signature(self._keys, letter.id, timestamp, letter.body)
        answer = await self._poster.post(self._target.address, letter.body, headers)
        return judge(answer, letter.sent_at) if isinstance(answer, Answer) else answer

    async def close(self) -> None:
        """Close the kept connections."""
        await self._poster.close()


KIND = SinkKind(Webhook, POLICY)


def signing_key(secret: str) -> bytes:
    """Return the HMAC key of a secret: `whsec_` and base64, base64 of 24 to 64 bytes, or any other text as it is.

    Raises ValueError for `whsec_` followed by what is not base64.
    """
    written = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(written, validate=True)
    except binascii.Error as error:
        if written != secret:
            raise ValueError("after whsec_ the secret must be base64") from error
        return secret.encode()
    return key if written != secret or MIN_KEY <= len(key) <= MAX_KEY else secret.encode()


def signature(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: one `v1` signature for each key, newest key first."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _digest(notice: Notice) -> bytes:
    """Return several alerts as one event; what does not fit is named instead of shown."""
    shown = len(notice.items)
    while True:
        body = encode_event(_digest_event(notice, shown))
        if len(body) <= MAX_MESSAGE_BYTES or shown == 0:
            return body
        shown //= 2


def _digest_event(notice: Notice, shown: int) -> Mapping[str, Any]:
    rules = list(dict.fromkeys(item.alert.rule for item in notice.items))
    one_rule = rules[0] if len(rules) == 1 else None
    data = {
        "id": notice.id,
        "rule": one_rule,
        "severity": notice.severity,
        "count": len(notice.items),
        "late": notice.late,
        "note": notice.words or notice.headline,
        "alerts": [
            _item_data(item) if place < shown and item.full else _item_name(item)
            for place, item in enumerate(notice.items)
        ],
    }
    return _event(notice, "monitor.alert.digest", f"/rules/{one_rule}" if one_rule else "/rules", data)


def _item_data(item: NoticeItem) -> dict[str, Any]:
    event = "corrected" if item.alert.corrects else "fired"
    return {"event": event, "late_by": item.late_by, **alert_data(item.alert)}


def _item_name(item: NoticeItem) -> dict[str, Any]:
    alert, entry = item.alert, item.alert.delta.change.entry
    return {
        "event": "corrected" if alert.corrects else "fired",
        "id": alert.corrects or alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "kind": alert.kind.value,
        "delta": {
            "id": alert.delta.id,
            "source": {"id": alert.delta.source.id},
            "entry": {"id": alert.delta.change.entry_id, "title": (entry.title or entry.text)[:100]},
        },
    }


def _words(notice: Notice) -> Mapping[str, Any]:
    data = {"id": notice.id, "severity": notice.severity, "title": notice.headline, "text": notice.words}
    return _event(notice, "monitor.notice", "/monitor", data)


def _event(notice: Notice, type_: str, source: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "specversion": "1.0",
        "id": notice.id,
        "source": source,
        "type": type_,
        "time": rfc3339(notice.composed_at),
        "datacontenttype": "application/json",
        **({"dataschema": DIGEST_SCHEMA} if notice.items else {}),
        "data": data,
    }
