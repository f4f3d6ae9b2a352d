"""Plain pages: the repeated time-stamped block, selectors from the settings, and suggestions for them."""

import pytest

from monitor.model import ReadOptions
from monitor.sources import read, suggest

URL = "https://news.example/live/harbour"


def page(*blocks, title="Harbour live", head=""):
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body><h1>{title}</h1><p class='standfirst'>The harbour is closed.</p><main>{''.join(blocks)}</main></body></html>"


BLOCKS = [
    '<section class="post" data-id="7"><time>11:05</time><h3>Ferries stop</h3><p>Two ferries turned <b>back</b>.</p><ul class="share-links"><li>Share on Facebook</li></ul></section>',
    '<section class="post pinned" data-id="5"><time>10:40</time><p>Power is back in the old town.</p><blockquote><p>“All is quiet.”</p></blockquote></section>',
    '<section class="post" data-id="3"><div class="byline">By A. Writer</div><time>9:15</time><h3>Good morning</h3><p>The harbour is closed today.</p><figure><figcaption>The pier</figcaption></figure></section>',
]


def test_the_repeated_block_with_times_is_the_live_blog(reading):
    found = reading(page(*BLOCKS))
    assert [(entry.native_id, entry.title, entry.text, entry.published_text) for entry in found.snapshot.entries] == [
        ("7", "Ferries stop", "Two ferries turned back.", "11:05"),
        ("5", None, "Power is back in the old town.\n\n“All is quiet.”", "10:40"),
        ("3", "Good morning", "The harbour is closed today.", "9:15"),
    ]
    assert [entry.pinned for entry in found.snapshot.entries] == [False, True, False]
    assert found.snapshot.entries[2].author == "A. Writer"
    assert (found.snapshot.title, found.snapshot.intro, found.snapshot.kind) == (
        "Harbour live",
        ("The harbour is closed.",),
        "page",
    )
    assert found.chosen.startswith("page: 3 blocks made alike")


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ('<time datetime="2026-03-10T11:05:00Z">5 min</time>', "2026-03-10T11:05:00+00:00"),
        ('<time datetime="2026-03-10">11:05</time>', "2026-03-10T11:05:00+00:00"),
        ('<span class="t" data-timestamp="1773140700">x</span>', "2026-03-10T11:05:00+00:00"),
        ('<span class="t" data-time="1773140700123">x</span>', "2026-03-10T11:05:00+00:00"),
        ("<time><span class='hidden'>Posted at 11:05</span><span>11:05</span></time>", "2026-03-10T11:05:00+00:00"),
        ("<div class='t'>11:05</div>", "2026-03-10T11:05:00+00:00"),
        ("<div class='t'>11h05</div>", "2026-03-10T11:05:00+00:00"),
        ("<div class='t'><b>11.05 GMT</b></div>", "2026-03-10T11:05:00+00:00"),
    ],
)  # fmt: skip
def test_times_are_read_from_attributes_and_words(entries, stamp, instant):
    blocks = [f"<div class='entry'>{stamp}<p>Text of entry number {n}.</p></div>" for n in range(3)]
    assert [entry.published_at.isoformat() for entry in entries(page(*blocks))] == [instant] * 3


def test_an_entrys_own_machine_readable_time_goes_first(entries):
    blocks = [
        f'<div class="entry" data-post-time="177314070{n}000"><time datetime="2020-01-01T00:00:00Z">x</time><p>Text number {n}.</p></div>'
        for n in range(2)
    ]
    assert [entry.published_at.second for entry in entries(page(*blocks))] == [0, 1]


def test_entries_in_sections_by_day_are_one_list(entries):
    days = [
        f"<section class='day'><h2>Day {day}</h2>"
        + "".join(
            f"<article class='e'><time>1{n}:00</time><p>Entry {n} of day {day}, in words.</p></article>"
            for n in range(3)
        )
        + "</section>"
        for day in (2, 1)
    ]
    assert len(entries(page(*days))) == 6


def test_a_picture_without_words_gives_its_caption(entries):
    blocks = [
        "<div class='e'><time>11:05</time><figure><img><figcaption>The pier at noon</figcaption></figure></div>",
        "<div class='e'><time>10:05</time><p>Words enough to be an entry.</p></div>",
    ]
    assert entries(page(*blocks))[0].text == "The pier at noon"


def test_one_entry_in_a_live_blog_is_read(entries):
    assert (
        len(
            entries(
                page(
                    '<div class="liveblog"><article class="block"><time>11:05</time><p>The first ferry left the harbour.</p></article></div>'
                )
            )
        )
        == 1
    )


def test_an_article_with_a_date_is_no_live_blog(reading):
    assert (
        reading(
            page("<article class='story'><time>11:05</time><p>A long story about something.</p></article>")
        ).verdict.code
        == "no_entries"
    )


def test_selectors_from_the_settings_are_used(entries):
    select = {
        "entry": "section.post",
        "title": "h3",
        "text": "p, blockquote",
        "time": "time",
        "id": "@data-id",
        "author": ".byline",
    }
    found = entries(page(*BLOCKS), select=select)
    assert [(entry.native_id, entry.title) for entry in found] == [
        ("7", "Ferries stop"),
        ("5", None),
        ("3", "Good morning"),
    ]
    assert found[1].text == "Power is back in the old town.\n\n“All is quiet.”"
    assert found[2].author == "By A. Writer"


def test_attributes_are_selected_with_an_at_sign(entries):
    block = "<li data-key='k'><a class='p' href='/live#k' title='Ferries stop'>x</a><i data-when='2026-03-10T11:05:00Z'></i><div>Body.</div></li>"
    entry = entries(
        page(block),
        url=URL,
        select={
            "entry": "li",
            "title": "a@title",
            "url": "a.p",
            "time": "i@data-when",
            "id": "@data-key",
            "text": "div",
        },
    )[0]
    assert (entry.title, entry.url, entry.native_id, entry.text, entry.published_at.minute) == (
        "Ferries stop",
        "https://news.example/live#k",
        "k",
        "Body.",
        5,
    )


def test_a_selector_that_finds_nothing_is_named(reading):
    found = reading(page(*BLOCKS), select={"entry": "article.update"})
    assert (found.verdict.kind, found.verdict.code) == ("failed", "layout_changed")
    assert "article.update" in found.verdict.reason
    assert reading(page(*BLOCKS), select={"entry": "section", "title": "h6"}).snapshot.remarks == (
        "the title selector 'h6' finds nothing in any entry",
    )


def test_what_is_no_selector_is_named(reading):
    found = reading(page(*BLOCKS), select={"entry": "section", "title": "h3[["})
    assert found.verdict.code == "bad_selector"
    assert "h3[[" in found.verdict.reason


def test_the_older_page_a_page_documents_is_told(reading):
    head = '<link rel="next" href="?page=2">'
    assert reading(page(*BLOCKS, head=head), url=URL).snapshot.next_url == f"{URL}?page=2"
    assert (
        reading(page(*BLOCKS, head='<link rel="next" href="https://elsewhere.example/">'), url=URL).snapshot.next_url
        is None
    )


def test_what_is_suggested_reads_the_page(document):
    made = document(page(*BLOCKS))
    suggestion = suggest(made)
    assert (suggestion.select["entry"], suggestion.select["title"], suggestion.select["id"]) == (
        "section.post",
        "h3",
        "@data-id",
    )
    assert suggestion.lines()[0] == "# 3 entries, the first:"
    assert "  entry: 'section.post'" in suggestion.lines()
    read_so = read(made, ReadOptions(kind="page", select=suggestion.select)).snapshot
    assert [entry.title for entry in read_so.entries] == ["Ferries stop", None, "Good morning"]


def test_names_of_a_style_compiler_are_not_suggested(document):
    blocks = [
        f'<div class="css-1x2y3z sc-Abc post"><time>1{n}:00</time><p>Entry number {n} in some words.</p></div>'
        for n in range(3)
    ]
    assert suggest(document(page(*blocks))).select["entry"] == "div.post"


def test_nothing_is_suggested_for_a_page_without_times(document):
    assert suggest(document(page("<p>Words.</p>"))) is None
    assert suggest(document("no page")) is None


def test_what_a_live_list_withdraws_is_deleted(reading):
    items = "".join(
        f'<div class="post" id="post-{n}" data-sort-time="177314070{n}" data-update-time="177314076{n}"{" data-tombstone" if n == 4 else ""}><p>Entry number {n} in some words.</p></div>'
        for n in (6, 5, 4)
    )
    snapshot = reading(page(f"<amp-live-list id='l'><div items>{items}</div></amp-live-list>")).snapshot
    assert [entry.native_id for entry in snapshot.entries] == ["post-6", "post-5"]
    assert (snapshot.deleted, snapshot.entries[0].updated_at.minute) == (("post-4",), 6)


def test_a_page_without_entries_names_the_feed_it_offers(reading):
    head = '<link rel="alternate" type="application/rss+xml" href="/live.rss">'
    assert reading(page("<p>Words.</p>", head=head), url=URL).verdict.reason.endswith(
        "it offers a feed: https://news.example/live.rss"
    )


def suggested(document, entry):
    return suggest(document(page(*(entry.replace("{n}", str(n)) for n in (3, 2, 1)))))


def test_a_field_no_selector_reads_alike_is_not_suggested(document):
    entry = '<div data-news-id="n{n}" data-created="177314070{n}"><span>1{n}:05</span><div class="news-title">Title {n}</div><div><p>Entry number {n} in some words.</p></div></div>'
    select = suggested(document, entry).select
    assert select["entry"] == "div[data-created]"
    assert (select["time"], select["id"]) == ("@data-created", "@data-news-id")
    assert select.get("title") in (None, "div.news-title")


def test_a_role_is_suggested_where_no_class_means_anything(document):
    entry = '<article id="asset:{n}" data-testid="content-post" class="css-7f2k"><time>1{n}:05</time><p>Entry number {n} in some words.</p></article>'
    assert suggested(document, entry).select["entry"] == 'article[data-testid="content-post"]'


def test_a_name_that_may_change_is_suggested_with_a_warning(document):
    entry = '<div class="_2tvI3"><time>1{n}:05</time><div><p>Entry number {n} in some words.</p></div></div>'
    suggestion = suggested(document, entry)
    assert suggestion.select["entry"] == "div._2tvI3"
    assert any("may change" in line for line in suggestion.lines())


def test_an_entry_pinned_in_a_box_of_its_own_is_read_and_a_copy_is_not(entries):
    entry = '<article class="post" id="p{n}"><time datetime="2026-03-10T1{n}:05:00Z"></time><p>Entry number {n} in some words.</p></article>'
    listed = "".join(entry.replace("{n}", str(n)) for n in (5, 4, 3))
    pinned = '<div class="pinned-post">' + entry + "</div>"
    found = entries(page(pinned.replace("{n}", "1") + f"<div class='list'>{listed}</div>"))
    assert [(one.native_id, one.pinned) for one in found] == [("p1", True), ("p5", False), ("p4", False), ("p3", False)]
    copied = entries(page(pinned.replace("{n}", "4") + f"<div class='list'>{listed}</div>"))
    assert [one.native_id for one in copied] == ["p5", "p4", "p3"]
