"""Whenever the writing process dies, what it acknowledged is there and nothing is there by halves."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from monitor.store import Store

CHILD = str(Path(__file__).with_name("writer_child.py"))


def acknowledged(lines) -> Counter[str]:
    """The newest version of each source that the child was told is stored."""
    found: Counter[str] = Counter()
    for line in lines:
        version, _, source = line.partition(" ")
        if version.isdigit():
            found[source] = max(found[source], int(version))
    return found


def check(path: str, acks: Counter[str]) -> int:
    """Assert that the database is whole, holds what was acknowledged and no half of anything; return its versions."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        total = 0
        for source, version, sequence in db.execute("SELECT id, version, sequence FROM sources").fetchall():
            assert version >= acks[source]
            assert sequence == 2 * version
            for table in ("revisions", "outbox", "known"):
                (count,) = db.execute(f"SELECT count(*) FROM {table} WHERE source_id = ?", [source]).fetchone()
                assert count == sequence, f"{table} of {source}"
            total += version
        alerts = db.execute("SELECT sequence FROM outbox WHERE topic = 'alerts' ORDER BY sequence").fetchall()
        assert [sequence for (sequence,) in alerts] == list(range(1, total + 1)), "one alert a poll, dense"
    return total


def test_a_writer_killed_at_random_moments_loses_nothing_it_acknowledged(path):
    chance, before, acks = random.Random(7), 0, Counter()
    for _ in range(3):
        child = subprocess.Popen([sys.executable, CHILD, path], stdout=subprocess.PIPE, text=True)
        lines = [child.stdout.readline() for _ in range(chance.randrange(2, 120))]
        child.send_signal(signal.SIGKILL)
        lines += child.communicate(timeout=20)[0].splitlines()
        assert child.returncode == -signal.SIGKILL
        acks |= acknowledged(line.strip() for line in lines)
        after = check(path, acks)
        assert after > before
        before = after


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("strace"), reason="no strace to kill at a chosen system call")
@pytest.mark.timeout(300)
def test_a_writer_killed_at_any_write_or_sync_loses_nothing_it_acknowledged(path, tmp_path):
    killed = 0
    for when in [*range(1, 25, 3), *range(25, 105, 8)]:
        trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,fdatasync,fsync,ftruncate"]
        fault = ["-e", f"inject=pwrite64,fdatasync,fsync,ftruncate:signal=KILL:when={when}"]
        child = [sys.executable, CHILD, path, "3", "20"]
        done = subprocess.run([*trace, *fault, *child], stdout=subprocess.PIPE, text=True, timeout=60)
        killed += done.returncode in {137, -9}
        if Path(path).stat().st_size:
            probe = tmp_path / f"probe{when}"  # the next child recovers the database itself, as left by the kill
            for suffix in ("", "-wal"):
                if Path(path + suffix).exists():
                    shutil.copy(path + suffix, f"{probe}{suffix}")
            if has_schema(str(probe)):
                check(str(probe), acknowledged(done.stdout.splitlines()))
        if when % 5 == 0:
            for suffix in ("", "-wal", "-shm"):
                Path(path + suffix).unlink(missing_ok=True)
    assert killed >= 12


def has_schema(path: str) -> bool:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sources'").fetchone() == (1,)


async def test_after_a_kill_the_store_opens_and_goes_on(path, make):
    child = subprocess.Popen([sys.executable, CHILD, path], stdout=subprocess.PIPE, text=True)
    for _ in range(20):
        child.stdout.readline()
    child.kill()
    child.communicate(timeout=20)
    async with await Store.open(path) as store:
        state = await store.load("s0")
        await store.commit(make.news(state))
        assert (await store.load("s0")).version == state.version + 1


@pytest.mark.postgresql
def test_a_writer_to_a_server_killed_at_random_moments_leaves_no_halves(postgresql):
    import psycopg

    url = postgresql.database()
    child = subprocess.Popen([sys.executable, CHILD, url], stdout=subprocess.PIPE, text=True)
    lines = [child.stdout.readline() for _ in range(40)]
    child.kill()
    lines += child.communicate(timeout=20)[0].splitlines()
    acks = acknowledged(line.strip() for line in lines)
    with psycopg.connect(url) as db:
        for source, version, sequence in db.execute("SELECT id, version, sequence FROM sources").fetchall():
            assert version >= acks[source]
            for table in ("revisions", "outbox", "known"):
                count = db.execute(f"SELECT count(*) FROM {table} WHERE source_id = %s", [source]).fetchone()
                assert count == (sequence,) == (2 * version,)
