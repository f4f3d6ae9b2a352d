"""Feeds of a feed reader become sources, and what cannot be one is said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.settings.opml import NotOpml, read_opml
from monitor.settings.starter import starter_files

OPML = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>My feeds</title></head><body>
  <outline text="Middle East">
    <outline text="Live">
      <outline type="rss" text="Aleppo &amp; around" title="Aleppo &amp; around" xmlUrl="https://example.org/aleppo.xml"/>
      <outline type="rss" text="Aleppo &amp; around" xmlUrl="https://example.com/other.xml"/>
    </outline>
    <outline type="rss" text="Зона" XMLURL=" https://example.net/feed?a=1&amp;b=${x} "/>
  </outline>
  <outline type="rss" text="Twice" xmlUrl="https://example.org/aleppo.xml"/>
  <outline type="rss" text="Inside" xmlUrl="http://127.0.0.1/feed"/>
  <outline type="rss" text="Odd" xmlUrl="javascript:alert(1)"/>
  <outline text="No feed" htmlUrl="https://example.org/"/>
</body></opml>"""


def test_feeds_get_ids_titles_and_their_folders_as_tags():
    read = read_opml(OPML.encode())
    assert [(source.id, source.title, source.tags) for source in read.sources] == [
        ("aleppo-around", "Aleppo & around", ("middle-east", "live")),
        ("aleppo-around-2", "Aleppo & around", ("middle-east", "live")),
        ("example-net-feed-a-1-b-x", "Зона", ("middle-east",)),
    ]
    assert [words.partition(":")[0] for words in read.left_out] == ["Twice", "Inside", "Odd"]


def test_the_settings_made_of_feeds_load_with_every_feed(desk):
    files = starter_files(read_opml(OPML.encode()).sources)
    loaded = desk.load(files["monitor.yaml"])
    assert loaded.sources["example-net-feed-a-1-b-x"].url == "https://example.net/feed?a=1&b=${x}"
    assert loaded.sources["aleppo-around"].kind == "feed"
    assert "example-live.txt" not in files
    assert "example-live.txt" not in files["monitor.yaml"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<html/>",
        b"<opml><body>",
        b'<!DOCTYPE opml [<!ENTITY a "b">]><opml/>',
        b'<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><opml>&b;</opml>',
        b'<?xml version="1.0" encoding="punycode"?><opml/>',
        b"<opml>" + b" " * (17 * 2**20),
    ],
)
def test_what_is_no_safe_opml_is_refused(content):
    with pytest.raises(NotOpml):
        read_opml(content)


def test_deep_outlines_are_read():
    deep = (
        b"<opml>"
        + b'<outline text="x">' * 5000
        + b'<outline text="f" xmlUrl="https://example.org/"/>'
        + b"</outline>" * 5000
        + b"</opml>"
    )
    assert [source.id for source in read_opml(deep).sources] == ["f"]


@given(st.text(max_size=80), st.text(max_size=80))
@settings(max_examples=40)
def test_any_title_and_folder_gives_settings_that_load(title, folder):
    from xml.sax.saxutils import quoteattr

    from monitor.settings.problems import Problems
    from monitor.settings.reader import read_tree
    from monitor.settings.tree import plain

    legal = {character for character in title + folder if character.isprintable()}
    title, folder = ("".join(c for c in text if c in legal) for text in (title, folder))
    opml = f'<opml><outline text={quoteattr(folder)}><outline text={quoteattr(title)} xmlUrl="https://example.org/"/></outline></opml>'
    (source,) = read_opml(opml.encode()).sources
    problems = Problems()
    tree = read_tree(starter_files((source,))["monitor.yaml"], "f", problems)
    assert not problems.found
    written = plain(tree)["sources"][source.id]
    assert written["url"] == "https://example.org/"
    assert written.get("title", "").replace("$${", "${") == (source.title or "")
