"""A parse can be stopped, and whatever it does stays its own source's matter."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from monitor.fetch import ParseWorker, ParseWorkerSettings
from monitor.model import Document, Reading, ReadOptions, VerdictKind

READER = "tests.fetch.readers:read"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
async def worker():
    async with ParseWorker(ParseWorkerSettings(processes=1, deadline=20.0, reader=READER)) as worker:
        yield worker


@pytest.fixture
async def pair():
    async with ParseWorker(ParseWorkerSettings(processes=2, deadline=20.0, reader=READER)) as worker:
        yield worker


def document(body: str | bytes) -> Document:
    raw = body.encode() if isinstance(body, str) else body
    return Document(
        raw, datetime(2016, 12, 15, 15, 55, tzinfo=UTC), url="https://example.org/live", content_type="text/plain"
    )


async def told(worker, body, source="one") -> Reading:
    return await worker.read(source, document(body), ReadOptions(kind="text", select={"entry": "li"}))


async def said(worker, body, source="one") -> str:
    reading = await told(worker, body, source)
    assert reading.snapshot is not None, reading.verdict
    return reading.snapshot.entries[0].text


async def test_a_reading_comes_back_as_the_value_it_was(worker):
    reading = await told(worker, "say ‘suspended’ – приостановлена")
    entry = reading.snapshot.entries[0]
    assert reading.verdict.kind is VerdictKind.OK
    assert reading.chosen == "told to"
    assert (entry.text, entry.title, entry.tags) == (
        "‘suspended’ – приостановлена",
        "https://example.org/live",
        ("text",),
    )
    assert entry.published.at == datetime(2016, 12, 15, 13, 47, tzinfo=UTC)
    assert reading.snapshot.seen_at == datetime(2016, 12, 15, 15, 55, tzinfo=UTC)


def parsers():
    """The parse processes of this test run; other tests of the same run may have left servers that are still ending."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE and "monitor.fetch.child" in child.cmdline():
                found.append(child)
    return found


async def fewer_parsers_than(count):
    async with asyncio.timeout(20):
        while len(parsers()) >= count:
            await asyncio.sleep(0.02)


async def test_no_process_is_started_before_there_is_something_to_read(worker):
    assert not parsers()


async def test_memory_of_a_source_lives_from_document_to_document(worker):
    assert [(await told(worker, "say x", s)).snapshot.remarks for s in ("one", "one", "two")] == [
        ("1",),
        ("2",),
        ("1",),
    ]


@pytest.mark.parametrize("body", ["spin", "sleep 3600"])
async def test_a_parse_that_never_ends_is_killed_at_the_deadline(body):
    async with ParseWorker(ParseWorkerSettings(processes=1, deadline=0.5, reader=READER)) as worker:
        began = time.monotonic()
        reading = await told(worker, body)
        assert (reading.verdict.kind, reading.verdict.code) == (VerdictKind.FAILED, "parse_timeout")
        assert time.monotonic() - began < 5.0
        assert await said(worker, "say next") == "next"


async def test_a_parse_that_burns_its_processor_time_is_stopped_before_the_deadline():
    async with ParseWorker(
        ParseWorkerSettings(processes=1, deadline=60, cpu_seconds=0, slow=60, reader=READER)
    ) as worker:
        reading = await told(worker, "spin")
    assert (reading.verdict.code, "processor" in reading.verdict.reason) == ("parse_timeout", True)


async def test_processor_time_is_counted_to_the_second_and_not_the_clocks():
    async with ParseWorker(
        ParseWorkerSettings(processes=1, deadline=60, cpu_seconds=1, slow=60, reader=READER)
    ) as worker:
        assert await said(worker, "sleep 1.2") == "slept"
        assert (await told(worker, "busy 1.5")).verdict.code == "parse_timeout"
        assert await said(worker, "busy 0.5") == "busy"


async def test_a_slow_parse_does_not_hold_up_other_sources(pair):
    await asyncio.gather(said(pair, "sleep 0.1", "slow"), said(pair, "say warm", "other"))
    slow = asyncio.create_task(told(pair, "sleep 3600", "slow"))
    await asyncio.sleep(0)
    for n in range(20):
        assert await said(pair, f"say {n}", f"source {n}") == str(n)
    assert not slow.done()
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow


async def test_many_slow_parses_at_once_leave_a_process_for_the_others():
    settings = ParseWorkerSettings(processes=2, spare=2, slow=0.2, deadline=20.0, reader=READER)
    async with ParseWorker(settings) as worker:
        slow = [asyncio.create_task(told(worker, "sleep 3600", f"slow {n}")) for n in range(3)]
        await asyncio.sleep(0)
        assert await said(worker, "say others", "other") == "others"
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        await fewer_parsers_than(3)


async def test_a_source_known_to_be_slow_waits_in_its_own_lane():
    settings = ParseWorkerSettings(processes=1, spare=0, slow=0.1, deadline=20.0, reader=READER)
    async with ParseWorker(settings) as worker:
        assert await said(worker, "busy 0.2", "slow") == "busy"
        slow = asyncio.create_task(told(worker, "sleep 3600", "slow"))
        await asyncio.sleep(0)
        assert await said(worker, "say others", "other") == "others"
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)


async def test_large_documents_of_new_sources_wait_for_each_other_and_for_nobody_else():
    settings = ParseWorkerSettings(processes=1, spare=0, slow=20.0, deadline=20.0, reader=READER)
    async with ParseWorker(settings) as worker:
        large = "sleep 3600" + " " * (2 << 20)
        slow = [asyncio.create_task(told(worker, large, f"large {n}")) for n in range(8)]
        await asyncio.sleep(0)
        assert await said(worker, "say others", "other") == "others"
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_a_source_that_is_quick_again_leaves_the_slow_lane(worker):
    await said(worker, "busy 0.55")
    await said(worker, "say quick")
    assert not any(worker._slow.values())


async def test_sources_waiting_in_line_are_served_in_turn(worker):
    order = []

    async def one(n):
        await said(worker, f"say {n}", f"source {n}")
        order.append(n)

    await asyncio.gather(*(one(n) for n in range(10)))
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("eat", "parse_memory"),
        ("segfault", "parse_crash"),
        ("leave", "parse_crash"),
        ("raise", "parse_error"),
        ("recurse", "parse_depth"),
        (b"say \xff", "parse_error"),  # a lone surrogate, which no JSON can carry
    ],
)
async def test_every_way_to_fail_is_a_failed_reading_and_the_next_document_is_read(worker, body, code):
    reading = await told(worker, body)
    assert (reading.verdict.kind, reading.verdict.code, reading.snapshot) == (VerdictKind.FAILED, code, None)
    assert await said(worker, "say next") == "next"


async def test_a_process_killed_from_outside_is_replaced(worker):
    os.kill(int(await said(worker, "pid")), signal.SIGKILL)
    await told(worker, "say lost")
    assert await said(worker, "say next") == "next"


async def test_a_parser_error_does_not_quote_the_page(worker):
    assert "secret" not in (await told(worker, "raise")).verdict.reason


async def test_bytes_that_broke_the_parser_three_times_are_left_alone_until_they_change(worker):
    codes = [(await told(worker, "leave")).verdict.code for _ in range(4)]
    assert codes == ["parse_crash"] * 3 + ["parse_skipped"]
    assert (await told(worker, "leave", "another source")).verdict.code == "parse_crash"
    assert await said(worker, "say changed") == "changed"


async def test_a_document_that_broke_its_parser_is_kept_once_and_the_oldest_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr("monitor.fetch.quarantine.MAX_BYTES", 30)
    kept = tmp_path / "quarantine"
    async with ParseWorker(ParseWorkerSettings(processes=1, reader=READER, quarantine=kept)) as worker:
        await told(worker, "say nothing is wrong")
        await told(worker, "leave 1", "../one")
        await told(worker, "leave 1", "../one")
        assert [file.read_bytes() for file in kept.iterdir()] == [b"leave 1"]
        for n in range(2, 7):
            await told(worker, f"leave {n}", "two")
    assert sorted(file.read_bytes() for file in kept.iterdir()) == [b"leave %d" % n for n in range(3, 7)]
    assert {file.stat().st_mode & 0o777 for file in kept.iterdir()} == {0o600}
    assert worker.losses == {"parse_crash": 7}


async def test_printing_does_not_break_the_conversation(worker):
    assert await said(worker, "print") == "printed"
    assert await said(worker, "say next") == "next"


async def test_a_cancelled_read_leaves_no_answer_behind_for_the_next(worker):
    await said(worker, "say warm")
    task = asyncio.create_task(told(worker, "sleep 0.3"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await said(worker, "say mine") == "mine"


async def test_a_cancelled_wait_in_line_gives_its_turn_away(worker):
    await said(worker, "say warm")
    first = asyncio.create_task(told(worker, "sleep 0.2"))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(told(worker, "say waiting", "two"))
    await asyncio.sleep(0.05)
    waiting.cancel()
    assert await said(worker, "say third", "three") == "third"
    await first


async def test_the_process_inherits_no_secret_and_no_descriptor(worker, monkeypatch, tmp_path):
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "secret")
    with open(tmp_path / "open", "w") as held:
        os.set_inheritable(held.fileno(), True)
        assert "SLACK" not in await said(worker, "environment")
        assert len((await said(worker, "descriptors")).split()) == 6  # three to nowhere, two pipes, the listing


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
@pytest.mark.parametrize("body", ["run", "connect 9", "kill", "fork", "remove", "thread"])
async def test_a_parser_reaches_no_network_no_program_and_no_other_process(worker, body):
    reading = await told(worker, body)
    assert worker.confined
    assert reading.verdict.code == "parse_error"
    assert any(name in reading.verdict.reason for name in ("PermissionError", "RuntimeError")), reading.verdict


async def test_a_parser_writes_no_file(worker, tmp_path):
    assert (await told(worker, f"write {tmp_path}/x")).verdict.code == "parse_error"
    assert not list(tmp_path.iterdir())


async def test_a_swollen_process_is_replaced_by_a_lean_one(worker):
    before = await said(worker, "pid")
    assert await said(worker, "swell 300000000") == "300000000"
    assert await said(worker, "pid") != before


async def test_processor_time_is_granted_per_document():
    async with ParseWorker(
        ParseWorkerSettings(processes=1, deadline=60, cpu_seconds=0, slow=60, reader=READER)
    ) as worker:
        pid = await said(worker, "pid")
        for _ in range(8):
            assert await said(worker, "busy 0.3") == "busy"
        assert await said(worker, "pid") == pid


async def test_a_reader_that_cannot_be_imported_is_told_and_no_fault_of_the_document():
    async with ParseWorker(ParseWorkerSettings(processes=1, reader="tests.fetch.nowhere:read")) as worker:
        codes = {(await told(worker, "say x")).verdict.code for _ in range(4)}
    assert codes == {"parse_unavailable"}


async def test_closing_leaves_no_process(pair):
    await asyncio.gather(said(pair, "say a", "a"), said(pair, "say b", "b"))
    await pair.__aexit__(None, None, None)
    assert not parsers()


async def test_closing_in_the_middle_of_a_document_ends_it_and_starts_nothing(pair):
    reading = asyncio.create_task(told(pair, "sleep 3600"))
    async with asyncio.timeout(20):
        while not parsers():
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    await pair.__aexit__(None, None, None)
    assert (await reading).verdict.kind is VerdictKind.FAILED
    await asyncio.sleep(0.05)
    assert not parsers()


def test_the_process_dies_with_its_parent():
    program = f"""
        import asyncio, os, signal
        from monitor.fetch import ParseWorker, ParseWorkerSettings
        from monitor.model import Document, ReadOptions
        from datetime import UTC, datetime
        async def main():
            worker = ParseWorker(ParseWorkerSettings(reader={READER!r}))
            reading = await worker.read("a", Document(b"pid ", datetime.now(UTC)), ReadOptions())
            print(reading.snapshot.entries[0].text, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, capture_output=True, timeout=30)
    child = int(done.stdout)
    gone, alive = psutil.wait_procs([psutil.Process(child)] if psutil.pid_exists(child) else [], timeout=5)
    assert not alive


def test_the_process_loads_neither_http_client_nor_daemon():
    asked = "import sys, monitor.fetch.child; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"aiohttp", "asyncio", "pydantic", "sqlalchemy", "redis", "structlog", "monitor.daemon"}
