"""Only changed items of a feed are parsed, and the result is that of a whole parse."""

from datetime import UTC, datetime
from io import BytesIO

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Document, ReadOptions
from monitor.sources import ReadMemory, read
from monitor.sources.feed_ranges import item_ranges

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HEADS = {
    "rss": ('<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Live</title><lastBuildDate>%s</lastBuildDate>', "</channel></rss>"),
    "atom": ('<feed xmlns="http://www.w3.org/2005/Atom"><title>Live</title><updated>%s</updated>', "</feed>"),
}  # fmt: skip
ITEMS = {
    "rss": "<item><guid>g%d</guid><title>Title %d</title><dc:creator>Desk</dc:creator><description><![CDATA[<p>%s</p>]]></description></item>",
    "atom": "<entry><id>g%d</id><title>Title %d</title><content type='html'>&lt;p&gt;%s&lt;/p&gt;</content></entry>",
}


def feed(kind, texts, built="Tue, 10 Mar 2026 11:00:00 GMT"):
    head, tail = HEADS[kind]
    return (head % built + "\n".join(ITEMS[kind] % (n, n, text) for n, text in texts) + tail).encode()


def both(body, memory):
    """Read with the memory and without; return the reading after holding them against each other."""
    kept, whole = (read(Document(body, NOON), ReadOptions(kind="feed"), one) for one in (memory, ReadMemory()))
    assert kept == whole
    return kept


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_one_changed_item_is_parsed_alone(kind):
    memory, texts = ReadMemory(), [(n, f"Text {n}.") for n in range(20)]
    both(feed(kind, texts), memory)
    texts[7] = (7, "Corrected.")
    found = both(feed(kind, [(99, "New."), *texts[:-1]], built="Tue, 10 Mar 2026 11:05:00 GMT"), memory)
    assert [entry.text for entry in found.snapshot.entries][:9] == [
        "New.",
        *(f"Text {n}." for n in range(7)),
        "Corrected.",
    ]
    assert (memory.parsed_whole, memory.parsed_items) == (1, 2)


def test_nothing_changed_parses_no_item():
    memory, body = ReadMemory(), feed("rss", [(1, "One."), (2, "Two.")])
    both(body, memory)
    both(body, memory)
    assert (memory.parsed_whole, memory.parsed_items) == (1, 0)


def test_the_note_of_a_cache_behind_the_feed_costs_no_whole_parse():
    memory, body = ReadMemory(), feed("rss", [(1, "One."), (2, "Two.")])
    both(body + b"<!-- cached at 11:00 -->", memory)
    both(body.replace(b"Two.", b"Three.") + b"\n<!-- cached at 11:01 -->", memory)
    assert (memory.parsed_whole, memory.parsed_items) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"<title>Live", b'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" href="/x" rel="self"/><title>Live'),
        lambda body: body.replace(b'xmlns:dc="http://purl.org/dc/elements/1.1/"', b'xmlns:dc="http://purl.org/dc/elements/1.0/"'),
        lambda body: body.replace(b"<rss ", b'<rss xml:lang="ar" '),
        lambda body: body.replace(b"</item>\n<item>", b"</item><!-- <item>hidden</item> --><item>", 1),
        lambda body: body.replace(b"Text 1.", b"Text </item> 1."),
        lambda body: body.replace(b"Text 1.", b"Text 1. &nbsp;]]></description><x>&undefined;</x><description><![CDATA["),
        lambda body: body.replace(b"<guid>g1<", b"<guid xml:base='http://b.example/'>g1<"),
        lambda body: body.replace(b"<item>", b"<item >", 1),
        lambda body: body.replace(b"</channel>", b"<item/></channel>"),
        lambda body: body.replace(b"</item>", b"</item >", 1),
        lambda body: body.replace(b"Text 2.", "Text \xe9.".encode("latin-1")),
        lambda body: body + b"<!-- <item>hidden</item> -->",
        lambda body: body.replace(b"</channel>", b"<!-- </channel>", 1),
        lambda body: body[: len(body) // 2],
    ],
)  # fmt: skip
def test_whatever_is_in_doubt_gives_what_a_whole_parse_gives(change):
    memory, body = ReadMemory(), feed("rss", [(n, f"Text {n}.") for n in range(6)])
    both(body, memory)
    both(change(body), memory)
    both(body, memory)


def test_another_address_is_another_base_of_links():
    memory, body = ReadMemory(), b"<rss version='2.0'><channel><item><link>/a</link></item></channel></rss>"
    for host in ("one", "two"):
        entry = read(Document(body, NOON, url=f"https://{host}.example/"), ReadOptions(), memory).snapshot.entries[0]
        assert entry.url == f"https://{host}.example/a"


def test_relative_times_follow_the_clock_of_the_poll():
    memory, body = (
        ReadMemory(),
        b"<rss version='2.0'><channel><item><title>a</title><pubDate>5 minutes ago</pubDate></item></channel></rss>",
    )
    first, second = (
        read(Document(body, NOON.replace(minute=minute)), ReadOptions(), memory).snapshot.entries[0]
        for minute in (0, 9)
    )
    assert (second.published_at - first.published_at).total_seconds() == 540


TEXT = st.text(alphabet=st.sampled_from("ab <>&;]![CDATA-/item?x\"'é"), max_size=25)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["rss", "atom"]),
    st.lists(st.lists(st.tuples(st.integers(0, 9), TEXT), min_size=1, max_size=8), min_size=2, max_size=4),
)
def test_any_series_of_polls_reads_as_if_nothing_were_kept(kind, polls):
    memory = ReadMemory()
    for texts in polls:
        both(feed(kind, texts), memory)


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_an_item_parsed_alone_is_the_item_of_the_whole_parse(kind):
    body = feed(kind, [(n, f"Text {n}.") for n in range(5)])
    whole, ranges = feedparser.parse(BytesIO(body)), item_ranges(body)
    before, after = ranges.envelope(body)
    for at, (start, end) in enumerate(ranges.spans):
        assert dict(feedparser.parse(BytesIO(before + body[start:end] + after)).entries[0]) == dict(whole.entries[at])


def test_of_too_many_items_the_newest_are_parsed():
    newest_first = feed("rss", [(n, "x") for n in range(50)])
    assert [entry.native_id for entry in both_capped(newest_first, 3)] == ["g0", "g1", "g2"]
    dated = "".join(
        f"<item><guid>g{n}</guid><pubDate>Tue, 10 Mar 2026 11:0{n}:00 GMT</pubDate></item>" for n in range(9)
    )
    oldest_first = f"<rss version='2.0'><channel>{dated}</channel></rss>".encode()
    assert [entry.native_id for entry in both_capped(oldest_first, 3)] == ["g6", "g7", "g8"]
    assert len(read(Document(oldest_first, NOON), ReadOptions(kind="feed", max_entries=9)).snapshot.entries) == 9


def both_capped(body, most):
    snapshot = read(Document(body, NOON), ReadOptions(kind="feed", max_entries=most)).snapshot
    assert any("the newest 3 are read" in remark for remark in snapshot.remarks)
    return snapshot.entries
