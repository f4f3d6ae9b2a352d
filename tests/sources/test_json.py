"""JSON by JMESPath, and the JSON of live-blog systems with what they delete."""

import json

import pytest

URL = "https://api.news.example/api/client_blogs/9/posts?page=1"


def test_expressions_from_the_settings_give_the_entries(reading):
    body = {
        "features": [
            {
                "id": "ak1",
                "properties": {
                    "title": "M 3.2",
                    "place": "58 km E",
                    "mag": 3.2,
                    "time": 1773140700123,
                    "url": "https://quakes.example/ak1",
                },
            }
        ]
    }
    select = {
        "entry": "features[]",
        "id": "id",
        "title": "properties.title",
        "text": "join(' ', [properties.place, to_string(properties.mag)])",
        "time": "properties.time",
        "url": "properties.url",
    }
    snapshot = reading(json.dumps(body), select=select).snapshot
    entry = snapshot.entries[0]
    assert (snapshot.kind, entry.native_id, entry.title, entry.text, entry.url) == (
        "json",
        "ak1",
        "M 3.2",
        "58 km E 3.2",
        "https://quakes.example/ak1",
    )
    assert entry.published_at.isoformat() == "2026-03-10T11:05:00+00:00"


@pytest.mark.parametrize(
    "time", [1773140700, 1773140700123, "1773140700", "2026-03-10T11:05:00Z", "10 March 2026 11:05", "11:05"]
)
def test_times_are_counts_or_words(entries, time):
    assert (
        entries(json.dumps([{"t": "x", "w": time}]), kind="json", select={"entry": "@", "text": "t", "time": "w"})[
            0
        ].published_at.minute
        == 5
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
        (["One.", "Two."], "One.\n\nTwo."),
        ({"rendered": "<p>One.</p>"}, "One."),
        ("a < b", "a < b"),
        (7, "7"),
        (None, ""),
    ],
)
def test_texts_may_be_markup_or_plain(entries, text, plain):
    assert (
        entries(
            json.dumps([{"h": "Title", "t": text}]), kind="json", select={"entry": "[]", "title": "h", "text": "t"}
        )[0].text
        == plain
    )


def test_members_marked_as_deleted_are_tombstones(reading):
    snapshot = reading(
        json.dumps([{"i": 1, "t": "x"}, {"i": 2, "t": "y", "gone": True}]),
        kind="json",
        select={"entry": "[]", "id": "i", "text": "t", "deleted": "gone"},
    ).snapshot
    assert ([entry.native_id for entry in snapshot.entries], snapshot.deleted) == (["1"], ("2",))


def test_a_list_with_the_usual_names_needs_no_settings(reading):
    found = reading(
        json.dumps(
            {
                "data": {
                    "posts": [
                        {"id": 1, "headline": "One", "body": "<p>Text.</p>", "created_at": "2026-03-10T11:05:00Z"}
                    ]
                }
            }
        )
    )
    assert [(entry.native_id, entry.title, entry.text) for entry in found.snapshot.entries] == [("1", "One", "Text.")]
    assert found.chosen.startswith("json: ")


@pytest.mark.parametrize(
    ("body", "select", "code"),
    [("{", {}, "truncated"), ('{"a": NaN}', {}, "not_json"), ('{"a": 1}', {}, "no_entries"), ('{"a": 1}', {"entry": "posts"}, "layout_changed"), ('{"a": 1}', {"entry": "posts[["}, "bad_selector"), ("{" * 3000 + "}" * 3000, {}, "not_json"), ('{"a": ' + "[" * 90000 + "]" * 90000 + "}", {}, "not_json"), ('{"id": ' + "9" * 6000 + "}", {}, "not_json")],
)  # fmt: skip
def test_what_cannot_be_read_is_told(reading, body, select, code):
    found = reading(body, select=select)
    assert (found.verdict.kind, found.verdict.code) == ("failed", code)


def test_an_expression_that_finds_nothing_is_named(reading):
    assert reading(
        json.dumps([{"t": "x"}]), kind="json", select={"entry": "[]", "text": "t", "id": "uid"}
    ).snapshot.remarks == ("the id expression 'uid' finds nothing in any entry",)


def test_nul_and_lone_surrogates_never_leave_the_reader(entries):
    entry = entries('[{"id": "a\\u0000b", "text": "x\\ud800y", "time": 1773140700, "title": "\\udfff"}]')[0]
    assert (entry.native_id, entry.text, entry.title) == ("ab", "x\ufffdy", "\ufffd")


def test_sourcefabric_posts_are_entries_and_deletions(reading):
    def post(id_, **known):
        items = [
            {"item": {"item_type": "text", "text": "<p>One.</p>"}},
            {"item": {"item_type": "quote", "meta": {"quote": "All quiet", "credit": "The mayor"}}},
        ]
        return {
            "_id": id_,
            "published_date": "2026-03-10T11:05:00+00:00",
            "content_updated_date": "2026-03-10T11:06:00+00:00",
            "post_status": "open",
            "sticky": False,
            "original_creator": {"display_name": "A. Writer"},
            "groups": [{"id": "root", "refs": [{"idRef": "main"}]}, {"id": "main", "refs": items}],
            **known,
        }

    body = {
        "_items": [post("p1"), post("p2", sticky=True), post("p3", deleted=True), post("p4", post_status="submitted")],
        "_links": {"next": {"href": "client_blogs/9/posts?page=2"}},
        "_meta": {"total": 40},
    }
    found = reading(json.dumps(body), url=URL)
    snapshot = found.snapshot
    assert [(entry.native_id, entry.text, entry.pinned, entry.author) for entry in snapshot.entries] == [
        ("p1", "One.\n\nAll quiet\n\nThe mayor", False, "A. Writer"),
        ("p2", "One.\n\nAll quiet\n\nThe mayor", True, "A. Writer"),
    ]
    assert (snapshot.deleted, snapshot.next_url, snapshot.entries[0].updated_at.minute) == (
        ("p3", "p4"),
        "https://api.news.example/api/client_blogs/9/posts?page=2",
        6,
    )
    assert "Sourcefabric" in found.chosen


def test_automattic_rows_of_one_post_are_one_entry(reading):
    rows = [
        {
            "id": "1",
            "type": "new",
            "render": "<p>suspecnded</p>",
            "timestamp": 1773140700,
            "entry_time": 1773140700,
            "authors": [{"name": "A. Writer"}],
        },
        {"id": "2", "type": "new", "render": "<p>two</p>", "timestamp": 1773140710, "entry_time": 1773140710},
        {
            "id": "1",
            "type": "update",
            "render": "<p>suspended</p>",
            "timestamp": 1773140760,
            "entry_time": 1773140700,
            "share_link": "https://news.example/live#liveblog-entry-1",
        },
        {"id": "2", "type": "delete", "timestamp": 1773140770},
    ]
    for order in (rows, rows[::-1]):
        snapshot = reading(json.dumps({"entries": order, "latest_timestamp": 1773140770})).snapshot
        assert [(entry.native_id, entry.text) for entry in snapshot.entries] == [("1", "suspended")]
        assert snapshot.deleted == ("2",)
    assert (snapshot.entries[0].published_at.minute, snapshot.entries[0].updated_at.minute) == (5, 6)


@pytest.mark.parametrize(("page", "following"), [(1, "2"), (2, "3"), (3, None)])
def test_automattic_pages_lead_to_the_older_one_until_the_last(reading, page, following):
    body = {
        "entries": [{"id": "1", "type": "new", "render": "<p>one</p>", "timestamp": 1773140700}],
        "page": page,
        "pages": 3,
    }
    url = "https://news.example/wp-json/liveblog/v1/7/get-entries/{}/9-1773140700"
    found = reading(json.dumps(body), url=url.format(page)).snapshot
    assert found.next_url == (url.format(following) if following else None)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda blocks: {
            "response": {
                "content": {
                    "webUrl": "https://guardian.example/live/x",
                    "webTitle": "Harbour live",
                    "blocks": {"body": blocks},
                }
            }
        },
        lambda blocks: {"blocks": blocks, "webTitle": "Harbour live", "webUrl": "https://guardian.example/live/x"},
    ],
)
def test_guardian_blocks_are_entries(reading, wrap):
    blocks = [
        {
            "id": "abc1",
            "title": "Ferries stop",
            "bodyHtml": "<p>One.</p>",
            "firstPublishedDate": "2026-03-10T11:05:00Z",
            "lastModifiedDate": "2026-03-10T11:09:00Z",
            "attributes": {"pinned": True},
            "published": True,
            "contributors": [{"name": "A. Writer"}],
        },
        {
            "id": "abc2",
            "elements": [{"_type": "x.TextBlockElement", "html": "<p>Two.</p>"}, {"_type": "x.ImageBlockElement"}],
            "blockFirstPublished": 1773140400000,
            "attributes": {},
        },
        {"id": "abc3", "bodyHtml": "<p>Withdrawn.</p>", "published": False},
    ]
    snapshot = reading(json.dumps(wrap(blocks))).snapshot
    first, second = snapshot.entries
    assert (first.native_id, first.title, first.text, first.pinned, first.author) == (
        "abc1",
        "Ferries stop",
        "One.",
        True,
        "A. Writer",
    )
    assert first.url == "https://guardian.example/live/x?page=with:block-abc1#block-abc1"
    assert (second.native_id, second.text, second.published_at.minute) == ("abc2", "Two.", 0)
    assert (snapshot.deleted, snapshot.title) == (("abc3",), "Harbour live")


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_too_many_entries_the_newest_are_read(reading, newest_first):
    posts = [{"id": n, "text": "x", "time": 1773140700 - n} for n in range(90)]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {"id": n, "content_text": "x", "date_published": f"2026-03-10T11:{59 - n % 60:02}:00Z"} for n in range(59)
        ],
    }
    if not newest_first:
        posts.reverse()
        feed["items"].reverse()
    for body in (posts, feed):
        snapshot = reading(json.dumps(body), max_entries=3).snapshot
        assert {entry.native_id for entry in snapshot.entries} == {"0", "1", "2"}
        assert snapshot.remarks


@pytest.mark.parametrize(
    "body",
    [
        [{"id": 5, "date": "2026-03-10T12:05:00", "date_gmt": "2026-03-10T11:05:00", "title": {"rendered": "Boats &amp; ferries"}, "content": {"rendered": "<p>They stop.</p>"}}],
        {"data": {"posts": {"edges": [{"node": {"id": "5", "title": "Boats & ferries", "body": "They stop.", "createdAt": "2026-03-10T11:05:00Z"}}]}}},
        {"hits": [{"_source": {"id": "5", "headline": "Boats & ferries", "text": "They stop.", "published": "2026-03-10T11:05:00Z"}}]},
        {"version": "1.0", "items": [{"id": "5", "title": "Boats & ferries", "content_html": "<p>They stop.</p>", "date_published": "2026-03-10T11:05:00Z"}]},
    ],
    ids=["WordPress posts", "GraphQL edges", "search hits", "JSON Feed without its version"],
)  # fmt: skip
def test_common_wrappings_are_read_without_expressions(entries, body):
    entry = entries(json.dumps(body))[0]
    assert (entry.native_id, entry.title, entry.text) == ("5", "Boats & ferries", "They stop.")
    assert entry.published_at.isoformat() == "2026-03-10T11:05:00+00:00"


def test_fields_without_an_expression_are_found_by_their_usual_names(entries):
    body = {"posts": [{"uuid": "a", "words": "They stop.", "timestamp": 1773140700}]}
    entry = entries(json.dumps(body), kind="json", select={"entry": "posts", "text": "words"})[0]
    assert (entry.native_id, entry.text, entry.published_at.isoformat()) == (
        "a",
        "They stop.",
        "2026-03-10T11:05:00+00:00",
    )
