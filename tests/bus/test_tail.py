"""monitor tail, as a process on a terminal's other end."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pexpect
import pytest

from monitor.bus import Relay
from monitor.cli.tail import read_since
from monitor.model import Change, ChangeType, Delta, Entry, FieldChange, Outgoing, Revision, Significance, SourceRef
from monitor.wire import encode_delta

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def tail(*words, lines=0, **environment):
    """Run `monitor tail` until it ends or has printed `lines` lines; return (stdout, stderr, exit code)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "tail", *words,
        cwd=ROOT, env={**os.environ, "NO_COLOR": "1", **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(20):
        printed = b"".join([await process.stdout.readline() for _ in range(lines)])
        if lines:
            process.send_signal(signal.SIGINT)
        rest, errors = await process.communicate()
    return printed + rest, errors.decode(), process.returncode


@pytest.fixture(scope="module")
def shared_process(embedded_process):
    """One program is enough here: what differs between programs is tested where it differs."""
    return embedded_process


@pytest.fixture
async def publish(any_server, outbox):
    relay = Relay(any_server.url, outbox)

    async def put(*rows):
        for row in rows:
            outbox.add(row)
        await relay.drain()

    yield put
    await relay.aclose()


async def test_json_lines_are_the_published_bytes(any_server, publish, row):
    rows = [row("a", 1, text="“Nothing” — нет"), row("a", 2), row("b", 1)]
    await publish(*rows)
    out, _, code = await tail("--url", any_server.url, "--since", "0", "--json", "-n", "3")
    assert sorted(out.splitlines()) == sorted(row.payload for row in rows)
    assert code == 0


def edited():
    change = Change(
        ChangeType.EDITED,
        "e1",
        Entry(0, "It is suspended.", "Convoy"),
        2,
        Revision(1, "Convoy", "It is suspecnded."),
        (FieldChange("text", (("=", "It is "), ("-", "suspecnded"), ("+", "suspended"), ("=", "."))),),
        Significance.MINOR,
        ("typo",),
    )
    return Outgoing("deltas", "a", 1, 1, encode_delta(Delta(SourceRef("a"), 1, 1, NOON, change)))


async def test_an_edit_shows_the_words_that_changed(any_server, publish):
    await publish(edited())
    out, _, _ = await tail("--url", any_server.url, "--since", "0", "-n", "1")
    assert "It is [-suspecnded-]{+suspended+}." in out.decode()


async def test_on_a_terminal_changed_words_are_struck_and_bold(any_server, publish):
    await publish(edited())
    words = ["-m", "monitor", "tail", "--url", any_server.url, "--since", "0", "-n", "1"]
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    terminal = pexpect.spawn(sys.executable, words, cwd=ROOT, env={**environment, "TERM": "xterm"}, encoding="utf-8")
    shown = await asyncio.to_thread(terminal.read)
    await asyncio.to_thread(terminal.close)
    assert "\x1b[9;31msuspecnded\x1b[0m\x1b[1;32msuspended\x1b[0m" in shown


async def test_what_a_source_writes_cannot_drive_the_terminal(any_server, publish, row):
    await publish(row(text="\x1b[2Jgone \x9b31m\u202eevil [link=file:///x] [/foo]"))
    out, _, code = await tail("--url", any_server.url, "--since", "0", "-n", "1")
    assert code == 0
    assert not any(character in out.decode() for character in "\x1b\x9b\u202e")


async def test_one_source_from_after_an_id(any_server, publish, row):
    await publish(row("a", 1), row("a", 2), row("a", 3), row("b", 1))
    out, _, _ = await tail("--url", any_server.url, "--source", "a", "--since", "1-1", "--json", "-n", "2")
    assert out.splitlines() == [row("a", 2).payload, row("a", 3).payload]


async def test_a_gap_is_a_line(any_server, publish, client, row):
    await publish(*(row(sequence=n) for n in range(1, 6)))
    await client.command("XTRIM", "monitor:{live}:deltas", "MINID", "1-4")
    out, errors, _ = await tail("--url", any_server.url, "--since", "live/1-1", "-n", "2")
    assert out.decode().splitlines()[0].startswith("··· gap: live")
    out, errors, _ = await tail("--url", any_server.url, "--since", "live/1-1", "-n", "2", "--json")
    assert out.splitlines() == [row(sequence=4).payload, row(sequence=5).payload]
    assert "gap" in errors


async def test_alerts(any_server, publish, alert_row):
    await publish(alert_row(1), alert_row(2))
    out, _, _ = await tail("--url", any_server.url, "--alerts", "--since", "0", "--json", "-n", "2")
    assert out.splitlines() == [alert_row(1).payload, alert_row(2).payload]


async def test_ctrl_c_ends_it_with_130_and_no_traceback(any_server, publish, row):
    await publish(row())
    _, errors, code = await tail("--url", any_server.url, "--since", "0", "--json", lines=1)
    assert (errors.strip(), code) == ("", 130)


async def test_a_server_that_is_not_there_ends_it_with_69(short_dir):
    _, errors, code = await tail("--url", f"unix://{short_dir}/none.sock")
    assert code == 69
    assert "no connection" in errors


async def test_an_outage_and_its_end_are_told(server, outbox, row, relaying):
    relay = await relaying(server.url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "tail", "--url", server.url, "--since", "0", "--json",
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(20):
        outbox.add(row(sequence=1))
        relay.wake()
        assert (await process.stdout.readline()).rstrip() == row(sequence=1).payload
        os.kill(server.pid, signal.SIGSTOP)
        os.kill(server.pid, signal.SIGKILL)
        outbox.add(row(sequence=2))
        assert (await process.stdout.readline()).rstrip() == row(sequence=2).payload
    process.send_signal(signal.SIGINT)
    await process.communicate()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (None, None),
        ("0", "0"),
        ("1-42", "1-42"),
        ("live/1-42", "live/1-42"),
        ("10m", NOON - timedelta(minutes=10)),
        ("2 h", NOON - timedelta(hours=2)),
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
    ],
)
def test_since_is_an_id_a_time_or_how_long_ago(text, meaning):
    assert read_since(text, NOON) == meaning


@pytest.mark.parametrize("text", ["yesterday", "1-", "live/", "m10", ""])
def test_any_other_since_is_refused(text):
    with pytest.raises(click.BadParameter):
        read_since(text, NOON)
