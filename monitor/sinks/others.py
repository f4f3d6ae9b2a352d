"""The rest of the world through Apprise (`pip install live-update-monitor[apprise]`): plain text, one try, our retries.

`secrets` are Apprise's service URLs. Apprise opens its own connections, so the address guard cannot judge them; its
default text format passes `<!channel>` and links through to Slack, so every message is sent as text.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta

from monitor.alerts import Notice, ReceiverPolicy
from monitor.sinks.base import Delivered, GiveUp, Letter, Outcome, Rendered, Retry, SinkKind, Target
from monitor.sinks.words import notice_lines, subject
from monitor.text.characters import printable
from monitor.wire import encode_event

POLICY = ReceiverPolicy(burst=timedelta(seconds=60), rate=1.0, rate_burst=1, in_flight=1)
_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}


class Apprise:
    """Sends to one or more services at once."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def render(self, notice: Notice) -> Rendered:
        """Return title, text and type."""
        lines = list(notice_lines(notice))
        text = "\n".join(printable(line) for line in lines[1:])
        title = " ".join(printable(subject(notice)).split())[:250]
        return Rendered(encode_event({"title": title, "body": text, "notify_type": _TYPES[notice.severity]}))

    async def send(self, letter: Letter) -> Outcome:
        """Hand the message to Apprise once, in a thread: it blocks."""
        return await asyncio.to_thread(self._send, json.loads(letter.body))

    async def close(self) -> None:
        """Apprise keeps nothing open."""

    def _send(self, message: dict[str, str]) -> Outcome:
        try:
            import apprise
        except ImportError:
            return GiveUp("apprise is not installed (pip install live-update-monitor[apprise])", disable=True)
        for talker in (
            "apprise",
            "urllib3",
            "requests",
        ):  # their log lines hold the service URLs, and those are secrets
            logging.getLogger(talker).setLevel(logging.CRITICAL)
        services = apprise.Apprise()
        if not all(services.add(url) for url in self._target.secrets):
            return GiveUp("Apprise does not know one of the service URLs", disable=True)
        kind = apprise.NotifyType(message["notify_type"])
        text = apprise.NotifyFormat.TEXT
        if services.notify(message["body"], title=message["title"], notify_type=kind, body_format=text):
            return Delivered("sent")
        return Retry("a service did not take it")


KIND = SinkKind(Apprise, POLICY)
