"""Feeds: the ladders of id, link, title, text and time, and what a feed says about itself."""

import json
from datetime import UTC, datetime

import pytest


def rss(*items, head=""):
    return f'<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Live</title>{head}{"".join(f"<item>{item}</item>" for item in items)}</channel></rss>'


def atom(*entries, head=""):
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Live</title>{head}{"".join(f"<entry>{entry}</entry>" for entry in entries)}</feed>'


def test_an_rss_item_is_an_entry(entries):
    item = (
        "<guid isPermaLink='false'>block-1</guid><title>Ferries &amp;amp; buses</title><link>https://news.example/live#1</link>"
        "<pubDate>Tue, 10 Mar 2026 11:05:00 +0100</pubDate><author>desk@news.example (News Desk)</author><category>sea</category>"
        "<description>&lt;p&gt;One &lt;b&gt;ferry&lt;/b&gt; left.&lt;/p&gt;&lt;p&gt;Another stays.&lt;/p&gt;</description>"
    )
    entry = entries(rss(item))[0]
    assert (entry.native_id, entry.title, entry.url) == ("block-1", "Ferries & buses", "https://news.example/live#1")
    assert entry.text == "One ferry left.\n\nAnother stays."
    assert entry.published_at == datetime(2026, 3, 10, 10, 5, tzinfo=UTC)
    assert (entry.published_text, entry.author, entry.tags) == (
        "Tue, 10 Mar 2026 11:05:00 +0100",
        "News Desk",
        ("sea",),
    )


def test_an_atom_entry_is_an_entry(entries):
    entry = entries(
        atom(
            "<id>tag:news.example,2026:1</id><title>Ferries</title><link href='/live#1'/><published>2026-03-10T11:05:00Z</published><updated>2026-03-10T11:09:00Z</updated><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>One.</p><p>Two.</p></div></content>"
        ),
        url="https://news.example/feed",
    )[0]
    assert (entry.native_id, entry.url, entry.text) == (
        "tag:news.example,2026:1",
        "https://news.example/live#1",
        "One.\n\nTwo.",
    )
    assert (entry.published_at.minute, entry.updated_at.minute) == (5, 9)


def test_an_update_alone_dates_no_atom_entry(entries):
    entry = entries(atom("<id>1</id><updated>2026-03-10T11:09:00Z</updated>"))[0]
    assert (entry.published_at, entry.updated_at.minute) == (None, 9)


def test_rdf_items_are_dated_by_their_only_date(entries):
    body = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>x</title></channel><item rdf:about="https://news.example/1"><title>One</title><link>https://news.example/1</link><dc:date>2026-03-10T11:05:00Z</dc:date></item></rdf:RDF>'
    assert entries(body)[0].published_at == datetime(2026, 3, 10, 11, 5, tzinfo=UTC)


def test_an_id_is_never_made_up(entries):
    assert entries(rss("<title>One</title><link>https://news.example/1</link>"))[0].native_id is None


def test_two_entries_with_one_id_are_left_as_they_are(entries):
    assert [
        entry.native_id
        for entry in entries(rss("<guid>a</guid><title>One</title>", "<guid>a</guid><title>Two</title>"))
    ] == ["a", "a"]


def test_full_content_goes_before_the_summary(entries):
    assert (
        entries(
            rss(
                "<description>Short.</description><content:encoded><![CDATA[<p>Long and whole.</p>]]></content:encoded>"
            )
        )[0].text
        == "Long and whole."
    )


def test_the_title_is_not_repeated_in_the_text(entries):
    assert (
        entries(
            rss(
                "<title>Ferries stop</title><description>&lt;h2&gt;Ferries  stop&lt;/h2&gt;&lt;p&gt;Since noon.&lt;/p&gt;</description>"
            )
        )[0].text
        == "Since noon."
    )


def test_quotes_and_slips_stay_as_the_publisher_wrote_them(entries):
    entry = entries(
        rss(
            "<title>“suspecnded” — so far</title><description>the attack is a &quot;violation&quot; , they said</description>"
        )
    )[0]
    assert (entry.title, entry.text) == ("“suspecnded” — so far", 'the attack is a "violation" , they said')


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://[broken"])
def test_what_is_no_web_address_is_no_link(entries, link):
    assert entries(rss(f"<guid isPermaLink='false'>1</guid><link>{link}</link>"))[0].url is None


def test_clock_times_in_a_feed_are_placed_like_on_a_page(entries):
    found = entries(
        rss("<title>a</title><pubDate>11:05</pubDate>", "<title>b</title><pubDate>5 minutes ago</pubDate>"),
        timezone="Europe/Athens",
    )
    assert found[0].published_at.isoformat() == "2026-03-10T11:05:00+02:00"
    assert found[1].published.relative


def test_a_date_nobody_can_read_is_unknown(entries):
    assert entries(rss("<title>a</title><pubDate>soon, very soon</pubDate>"))[0].published is None


@pytest.mark.parametrize(
    ("head", "seconds"),
    [("<ttl>2</ttl>", 120), ("<ttl>x</ttl>", None), ("<ttl>0</ttl>", None), ("", None),
     ("<sy:updatePeriod xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>hourly</sy:updatePeriod><sy:updateFrequency xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>4</sy:updateFrequency>", 900)],
)  # fmt: skip
def test_how_long_a_feed_asks_us_to_wait(reading, head, seconds):
    assert reading(rss("<title>a</title>", head=head)).snapshot.ttl == seconds


def test_tombstones_are_deletions(reading):
    head = '<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="tag:news.example,2026:9&amp;a" when="2026-03-10T11:00:00Z"/>'
    assert reading(atom("<id>1</id><title>a</title>", head=head)).snapshot.deleted == ("tag:news.example,2026:9&a",)


def test_the_older_page_a_feed_documents_is_told(reading):
    snapshot = reading(
        atom("<id>1</id>", head='<link rel="next" href="?page=2"/>'), url="https://news.example/feed"
    ).snapshot
    assert snapshot.next_url == "https://news.example/feed?page=2"


def test_a_truly_empty_feed_is_ok(reading):
    found = reading(rss())
    assert (found.verdict.kind, found.snapshot.entries, found.snapshot.title) == ("ok", (), "Live")


def test_json_feed_is_a_feed(reading):
    items = [
        {
            "id": 7,
            "title": "Ferries",
            "content_html": "<p>One.</p><p>Two.</p>",
            "date_published": "2026-03-10T11:05:00Z",
            "url": "/live#7",
            "tags": ["sea"],
            "authors": [{"name": "Desk"}],
        },
        "no item",
        {"id": "8", "content_text": "Plain.\n\nText.", "date_modified": "2026-03-10T11:06:00Z"},
    ]
    body = json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "Live", "items": items, "next_url": "/2"}
    )
    snapshot = reading(body, url="https://news.example/feed.json").snapshot
    first, second = snapshot.entries
    assert (first.native_id, first.title, first.text, first.url, first.author, first.tags) == (
        "7",
        "Ferries",
        "One.\n\nTwo.",
        "https://news.example/live#7",
        "Desk",
        ("sea",),
    )
    assert (second.native_id, second.text, second.updated_at.minute) == ("8", "Plain.\n\nText.", 6)
    assert snapshot.next_url == "https://news.example/2"
    assert snapshot.remarks == ("1 items are no objects and were left out",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "iso-8859-15"])
def test_the_declared_encoding_is_read(entries, encoding):
    body = f"<?xml version='1.0' encoding='{encoding}'?><rss version='2.0'><channel><item><title>café à côté</title></item></channel></rss>".encode(
        encoding
    )
    assert entries(body)[0].title == "café à côté"


def test_utf_8_is_read_as_such_whatever_is_declared(entries):
    body = "<?xml version='1.0' encoding='iso-8859-1'?><rss version='2.0'><channel><item><title>перемирие — café</title></item></channel></rss>".encode()
    assert entries(body, content_type="text/xml; charset=iso-8859-1")[0].title == "перемирие — café"


@pytest.mark.parametrize("encoding", ["punycode", "unicode_escape", "undefined", "zip", "utf-7", "no-such-thing"])
def test_encodings_that_are_none_are_not_honoured(entries, encoding):
    assert (
        entries(
            f"<?xml version='1.0' encoding='{encoding}'?><rss version='2.0'><channel><item><title>a\\u0041b</title></item></channel></rss>"
        )[0].title
        == "a\\u0041b"
    )


def test_a_reference_to_a_surrogate_is_replaced(entries):
    assert entries(rss("<title>a&#xD800;b</title>"))[0].title == "a\ufffdb"


@pytest.mark.parametrize(
    "before",
    ["\n\n  ", "\ufeff", "\ufeff\n", "<br />\n<b>Warning</b>: something in <b>/x.php</b> on line <b>3</b><br />\n"],
)
def test_a_feed_after_other_output_is_read(entries, before):
    assert [entry.title for entry in entries(before + rss("<title>One</title>"))] == ["One"]


def test_one_item_the_parser_cannot_take_costs_only_itself(reading):
    bad = "<guid>b</guid><title>Bad</title><p:chapters xmlns:p='http://podlove.org/simple-chapters' version='1.2'><p:chapter/></p:chapters>"
    found = reading(rss("<guid>a</guid><title>One</title>", bad, "<guid>c</guid><title>Two</title>"))
    assert (found.verdict.kind, found.verdict.code) == ("suspect", "broken_items")
    assert [entry.title for entry in found.snapshot.entries] == ["One", "Two"]


def test_bare_ampersands_stay_what_they_are(entries):
    items = "<item><title>Boats & ferries</title><description>AT&T says &lt;b>no&lt;/b> & R&D; <![CDATA[x & y]]></description><link>https://n.example/?a=1&b=2</link></item>"
    entry = entries(f'<rss version="2.0"><channel><title>L</title>{items}</channel></rss>')[0]
    assert (entry.title, entry.url) == ("Boats & ferries", "https://n.example/?a=1&b=2")
    assert entry.text.startswith("AT&T says no &")
    assert entry.text.endswith("x & y")


def test_an_id_that_is_no_address_is_no_link(entries):
    found = entries(
        '<rss version="2.0"><channel><title>L</title><item><guid>17</guid><title>A</title></item></channel></rss>',
        url="https://n.example/f",
    )
    assert [(entry.native_id, entry.url) for entry in found] == [("17", None)]


def test_continue_reading_at_the_end_is_no_text(entries):
    body = "&lt;p>Boats stop.&lt;/p>&lt;p>&lt;a href='x'>Continue reading...&lt;/a>&lt;/p>"
    items = f"<item><title>A</title><description>{body}</description></item><item><title>B</title><description>Read more</description></item>"
    assert [
        entry.text for entry in entries(f'<rss version="2.0"><channel><title>L</title>{items}</channel></rss>')
    ] == ["Boats stop.", "Read more"]
