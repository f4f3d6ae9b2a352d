"""Every way a server can lie, stall, flood or break off ends in its verdict, in time and in bounded memory."""

import asyncio
import gzip
import random
import sys
import time
from pathlib import Path

import pytest

from monitor.fetch import FetchFailed, FetchLimits, Fresh, NotModified
from monitor.model import VerdictKind
from tests.fetch import hostile
from tests.fetch.wire import http, redirect, sends

ROWS = hostile.rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_each_row_ends_in_its_verdict_within_its_time(row, server, ask):
    server.routes[hostile.path_of(row)] = row.answer
    began = time.monotonic()
    outcome = await ask(hostile.path_of(row), etag='"same"' if row.validators else None)
    took = time.monotonic() - began
    assert hostile.ended(outcome) in row.code.split("|"), outcome
    assert took < row.seconds + 1.0, f"{took:.1f} s"  # a second for a machine with other work


GOOD = (
    http(hostile.FEED, ETag='"1"', Cache_Control="max-age=60", Age="3"),
    hostile.encoded("gzip", gzip.compress(hostile.FEED), Last_Modified="Thu, 15 Dec 2016 13:47:00 GMT"),
    hostile.CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    redirect("/elsewhere", "301 Moved Permanently"),
    http(b"", "429 Slow Down", Retry_After="Thu, 15 Dec 2016 13:47:00 GMT"),
)


def _mutated(answer: bytes, chance: random.Random) -> bytes:
    """Return an answer with some bytes changed, cut out, doubled or put in."""
    damaged = bytearray(answer)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(damaged)), chance.choice((1, 1, 2, 8, 60))
        damaged[at : at + length] = chance.choice(
            (
                b"",
                bytes([chance.randrange(256)]),
                bytes(damaged[at : at + length]) * 2,
                b"\r\n",
                b"\0",
                b"\xff\xfe",
                b": ",
            )
        )
        if not damaged:
            break
    return bytes(damaged)


async def test_no_damaged_answer_raises(server, ask):
    chance = random.Random(2016)
    for _ in range(400):
        answer = _mutated(chance.choice(GOOD), chance)
        server.routes["/"] = sends(answer)
        outcome = await ask("/", etag=chance.choice((None, '"0"')))
        assert isinstance(outcome, Fresh | NotModified | FetchFailed), answer


def _peak(reset: bool = False) -> int:
    """Return the most memory this process had since the last reset, in bytes (proc(5): clear_refs, VmHWM)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


BOMBS = {
    "gzip bomb of 2 GiB": hostile.encoded("gzip", hostile.gzip_bomb(1 << 24) * 128),
    "endless body": hostile.endless(hostile.PLAIN, bytes(65536)),
    "headers for ever": hostile.endless(b"HTTP/1.1 200 OK\r\n", b"X-Flood: x\r\n" * 1000),
}


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("name", BOMBS)
async def test_memory_stays_bounded(name, server, ask):
    server.routes["/"] = BOMBS[name]
    await ask("/")
    before = _peak(reset=True)
    outcome = await ask("/")
    assert outcome.verdict.kind is VerdictKind.FAILED
    assert _peak() - before < 64 << 20


async def test_many_bombs_at_once_cost_what_a_few_cost(server, ask):
    server.routes["/"] = BOMBS["gzip bomb of 2 GiB"]
    await ask("/")
    before = _peak(reset=True)
    limits = FetchLimits(total=20.0)
    outcomes = await asyncio.gather(*(ask("/", limits=limits) for _ in range(20)))
    assert {outcome.verdict.code for outcome in outcomes} == {"too_large"}
    assert _peak() - before < 200 << 20
