"""Any bytes give a reading: never an exception, never half a value."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Document, ReadOptions, VerdictKind
from monitor.sources import KINDS, ReadMemory, read, suggest

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SEEDS = [
    (b"<?xml version='1.0'?><rss version='2.0'><channel><title>L</title><ttl>5</ttl><item><guid>1</guid><title>A &amp; b</title><link>/a</link>"
    b"<pubDate>Tue, 10 Mar 2026 11:05:00 GMT</pubDate><description>&lt;p&gt;x&lt;/p&gt;</description></item></channel></rss>"),
    b"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://a/'><entry><id>1</id><updated>2026-03-10T11:05:00Z</updated><content type='xhtml'><div>x</div></content></entry></feed>",
    b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","content_html":"<p>x</p>","date_published":"2026-03-10T11:05:00Z"}]}',
    b'{"_items":[{"_id":"1","groups":[{"id":"main","refs":[{"item":{"text":"x"}}]}],"published_date":"2026-03-10T11:05:00Z"}]}',
    (b'<!doctype html><html><head><script type="application/ld+json">{"@type":"LiveBlogPosting","liveBlogUpdate":[{"@id":"p1","headline":"x","articleBody":"y","datePublished":"2026-03-10T11:05:00Z"}]}</script></head>'
    b"<body><div class='live'><article id='p1'><time datetime='2026-03-10T11:05:00Z'>11:05</time><h2>x</h2><p>y</p></article><article><time>11:00</time><p>z z z</p></article></div></body></html>"),
    "Harbour live\n\nIntro.\n\n11:05\n\nTitle\n\nText.\n\n٠٩:٤٣\n\nText two.\n\n5 minutes ago\n\nText three.".encode(),
]  # fmt: skip


def sound(reading):
    """Hold a reading to what everybody after it relies on."""
    assert reading.verdict.kind in set(VerdictKind)
    assert reading.verdict.kind == VerdictKind.OK or (reading.verdict.reason and reading.verdict.code)
    assert (reading.snapshot is None) == (reading.verdict.kind == VerdictKind.FAILED)
    for place, entry in enumerate(reading.snapshot.entries if reading.snapshot else ()):
        assert entry.position == place
        assert entry.published is None or entry.published.at.tzinfo is not None
        assert entry.updated_at is None or entry.updated_at.tzinfo is not None
        for value in (entry.title, entry.native_id, entry.url, entry.author):
            assert value is None or (value and "\0" not in value)
        json.dumps(
            [entry.text, entry.title, entry.native_id, entry.url, entry.author, entry.tags], ensure_ascii=False
        ).encode()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["auto", *KINDS]))
def test_any_bytes_read_as_any_kind_give_a_reading(body, kind):
    sound(read(Document(body, NOON), ReadOptions(kind=kind)))


@st.composite
def mutated(draw):
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        match draw(st.sampled_from(["cut", "drop", "insert", "repeat"])):
            case "cut":
                del body[at:]
            case "drop":
                del body[at : at + draw(st.integers(1, 30))]
            case "insert":
                body[at:at] = draw(
                    st.sampled_from(
                        [
                            b"<",
                            b">",
                            b"&",
                            b"\0",
                            b"\xff",
                            b"]]>",
                            b"<![CDATA[",
                            b'"',
                            b"{",
                            b"\xed\xa0\x80",
                            b"&#xD800;",
                            b"<!--",
                            b"</item>",
                            b"<div>",
                            b"<item>",
                        ]
                    )
                    | st.binary(max_size=8)
                )
            case _:
                body[at:at] = body[at : at + draw(st.integers(1, 200))]
    return bytes(body)


@settings(max_examples=150, deadline=None)
@given(mutated(), st.sampled_from(["auto", *KINDS]))
def test_any_mutation_of_a_good_document_gives_a_reading(body, kind):
    sound(
        read(Document(body, NOON, url="https://news.example/live", complete=len(body) % 5 != 0), ReadOptions(kind=kind))
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(mutated(), max_size=4))
def test_what_is_remembered_breaks_nothing(bodies):
    memory = ReadMemory()
    for body in bodies:
        sound(read(Document(body, NOON), ReadOptions(), memory))


@settings(max_examples=30, deadline=None)
@given(
    mutated(),
    st.dictionaries(
        st.sampled_from(["entry", "title", "text", "time", "id", "url", "author"]),
        st.sampled_from(
            ["article", "p@class", "@id", "[[", "items[]", "a.b", "time@datetime", "id", "@", "::x", "length(@)"]
        ),
        min_size=1,
    ),
    st.sampled_from(["auto", "page", "json"]),
)
def test_any_selectors_give_a_reading(body, select, kind):
    sound(read(Document(body, NOON), ReadOptions(kind=kind, select=select)))


@settings(max_examples=30, deadline=None)
@given(mutated())
def test_any_document_gives_a_suggestion_or_none(body):
    suggestion = suggest(Document(body, NOON))
    assert suggestion is None or suggestion.lines()


@pytest.mark.parametrize(
    "content_type", [None, "image/png", "application/octet-stream", "text/html", "application/json", "x"]
)
def test_a_good_feed_is_read_whatever_its_content_type_says(content_type):
    body = b"<rss version='2.0'><channel><item><guid>1</guid><title>T</title></item></channel></rss>"
    found = read(Document(body, NOON, content_type=content_type), ReadOptions())
    assert (found.verdict.kind, len(found.snapshot.entries)) == ("ok", 1)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/html",
        "text/xml; charset=utf-8",
        "text/xml; charset=nonsense",
        "text/xml; charset=unicode_escape",
        "image/png",
        ";;;",
        "a" * 5000,
    ],
)
def test_any_content_type_gives_a_reading(content_type):
    for body in SEEDS:
        found = read(Document(body, NOON, content_type=content_type), ReadOptions())
        sound(found)
        assert found.verdict.kind == "ok"
