"""Disks that are full, read-only or broken, locks and damage: said in words, nothing by halves, and over when it is over."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from monitor.errors import StateUnusable, StoreUnavailable
from monitor.store import Committed, Store, restore_file

CHILD = str(Path(__file__).with_name("writer_child.py"))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte, and what remounts it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no permission to mount a file system here")
    try:
        yield place, lambda options: subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)
    finally:
        subprocess.run(["umount", str(place)], check=True)


async def fill(store, make):
    """Commit until the disk takes no more; return the error and how many were acknowledged."""
    for stored in range(10_000):
        try:
            await store.commit(make.news(await store.load("aleppo"), 10))
        except StoreUnavailable as error:
            return error, stored
    raise AssertionError("the disk never filled")


async def test_a_full_disk_refuses_in_words_and_is_over_when_there_is_room(small_disk, make):
    place, remount = small_disk
    async with await Store.open(str(place / "monitor.db")) as store:
        await store.ensure_sources([make.ref], make.now)
        error, stored = await fill(store, make)
        assert "the disk is full" in str(error)
        assert error.exit_code == 69
        state = await store.load("aleppo")
        assert (state.version, state.sequence) == (stored, 10 * stored)
        assert (await store.backlog()).depth == 10 * stored
        remount("size=8m")
        assert await store.commit(make.news(state)) == Committed(stored + 1, 1, 10 * stored + 1)
    with closing(sqlite3.connect(place / "monitor.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_copy_that_does_not_fit_is_no_copy(small_disk, path, make):
    place, _ = small_disk
    async with await Store.open(path) as store:
        await store.ensure_sources([make.ref], make.now)
        for _ in range(4):
            await store.commit(make.news(await store.load("aleppo"), 300))
        with pytest.raises(StoreUnavailable, match=r"copy\.db: the disk is full"):
            await store.backup(place / "copy.db")
        assert os.listdir(place) == []
        await store.backup(Path(path + ".copy"))
    with pytest.raises(StoreUnavailable, match="disk is full"):
        restore_file(str(place / "monitor.db"), Path(path + ".copy"), now=make.now)
    assert os.listdir(place) == []


async def test_a_read_only_disk_is_refused_at_the_start(small_disk):
    place, remount = small_disk
    remount("ro")
    with pytest.raises(StateUnusable, match="Read-only file system"):
        await Store.open(str(place / "monitor.db"))


async def test_a_disk_that_turned_read_only_refuses_and_recovers(small_disk, make):
    place, remount = small_disk
    async with await Store.open(str(place / "monitor.db")) as store:
        await store.ensure_sources([make.ref], make.now)
    remount("ro")
    with pytest.raises((StateUnusable, StoreUnavailable), match="(?i)read-only"):
        await Store.open(str(place / "monitor.db"))
    remount("rw")
    async with await Store.open(str(place / "monitor.db")) as store:
        assert isinstance(await store.commit(make.news(await store.load("aleppo"))), Committed)


async def test_a_file_that_may_not_grow_loses_nothing_and_goes_on_when_it_may(path):
    """RLIMIT_FSIZE makes every write past the limit fail with EFBIG, anywhere, without privileges."""
    await (await Store.open(path)).close()
    script = f"""
import asyncio, resource, sys
sys.path.insert(0, {str(Path(CHILD).parent)!r})
import writer_child
refused = asyncio.Event()
def tell(*words, flush=True):
    print(*words, flush=flush)
    if words[0] == "refused":
        refused.set()
writer_child.print = tell
async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    writing = asyncio.create_task(writer_child.main({path!r}, 2, 100))
    await refused.wait()
    await asyncio.sleep(0.1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("room", flush=True)
    await writing
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("refused") for line in lines[: lines.index("room")])
    assert not any(line.startswith("refused") for line in lines[lines.index("room") + 10 :])
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT DISTINCT version, sequence FROM sources").fetchall() == [(100, 200)]
        for table in ("revisions", "known"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (400,)
        assert db.execute("SELECT topic, count(*) FROM outbox GROUP BY topic").fetchall() == [
            ("alerts", 200),
            ("deltas", 400),
        ]


@pytest.mark.skipif(not shutil.which("strace"), reason="no strace to inject errors with")
@pytest.mark.parametrize(
    "fault",
    [
        "fdatasync:error=EIO:when=30..34",
        pytest.param("pwrite64:error=EIO:when=30..36", marks=pytest.mark.slow),
        pytest.param("pwrite64:error=ENOSPC:when=30..36", marks=pytest.mark.slow),
    ],
)
async def test_errors_of_the_disk_lose_nothing_that_was_acknowledged(path, fault):
    await (await Store.open(path)).close()
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,fdatasync", "-e", f"inject={fault}"]
    done = subprocess.run([*strace, sys.executable, CHILD, path, "2", "40"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any("I/O error" in line or "disk is full" in line for line in lines), lines[-5:]
    acks = Counter(line for line in lines if line[0].isdigit())
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT DISTINCT version, sequence FROM sources").fetchall() == [(40, 80)]
        assert db.execute("SELECT count(*) FROM outbox WHERE topic = 'deltas'").fetchone() == (160,)
    assert max(acks.values()) == 1, "no version was acknowledged twice"


async def test_a_lock_held_by_another_process_is_waited_for_then_told_then_over(path, make):
    async with await Store.open(path, busy_timeout=0.05) as store:
        await store.ensure_sources([make.ref], make.now)
        poll = make.news(await store.load("aleppo"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked by another process"):
                await store.commit(poll)
            assert (await store.load("aleppo")).version == 0, "reading goes on"
            other.execute("ROLLBACK")
        assert isinstance(await store.commit(poll), Committed)


async def test_damage_that_happens_while_running_is_told_with_a_way_out(path, make):
    async with await Store.open(path) as store:
        await store.ensure_sources([make.ref], make.now)
        for _ in range(5):
            await store.commit(make.news(await store.load("aleppo"), 50))
    async with await Store.open(path, check=False) as store:
        with open(path, "r+b") as file:
            file.seek(4096)
            file.write(os.urandom(os.path.getsize(path) - 4096))
        with pytest.raises(StateUnusable, match="damaged.*monitor restore"):
            await store.revisions("aleppo")
        with pytest.raises(StateUnusable, match="damaged"):
            await store.ensure_sources([make.ref], make.now)


async def test_a_file_removed_under_a_running_store_is_noticed_before_anything_is_acknowledged(path, make):
    async with await Store.open(path) as store:
        await store.ensure_sources([make.ref], make.now)
        poll = make.news(await store.load("aleppo"))
        os.rename(path, path + ".elsewhere")
        with pytest.raises(StateUnusable, match="removed or replaced"):
            await store.commit(poll)
        assert not os.path.exists(path), "no empty database in its place"
        os.rename(path + ".elsewhere", path)
        assert isinstance(await store.commit(poll), Committed)


async def test_opening_a_second_store_does_not_drop_the_locks_of_the_first(path, make):
    """Closing any descriptor of the file would (POSIX advisory locks): another process could then write in between."""
    async with await Store.open(path) as store:
        holding, release = threading.Event(), threading.Event()

        def hold(_):
            holding.set()
            release.wait(10)

        held = asyncio.create_task(store.run(hold))
        await asyncio.to_thread(holding.wait, 5)
        with pytest.raises(StoreUnavailable, match="locked"):
            await Store.open(path, busy_timeout=0.01)
        await (await Store.open(path, read_only=True)).close()
        probe = "import sqlite3,sys; sqlite3.connect(sys.argv[1], timeout=0.01, isolation_level=None).execute('BEGIN IMMEDIATE')"
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", probe, path], capture_output=True, text=True
        )
        release.set()
        await held
    assert "database is locked" in done.stderr


@pytest.mark.postgresql
async def test_a_server_that_goes_away_is_told_and_found_again(postgresql, make):
    async with await Store.open(postgresql.database()) as store:
        await store.ensure_sources([make.ref], make.now)
        state = await store.load("aleppo")
        postgresql.stop()
        try:
            with pytest.raises(StoreUnavailable):
                await store.commit(make.news(state))
            with pytest.raises(StoreUnavailable):
                await store.load("aleppo")
        finally:
            postgresql.start()
        assert isinstance(await store.commit(make.news(await store.load("aleppo"))), Committed)


@pytest.mark.postgresql
async def test_a_row_locked_on_the_server_fails_its_own_commit_only(postgresql, make):
    import psycopg

    from monitor.model import SourceRef

    url = postgresql.database()
    async with await Store.open(url, busy_timeout=0.2) as store:
        await store.ensure_sources([make.ref, SourceRef("other")], make.now)
        stuck, free = make.news(await store.load("aleppo")), make.news(await store.load("other"))
        with psycopg.connect(url) as other:
            other.execute("SELECT * FROM sources WHERE id = 'aleppo' FOR UPDATE")
            outcomes = await asyncio.gather(store.commit(stuck), store.commit(free), return_exceptions=True)
        assert isinstance(outcomes[0], StoreUnavailable)
        assert "locked by another writer" in str(outcomes[0])
        assert isinstance(outcomes[1], Committed)
        assert isinstance(await store.commit(stuck), Committed)
