"""Copies are whole whenever they are taken; what is put back begins a new epoch."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from monitor.errors import StateUnusable
from monitor.store import Store, restore_file


async def filled(path, make, polls=3):
    store = await Store.open(path, clock=lambda: make.now)
    await store.ensure_sources([make.ref], make.now)
    for _ in range(polls):
        await store.commit(make.news(await store.load("aleppo"), 2))
    return store


async def test_a_copy_taken_while_polls_are_committed_is_one_whole_state(path, make, tmp_path):
    store = await filled(path, make)
    done = False

    async def keep_committing():
        while not done:
            await store.commit(make.news(await store.load("aleppo"), 2))

    committing = asyncio.create_task(keep_committing())
    try:
        for n in range(5):
            await store.backup(tmp_path / f"{n}.db")
    finally:
        done = True
        await committing
        await store.close()
    for n in range(5):
        with closing(sqlite3.connect(tmp_path / f"{n}.db")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            version, sequence = copy.execute("SELECT version, sequence FROM sources").fetchone()
            (messages,) = copy.execute("SELECT count(*) FROM outbox").fetchone()
            assert sequence == messages == 2 * version


async def test_a_copy_is_ours_alone_one_file_and_never_overwrites(path, make, tmp_path):
    store = await filled(path, make)
    target = tmp_path / "copies" / "monday.db"
    await store.backup(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(target.parent) == ["monday.db"]
    with pytest.raises(StateUnusable, match="there already"):
        await store.backup(target)
    await store.close()


async def test_a_copy_may_go_where_others_write_too(path, make, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "copy.db.partial").symlink_to(tmp_path / "trap")
    await (store := await filled(path, make)).backup(shared / "copy.db")
    await store.close()
    assert stat.S_IMODE((shared / "copy.db").stat().st_mode) == 0o600
    assert not (tmp_path / "trap").exists()


async def test_a_restored_store_begins_an_epoch_no_stream_has_seen(path, make, tmp_path):
    store = await filled(path, make)
    await store.backup(tmp_path / "copy.db")
    await store.commit(make.news(await store.load("aleppo"), 5))
    await store.close()
    assert restore_file(path, tmp_path / "copy.db", now=make.now) == 2
    async with await Store.open(path) as store:
        state = await store.load("aleppo")
        assert (state.epoch, state.sequence, len(state.known)) == (2, 0, 6)
        assert [(m.epoch, m.sequence) for m in await store.pending(99)] == [(1, n) for n in range(1, 7)]
        await store.commit(make.news(state))
        assert (await store.heads())["deltas", "aleppo"] == (2, 1)


async def test_the_same_copy_restored_twice_still_rises(path, make, tmp_path):
    await (store := await filled(path, make)).backup(tmp_path / "copy.db")
    await store.close()
    assert [restore_file(path, tmp_path / "copy.db", now=make.now) for _ in range(3)] == [2, 3, 4]


async def test_a_copy_replaces_a_damaged_store_and_its_leftover_log(path, make, tmp_path):
    store = await filled(path, make)
    await store.backup(tmp_path / "copy.db")
    await store.commit(make.news(await store.load("aleppo"), 50))
    for name in ("", "-wal", "-shm"):  # as a killed daemon leaves them
        shutil.copy(path + name, tmp_path / f"left{name}")
    await store.close()
    for name in ("", "-wal", "-shm"):
        shutil.copy(tmp_path / f"left{name}", path + name)
    Path(path).write_bytes(b"\0" * 9000)
    restore_file(path, tmp_path / "copy.db", now=make.now)
    left = sorted(name for name in os.listdir(Path(path).parent) if not name.startswith("monitor.db.replaced-"))
    assert left == ["monitor.db", "monitor.db.replaced"]
    async with await Store.open(path) as store:
        assert len((await store.load("aleppo")).known) == 6


@pytest.mark.parametrize("copy", ["missing", "garbage", "empty", "truncated", "foreign"])
async def test_a_copy_that_is_not_whole_is_refused_and_the_store_stays(path, make, tmp_path, copy):
    store = await filled(path, make)
    file = tmp_path / "copy.db"
    await store.backup(file)
    await store.close()
    if copy == "missing":
        file.unlink()
    elif copy == "garbage":
        file.write_bytes(b"not a database" * 1000)
    elif copy == "empty":
        file.write_bytes(b"")
    elif copy == "truncated":
        os.truncate(file, file.stat().st_size // 2)
    else:
        file.unlink()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE recipes (name TEXT)")
    before = Path(path).read_bytes()
    with pytest.raises(StateUnusable):
        restore_file(path, file, now=make.now)
    assert Path(path).read_bytes() == before
    assert os.listdir(Path(path).parent) == ["monitor.db"]


async def test_a_copy_can_begin_a_store_where_there_was_none(path, make, tmp_path):
    await (store := await filled(path, make)).backup(tmp_path / "copy.db")
    await store.close()
    elsewhere = tmp_path / "other" / "monitor.db"
    assert restore_file(str(elsewhere), tmp_path / "copy.db", now=make.now) == 2
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    assert stat.S_IMODE(elsewhere.parent.stat().st_mode) == 0o700


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(not shutil.which("strace"), reason="no strace to kill at a chosen system call")
@pytest.mark.parametrize(
    "calls", ["rename,renameat,renameat2,link,linkat,unlink,unlinkat", "pwrite64,ftruncate,fsync,fdatasync"]
)
async def test_a_restore_killed_at_any_step_leaves_the_old_store_or_the_new_one(path, make, tmp_path, calls):
    store = await filled(path, make)
    await store.backup(tmp_path / "copy.db")
    await store.commit(make.news(await store.load("aleppo"), 5))
    await store.close()
    restore = "import sys; from datetime import *; from pathlib import Path; from monitor.store import restore_file; "
    restore += "restore_file(sys.argv[1], Path(sys.argv[2]), now=datetime.now(UTC))"
    killed, states = 0, set()
    for when in [*range(1, 10), *range(10, 60, 7)]:
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
        fault = ["-e", f"inject={calls}:signal=KILL:when={when}"]
        child = [sys.executable, "-c", restore, path, str(tmp_path / "copy.db")]
        done = await asyncio.to_thread(subprocess.run, [*strace, *fault, *child], capture_output=True)
        killed += done.returncode in {137, -9}
        async with await Store.open(path) as store:
            state = await store.load("aleppo")
            states.add((state.epoch > 1, len(state.known)))
            assert (await store.backlog()).depth == len(state.known), "messages and entries of one state"
        if done.returncode == 0:
            break
    assert killed >= 4
    assert states <= {(False, 11), (True, 6)}, "before the restore, or after it"


@pytest.mark.postgresql
async def test_backups_of_a_server_are_left_to_the_server(postgresql, make, tmp_path):
    url = postgresql.database()
    async with await Store.open(url) as store:
        with pytest.raises(StateUnusable, match="pg_dump"):
            await store.backup(tmp_path / "copy.db")
    with pytest.raises(StateUnusable, match="pg_restore"):
        restore_file(url, tmp_path / "copy.db", now=make.now)
