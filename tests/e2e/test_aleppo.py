"""The live blog the monitor was first made for, read and followed as it was. The text is its publisher's and stays outside."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

HOME = Path(__file__).parents[3] / "shared" / "data" / "aleppo"
pytestmark = pytest.mark.skipif(not HOME.is_dir(), reason=f"the saved live blog is not at {HOME}")


def squeezed(text):
    return re.sub(r"\s+", " ", text or "").strip()


@pytest.fixture(scope="module")
def truth():
    return json.loads((HOME / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def entries():
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "parse", str(HOME / "live.txt"), "--timezone", "Asia/Damascus",
         "--reference", "2016-12-15T15:55:00+02:00", "--json"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_its_thirteen_entries_are_read_with_title_text_and_instant(entries, truth):
    assert len(entries) == 13
    for shown, wanted in zip(entries, truth["entries"], strict=True):
        assert squeezed(shown["title"]) == squeezed(wanted["title"])
        assert [squeezed(p) for p in shown["text"].split("\n\n")] == [squeezed(p) for p in wanted["body"]]
        assert shown["published_text"] == wanted["time"]
        assert datetime.fromisoformat(shown["published_at"]) == datetime.fromisoformat(
            f"2016-12-15T{wanted['hhmm']}:00+02:00"
        )


def test_the_introduction_is_no_entry_and_the_closing_background_is_kept(entries, truth):
    assert [squeezed(p) for p in entries[0]["page_intro"]] == [squeezed(p) for p in truth["intro"]]
    assert [squeezed(p) for p in entries[-1]["page_background"]] == [squeezed(p) for p in truth["tail"]]


def replayed(tmp_path, *pages, config=None):
    for number, text in enumerate(pages):
        path = tmp_path / f"{number}.txt"
        path.write_text(text, encoding="utf-8")
        moment = datetime.fromisoformat("2016-12-15T15:55:00+02:00").timestamp() + 30 * number
        os.utime(path, (moment, moment))
    words = [
        "replay",
        *(str(tmp_path / f"{n}.txt") for n in range(len(pages))),
        "--timezone",
        "Asia/Damascus",
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *words, *(["-c", str(config)] if config else [])],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_mended_slips_are_one_minor_edit_that_raises_the_alert_once(tmp_path):
    page = (HOME / "live.txt").read_text(encoding="utf-8")
    mended = page.replace("suspecnded", "suspended").replace("injurred", "injured")
    config = tmp_path / "monitor.yaml"
    config.write_text("version: 1\nrules:\n  body-suspended: {match: 'body:suspended', max_age: 0}\n")
    events = replayed(tmp_path, page, mended, mended, config=config)
    told = [event for event in events if event["poll"] and event["type"] != "monitor.poll"]
    assert [event["type"] for event in told] == ["monitor.entry.edited", "monitor.alert.fired"]
    data = told[0]["data"]
    assert data["entry"]["published_text"] == "12:07 pm"
    assert (data["significance"], data["tags"]) == ("minor", ["typo"])
    removed = [text for change in data["changes"] for op, text in change["diff"] if op == "-"]
    added = [text for change in data["changes"] for op, text in change["diff"] if op == "+"]
    assert (removed, added) == (["suspecnded", "injurred"], ["suspended", "injured"])


def test_an_added_and_a_removed_entry_are_told_as_that(tmp_path):
    page = (HOME / "live.txt").read_text(encoding="utf-8")
    start = page.index("11:35 am")
    fewer = page[:start] + page[page.index("11:10 am") :]
    more = fewer.replace("3:47 pm", "3:52 pm\n\nA new line about the buses that left the crossing.\n\n\n3:47 pm", 1)
    events = replayed(tmp_path, page, more, more, more)
    told = [(event["poll"], event["type"]) for event in events if event["poll"] and event["type"] != "monitor.poll"]
    assert told == [(1, "monitor.entry.new"), (2, "monitor.entry.removed")]
