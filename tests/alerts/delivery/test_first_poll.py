"""What a rule asks for of the entries that are there at a source's first poll, asked of the real program."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

SETTINGS = """
version: 1
state_dir: {state}
sources:
  blog: {{url: {page}, kind: json, select: {{entry: "posts", id: id, title: title, text: text, time: at}}, allow_fast: true}}
rules:
  none: {{match: suspended, notify: [hook]}}
  recent: {{match: suspended, notify: [hook], baseline: fresh, fresh: 10m, severity: critical}}
  all: {{match: suspended, notify: [hook], baseline: digest}}
receivers:
  hook: {{webhook: "{url}/hook", allow_private: true}}
"""


def posts(*ages: float) -> str:
    now = datetime.now(UTC)
    told = [
        {
            "id": f"p{number}",
            "title": f"Post {number}",
            "text": f"Convoy {number} is suspended until further notice.",
            "at": (now - timedelta(minutes=age)).isoformat(),
        }
        for number, age in enumerate(ages)
    ]
    return json.dumps({"posts": told})


async def monitor(settings: Path, *arguments: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", *arguments, "-c", str(settings),
        cwd=Path(__file__).parents[3], env=dict(os.environ), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said
    return said


@pytest.mark.slow
async def test_the_first_poll_tells_what_each_rule_asks_for_and_keeps_the_rest(world, tmp_path):
    page, settings = tmp_path / "posts.json", tmp_path / "monitor.yaml"
    settings.write_text(SETTINGS.format(state=tmp_path / "state", page=page, url=world.receivers.url))
    page.write_text(posts(3, 40, 90))
    await monitor(settings, "run", "--once")
    events = [one.event for one in world.receivers.of("hook")]
    told = {event["data"]["rule"]: event for event in events}
    assert set(told) == {"recent", "all"}
    assert len(events) == 2
    assert told["recent"]["data"]["delta"]["entry"]["native_id"] == "p0"
    assert told["recent"]["data"]["note"] == "the entry was there at the source's first poll"
    assert (told["all"]["type"], told["all"]["data"]["count"]) == ("monitor.alert.digest", 3)
    listed = [json.loads(line) for line in (await monitor(settings, "alerts", "list", "--json")).splitlines()]
    kept = [one for one in listed if one["state"] == "suppressed"]
    assert sorted(one["rule"] for one in kept) == ["none", "none", "none", "recent", "recent"]
    assert {one["reason"] for one in kept} == {"the entry was there at the source's first poll"}


@pytest.mark.slow
async def test_an_entry_told_at_the_first_poll_is_corrected_when_its_words_are_taken_away(world, tmp_path):
    page, settings = tmp_path / "posts.json", tmp_path / "monitor.yaml"
    settings.write_text(SETTINGS.format(state=tmp_path / "state", page=page, url=world.receivers.url))
    page.write_text(posts(3, 40, 90))
    await monitor(settings, "run", "--once")
    before = len(world.receivers.of("hook"))
    page.write_text(posts(3, 40, 90).replace("Convoy 0 is suspended until", "Convoy 0 goes on without"))
    await monitor(settings, "run", "--once")
    later = [one.event for one in world.receivers.of("hook")[before:]]
    assert sorted(event["data"]["rule"] for event in later) == ["all", "recent"]
    assert {event["type"] for event in later} == {"monitor.alert.corrected"}
