"""Slack, by an incoming webhook or, where there is a bot token, by its Web API.

With a webhook a correction is a message of its own. With a token it answers in the thread of the message it corrects, is
shown in the channel as well, and the first message is updated to say so. Slack gives neither an idempotency key: each
message ends with the short reference of its key, so that a repeat can be told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitor.alerts import Notice, ReceiverPolicy
from monitor.sinks.base import Delivered, GiveUp, Letter, Outcome, Rendered, Retry, SinkKind, Target
from monitor.sinks.http import Answer, Poster, judge
from monitor.sinks.slack_blocks import blocks_of, corrected_blocks, fallback
from monitor.wire import encode_event

# https://docs.slack.dev/apis/web-api/rate-limits: one message a second for each webhook and channel.
POLICY = ReceiverPolicy(group_by=("rule",), burst=timedelta(seconds=60), rate=1.0, rate_burst=1, in_flight=1)
API = "https://slack.com/api"
_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "invalid_payload", "msg_too_long", "msg_blocks_too_long", "no_text"}
)
_LATER = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "rollup_error",
    }
)
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})


class SlackWebhook:
    """Posts to one incoming webhook."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._poster = Poster(allow_private=target.allow_private, timeout=target.timeout)

    def render(self, notice: Notice) -> Rendered:
        """Return the message, and the fallback text alone for a Slack that refuses the blocks."""
        return Rendered(encode_event(_message(notice)), encode_event({"text": fallback(notice)}))

    async def send(self, letter: Letter) -> Outcome:
        """POST once. A 200 whose body is not `ok` did not reach the channel."""
        answer = await self._poster.post(self._target.address, letter.body, {"Content-Type": "application/json"})
        if not isinstance(answer, Answer):
            return answer
        said = answer.body[:200].decode("utf-8", "replace").strip()
        outcome = judge(answer, letter.sent_at)
        if isinstance(outcome, Delivered):
            return outcome if said == "ok" else Retry("it answered 200, but not ok", outcome.status)
        if isinstance(outcome, GiveUp) and said.isidentifier():
            return replace(outcome, reason=f"{outcome.reason} {said}")
        return outcome

    async def close(self) -> None:
        """Close the kept connections."""
        await self._poster.close()


class SlackBot:
    """Posts to one channel as a bot: `address` is the channel, the one secret its token."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._api = target.options.get("api", API).rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {target.secrets[0]}",
            "Content-Type": "application/json; charset=utf-8",
        }
        self._poster = Poster(allow_private=target.allow_private, timeout=target.timeout)

    def render(self, notice: Notice) -> Rendered:
        """Return what to post and, for a correction, how the first message then reads."""
        channel = self._target.address
        thread = _receipt(notice.answers) if notice.form == "corrected" else None
        post: dict[str, Any] = {"channel": channel, **_message(notice)}
        plain: dict[str, Any] = {"channel": channel, "text": fallback(notice)}
        if thread is None:
            return Rendered(encode_event({"post": post}), encode_event({"post": plain}))
        answer = {"thread_ts": thread["ts"], "reply_broadcast": True}
        blocks = corrected_blocks(thread["blocks"], notice)
        update = {"channel": thread["channel"], "ts": thread["ts"], "text": fallback(notice), "blocks": blocks}
        body = {"post": {**post, **answer}, "update": update}
        return Rendered(encode_event(body), encode_event({"post": {**plain, **answer}}))

    async def send(self, letter: Letter) -> Outcome:
        """Update the first message, which may be repeated, then post, which shows; return what came of the post."""
        calls = json.loads(letter.body)
        revised = None
        if "update" in calls:
            outcome = await self._call("chat.update", calls["update"], letter)
            if isinstance(outcome, Retry) and not outcome.simpler:
                return outcome
            if isinstance(outcome, Delivered):
                revised = encode_event({key: calls["update"][key] for key in ("channel", "ts", "blocks")})
        outcome = await self._call("chat.postMessage", calls["post"], letter)
        return replace(outcome, revised=revised) if isinstance(outcome, Delivered) else outcome

    async def close(self) -> None:
        """Close the kept connections."""
        await self._poster.close()

    async def _call(self, method: str, arguments: Mapping[str, Any], letter: Letter) -> Outcome:
        answer = await self._poster.post(f"{self._api}/{method}", encode_event(arguments), self._headers)
        if not isinstance(answer, Answer):
            return answer
        outcome = judge(answer, letter.sent_at)
        if not isinstance(outcome, Delivered):
            return outcome
        try:
            said = json.loads(answer.body)
            if said["ok"] is True:
                kept = {"channel": said["channel"], "ts": said["ts"], "blocks": arguments.get("blocks", [])}
                return Delivered("ok", encode_event(kept))
            return _judge_error(str(said["error"]))
        except (ValueError, KeyError, TypeError):
            return Retry("it answered 200 with what is not Slack's JSON", "200")


def make(target: Target) -> SlackWebhook | SlackBot:
    """Return the bot where there is a token, else the webhook."""
    return SlackBot(target) if target.secrets else SlackWebhook(target)


KIND = SinkKind(make, POLICY)


def _message(notice: Notice) -> dict[str, Any]:
    return {"text": fallback(notice), "blocks": blocks_of(notice), "unfurl_links": False, "unfurl_media": False}


def _receipt(kept: bytes | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    receipt: dict[str, Any] = json.loads(kept)
    return receipt


def _judge_error(error: str) -> Outcome:
    """Return what an error name of the Web API means; a name we do not know concerns the channel or the token."""
    name = error if error.isidentifier() and len(error) <= 60 else "an unnamed error"
    if error in _LATER:
        return Retry(f"Slack answered {name}", "200")
    if error in _REFUSED:
        return Retry(f"Slack refused the message: {name}", "200", simpler=True)
    return GiveUp(f"Slack answered {name}", "200", disable=error not in _GONE)
