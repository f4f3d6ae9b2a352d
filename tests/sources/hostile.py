"""Every document row of the bad-input matrix: what a hostile, broken or careless publisher sends as a 200, and what a reading must make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from monitor.model import ReadOptions, Snapshot

HEAD = "<?xml version='1.0'?><rss version='2.0'><channel><title>Live</title>"
TAIL = "</channel></rss>"
HTML = "<!doctype html><html><head><title>Live</title></head><body>"
MANY = 100_000
CANARY = "file:///etc/passwd"
Check = Callable[[Snapshot], bool]


@dataclass(frozen=True)
class Row:
    name: str
    make: Callable[[], str | bytes]
    ends: str  # the verdict and its code: "ok", "suspect external_entity", "failed challenge"
    check: Check | None = None  # what the snapshot must show besides
    options: ReadOptions = ReadOptions()
    dear: bool = False  # seconds of processor time: on a busy machine the deadline may come first, and may
    killed: bool = False  # only the end of the parser's process ends it


def item(n=0, text="Text", title=None, more=""):
    return f"<item><guid>{n}</guid><title>{title or f'Title {n}'}</title>{more}<description>{text}</description></item>"


def feed(*items, head=HEAD, tail=TAIL):
    return head + "".join(items or [item(n) for n in range(3)]) + tail


def many(dates=None, gap=""):
    """Return a feed of 100,000 items, numbered from the newest on; `dates` is 1 for newest first, -1 for oldest first."""
    order = range(MANY)[:: dates or 1]
    stamp = "<pubDate>Thu, 15 Dec 2016 {:02}:{:02}:00 GMT</pubDate>"
    return feed(
        gap.join(item(n, more=stamp.format(23 - n // 5000, 59 - n // 100 % 60) if dates else "") for n in order)
    )


def doctype(declarations, *items):
    return feed(*items, head=HEAD.replace("<rss", f"<!DOCTYPE rss [{declarations}]><rss", 1))


def page(*blocks, start=HTML):
    return start + "".join(blocks) + "</body></html>"


def posts(**values):
    """Return JSON with three posts; a value that is a str stands in it as it is."""
    fields = {"id": '"a"', "title": '"Title"', "body": '"Some text"', "date": '"2016-12-15T13:47:00Z"'} | values
    one = "{" + ", ".join(f'"{key}": {value}' for key, value in fields.items()) + "}"
    return '{"posts": [' + ", ".join([one, *[one.replace('"a"', f'"b{n}"') for n in range(2)]]) + "]}"


JSON = ReadOptions(kind="json", select={"entry": "posts", "id": "id", "title": "title", "text": "body", "time": "date"})
EMPTY = "failed empty"


def first(check):
    return lambda snapshot: check(snapshot.entries[0])


def newest(snapshot):
    return {int(entry.native_id) for entry in snapshot.entries} == set(range(2000)) and snapshot.capped


def undated(snapshot):
    return snapshot.entries[0].published is None


def sound(snapshot):
    """Whether every text can be stored, published and printed as UTF-8."""
    return all((entry.text + (entry.title or "")).encode() and "\0" not in entry.text for entry in snapshot.entries)


def walls() -> list[Row]:
    """B8, B9, B10: what stands in the place of the live blog."""
    return [
        Row("a challenge page", lambda: page("Checking your browser before accessing"), "failed challenge"),
        Row("a consent page", lambda: page("<div id='sp_message_container'></div>"), "failed consent"),
        Row("a paywall", lambda: page("Subscribe to continue reading"), "failed paywall"),
        Row("a login page", lambda: page("<form><input type='password'></form>"), "failed login"),
        Row("a maintenance page", lambda: page(start=HTML.replace("Live", "Down for maintenance")), "failed error_page"),
        Row("a 404 with status 200", lambda: page(start=HTML.replace("Live", "404 - Page not found")), "failed error_page"),
        Row("a geo-block", lambda: page("This content is not available in your country."), "failed access_denied"),
        Row("an S3 error", lambda: "<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "failed error_page"),
        Row("an RSS-Bridge error", lambda: feed(item(1, title="Bridge returned error 404! (19000)")), "failed error_feed"),
        Row("an empty body", lambda: b"", EMPTY),
        Row("white space", lambda: b" \n\t\r\n ", EMPTY),
        Row("a truly empty feed", lambda: HEAD + TAIL, "ok", lambda snapshot: not snapshot.entries),
        Row("a page where a feed was asked for", lambda: page("Just a page"), "failed not_a_feed", options=ReadOptions(kind="feed")),
        Row("JSON where a feed was asked for", lambda: '{"a": 1}', "failed not_a_feed", options=ReadOptions(kind="feed")),
        Row("PNG", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "failed not_text"),
        Row("PDF", lambda: b"%PDF-1.7\n%\xe2\xe3", "failed not_text"),
        Row("gzip without saying so", lambda: b"\x1f\x8b\x08\x00" + bytes(range(99)), "failed not_text"),
    ]  # fmt: skip


def entities() -> list[Row]:
    """B15: XML that multiplies itself or asks for more."""
    laughs = "<!ENTITY a 'lol'>" + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    nothing_of_it = first(lambda entry: "root:" not in entry.text + (entry.title or ""))
    include = f"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{CANARY}'/>"
    return [
        Row("billion laughs", lambda: doctype(laughs, item(text="&j;")), "failed entity_bomb"),
        Row("a quadratic blow-up", lambda: doctype(f"<!ENTITY a '{'x' * 50_000}'>", item(text="&a;" * 50_000)), "failed entity_bomb"),
        Row("an endless definition", lambda: doctype("<!-- x -->" * 9_000 + "<!ENTITY a 'x'>"), "failed entity_bomb"),
        Row("an entity that is a file", lambda: doctype(f"<!ENTITY x SYSTEM '{CANARY}'>", item(text="&x;")), "suspect external_entity", nothing_of_it),
        Row("an entity that is a page", lambda: doctype("<!ENTITY x PUBLIC 'x' 'http://127.0.0.1:1/'>", item(text="&x;")), "suspect external_entity"),
        Row("a definition that is a page", lambda: doctype("<!ENTITY % x SYSTEM 'http://127.0.0.1:1/'> %x;"), "suspect external_entity"),
        Row("an entity that is nowhere used", lambda: doctype(f"<!ENTITY x SYSTEM '{CANARY}'>"), "ok"),
        Row("a definition elsewhere", lambda: feed(head=HEAD.replace("<rss", "<!DOCTYPE rss SYSTEM 'http://127.0.0.1:1/x.dtd'><rss", 1)), "ok"),
        Row("XInclude", lambda: feed(item(1, more=include)), "ok", nothing_of_it),
        Row("a style sheet", lambda: feed(head=HEAD.replace("<rss", f"<?xml-stylesheet href='{CANARY}' type='text/xsl'?><rss", 1)), "ok", nothing_of_it),
    ]  # fmt: skip


def depths() -> list[Row]:
    """B16: what parsers are slow at."""
    return [
        Row("XML 100,000 deep", lambda: feed(item(1, more="<a>" * MANY + "</a>" * MANY)), "ok", dear=True),
        Row("XML 100,000 deep, cut", lambda: HEAD + "<a>" * MANY, "failed truncated", dear=True),
        Row("HTML 100,000 deep", lambda: page("<div>" * MANY + "</div>" * MANY), "failed too_deep"),
        Row("HTML 100,000 deep in an entry", lambda: feed(item(1, "&lt;div&gt;" * MANY + "in there")), "ok", first(lambda entry: "in there" in entry.text)),
        Row("JSON 1,000,000 deep", lambda: "[" * 1_000_000 + "]" * 1_000_000, "failed no_entries"),
        Row("JSON 1,000,000 deep where JSON was asked for", lambda: "[" * 1_000_000 + "]" * 1_000_000, "failed not_json", options=JSON),
        Row("200,000 attributes", lambda: feed(item(1, more="<a " + " ".join(f"a{n}='x'" for n in range(200_000)) + "/>")), "failed too_complex"),
        Row("200,000 bare attributes", lambda: feed(item(1, more="<a " + "b " * 200_000 + "/>")), "failed too_complex"),
        Row("an attribute of 1 MB", lambda: feed(item(1, more=f"<a src='data:image/png;base64,{'A' * 1_000_000}'/>")), "ok"),
        Row("100,000 comments", lambda: feed(item(1, more="<!-- -->" * MANY)), "failed too_complex"),
        Row("100,000 comments without end", lambda: feed(item(1, more="<!--" * MANY)), "failed too_complex"),
        Row("10,000 unclosed tags", lambda: feed(item(1, "&lt;b&gt;" * 10_000 + "in there")), "ok", first(lambda entry: "in there" in entry.text)),
        Row("1,000,000 &lt;", lambda: feed(item(1, "&lt;" * 1_000_000)), "ok"),
        Row("XHTML of 10 MB", lambda: ("<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><entry><id>1</id><content type='xhtml'><div>" + "<p>hello</p>" * 900_000 + "</div></content></entry></feed>"), "failed parse_timeout", killed=True),
    ]  # fmt: skip


def encodings() -> list[Row]:
    """B17: bytes that are not the characters they claim to be."""
    caf = "caf\xe9 \u2019s"
    declared = {name: feed(item(1, "Text")).replace("'1.0'", f"'1.0' encoding='{name}'", 1) for name in ("punycode", "unicode_escape", "undefined", "nonsense", "utf-7", "zip")}  # fmt: skip
    return [
        Row("invalid UTF-8", lambda: feed(item(1, "a\udcff\udcc3b")).encode("utf-8", "surrogateescape"), "ok", sound),
        Row("cp1252 called UTF-8", lambda: feed(item(1, caf)).encode("cp1252"), "ok", first(lambda entry: entry.text == caf)),
        Row("UTF-16 with a mark", lambda: feed(item(1, caf)).encode("utf-16"), "ok", first(lambda entry: entry.text == caf)),
        *(Row(f"encoding {name!r}", lambda body=body: body, "ok", first(lambda entry: entry.text == "Text")) for name, body in declared.items()),
        Row("NUL and controls", lambda: feed(item(1, "a\0b\x01c\x1b[2Jd\x85e")), "ok", sound),
        Row("lone surrogates", lambda: feed(item(1, "a&#xD800;b&#55296;")), "ok", sound),
        Row("U+FFFE", lambda: feed(item(1, "a\ufffe\uffffb")), "ok", sound),
        Row("1 MB of combining marks", lambda: feed(item(1, "e" + "\u0301" * 500_000)), "ok", sound),
        Row("bidi overrides and zero width", lambda: feed(item(1, "\u202eabc\u202c \u200bsus\u200bpended")), "ok", first(lambda entry: "\u202e" in entry.text)),
    ]  # fmt: skip


def sizes() -> list[Row]:
    """B18: more than anybody reads."""
    capped = first(lambda entry: len(entry.text) == ReadOptions().max_entry_characters)
    return [
        Row("100,000 entries", many, "ok", newest),
        Row("100,000 entries, oldest first", lambda: many(dates=-1), "ok", newest),
        Row("100,000 entries and a cache's note", lambda: many() + "<!-- cached -->", "ok", newest),
        Row("100,000 entries, comments between", lambda: many(gap="<!-- <item> -->"), "ok", newest),
        Row("one entry of 10 MB", lambda: feed(item(1, "&lt;p&gt;hello&lt;/p&gt;" * 450_000), item(2)), "ok", lambda shown: capped(shown) and shown.entries[1].text == "Text"),
        Row("one entry of 10 MB in CDATA", lambda: feed(item(1, f"<![CDATA[{'hello <b>you</b> ' * 600_000}]]>")), "ok", capped),
        Row("one plain entry of 10 MB in CDATA", lambda: feed(item(1, f"<![CDATA[{'hello you ' * 1_000_000}]]>"), item(2)), "ok", lambda shown: capped(shown) and len(shown.entries) == 2),
        Row("a title of 1 MB", lambda: feed(item(1, title="T" * (1 << 20))), "ok", first(lambda entry: len(entry.title) == ReadOptions().max_title_characters)),
        Row("10,000 tags", lambda: feed(item(1, more="".join(f"<category>c{n}</category>" for n in range(10_000)))), "ok", first(lambda entry: len(entry.tags) == 100), dear=True),
        Row("5,000 images", lambda: feed(item(1, "&lt;img src='a.png' alt='x'/&gt;" * 5_000 + "Text")), "ok", first(lambda entry: entry.text == "Text")),
        Row("100,000 posts in JSON", lambda: json.dumps({"posts": [{"id": str(n), "title": "T", "date": 1_481_809_620 - n} for n in range(MANY)]}), "ok", newest, JSON),
        Row("100,000 posts in JSON, oldest first", lambda: json.dumps({"posts": [{"id": str(n), "title": "T", "date": 1_481_809_620 - n} for n in reversed(range(MANY))]}), "ok", newest, JSON),
        Row("10,000 elements, oldest first", lambda: page(*(f"<p class=u data-id={n}><time datetime='2016-12-{15 - n // 1440:02}T{23 - n % 1440 // 60:02}:{59 - n % 60:02}:00Z'></time>Text {n}</p>" for n in reversed(range(10_000)))), "ok", newest, ReadOptions(kind="page", select={"entry": "p.u", "id": "@data-id"})),
    ]  # fmt: skip


def times() -> list[Row]:
    """B19: times that are none."""
    dated = [("no date", "", undated), ("1970", "Thu, 01 Jan 1970 00:00:00 GMT", None), ("ten years ahead", "Thu, 15 Dec 2036 13:47:00 GMT", None), ("no such day", "Thu, 31 Feb 2016 25:61:00 GMT", undated), ("a two-digit year", "15 Dec 16 13:47 GMT", None), ("huge digits", "9" * 5_000, undated), ("an hour that does not exist", "Sun, 27 Mar 2016 02:30:00 +0100", None), ("words", "yesterday, perhaps", None), ("another language", "jeu., 15 d\xe9c. 2016 13:47:00 +0100", None)]  # fmt: skip
    return [
        Row(f"a date that is {name}", lambda text=text: feed(item(1, more=f"<pubDate>{text}</pubDate>")), "ok", check)
        for name, text, check in dated
    ]


def data() -> list[Row]:
    """B20, B21: JSON and JSON-LD."""
    good = json.dumps({"@type": "LiveBlogPosting", "liveBlogUpdate": [{"@type": "BlogPosting", "@id": "#1", "headline": "T", "articleBody": "Text", "datePublished": "2016-12-15T13:47:00Z"}]})  # fmt: skip
    one = lambda snapshot: [entry.text for entry in snapshot.entries] == ["Text"]  # noqa: E731
    script = "<script type='application/ld+json'>{}</script>".format
    return [
        Row("NaN", lambda: posts(likes="NaN"), "failed not_json", options=JSON),
        Row("1e999", lambda: posts(date="1e999"), "ok", undated, JSON),
        Row("5,000 digits", lambda: posts(date="9" * 5_000), "failed not_json", options=JSON),
        Row("a member twice", lambda: posts(title='"A", "title": "B"'), "ok", first(lambda entry: entry.title == "B"), JSON),
        Row("an array instead of an object", lambda: "[1, 2, 3]", "failed layout_changed", options=JSON),
        Row("an object instead of an array", lambda: '{"posts": {"a": 1}}', "failed layout_changed", options=JSON),
        Row("JSON with a byte-order mark", lambda: "\ufeff" + posts(), "ok", options=JSON),
        Row("JSON a line", lambda: posts() + "\n" + posts(), "failed not_json", options=JSON),
        Row("JSONP", lambda: f"callback({posts()});", "failed not_json", options=JSON),
        Row("JSON-LD that is broken among good", lambda: page(script('{"@type": '), script(good)), "ok", one),
        Row("JSON-LD in a graph", lambda: page(script(f'{{"@graph": [{{"@type": "WebPage"}}, {good}]}}')), "ok", one),
        Row("JSON-LD in a comment", lambda: page(script(f"<!-- {good} -->")), "ok", one),
        Row("JSON-LD without updates", lambda: page(script('{"@type": "LiveBlogPosting"}')), "failed no_entries"),
        Row("a selector that finds nothing", lambda: page("<p>Text"), "failed layout_changed", options=ReadOptions(kind="page", select={"entry": "article.update"})),
    ]  # fmt: skip


def rows() -> list[Row]:
    """Every row."""
    return [*walls(), *entities(), *depths(), *encodings(), *sizes(), *times(), *data()]


def body_of(row: Row) -> bytes:
    """Return the document's bytes."""
    made = row.make()
    return made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass")
