"""Whatever a source writes, a receiver reads it as words: shown by reading back what each receiver gets."""

from __future__ import annotations

import json
import re

import pytest

from monitor.sinks.slack_blocks import safe_url

LONG = "x" * 100_000
CORPUS = {
    "mentions": "<!channel> <!here> <!everyone> <@U024BE7LH> <#C024BE7LR> @here @channel @everyone",
    "mrkdwn": "*bold* _italic_ ~strike~ `code` ```block``` > quote • list :rotating_light:",
    "links": "<https://evil.example|https://bank.example> [x](javascript:alert(1)) https://evil.example",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)></pre><b>&lt;!channel&gt;</b>",
    "escapes": "&lt;!channel&gt; &amp;lt; &#60;!here&#62; \\u003c!channel\\u003e %3C!channel%3E",
    "templates": "{{7*7}} ${jndi:ldap://x} %n%s {0.__class__} $(id) `id` =cmd|' /C calc'!A0",
    "controls": "\x00\x07\x08\x1b[2J\x1b]52;c;aGk=\x07\x1b]8;;http://evil\x1b\\link\x9b31m\x7f",
    "bidi": "\u202edetareb\u202c \u2066hidden\u2069 \u200fRTL \u061c",
    "lines": "one\r\nBcc: victim@example.org\r\n\r\nbody\rover\nX-Evil: 1\x0b\x0c\x85\u2028\u2029.\r\n.\r\nMAIL FROM:<evil>",
    "surrogates": "\ud800 lone \udfff",
    "marks": "a" + "\u0301" * 5_000,
    "emoji": "👩‍👩‍👧‍👦🇩🇪" * 400,
    "long": LONG,
    "longer": (LONG + "<!channel>\n") * 3,
    "blank": " \n\t \n ",
}
SUSPENDED = ' — evacuation "suspended"'
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
