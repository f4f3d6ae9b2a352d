"""Every Slack message form keeps every limit of Block Kit, says what changed, and a correction finds its message."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from monitor.sinks import Delivered, GiveUp, Retry
from monitor.sinks.slack_blocks import cut

TEXTS = {
    "short": 'evacuation has been "suspended"',
    "long": "suspended " * 20_000,
    "emoji": "👩‍👩‍👧‍👦" * 4_000,
    "empty": "",
}


def styled(payload, style):
    """The texts of a message that carry a style."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            if value.get("style") and isinstance(value["style"], dict) and value["style"].get(style):
                found.append(value.get("text"))
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(payload)
    return found


@pytest.fixture
def hook(sink_of):
    return sink_of("slack")


@pytest.fixture
def bot(sink_of):
    return sink_of("slack-bot")


@pytest.mark.parametrize("name", TEXTS)
def test_every_form_keeps_every_limit_of_block_kit(hook, newsroom, name, block_kit):
    forms = newsroom.forms(TEXTS[name], title=TEXTS[name][:4_000] or None)
    for form, notice in forms.items():
        payload = json.loads(hook.render(notice).body)
        assert block_kit(payload["blocks"]), form
        assert 1 <= len(payload["text"]) <= 300 * 5
        plain = json.loads(hook.render(notice).plain)
        assert set(plain) == {"text"}


def test_an_edit_shows_removed_words_struck_and_added_words_bold(hook, newsroom):
    from monitor.model import FieldChange

    alert = newsroom.alert(kind="edited", old="has been suspecnded")
    diff = (("=", "has been "), ("-", "suspecnded"), ("+", "suspended"))
    change = replace(alert.delta.change, changes=(FieldChange("text", diff),))
    alert = replace(alert, delta=replace(alert.delta, change=change))
    payload = json.loads(hook.render(newsroom.notice(alert)).body)
    assert styled(payload, "strike") == ["suspecnded"]
    assert "suspended" in styled(payload, "bold")


def test_the_matched_words_of_a_new_entry_are_bold(hook, newsroom):
    payload = json.loads(hook.render(newsroom.notice()).body)
    assert "suspended" in styled(payload, "bold")


def test_a_match_beyond_what_is_left_of_a_cut_text_still_shows_words(hook, newsroom):
    from monitor.model import Match

    alert = replace(newsroom.alert("words " * 500), matches=(Match("text", 90_000, 90_009, "suspended", "suspended"),))
    payload = json.loads(hook.render(newsroom.notice(alert)).body)
    assert "words words" in json.dumps(payload)


def test_source_times_lag_rule_and_revision_are_there(hook, newsroom):
    context = json.loads(hook.render(newsroom.notice()).body)["blocks"][-3]["elements"][0]["text"]
    for fact in (
        "Aleppo live",
        "published 12:07 pm",
        "seen 12:00:00 UTC (+21 s)",
        "rule evacuation-halted",
        "revision 2",
    ):
        assert fact in context


def test_buttons_open_the_entry_and_the_blog(hook, newsroom):
    blocks = json.loads(hook.render(newsroom.notice()).body)["blocks"]
    (actions,) = [block for block in blocks if block["type"] == "actions"]
    assert [(one["text"]["text"], one["url"]) for one in actions["elements"]] == [
        ("Open entry", "https://example.org/live#e1"),
        ("Open live blog", "https://example.org/live"),
    ]


def test_one_address_is_one_button(hook, newsroom):
    alert = newsroom.alert(url="https://example.org/live")
    blocks = json.loads(hook.render(newsroom.notice(alert)).body)["blocks"]
    (actions,) = [block for block in blocks if block["type"] == "actions"]
    assert [one["text"]["text"] for one in actions["elements"]] == ["Open entry"]


def test_an_edited_title_shows_what_went_and_what_came_beside_the_text(hook, newsroom):
    from monitor.model import FieldChange

    alert = newsroom.alert("Buses wait at the gate, suspended.", kind="edited", old="x", title="Convoy halted")
    titles = (("=", "Convoy "), ("-", "moves"), ("+", "halted"))
    texts = (("=", "Buses "), ("-", "leave the gate"), ("+", "wait at the gate, suspended"), ("=", "."))
    changes = (FieldChange("title", titles), FieldChange("text", texts))
    alert = replace(alert, delta=replace(alert.delta, change=replace(alert.delta.change, changes=changes)))
    payload = json.loads(hook.render(newsroom.notice(alert)).body)
    assert styled(payload, "strike") == ["moves", "leave the gate"]
    assert styled(payload, "bold") == ["halted", "wait at the gate, suspended"]


def test_the_rules_note_stands_first_and_once_and_never_on_a_correction(hook, newsroom):
    noted = [newsroom.alert(note="Call the crisis desk.") for _ in range(3)]
    said = hook.render(newsroom.notice(*noted)).body.decode()
    assert said.count("Call the crisis desk.") == 1
    blocks = json.loads(hook.render(newsroom.notice(noted[0])).body)["blocks"]
    assert blocks[1]["elements"][0]["elements"][0]["text"] == "Call the crisis desk."
    assert "Call the crisis desk." not in json.dumps(blocks[2:])
    back = newsroom.alert(
        "resumed", kind="retracted", old="suspended", corrects="x", note="the entry no longer says it"
    )
    assert hook.render(newsroom.notice(back)).body.decode().count("no longer says it") == 1


def test_when_it_was_seen_is_told_in_the_publishers_zone(hook, newsroom):
    from datetime import timedelta, timezone

    from monitor.model import Stamp

    alert = newsroom.alert()
    there = timezone(timedelta(hours=3))
    entry = replace(alert.delta.change.entry, published=Stamp(newsroom.now.astimezone(there), "3:00 pm"))
    alert = replace(alert, delta=replace(alert.delta, change=replace(alert.delta.change, entry=entry)))
    assert "published 3:00 pm · seen 15:00:00 UTC+03:00 (+0 s)" in hook.render(newsroom.notice(alert)).body.decode()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("12:07 pm", "published 12:07 pm"),
        ("2026-03-02T11:59:39Z", "published 11:59"),
        ("Mon, 02 Mar 2026 11:59:39 GMT", "published 11:59"),
    ],
)
def test_when_it_was_published_is_told_as_people_say_it(hook, newsroom, written, told):
    from monitor.model import Stamp

    alert = newsroom.alert()
    published = Stamp(alert.delta.change.entry.published_at, written)
    entry = replace(alert.delta.change.entry, published=published)
    alert = replace(alert, delta=replace(alert.delta, change=replace(alert.delta.change, entry=entry)))
    assert f"{told} · seen" in hook.render(newsroom.notice(alert)).body.decode()


@pytest.mark.parametrize("kind", ["slack", "slack-bot", "email", "terminal", "apprise"])
def test_several_corrections_in_one_message_say_that_they_are_corrections(sink_of, newsroom, kind):
    from monitor.sinks.words import subject

    back = [newsroom.alert("x", kind="retracted", old="suspended", corrects=f"{number}") for number in range(3)]
    notice = newsroom.notice(*back, form="corrected")
    assert subject(notice) == "CORRECTED evacuation-halted: 3 of its alerts from aleppo"
    assert b"CORRECTED" in sink_of(kind).render(notice).body


def test_of_many_the_gravest_are_shown_in_full_and_the_named_ones_are_linked(hook, newsroom):
    many = [newsroom.alert("suspended", title=f"Convoy {number}") for number in range(12)]
    many.append(newsroom.alert("suspended", title="The last convoy", severity="critical"))
    notice = newsroom.notice(*many)
    assert [item.alert.delta.change.entry.title for item in notice.full][-1] == "The last convoy"
    assert len(notice.full) == 10
    (listed,) = [
        part
        for block in json.loads(hook.render(notice).body)["blocks"]
        for part in block.get("elements", ())
        if part["type"] == "rich_text_list"
    ]
    named = [one["elements"][0] for one in listed["elements"]]
    assert {one["text"] for one in named} == {f"Aleppo live: Convoy {number}" for number in (9, 10, 11)}
    assert {one["url"] for one in named} == {"https://example.org/live#e1"}


def test_a_removed_entry_is_struck_and_not_linked(hook, newsroom):
    payload = json.loads(hook.render(newsroom.forms()["corrected-removed"]).body)
    assert any("suspended" in text for text in styled(payload, "strike"))
    assert "live#e1" not in json.dumps(payload)


def test_nobody_is_called_unless_the_rule_asks(hook, newsroom):
    called = json.loads(hook.render(newsroom.notice(mention="here")).body)
    assert {"type": "broadcast", "range": "here"} in called["blocks"][1]["elements"][0]["elements"]
    assert "broadcast" not in hook.render(newsroom.notice()).body.decode()


def test_a_digest_shows_ten_in_full_and_names_the_rest(hook, newsroom):
    payload = json.loads(hook.render(newsroom.forms()["digest"]).body)
    said = json.dumps(payload, ensure_ascii=False)
    assert "+27 more" in said
    assert "and 7 more" in said
    assert "late" in payload["blocks"][0]["text"]["text"]


def test_text_is_cut_between_letters_never_inside_one():
    family = "👩‍👩‍👧‍👦"
    assert cut("ab" + family, 4) == "ab…"
    assert cut("e\u0301e\u0301e\u0301", 4) == "e\u0301…"
    assert cut("abc", 3) == "abc"
    assert len(cut("a\u0301" * 500, 50)) <= 50


async def test_a_200_that_is_not_ok_did_not_arrive(hook, newsroom, letter, http):
    http.answer(200, "<html>proxy</html>")
    assert isinstance(await hook.send(letter(hook, newsroom.notice())), Retry)
    await hook.close()


@pytest.mark.parametrize(
    ("status", "body", "disable"),
    [(403, "action_prohibited", True), (404, "no_service", True), (410, "channel_is_archived", True)],
)
async def test_slacks_own_words_name_the_reason(hook, newsroom, letter, http, status, body, disable):
    http.answer(status, body)
    outcome = await hook.send(letter(hook, newsroom.notice()))
    assert isinstance(outcome, GiveUp)
    assert outcome.disable == disable
    assert body in outcome.reason
    await hook.close()


@pytest.mark.parametrize(
    ("error", "kind", "simpler", "disable"),
    [
        ("ratelimited", Retry, False, None),
        ("internal_error", Retry, False, None),
        ("msg_blocks_too_long", Retry, True, None),
        ("invalid_blocks", Retry, True, None),
        ("invalid_auth", GiveUp, None, True),
        ("channel_not_found", GiveUp, None, True),
        ("<script>", GiveUp, None, True),
    ],
)
async def test_the_web_apis_errors_are_told_apart(bot, newsroom, letter, http, error, kind, simpler, disable):
    http.answer(200, json.dumps({"ok": False, "error": error}))
    outcome = await bot.send(letter(bot, newsroom.notice()))
    assert isinstance(outcome, kind)
    assert getattr(outcome, "simpler", None) == simpler
    assert getattr(outcome, "disable", None) == disable
    assert "<" not in outcome.reason
    await bot.close()


async def test_a_bots_correction_updates_its_message_and_answers_in_its_thread(bot, newsroom, letter, http, block_kit):
    fired = newsroom.alert()
    first = await bot.send(letter(bot, newsroom.notice(fired)))
    assert isinstance(first, Delivered)
    taken_back = newsroom.alert("resumed", kind="retracted", old="suspended", corrects=fired.id)
    notice = newsroom.notice(taken_back, answers=first.receipt, corrected=(fired,))
    outcome = await bot.send(letter(bot, notice))
    await bot.close()
    posted, updated, answered = http.heard
    assert [heard.path for heard in http.heard] == [
        "/api/chat.postMessage",
        "/api/chat.update",
        "/api/chat.postMessage",
    ]
    assert updated.json["ts"] == answered.json["thread_ts"] == "1.0"
    assert answered.json["reply_broadcast"] is True
    assert block_kit(updated.json["blocks"])
    assert "Corrected" in json.dumps(updated.json["blocks"][1])
    assert "suspended" in styled(updated.json["blocks"], "strike")
    assert posted.headers["Authorization"].startswith("Bearer xoxb-")
    assert json.loads(outcome.revised)["blocks"] == updated.json["blocks"]


async def test_a_correction_is_posted_even_if_the_first_message_was_deleted(bot, newsroom, letter, http):
    first = await bot.send(letter(bot, newsroom.notice()))
    notice = newsroom.notice(
        newsroom.alert("resumed", kind="retracted", old="suspended", corrects="x"), answers=first.receipt
    )
    http.answer(200, json.dumps({"ok": False, "error": "message_not_found"}))
    assert isinstance(await bot.send(letter(bot, notice)), Delivered)
    await bot.close()
