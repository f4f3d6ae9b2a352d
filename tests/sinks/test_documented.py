"""The Slack messages shown in docs/alerts.md are the ones that are sent, and Block Kit takes them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.model import FieldChange

DOCUMENT = Path(__file__).parents[2] / "docs" / "alerts.md"
FORMS = (
    "New entry",
    "Brought in by an edit",
    "Withdrawn",
    "Removed",
    "Digest",
    "The monitor's own words",
    "Bot: corrected",
)


def examples(newsroom, hook, bot):
    """One message of every form, as JSON."""
    fired = newsroom.alert("The evacuation has been “suspended”.", note="Call the crisis desk.")
    edited = newsroom.alert(kind="edited", old="x", title=None, note="brought in by an edit")
    diff = (("=", "The evacuation has been “"), ("-", "suspecnded"), ("+", "suspended"), ("=", "”."))
    change = replace(edited.delta.change, changes=(FieldChange("text", diff),))
    edited = replace(edited, delta=replace(edited.delta, change=change))
    back = newsroom.alert("x", kind="retracted", old="x", corrects=fired.id, note="the entry no longer says it")
    diff = (("=", "The evacuation "), ("-", "has been “suspended”"), ("+", "goes on"), ("=", "."))
    change = replace(back.delta.change, changes=(FieldChange("text", diff),))
    back = replace(back, delta=replace(back.delta, change=change))
    removed = newsroom.alert(
        "The evacuation has been “suspended”.", kind="removed", corrects=fired.id, note="the entry was removed"
    )
    many = [newsroom.alert(f"Convoy {number} suspended.", title=f"Convoy {number} halted") for number in (1, 2, 3)]
    receipt = json.dumps(
        {
            "channel": "C024BE91L",
            "ts": "1772452801.000100",
            "blocks": json.loads(bot.render(newsroom.notice(fired)).body)["post"]["blocks"],
        }
    ).encode()
    sent = {
        "New entry": hook.render(newsroom.notice(fired)),
        "Brought in by an edit": hook.render(newsroom.notice(edited)),
        "Withdrawn": hook.render(newsroom.notice(back, corrected=(fired,))),
        "Removed": hook.render(newsroom.notice(removed, corrected=(fired,))),
        "Digest": hook.render(newsroom.notice(*many, full_items=2)),
        "The monitor's own words": hook.render(newsroom.forms()["words"]),
        "Bot: corrected": bot.render(newsroom.notice(back, corrected=(fired,), answers=receipt)),
    }
    return {form: json.loads(rendered.body) for form, rendered in sent.items()}


def documented() -> dict[str, object]:
    text = DOCUMENT.read_text(encoding="utf-8")
    blocks = re.findall(r"#### ([^\n]+)\n(?:(?!```json).)*```json\n(.*?)```", text, re.DOTALL)
    return {title: json.loads(block) for title, block in blocks}


@pytest.mark.parametrize("form", FORMS)
def test_the_documented_message_is_the_one_that_is_sent(newsroom, sink_of, form):
    assert documented()[form] == examples(newsroom, sink_of("slack"), sink_of("slack-bot"))[form]


@pytest.mark.parametrize("form", FORMS)
def test_block_kit_takes_the_documented_message(block_kit, form):
    message = documented()[form]
    for one in (message, *(message[call] for call in ("post", "update") if call in message)):
        if "blocks" in one:
            block_kit(one["blocks"])
            assert 1 <= len(one["text"]) <= 300
