"""`monitor top` on a terminal and off it."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pexpect
import pytest
from rich.cells import cell_len

from monitor.cli.top_rows import WIDE, sparkline, table
from monitor.daemon.report import Report, source_report
from monitor.model import Change, ChangeType, Delta, Entry, Significance, SourceRef
from monitor.store import Backlog, Counts, PollCommit, PollState, Store
from monitor.store.history import activity

NOW = datetime.now(UTC).replace(microsecond=0)
SETTINGS = """\
version: 1
state_dir: STATE
sources:
  one: {url: one.txt}
  two: {url: two.txt}
"""


def change(type_, number):
    entry = Entry(title=f"entry {number}", text="It went on.", position=0)
    significance = Significance.MINOR if type_ is ChangeType.EDITED else None
    return Change(type=type_, entry_id=f"e{number}", revision=1, entry=entry, significance=significance)


async def fill(path, ages_minutes, **poll):
    ref = SourceRef(id="one", title=None, url=None)
    state = PollState(verdict_kind="ok", last_ok_at=NOW, interval=15.0, late=12.0, **poll)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    async with await Store.open(str(path)) as store:
        await store.ensure_sources([ref, SourceRef(id="two", title=None, url=None)], NOW)
        for number, age in enumerate(ages_minutes):
            seen_at = NOW - timedelta(minutes=age)
            made = change(ChangeType.NEW, number)
            delta = Delta(ref, 1, number + 1, seen_at, made)
            done = PollCommit(ref, number, changes=(made,), deltas=(delta,), memory=b"m", poll=state, seen_at=seen_at)
            await store.commit(done)


@pytest.fixture(autouse=True)
def the_hour_before_this_test():
    """Ages count from the test, not from when the module was imported: minutes lie between in a long run."""
    global NOW
    NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def home(daemon, tmp_path, the_hour_before_this_test):
    one = daemon(SETTINGS)
    asyncio.run(fill(tmp_path / "state" / "monitor.db", [90, 40, 5, 5, 1]))
    return one


def test_activity_counts_announced_changes_by_slot_and_leaves_older_ones_out(home, tmp_path):
    async def ask():
        async with await Store.open(str(tmp_path / "state" / "monitor.db"), read_only=True) as store:
            return await store.read(partial(activity, since=NOW - timedelta(hours=1), slot=timedelta(minutes=3)))

    found = asyncio.run(ask())
    assert {(one.source_id, one.type, one.slot, one.count) for one in found} == {
        ("one", ChangeType.NEW, 6, 1),
        ("one", ChangeType.NEW, 18, 2),
        ("one", ChangeType.NEW, 19, 1),
    }


def test_off_a_terminal_it_prints_once(home):
    done = home.command("top", check=True)
    assert "2 sources: 1 ok, 1 waiting" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert next(row for row in rows if "one" in row)[3:7] == ["15s", "4", "·", "·"]
    assert "no daemon runs" in done.stdout
    assert "\x1b" not in done.stdout


def test_as_json_the_last_hour_stands_beside_the_counts_of_all_time(home):
    one, two, daemon = map(json.loads, home.command("top", "--json", check=True).stdout.splitlines())
    assert (one["new"], one["last_hour"]["new"], sum(one["activity"]), one["late_by"]) == (5, 4, 4, 12.0)
    assert two["state"] == "waiting"
    assert daemon["daemon"] == "stopped"


def test_before_the_first_start_every_source_waits_and_no_store_is_made(daemon, tmp_path):
    one = daemon(SETTINGS)
    for command in ("top", "status"):
        done = one.command(command, check=True)
        assert done.stdout.count("not polled yet") == 2
    assert not (tmp_path / "state").exists()


def test_a_terminal_is_refreshed_and_given_back_as_it_was(home):
    child = pexpect.spawn(
        sys.executable,
        ["-m", "monitor", "top", "--every", "0.2", "-c", str(home.config)],
        dimensions=(24, 120),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"},
        encoding="utf-8",
        timeout=20,
    )
    try:
        child.expect_exact("\x1b[?1049h")
        child.expect_exact("no daemon runs")
        child.expect_exact("no daemon runs")  # drawn again
        child.sendintr()
        child.expect_exact("\x1b[?1049l")
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 130


def test_what_a_source_says_cannot_move_the_cursor(daemon, tmp_path):
    one = daemon(SETTINGS)
    asyncio.run(fill(tmp_path / "state" / "monitor.db", [1], code="http", reason="x"))
    asyncio.run(spoil(tmp_path / "state" / "monitor.db"))
    out = one.command("top").stdout
    assert "\x1b" not in out
    assert "\\x1b[2J" in out


async def spoil(path):
    from monitor.store import PollNote

    async with await Store.open(str(path)) as store:
        state = PollState(verdict_kind="failed", reason="gone \x1b[2Jaway", code="http", last_poll_at=NOW)
        await store.note_polls([PollNote("one", state)])


@pytest.mark.parametrize("width", [60, 80, 119, 120, 160])
def test_what_is_wrong_stands_first_and_is_seen_at_any_width(width):
    reason = "no connection within five seconds, and a good deal more to say about why"
    sources = [
        source_report("fine", PollState(verdict_kind="ok", last_ok_at=NOW, interval=15.0), Counts(), NOW),
        source_report("a-name-that-is-longer-than-the-column", PollState(
            verdict_kind="failed", code="connect", reason=reason, since=NOW - timedelta(days=3), last_ok_at=NOW
        ), Counts(), NOW),
    ]  # fmt: skip
    head, first, second = table(Report(NOW, tuple(sources), Backlog(0), 0), {}, width=width, colour=False)
    assert all(cell_len(line) <= width for line in (head, first, second))
    since = (NOW - timedelta(days=3)).astimezone()
    assert f"{since:%Y-%m-%d %H:%M} no" in first or width == 60
    assert first.endswith("…")
    assert second.startswith("o fine")
    assert ("LAST HOUR" in head) == (width >= WIDE)
    assert first.index("20") >= head.index("STATE")


def test_a_source_that_may_be_incomplete_comes_before_those_that_are_well():
    late = PollState(verdict_kind="ok", last_ok_at=NOW, served_age=7200.0, interval=15.0)
    well = PollState(verdict_kind="ok", last_ok_at=NOW)
    reports = [source_report(name, poll, Counts(), NOW) for name, poll in (("well", well), ("frozen", late))]
    _, first, _ = table(Report(NOW, tuple(reports), Backlog(0), 0), {}, width=None, colour=False)
    assert first.startswith("! frozen")
    assert "a cache has served the same copy for 2 h" in first


def test_a_sparkline_fills_its_line_with_the_busiest_slot_and_keeps_lone_changes_low():
    assert sparkline([0, 1, 0]) == "·▂·"
    assert sparkline([0, 8, 4, 1]) == "·█▄▁"
    assert sparkline([0, 0]) == "··"
