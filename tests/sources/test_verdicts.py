"""What is no live blog is never ok, and the reason is told in words; what a publisher sends never harms."""

import socket
import sys
from itertools import pairwise

import pytest

from monitor.sources import ReadMemory

ITEM = "<item><guid>g{0}</guid><title>Title {0}</title><description>Text {0}</description></item>"
FEED = (
    "<?xml version='1.0'?><rss version='2.0'><channel><title>Live</title>"
    + "".join(map(ITEM.format, range(6)))
    + "</channel></rss>"
)
ATOM = (
    "<feed xmlns='http://www.w3.org/2005/Atom'><title>Live</title>"
    + "".join(f"<entry><id>g{n}</id><title>T</title></entry>" for n in range(6))
    + "</feed>"
)
BLOCKS = "".join(
    f"<article class='post'><time>1{n}:00</time><p>Entry number {n} in some words.</p></article>" for n in range(6)
)
PAGE = f"<!doctype html><html><head><title>Live</title></head><body><div>{BLOCKS}</div></body></html>"
TEASERS = "".join(
    f"<li class='x'><time>1{n}:00</time><p>Another article, number {n}, in some words.</p></li>" for n in range(6)
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "empty"),
        ("  \n\t ", "empty"),
        ("<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser before accessing</body></html>", "challenge"),
        ("<html><body><script src='/cdn-cgi/challenge-platform/x.js'></script>Enable JavaScript and cookies to continue</body></html>", "challenge"),
        ("<html><head><title>Access to this page has been denied</title></head><body>px-captcha</body></html>", "challenge"),
        ("<html><body><script src='https://geo.captcha-delivery.com/c.js'></script></body></html>", "challenge"),
        ("<html><head><title>Attention Required! | Cloudflare</title></head><body></body></html>", "challenge"),
        ("<html><head><title>Before you continue</title></head><body><form action='https://consent.google.com/save'></form></body></html>", "consent"),
        ("<html><body><div id='sp_message_container'></div>We value your privacy</body></html>", "consent"),
        ("<html><body>Subscribe to continue reading</body></html>", "paywall"),
        ("<html><body><form><input name='p' type='password'></form></body></html>", "login"),
        (f"<html><head><title>404 - Page not found</title></head><body><ul>{TEASERS}</ul></body></html>", "error_page"),
        ("<html><head><title>Service Unavailable</title></head><body></body></html>", "error_page"),
        ("<html><head><title>Down for maintenance</title></head></html>", "error_page"),
        ("<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "error_page"),
        ("<html><body>This content is not available in your country.</body></html>", "access_denied"),
        ("<html><head><title>403 Forbidden</title></head><body></body></html>", "access_denied"),
        ("<!doctype html><html><body><div id='root'></div><noscript>You need to enable JavaScript to run this app.</noscript></body></html>", "needs_scripts"),
        ("<html><body><p>A page about something.</p></body></html>", "no_entries"),
        ("<?xml version='1.0'?><opml><head/></opml>", "not_a_feed"),
        ("<rss version='2.0'><channel><item><guid>1</guid><title>Bridge returned error 404! (19000)</title></item></channel></rss>", "error_feed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not_text"),
        (b"%PDF-1.7\n%\xe2\xe3", "not_text"),
        (b"\x1f\x8b\x08\x00" + bytes(range(99)), "not_text"),
        (FEED[:40], "truncated"),
        (PAGE[:70], "truncated"),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [{"id', "truncated"),
        ("<html><body>" + "<div>" * 50_000, "too_deep"),
        ("<!DOCTYPE x [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;'>]>" + FEED[21:], "entity_bomb"),
        (FEED.replace("Text 1", "<!--" * 25_000), "too_complex"),
        (FEED.replace("<item>", "<item " + " ".join(f"a{n}='1'" for n in range(30_000)) + ">", 1), "too_complex"),
    ],
)  # fmt: skip
def test_what_is_no_live_blog_fails_with_the_reason(reading, body, code):
    found = reading(body)
    assert (found.verdict.kind, found.verdict.code, found.snapshot) == ("failed", code, None), found.verdict
    assert len(found.verdict.reason) > 10


def test_an_asked_for_feed_that_is_a_challenge_page_is_told_as_one(reading):
    found = reading("<html><head><title>Just a moment...</title></head><body></body></html>", kind="feed")
    assert (found.verdict.kind, found.verdict.code) == ("failed", "challenge")


def test_a_refusing_status_is_no_page(reading):
    assert reading(PAGE, status=503).verdict.code == "http_status"
    assert reading("<html><head><title>Just a moment...</title></head></html>", status=403).verdict.code == "challenge"


@pytest.mark.parametrize("body", [FEED, ATOM, PAGE])
def test_a_body_the_transport_lost_the_end_of_is_suspect_and_its_last_entry_left_out(reading, body):
    whole, cut = reading(body), reading(body, complete=False)
    assert whole.verdict.kind == "ok"
    assert (cut.verdict.kind, cut.verdict.code) == ("suspect", "truncated")
    assert cut.snapshot.entries == whole.snapshot.entries[:-1]


@pytest.mark.parametrize("body", [FEED, ATOM, PAGE])
def test_a_body_cut_anywhere_is_never_ok_and_shows_no_half_entry(reading, body):
    whole = {(entry.native_id, entry.title, entry.text) for entry in reading(body).snapshot.entries}
    for end in range(1, len(body) - len("</body></html>"), 7):
        found = reading(body[:end])
        assert found.verdict.kind != "ok", body[:end][-40:]
        shown = (
            {(entry.native_id, entry.title, entry.text) for entry in found.snapshot.entries}
            if found.snapshot
            else set()
        )
        assert shown <= whole


def test_a_page_that_leaves_out_optional_end_tags_is_whole(reading):
    assert reading(PAGE.replace("</body></html>", "")).verdict.kind == "ok"


def test_a_live_blog_about_captchas_is_a_live_blog(reading):
    body = PAGE.replace("Entry number 1", "Verify you are human: captcha, subscribe to continue reading, login")
    assert reading(body).verdict.kind == "ok"


def test_a_feed_replaced_by_a_page_of_other_articles_fails_until_it_stays_so(reading):
    memory = ReadMemory()
    assert reading(FEED, memory=memory).verdict.kind == "ok"
    codes = [reading(PAGE, memory=memory).verdict.code for _ in range(12)]
    assert codes == ["kind_changed"] * 10 + ["", ""]


def test_a_page_that_becomes_a_declared_live_blog_is_believed_at_once(reading):
    memory = ReadMemory()
    assert [reading(body, memory=memory).verdict.kind for body in (PAGE, FEED)] == ["ok", "ok"]


def test_entries_titles_and_texts_are_capped_and_it_is_said(reading):
    snapshot = reading(
        FEED.replace("Text 2", "long " * 99).replace("Title 3", "T" * 99),
        max_entries=4,
        max_entry_characters=50,
        max_title_characters=10,
    ).snapshot
    assert [len(entry.text) for entry in snapshot.entries] == [6, 6, 50, 6]
    assert snapshot.entries[3].title == "T" * 10
    assert [remark.partition(";")[0].partition(" longer")[0] for remark in snapshot.remarks] == [
        "6 entries",
        "1 entries are",
    ]


def test_the_newest_entries_are_kept_in_either_order(reading):
    texts = [f"1{n}:00\n\nText number {n}." for n in range(9)]
    for order in (texts, texts[::-1]):
        found = reading(
            "\n\n".join(order),
            max_entries=2,
            seen_at=None or __import__("datetime").datetime.fromisoformat("2026-03-10T19:00:00+00:00"),
        ).snapshot.entries
        assert {entry.published_at.hour for entry in found} == {17, 18}


EVENTS: list[tuple[str, object]] = []
WATCHING: list[bool] = []


def watch(event, arguments):
    if WATCHING and event in {
        "open",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "subprocess.Popen",
        "urllib.Request",
    }:
        EVENTS.append((event, arguments[0] if arguments else None))


sys.addaudithook(watch)


def test_no_file_is_opened_and_no_request_made_for_what_a_document_says(reading, tmp_path):
    canary = tmp_path / "canary.xml"
    canary.write_text(FEED)
    bodies = [
        str(canary), f"file://{canary}", "http://127.0.0.1:1/feed",
        f"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY x SYSTEM 'file://{canary}'>]><rss version='2.0'><channel><item><title>&x;</title></item></channel></rss>",
        f"<!DOCTYPE rss SYSTEM 'http://127.0.0.1:1/x.dtd'>{FEED[21:]}",
        f"<?xml-stylesheet href='file://{canary}'?>{FEED[21:]}",
        FEED.replace("<item>", "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='http://127.0.0.1:1/'/><item>", 1),
        PAGE.replace("<p>", "<img src='http://127.0.0.1:1/x.png'><iframe src='http://127.0.0.1:1/'></iframe><p>"),
    ]  # fmt: skip
    for body in bodies:  # imports, codecs and time zones are opened before the watch
        reading(body)
    EVENTS.clear()
    WATCHING.append(True)
    try:
        readings = [reading(body) for body in bodies]
    finally:
        WATCHING.clear()
    assert not [event for event in EVENTS if "canary" in str(event) or event[0] != "open"]
    assert all("Text 1" not in str(found.snapshot) for found in readings[:4])
    assert socket.getdefaulttimeout() is None


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:x'>go</a><svg><script>x</script></svg><style>p{}</style><iframe>i</iframe>"


def test_markup_of_an_entry_leaves_only_its_words(entries):
    from html import escape

    entry = entries(
        FEED.replace("Text 1", escape(HOSTILE + "<p>Words {{7*7}} ${jndi:x} &lt;!channel&gt; \x1b[2J</p>"))
    )[1]
    assert entry.text.replace("\x1b", "") == "go\n\nWords {{7*7}} ${jndi:x} <!channel> [2J"


@pytest.mark.parametrize(
    "tag", ["<iframe src='x'/>", "<iframe src='x'>", "<script src='x'/>", "<textarea/>", "<plaintext>", "<noembed>"]
)
def test_unclosed_markup_swallows_no_text(entries, tag):
    from html import escape

    assert "after" in entries(FEED.replace("Text 1", escape(f"before {tag} after")))[1].text


def test_positions_count_the_page(entries):
    positions = [entry.position for entry in entries(FEED)]
    assert all(second - first == 1 for first, second in pairwise(positions))
    assert positions[0] == 0


def test_a_feed_behind_something_else_is_whole_only_if_it_ends_as_a_feed(reading):
    glued = "<html>checking your browser" + FEED
    beginning = glued[: glued.index("</item>") + len("</item>")]
    assert reading(beginning, kind="feed").verdict.kind != "ok"
    assert reading(glued, kind="feed").verdict.kind == "ok"
