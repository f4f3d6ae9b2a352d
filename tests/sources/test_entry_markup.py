"""What stands in an entry's element beside its words is not its text, in the ways publishers' systems lay entries out."""

import pytest

HOURS = (15, 14, 13)
HEADER = '<p class="stamp"><time datetime="2026-03-10T{h}:05:20Z">{h}:05</time></p><h3>Boats stop {h}</h3>'
WORDS = "<p>No boat leaves before {h} because of the swell, the port says.</p><p>Stay at home.</p>"
READ = "No boat leaves before {h} because of the swell, the port says.\n\nStay at home."


def page(entry, box="<div class='live-posts'>{}</div>"):
    posts = "".join(entry.replace("{h}", str(hour)) for hour in HOURS)
    return f"<html><head><title>Storm</title></head><body><main><h1>Storm live</h1>{box.format(posts)}</main></body></html>"


BESIDE = {
    "words for screen readers in the heading": '<article id="e{h}"><time datetime="2026-03-10T{h}:05:20Z">{h}:05</time><h3><span role="text">'
    '<span class="visually-hidden">Breaking</span>Boats stop {h}<span class="visually-hidden x">published at {h}:05</span></span></h3>'
    + WORDS
    + "</article>",
    "the time in the heading": '<article id="e{h}"><h3><time datetime="2026-03-10T{h}:05:20Z">{h}:05</time> Boats stop {h}</h3>'
    + WORDS
    + "</article>",
    "a contributor in boxes named in camel case": '<article id="e{h}">'
    + HEADER
    + '<div class="x-Contributors"><div class="x-TextContributorName">Jane Roe</div><div>Reporter</div></div>'
    + WORDS
    + "</article>",
    "a byline in a paragraph": '<article id="e{h}">'
    + HEADER
    + '<p class="post__byline">By Jane Roe</p>'
    + WORDS
    + "</article>",
    "the author in a property": '<article id="e{h}">'
    + HEADER
    + '<p itemprop="author">Jane Roe</p>'
    + WORDS
    + "</article>",
    "when it was changed": '<article id="e{h}">'
    + HEADER
    + WORDS
    + '<p class="block-time">Updated <time datetime="2026-03-10T{h}:09:00Z">at {h}.09 GMT</time></p></article>',
    "share links without a class": '<article id="e{h}">'
    + HEADER
    + WORDS
    + "<div><div>Facebook</div><div>WhatsApp</div><div>Copy link to article</div></div></article>",
    "an advertisement": '<article id="e{h}">' + HEADER + "<div><span>Publicité</span></div>" + WORDS + "</article>",
    "a label glued to the time": '<section id="e{h}"><div class="info"><span class="date">{h}:05</span><span class="label">Key point</span></div>'
    "<h2>Boats stop {h}</h2>" + WORDS + "</section>",
    "a kicker's edit link before the time": '<article id="e{h}"><h3>Boats stop {h}</h3><div><a href="/edit">Edit</a></div><div>{h}:05</div>'
    + WORDS
    + "</article>",
    "a time with a dot and the word for clock": '<article id="e{h}"><div><span>{h}.05 Uhr</span></div><h3>Boats stop {h}</h3>'
    + WORDS
    + "</article>",
    "a title without a heading": '<div data-news-id="e{h}" data-created="{h}"><span>{h}:05</span><div class="news-title">Boats stop {h}</div><div>'
    + WORDS
    + "</div></div>",
    "an id on a box around the entry": '<article id="e{h}"><div class="Box"><div><span>{h}:05</span></div><h2>Boats stop {h}</h2><div>'
    + WORDS
    + "</div></div></article>",
    "classes that are numbers and letters": '<div data-tic-id="e{h}"><div class="d1x"></div><div class="_2tvI3"><div class="uu5Lm"><span>{h}:05</span>'
    '<time datetime="2026-03-10T{h}:05:20Z"></time></div><h4>Boats stop {h}</h4><div class="_1KydD"><div>'
    + WORDS
    + "</div></div></div></div>",
    "the mark of a pinned post": '<article id="e{h}"><span class="pin">Pinned</span>' + HEADER + WORDS + "</article>",
    "a link to another story": '<article id="e{h}">'
    + HEADER
    + WORDS
    + '<p><a href="/x">Read more: Another story of the day</a></p><a href="/y">Read the full story</a></article>',
    "a hidden menu": '<article id="e{h}">'
    + HEADER
    + '<div style="display: none">Report this</div>'
    + WORDS
    + "</article>",
    "a title in bold": '<article id="e{h}"><time datetime="2026-03-10T{h}:05:20Z">{h}:05</time><p><strong>Boats stop {h}</strong></p>'
    + WORDS
    + "</article>",
    "the whole time in a title attribute": '<article id="e{h}"><abbr class="timeago" title="2026-03-10T{h}:05:20Z">5 min</abbr><h3>Boats stop {h}</h3>'
    + WORDS
    + "</article>",
    "an age before the clock": '<li id="e{h}"><div class="when"><span>5 hours ago</span><span>({h}:05 GMT)</span></div><h2>Boats stop {h}</h2><div>'
    + WORDS
    + "</div></li>",
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_the_words_is_no_text(entries, name):
    found = entries(page(BESIDE[name]), url="https://news.example/live")
    assert [entry.text for entry in found] == [READ.format(h=hour) for hour in HOURS]
    assert [entry.title for entry in found] == [f"Boats stop {hour}" for hour in HOURS]
    assert [(entry.published_at.hour, entry.published_at.minute) for entry in found] == [(hour, 5) for hour in HOURS]


@pytest.mark.parametrize("name", sorted(set(BESIDE) - {"classes that are numbers and letters"}))
def test_the_publishers_id_is_kept(entries, name):
    found = entries(page(BESIDE[name]), url="https://news.example/live")
    assert [entry.native_id for entry in found] == [f"e{hour}" for hour in HOURS]


def test_an_id_most_entries_share_names_none_of_them(entries):
    found = entries(
        page('<div id="post_header"><time datetime="2026-03-10T{h}:05:20Z">{h}:05</time><div>' + WORDS + "</div></div>")
    )
    assert [entry.native_id for entry in found] == [None, None, None]


def test_a_long_text_in_a_box_named_like_furniture_is_text(entries):
    words = "The mayor writes that the harbour stays shut and asks for patience until the swell is gone. " * 5
    found = entries(
        page(
            f'<article><time datetime="2026-03-10T{{h}}:05:20Z">{{h}}:05</time><div class="comment">{words}{{h}}</div></article>'
        )
    )
    assert [entry.text for entry in found] == [f"{words}{hour}" for hour in HOURS]


def test_an_authors_name_is_read_without_the_time_beside_it(entries):
    body = '<article><div class="author"><span>Jane Roe</span> <span>{h}:05</span></div>' + WORDS + "</article>"
    assert {entry.author for entry in entries(page(body))} == {"Jane Roe"}


def test_a_calendar_time_in_digits_alone_is_no_count_of_seconds(entries):
    found = entries(
        page(
            '<div class="liveblog-entry" id="p{h}" data-sort-time="20260310{h}0520"><h2>Boats stop {h}</h2>'
            + WORDS
            + "</div>"
        )
    )
    assert [entry.published_at.isoformat() for entry in found] == [f"2026-03-10T{hour}:05:20+00:00" for hour in HOURS]


def test_the_length_of_a_film_is_no_time(reading):
    found = reading(
        "<main><h1>Storm</h1><p>01:43 min</p><p>The storm in pictures</p><p>04:16 min</p><p>The storm explained</p><p>03:05 min</p><p>More</p></main>"
    )
    assert found.verdict.code == "no_entries"


def test_who_is_quoted_stays_with_the_quotation(entries):
    body = (
        '<article><time datetime="2026-03-10T{h}:05:20Z"></time>'
        + WORDS
        + "<blockquote><p>We wait.</p><footer>The mayor</footer></blockquote></article>"
    )
    assert all(entry.text.endswith("We wait.\n\nThe mayor") for entry in entries(page(body)))


def test_a_text_folded_away_is_text(entries):
    rest = "The rest of the report is folded away until a reader asks for it, and it goes on for some lines. " * 2
    body = (
        '<article><time datetime="2026-03-10T{h}:05:20Z"></time>'
        + WORDS
        + f'<div style="display:none"><p>{rest}</p></div></article>'
    )
    assert all(entry.text.endswith(rest.strip()) for entry in entries(page(body)))
