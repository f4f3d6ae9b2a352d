"""Plain pages are read whatever their markup: tables, definition lists, headings and paragraphs without boxes."""

import pytest

HOURS = range(11, 6, -1)


def words(hour):
    return f"Entry number {hour} tells what happened in some words."


def page(body):
    return (
        "<!doctype html><html><head><title>Live</title></head><body><nav><ul><li><a href='/a'>Home</a></li></ul></nav>"
        f"<main><h1>Harbour live</h1><p>Introduction of the page.</p>{body}</main><footer><p>Copyright 2026</p><p>Contact us</p></footer></body></html>"
    )


SHAPES = {
    "table": "<tr><td>{h}:05</td><td>{w}</td></tr>",
    "definition list": "<dt>{h}:05</dt><dd><p>{w}</p><p>More of {h}.</p></dd>",
    "heading, paragraphs": "<h3>{h}:05</h3><p>{w}</p><p>More of {h}.</p>",
    "heading with time, title": "<h3>{h}:05</h3><h4>Title {h}</h4><p>{w}</p><p>More of {h}.</p>",
    "heading of time and title": "<h3><time>{h}:05</time> Title {h}</h3><p>{w}</p><p>More of {h}.</p>",
    "bold time in the paragraph": "<p><strong>{h}:05</strong> {w}</p><p>More of {h}.</p>",
    "bold time and dash": "<p><b>{h}:05</b> – {w}</p><p>More of {h}.</p>",
    "bold time and line breaks": "<p><strong>{h}:05</strong><br>{w}<br><br>More of {h}.</p>",
    "time in a paragraph of its own": "<p>{h}:05</p><p>{w}</p><p>More of {h}.</p>",
    "time at the head of the paragraph": "<p>{h}:05 – {w}</p><p>More of {h}.</p>",
    "list": "<li><span class='t'>{h}:05</span> {w}</li>",
    "list with linked time": "<li><a href='#p{h}'>{h}:05</a> <div>{w}</div></li>",
    "two columns": "<div class='row'><div class='c'>{h}:05</div><div class='c'><h3>Title {h}</h3><p>{w}</p><p>More of {h}.</p></div></div>",
    "names of a style compiler": "<div class='css-{h}x9'><div class='css-a'><span>{h}h05</span></div><div class='css-b'><p>{w}</p></div></div>",
    "heading of time, dash and title": "<h2>{h}:05 - Title {h}</h2><p>{w}</p><p>More of {h}.</p>",
}
BOXES = {"table": "table", "definition list": "dl", "list": "ul", "list with linked time": "ul"}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_a_live_blog_is_read(entries, name):
    box = BOXES.get(name, "div")
    found = entries(
        page(f"<{box}>" + "".join(SHAPES[name].format(h=hour, w=words(hour)) for hour in HOURS) + f"</{box}>")
    )
    more = "\n\nMore of {}." if "More" in SHAPES[name] else ""
    assert [entry.text for entry in found] == [words(hour) + more.format(hour) for hour in HOURS]
    assert [entry.title for entry in found] == [f"Title {hour}" if "Title" in SHAPES[name] else None for hour in HOURS]
    assert [entry.published_at.hour for entry in found] == list(HOURS)


@pytest.mark.parametrize(
    "day",
    [
        "<h2>{day} March 2026</h2>{posts}",
        "<section><h2>{day} March 2026</h2>{posts}</section>",
        "<div class='d'>{day}.03.2026</div><div class='l'>{posts}</div>",
    ],
)
@pytest.mark.parametrize(
    "post", ["<article class='e'><time>{h}:05</time><p>{w}</p></article>", "<h3>{h}:05</h3><p>{w}</p>"]
)
def test_date_headings_date_the_entries_below_them(entries, day, post):
    posts = "".join(post.format(h=hour, w=words(hour)) for hour in HOURS)
    found = entries(page("".join(day.format(day=number, posts=posts) for number in (10, 8))))
    assert [(entry.published_at.day, entry.published_at.hour) for entry in found] == [
        (number, hour) for number in (10, 8) for hour in HOURS
    ]
    assert found[4].text == words(7)


LINE = "<div class='post'><span class='w'>{h}:05</span><p>{w}</p></div>"
RIVALS = {
    "readers' comments": "<section class='comments'>{}</section>",
    "a list of stories": "<section class='more'>{}</section>",
    "headlines in an aside": "<aside><ul>{}</ul></aside>",
    "a schedule": "<ul class='schedule'>{}</ul>",
}
MEMBERS = {
    "readers' comments": "<div class='c'><time datetime='2026-03-10T0{n}:30:00Z'>x</time><p>"
    + "I think the council should do more. " * 9
    + "</p></div>",
    "a list of stories": "<article class='card'><a href='/s{n}'><h3>Another story {n}</h3></a><time datetime='2026-03-0{n}T10:00:00Z'>x</time><p>"
    + "A summary of it. " * 12
    + "</p></article>",
    "headlines in an aside": "<li><span>{n} minutes ago</span><a href='/l{n}'>A headline of another story of the day {n}</a></li>",
    "a schedule": "<li><span>1{n}:30</span> <b>Programme {n}</b> <p>What the programme is about in one line.</p></li>",
}


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("first", [True, False])
def test_a_young_live_blog_is_found_beside_longer_lists(entries, rival, first):
    blog = "<div class='lb'>" + "".join(LINE.format(h=hour, w=words(hour)) for hour in HOURS) + "</div>"
    other = RIVALS[rival].format("".join(MEMBERS[rival].format(n=n) for n in range(1, 9)))
    found = entries(page(other + blog if first else blog + other))
    assert [entry.text for entry in found] == [words(hour) for hour in HOURS]
