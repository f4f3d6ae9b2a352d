"""SMTP's answers mean what RFC 5321 says, and a correction is threaded with its mail."""

from __future__ import annotations

import pytest

from monitor.sinks import Delivered, GiveUp, Retry


@pytest.mark.parametrize(
    ("verb", "reply", "kind", "disable"),
    [
        ("MAIL", "451 later", Retry, None),
        ("RCPT", "450 busy", Retry, None),
        ("RCPT", "550 no such user", GiveUp, True),
        ("AUTH", "535 wrong password", GiveUp, True),
        ("AUTH", "454 later", Retry, None),
        ("END", "552 too big", GiveUp, False),
        ("END", "451 later", Retry, None),
        ("EHLO", "", Retry, None),
    ],
)
async def test_what_the_server_answers(sink_of, newsroom, letter, smtp, verb, reply, kind, disable):
    smtp.replies = {verb: reply} if verb != "EHLO" else {"EHLO": "", "HELO": ""}
    sink = sink_of("email")
    outcome = await sink.send(letter(sink, newsroom.notice()))
    assert isinstance(outcome, kind)
    assert getattr(outcome, "disable", None) == disable


async def test_no_tls_where_it_is_demanded_is_not_sent(sink_of, newsroom, letter, smtp, targets):
    from dataclasses import replace

    from monitor.sinks.mail import Mail

    target = targets()["email"]
    sink = Mail(replace(target, options={**target.options, "starttls": "true"}))
    outcome = await sink.send(letter(sink, newsroom.notice()))
    assert isinstance(outcome, GiveUp)
    assert smtp.mails == []


async def test_a_correction_answers_the_mail_it_corrects(sink_of, newsroom, letter, smtp):
    sink = sink_of("email")
    fired = newsroom.alert()
    first = await sink.send(letter(sink, newsroom.notice(fired)))
    assert isinstance(first, Delivered)
    taken_back = newsroom.alert("resumed", kind="retracted", old="suspended", corrects=fired.id)
    await sink.send(letter(sink, newsroom.notice(taken_back, answers=first.receipt)))
    assert smtp.last["In-Reply-To"] == first.receipt.decode()
    assert smtp.last["Subject"] == "CORRECTED evacuation-halted — Aleppo live"
    assert "[-suspended-]" in smtp.last.get_content()
