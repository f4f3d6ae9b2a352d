"""What every sink promises: statuses mean the same everywhere, repeats are the same message, secrets stay where they belong.

A row of SINKS that is missing here, or does not hold one of these promises, fails.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import socket

import pytest

from monitor.sinks import SINKS, Delivered, GiveUp, Retry, redacted

HTTP_KINDS = ("webhook", "slack", "slack-bot")
KINDS = (*HTTP_KINDS, "email", "terminal", "apprise")
needs_apprise = pytest.mark.skipif(importlib.util.find_spec("apprise") is None, reason="apprise is not installed")
SENDING = tuple(
    pytest.param(kind, marks=(needs_apprise, pytest.mark.filterwarnings("ignore::DeprecationWarning")))
    if kind == "apprise"
    else kind
    for kind in KINDS
)

DELIVERED = (200, 201, 202, 204)
RETRIED = (408, 425, 429, 500, 501, 502, 503, 504, 520, 599)
REFUSED = (400, 413, 422)
DISABLING = (401, 403, 404, 410)
NEVER = (300, 301, 302, 303, 304, 307, 308, 402, 405, 406, 409, 411, 415, 418, 426, 451)


def test_every_sink_of_the_table_is_held_to_the_contract():
    assert {kind.removesuffix("-bot") for kind in KINDS} == set(SINKS)


@pytest.fixture
async def opened(sink_of):
    sinks = []

    def make(kind, **more):
        sinks.append(sink_of(kind, **more))
        return sinks[-1]

    yield make
    for sink in sinks:
        await sink.close()


@pytest.mark.parametrize("kind", HTTP_KINDS)
@pytest.mark.parametrize("status", [*RETRIED, *REFUSED, *DISABLING, *NEVER])
async def test_a_status_means_the_same_to_every_sink(opened, newsroom, letter, http, kind, status):
    sink = opened(kind)
    http.answer(status, Location=f"{http.url}/elsewhere")
    outcome = await sink.send(letter(sink, newsroom.notice()))
    assert len(http.heard) == 1, "redirects are never followed"
    if status in RETRIED:
        assert isinstance(outcome, Retry)
        assert not outcome.simpler
    elif status in REFUSED:
        assert isinstance(outcome, Retry)
        assert outcome.simpler
    else:
        assert isinstance(outcome, GiveUp)
        assert outcome.disable == (status in DISABLING)


@pytest.mark.parametrize("status", DELIVERED)
async def test_any_2xx_is_delivered_to_a_webhook(opened, newsroom, letter, http, status):
    sink = opened("webhook")
    http.answer(status)
    assert isinstance(await sink.send(letter(sink, newsroom.notice())), Delivered)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("999999999999999999999", 3600.0),
        ("Mon, 02 Mar 2026 12:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        ("Monday, 02-Mar-26 12:01:00 GMT", 60.0),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("٧", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("kind", HTTP_KINDS)
async def test_retry_after_is_read_in_both_its_forms_and_never_believed_beyond_an_hour(
    opened, newsroom, letter, http, kind, written, seconds
):
    sink = opened(kind)
    http.answer(429, Retry_After=written)
    outcome = await sink.send(letter(sink, newsroom.notice()))
    assert isinstance(outcome, Retry)
    assert outcome.after == seconds


@pytest.mark.parametrize("kind", SENDING)
async def test_a_good_receiver_is_delivered_to(opened, newsroom, letter, kind):
    sink = opened(kind)
    for notice in newsroom.forms().values():
        assert isinstance(await sink.send(letter(sink, notice)), Delivered)


@pytest.mark.parametrize("kind", KINDS)
def test_rendering_the_same_notice_gives_the_same_bytes(opened, newsroom, kind):
    first, again = opened(kind), opened(kind)
    for notice in newsroom.forms().values():
        assert first.render(notice) == again.render(notice)


@pytest.mark.parametrize("kind", KINDS)
def test_two_messages_never_share_a_key(newsroom, kind):
    assert len({notice.id for notice in newsroom.forms().values()}) == 6


@pytest.mark.parametrize("kind", ["webhook", "slack", "slack-bot", "email"])
async def test_a_repeat_is_the_same_message_under_the_same_key(opened, newsroom, letter, http, smtp, kind):
    sink = opened(kind)
    notice = newsroom.notice()
    for attempt in (1, 2):
        await sink.send(letter(sink, notice, attempt=attempt))
    if kind == "email":
        first, again = smtp.mails
        assert smtp.last["Message-ID"] == f"<{notice.id}@example.org>"
    else:
        first, again = (heard.body for heard in http.heard)
    assert first == again
    if kind == "webhook":
        assert {heard.headers["webhook-id"] for heard in http.heard} == {notice.id}
    if kind.startswith("slack"):
        assert notice.reference.encode() in first


async def failures(opened, newsroom, letter, http, smtp, kind):
    """What the sink says when everything goes wrong."""
    bodies = ("", "<html>error</html>", '{"ok":false,"error":"invalid_auth"}', "no_service")
    outcomes = []
    notice = newsroom.notice()
    for status in (200, 302, 400, 404, 429, 500):
        for body in bodies:
            sink = opened(kind)
            http.answer(status, body, Location="http://127.0.0.1:1/")
            smtp.replies = {"MAIL": f"{max(status, 400)} {body or 'no'}".splitlines()[0]}
            outcomes.append(await sink.send(letter(sink, notice)))
    smtp.replies = {"EHLO": ""}
    refused = opened(kind, allow_private=False)
    outcomes.append(await refused.send(letter(refused, notice)))
    return outcomes


@pytest.mark.parametrize("kind", SENDING)
async def test_no_failure_shows_a_secret(opened, newsroom, letter, http, smtp, kind, canary, secret, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    sink = opened(kind)
    outcomes = await failures(opened, newsroom, letter, http, smtp, kind)
    shown = "".join(map(repr, outcomes)) + repr(sink) + repr(sink.render(newsroom.notice())) + caplog.text
    captured = capfd.readouterr()
    for hidden in (canary, secret):
        assert hidden not in shown
        assert hidden not in captured.out + captured.err


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_never_shows_what_it_holds(targets, kind, canary):
    target = targets()[kind]
    assert canary not in repr(target)
    assert canary not in redacted(f"cannot reach {target.address} with {target.secrets}", target)


@pytest.mark.parametrize("kind", [*HTTP_KINDS, "email"])
async def test_a_private_address_is_refused_at_the_socket(opened, newsroom, letter, http, smtp, kind):
    sink = opened(kind, allow_private=False)
    outcome = await sink.send(letter(sink, newsroom.notice()))
    assert isinstance(outcome, GiveUp)
    assert outcome.disable
    assert "loopback" in outcome.reason
    assert http.heard == []
    assert smtp.mails == []


@pytest.mark.parametrize("kind", [*HTTP_KINDS, "email"])
async def test_nobody_listening_is_worth_a_retry(opened, newsroom, letter, kind, http, smtp, targets):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    http.url = f"http://127.0.0.1:{port}"
    smtp.port = port
    sink = opened(kind)
    assert isinstance(await sink.send(letter(sink, newsroom.notice())), Retry)


@pytest.mark.parametrize("kind", [*HTTP_KINDS, "email"])
async def test_a_receiver_that_hangs_is_left_after_the_time_limit(opened, newsroom, letter, kind, http, smtp, tcp):
    async def hang(reader, writer):
        await reader.read()

    async with tcp(hang) as port:
        http.url, smtp.port = f"http://127.0.0.1:{port}", port
        sink = opened(kind, timeout=0.3)
        outcome = await asyncio.wait_for(sink.send(letter(sink, newsroom.notice())), 3)
    assert isinstance(outcome, Retry)
    assert "0.3 s" in outcome.reason


@pytest.mark.parametrize("kind", HTTP_KINDS)
@pytest.mark.parametrize(
    "answer",
    [b"", b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 500 NO\r\nContent-Length: 50\r\n\r\nhalf"],
    ids=["closes", "no HTTP", "half a status", "breaks off"],
)
async def test_an_answer_that_is_none_is_worth_a_retry(opened, newsroom, letter, http, kind, answer, tcp):
    async def lie(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with tcp(lie) as port:
        http.url = f"http://127.0.0.1:{port}"
        sink = opened(kind)
        outcome = await sink.send(letter(sink, newsroom.notice()))
    assert isinstance(outcome, Retry)


async def test_a_good_status_counts_even_if_the_answer_then_breaks_off(opened, newsroom, letter, http, tcp):
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
        await writer.drain()

    async with tcp(hang_up) as port:
        http.url = f"http://127.0.0.1:{port}"
        sink = opened("webhook")
        assert isinstance(await sink.send(letter(sink, newsroom.notice())), Delivered)


async def test_an_endless_answer_is_dropped_after_64_kilobytes(opened, newsroom, letter, http, tcp):
    sent = 0

    async def flood(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 50_000_000:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    async with tcp(flood) as port:
        http.url = f"http://127.0.0.1:{port}"
        sink = opened("webhook")
        assert isinstance(await sink.send(letter(sink, newsroom.notice())), Delivered)
        await sink.close()
    assert sent < 20_000_000
