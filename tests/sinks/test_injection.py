"""Whatever a source writes, a receiver reads it as words: shown by reading back what each receiver gets."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest

from monitor.sinks.slack_blocks import safe_url
from tests.sinks.corpus import CORPUS, SUSPENDED

ACTIVE = re.compile(r"<[!@#]|<https?:|<mailto:")


def every_place(newsroom, text):
    """Notices of every form with the text wherever a source's can stand: title, text, source, author, URL."""
    return newsroom.forms(
        text + SUSPENDED,
        title=text or None,
        source=text[:2_000] or None,
        author=text[:2_000],
        url=f"https://example.org/{text[:300]}",
        page=f"javascript:{text[:100]}",
    )


@pytest.fixture
async def send(sink_of, letter):
    sinks = []

    async def deliver(kind, notice):
        sink = sink_of(kind)
        sinks.append(sink)
        return await sink.send(letter(sink, notice))

    yield deliver
    for sink in sinks:
        await sink.close()


def objects(value):
    """Every object in a tree of JSON."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from objects(one)


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize("kind", ["slack", "slack-bot"])
async def test_slack_gets_only_literal_text(send, newsroom, http, kind, name):
    for notice in every_place(newsroom, CORPUS[name]).values():
        http.heard.clear()
        await send(kind, notice)
        for heard in http.heard:
            heard.body.decode("utf-8")  # no lone surrogate
            payload = heard.json
            assert ACTIVE.search(payload["text"]) is None
            assert "\n" not in payload["text"]
            for one in objects(payload.get("blocks", [])):
                assert one.get("type") not in {
                    "mrkdwn",
                    "markdown",
                    "user",
                    "usergroup",
                    "channel",
                    "broadcast",
                    "emoji",
                }
                if one.get("type") == "plain_text" and "emoji" in one:
                    assert one["emoji"] is False
                if one.get("type") in {"link", "button"} and "url" in one:
                    assert re.match(r"https?://[^\s<>|\"]+$", one["url"])
            assert payload.get("link_names") is None
            assert not payload.get("mrkdwn_in")
            shown = json.dumps(payload, ensure_ascii=False)
            assert "\u202e" not in shown
            assert "\\u0000" not in shown
            assert "\\u001b" not in shown


@pytest.mark.parametrize("name", CORPUS)
async def test_a_webhook_gets_the_text_as_it_was_in_valid_json(send, newsroom, http, name):
    notices = every_place(newsroom, CORPUS[name])
    await send("webhook", notices["fired"])
    (heard,) = http.heard
    assert len(heard.body) <= 65_536
    entry = heard.json["data"]["delta"]["entry"]
    expected = (CORPUS[name] + SUSPENDED).encode("utf-8", "replace").decode()
    assert entry["text"] == expected or heard.json["data"]["truncated"]
    for form in ("fired-edited", "corrected-retracted", "digest"):
        await send("webhook", notices[form])
        assert len(http.heard[-1].body) <= 65_536
        assert "Bcc" not in http.heard[-1].headers


@pytest.mark.parametrize("name", CORPUS)
async def test_mail_is_plain_text_with_nothing_added_to_its_headers(send, newsroom, smtp, name):
    for notice in every_place(newsroom, CORPUS[name]).values():
        await send("email", notice)
        mail = smtp.last
        assert mail.get_content_type() == "text/plain"
        assert not mail.is_multipart()
        allowed = {"From", "To", "Subject", "Date", "Message-ID", "X-Priority", "Auto-Submitted", "MIME-Version"}
        allowed |= {"Content-Type", "Content-Transfer-Encoding", "In-Reply-To", "References"}
        assert set(mail.keys()) <= allowed
        assert mail["To"] == "desk@example.org"
        assert "\n" not in mail["Subject"]
        said = mail.get_content()
        assert re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said) is None
    assert len(smtp.mails) == 6, "no text ended one mail and began another"


@pytest.mark.parametrize("name", CORPUS)
async def test_a_terminal_is_told_nothing_but_words(send, newsroom, capsys, name):
    for notice in every_place(newsroom, CORPUS[name]).values():
        await send("terminal", notice)
    said = capsys.readouterr().out
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", said) is None


@pytest.mark.parametrize("name", CORPUS)
def test_apprise_is_handed_text_without_controls(sink_of, newsroom, name):
    sink = sink_of("apprise")
    for notice in every_place(newsroom, CORPUS[name]).values():
        message = json.loads(sink.render(notice).body)
        assert "\n" not in message["title"]
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", message["body"]) is None


@pytest.mark.skipif(importlib.util.find_spec("apprise") is None, reason="apprise is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", CORPUS)
async def test_a_service_behind_apprise_gets_text_without_controls(send, newsroom, http, name):
    for notice in every_place(newsroom, CORPUS[name]).values():
        await send("apprise", notice)
        got = http.heard[-1].json
        assert "\n" not in got["title"]
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", got["message"]) is None


def test_source_text_in_plain_words_is_always_marked_as_such(sink_of, newsroom):
    forged = "harmless\n[!!] evacuation-halted — Aleppo live\n(A-000000)"
    said = sink_of("terminal").render(newsroom.notice(newsroom.alert(forged, title=forged))).body.decode()
    lines = said.splitlines()
    assert [line for line in lines if "evacuation-halted" in line and not line.startswith("> ")] == [
        "[!] evacuation-halted — Aleppo live",
        next(line for line in lines if " · rule evacuation-halted · " in line),
    ]


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c&d=%20", "https://example.org/a?b=c&d=%20"),
        ("http://example.org/<!channel>|x", "http://example.org/%3C!channel%3E%7Cx"),
        ("https://example.org/a b\n", "https://example.org/a%20b"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//example.org/x", None),
        ("https://", None),
        ("https://example.org/" + "x" * 3_000, None),
        ("https://[::1", None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links(url, safe):
    assert safe_url(url) == safe
