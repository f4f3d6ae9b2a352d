"""What other programs hold on to: the names of the package, and that naming them costs nothing until they are used."""

import subprocess
import sys

import pytest

import monitor

PUBLIC = {
    "Alert", "Delta", "Entry", "Monitor", "MonitorError", "Ruleset", "compile_rules", "parse", "replay", "subscribe",
}  # fmt: skip
HEAVY = ("sqlalchemy", "aiohttp", "redis", "pydantic", "feedparser", "simplemma", "rich", "structlog", "apscheduler")


def test_the_public_api_is_exactly_this():
    assert set(monitor.__all__) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_documented(name):
    assert getattr(monitor, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        monitor.nothing_of_that_name  # noqa: B018


@pytest.mark.parametrize("command", [["--help"], ["parse", "--help"], ["run", "--help"], ["tail", "--help"]])
def test_help_loads_no_heavy_library(command):
    script = (
        "import sys; from monitor.cli import run_command_line; "
        f"code = run_command_line({command!r}); "
        f"print([name for name in {HEAVY!r} if name in sys.modules], code, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip().splitlines()[-1] == "[] 0"


def test_parse_returns_entries_in_page_order():
    page = b"LIVE\n\n\n3:47 pm\n\nLater\n\nSecond thing.\n\n\n3:10 pm\n\nEarlier\n\nFirst thing.\n"
    entries = monitor.parse(page, timezone="Asia/Damascus")
    assert [(entry.position, entry.title, entry.text) for entry in entries] == [
        (0, "Later", "Second thing."),
        (1, "Earlier", "First thing."),
    ]


def test_parse_of_nothing_readable_says_so():
    with pytest.raises(monitor.MonitorError):
        monitor.parse(b"\x00\x01\x02")


def test_replay_returns_the_changes_of_each_poll(tmp_path):
    import os

    old = "LIVE\n\n\n3:10 pm\n\nEarlier\n\nFirst thing happened at the brigde.\n"
    new = "LIVE\n\n\n3:47 pm\n\nLater\n\nSecond thing.\n\n\n3:10 pm\n\nEarlier\n\nFirst thing happened at the bridge.\n"
    for number, text in enumerate((old, new)):
        path = tmp_path / f"{number}.txt"
        path.write_text(text)
        os.utime(path, (1_700_000_000 + number * 60,) * 2)
    first, second = monitor.replay([tmp_path])
    assert (len(first.baseline), len(first.deltas)) == (1, 0)
    assert sorted(delta.change.type for delta in second.deltas) == ["edited", "new"]
