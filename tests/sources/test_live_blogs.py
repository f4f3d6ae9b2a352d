"""schema.org live blogs in JSON-LD and microdata, held against the page that carries them."""

import json

import pytest

URL = "https://news.example/live/harbour"


def update(**known):
    return {
        "@type": "BlogPosting",
        "headline": "Ferries stop",
        "articleBody": "Two ferries turned back.",
        "datePublished": "2026-03-10T11:05:00Z",
        **known,
    }


def blog(*updates, **known):
    return {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting",
        "headline": "Harbour live",
        "liveBlogUpdate": list(updates),
        **known,
    }


def page(*blocks, body=""):
    scripts = "".join(
        f'<script type="application/ld+json">{block if isinstance(block, str) else json.dumps(block)}</script>'
        for block in blocks
    )
    return (
        f"<!doctype html><html><head><title>Harbour</title>{scripts}</head><body><h1>Harbour</h1>{body}</body></html>"
    )


def article(id_, time, title, *paragraphs, extra=""):
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f'<article class="post {extra}" id="{id_}"><time datetime="{time}">x</time>{f"<h2>{title}</h2>" if title else ""}{text}</article>'


def test_updates_are_entries(reading):
    one = update(
        url=f"{URL}#p1",
        dateModified="2026-03-10T11:09:00Z",
        author=[{"@type": "Person", "name": "A. Writer"}, {"name": "B. Writer"}],
    )
    found = reading(page(blog(one, dateModified="2026-03-10T11:10:00Z")), url=URL)
    entry = found.snapshot.entries[0]
    assert (entry.native_id, entry.url, entry.title, entry.text) == (
        f"{URL}#p1",
        f"{URL}#p1",
        "Ferries stop",
        "Two ferries turned back.",
    )
    assert (entry.published_at.minute, entry.updated_at.minute, entry.author) == (5, 9, "A. Writer, B. Writer")
    assert (found.snapshot.kind, found.snapshot.title, found.snapshot.modified_at.minute) == (
        "liveblog",
        "Harbour live",
        10,
    )
    assert "JSON-LD" in found.chosen


@pytest.mark.parametrize(
    "block",
    [
        blog(update()),
        [{"@type": "Organization"}, blog(update())],
        {"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, blog(update())]},
        {"@type": "WebPage", "mainEntity": blog(update())},
        {**blog(update()), "@type": ["NewsArticle", "LiveBlogPosting"]},
        {**blog(update()), "@type": "http://schema.org/LiveBlogPosting"},
        {**blog(), "liveBlogUpdate": update()},
        {**blog(), "liveBlogUpdate": {"@list": [update()]}},
        f"<!-- {json.dumps(blog(update()))} -->",
        f"//<![CDATA[\n{json.dumps(blog(update()))}\n//]]>",
        json.dumps(blog(update())) + ";",
        json.dumps(blog(update())).replace("}]", "},]"),
        json.dumps(blog(update(articleBody="It~s closed."))).replace("~", "\\'"),
    ],
)  # fmt: skip
def test_the_live_blog_is_found_in_every_wrapping(entries, block):
    assert [entry.title for entry in entries(page(block), url=URL)] == ["Ferries stop"]


def test_a_broken_block_among_good_ones_costs_only_itself(entries):
    assert len(entries(page('{"@type": "LiveBlogPosting", ', blog(update()), "]"))) == 1


@pytest.mark.parametrize(
    "written",
    ["&ldquo;Closed&rdquo; &amp; quiet", "&amp;ldquo;Closed&amp;rdquo; &amp;amp; quiet", "<p>“Closed” &amp; quiet</p>", "“Closed” & quiet\n"],
)  # fmt: skip
def test_entities_are_decoded_however_often_they_were_encoded(entries, written):
    entry = entries(page(blog(update(headline=written, articleBody=written))))[0]
    assert (entry.title, entry.text) == ("“Closed” & quiet", "“Closed” & quiet")


@pytest.mark.parametrize(
    "body",
    [
        {"@type": "Text", "@value": "The body."},
        {"@type": "Text", "text": "The body."},
        ["The body."],
        [{"@value": "The body."}],
        "<div>The body.</div>",
    ],
)
def test_bodies_that_are_objects_or_lists_are_read(entries, body):
    assert entries(page(blog(update(articleBody=body))))[0].text == "The body."


def test_line_ends_part_paragraphs_only_after_a_sentence(entries):
    text = "The government\nwill brief at noon.\nThe minister leads.\n\nMore follows."
    assert (
        entries(page(blog(update(articleBody=text))))[0].text
        == "The government will brief at noon.\n\nThe minister leads.\n\nMore follows."
    )


def test_an_id_that_names_no_single_entry_is_no_id(entries):
    assert [
        entry.native_id for entry in entries(page(blog(update(url=URL), update(url=URL, headline="Two"))), url=URL)
    ] == [None, None]
    same = [update(**{"@id": "#liveBlogPosting", "headline": str(n)}) for n in range(3)]
    assert {entry.native_id for entry in entries(page(blog(*same)), url=URL)} == {None}


def test_headlines_that_are_all_one_give_way_to_those_of_the_page(entries):
    updates = [
        update(**{"@id": f"id{n}x", "headline": "Harbour live", "articleBody": f"Body number {n} is long enough."})
        for n in range(3)
    ]
    body = "".join(
        article(
            f"block-id{n}x",
            f"2026-03-10T1{n}:00:00Z",
            "Pier closed" if n == 1 else "",
            f"Body number {n} is long enough.",
        )
        for n in range(3)
    )
    found = entries(page(blog(*updates), body=body), url=URL)
    assert [entry.title for entry in found] == [None, "Pier closed", None]
    assert [entry.published_at.hour for entry in found] == [10, 11, 12]  # all updates had one time too
    assert [entry.native_id for entry in found] == ["block-id0x", "block-id1x", "block-id2x"]


def test_empty_and_cut_bodies_are_taken_from_the_page(entries):
    updates = [
        update(url=f"{URL}#a1", articleBody=""),
        update(url=f"{URL}#a2", headline="Two", articleBody="The pier is closed to all…"),
    ]
    body = article("a1", "2026-03-10T11:05:00Z", "Ferries stop", "Two boats are out.") + article(
        "a2", "2026-03-10T11:00:00Z", "Two", "The pier is closed to all ships until further notice."
    )
    assert [entry.text for entry in entries(page(blog(*updates), body=body), url=URL)] == [
        "Two boats are out.",
        "The pier is closed to all ships until further notice.",
    ]


def test_paragraphs_are_the_pages_and_words_the_markups(entries):
    markup = "“First” sentence. (Second) sentence, with a link. Third."
    shown = article(
        "a1",
        "2026-03-10T11:05:00Z",
        "Ferries stop",
        "“First” sentence.",
        "(Second) sentence, with <a href='#'>a link</a>.",
        "Third.",
    )
    assert (
        entries(page(blog(update(url=f"{URL}#a1", articleBody=markup)), body=shown), url=URL)[0].text
        == "“First” sentence.\n\n(Second) sentence, with a link.\n\nThird."
    )


def test_missing_times_are_taken_from_the_page(entries):
    bare = {key: value for key, value in update(url=f"{URL}#a1").items() if key != "datePublished"}
    assert (
        entries(
            page(blog(bare), body=article("a1", "2026-03-10T11:05:00Z", "Ferries stop", "Two ferries turned back.")),
            url=URL,
        )[0].published_at.minute
        == 5
    )


def test_entries_the_markup_leaves_out_take_their_place_in_the_page(entries):
    updates = [
        update(url=f"{URL}#a{n}", headline=f"Title {n}", articleBody=f"Body of entry number {n}.") for n in range(1, 4)
    ]
    shown = [article("a2", "2026-03-10T10:00:00Z", "Title 2", "Body of entry number 2.", extra="pinned")]
    shown += [article(f"a{n}", "2026-03-10T11:00:00Z", f"Title {n}", f"Body of entry number {n}.") for n in range(1, 6)]
    found = entries(page(blog(*updates), body=f'<div class="liveblog">{"".join(shown)}</div>'), url=URL)
    assert [(entry.title, entry.pinned) for entry in found] == [
        ("Title 2", True),
        ("Title 1", False),
        ("Title 2", False),
        ("Title 3", False),
        ("Title 4", False),
        ("Title 5", False),
    ]
    assert [entry.native_id for entry in found] == [f"{URL}#a{n}" for n in (2, 1, 2, 3, 4, 5)]


def test_a_list_of_other_articles_is_not_the_live_blog(entries):
    teasers = "".join(
        f'<li class="teaser"><time datetime="2026-03-0{n}T10:00:00Z">x</time><a href="/{n}">Another article with a long headline to read, number {n}</a></li>'
        for n in range(1, 9)
    )
    assert len(entries(page(blog(update(url=f"{URL}#a1")), body=f"<ul>{teasers}</ul>"), url=URL)) == 1


def test_microdata_is_read_like_json_ld(entries):
    body = """<div itemscope itemtype="http://schema.org/LiveBlogPosting"><div id="block-1" itemprop="liveBlogUpdate" itemscope itemtype="http://schema.org/BlogPosting">
      <p><a itemprop="url" href="?page=with:block-1#block-1"><time itemprop="datePublished" datetime="2026-03-10T11:05:00.123Z">11:05</time></a></p>
      <h2 itemprop="headline">Ferries stop</h2><div itemprop="articleBody"><p>One.</p><p>Two.</p></div><meta itemprop="dateModified" content="2026-03-10T11:09:00Z">
      <span itemprop="author" itemscope><span itemprop="name">A. Writer</span></span></div></div>"""
    entry = entries(page(body=body), url=URL)[0]
    assert (entry.native_id, entry.title, entry.text, entry.author) == (
        "block-1",
        "Ferries stop",
        "One.\n\nTwo.",
        "A. Writer",
    )
    assert (entry.published_at.isoformat(), entry.updated_at.minute) == ("2026-03-10T11:05:00+00:00", 9)
    assert entry.url == f"{URL}?page=with:block-1#block-1"


def test_a_page_without_updates_is_no_live_blog(reading):
    assert reading(page(blog()), kind="liveblog").verdict.code == "no_entries"


def test_a_fragment_all_entries_share_points_to_none_of_them(entries):
    updates = [update(url=f"{URL}?post=asset%3Aabc-{n}#post", headline=f"Title {n}", articleBody="") for n in range(3)]
    body = "<div id='post'>Another box of the page with some words in it.</div>" + "".join(
        article(f"asset:abc-{n}", f"2026-03-10T1{n}:00:00Z", f"Title {n}", f"Body of entry {n}.") for n in range(3)
    )
    assert [entry.text for entry in entries(page(blog(*updates), body=body), url=URL)] == [
        f"Body of entry {n}." for n in range(3)
    ]


def test_microdata_in_meta_elements_is_read(entries):
    item = (
        '<li id="{n}_parent"><div itemprop="liveBlogUpdate" itemscope itemtype="https://schema.org/BlogPosting">'
        '<meta itemprop="url" content="https://news.example/live#{n}"><meta itemprop="datePublished" content="2026-03-10T1{n}:00:00+05:30">'
        '<meta itemprop="articleBody" content="The harbour master spoke.&nbsp;"All boats stay," he said. Nobody objected."><meta itemprop="headline" content="Boats &amp;amp; ferries {n}">'
        '<time><span>March</span><span>10</span><span>2026</span></time><span>1{n}:00 (IST)</span><div class="ttl">Boats & ferries {n}</div>'
        'The harbour master spoke.&nbsp;"All boats stay," he said. Nobody objected.<div class="ss"><a href="#">facebook</a></div></div></li>'
    )
    page = f'<div itemscope itemtype="https://schema.org/LiveBlogPosting"><ul>{item.format(n=2)}{item.format(n=1)}</ul></div>'
    found = entries(page, url="https://news.example/live")
    assert [entry.title for entry in found] == ["Boats & ferries 2", "Boats & ferries 1"]
    assert [entry.native_id for entry in found] == ["https://news.example/live#2", "https://news.example/live#1"]
    assert {entry.text for entry in found} == {'The harbour master spoke. "All boats stay," he said. Nobody objected.'}


def test_a_body_cut_in_mid_sentence_is_taken_from_the_page(entries):
    whole = "The harbour stays shut until Tuesday because of the swell, the port authority says, and asks for patience."
    updates = [
        {"headline": f"Entry {n}", "datePublished": f"2026-03-10T1{n}:00:00Z", "articleBody": f"{n}: {whole}"[:60]}
        for n in (2, 1)
    ]
    shown = "".join(
        f'<article><time datetime="2026-03-10T1{n}:00:00Z"></time><h3>Entry {n}</h3><p>{n}: {whole}</p></article>'
        for n in (2, 1)
    )
    assert [entry.text for entry in entries(page(blog(*updates), body=shown))] == [f"2: {whole}", f"1: {whole}"]


def test_updates_in_an_item_list_are_read(entries):
    listed = [{"@type": "ListItem", "position": n, "item": update(headline=f"Entry {n}")} for n in (1, 2)]
    found = entries(page({**blog(), "liveBlogUpdate": {"@type": "ItemList", "itemListElement": listed}}))
    assert [entry.title for entry in found] == ["Entry 1", "Entry 2"]


def test_a_headline_that_is_the_blogs_own_is_no_title(entries):
    updates = [update(headline="Harbour live", articleBody="Boats stay."), update(), update(headline="Boats stop")]
    assert [entry.title for entry in entries(page(blog(*updates)))] == [None, "Ferries stop", "Boats stop"]


def test_a_fragment_as_id_is_an_address_in_the_page(entries):
    found = entries(page(blog(update(**{"@id": "#post-2"}), update(**{"@id": "#post-1"}))), url=URL)
    assert [(entry.native_id, entry.url) for entry in found] == [
        ("#post-2", f"{URL}#post-2"),
        ("#post-1", f"{URL}#post-1"),
    ]


def test_entries_that_begin_alike_are_told_apart_by_their_times(entries):
    begin = "No boat leaves the harbour before Tuesday morning because of the swell, the port authority says."
    updates = [{"datePublished": f"2026-03-10T1{n}:05:20Z", "articleBody": f"{begin} Bulletin {n}."} for n in (3, 2)]
    shown = "".join(
        f'<article data-post-id="urn:{n}"><div data-js-timestamp="2026-03-10T1{n}:05:20Z">1{n}:05</div>'
        f"<div><p>{begin} Bulletin {n}.</p><p>{'More ' * 60}{n}.</p></div></article>"
        for n in (3, 2)
    )
    found = entries(page(blog(*updates), body=shown), url=URL)
    assert [entry.native_id for entry in found] == ["urn:3", "urn:2"]
    assert [entry.text.endswith(f"More {n}.") for entry, n in zip(found, (3, 2), strict=True)] == [True, True]
