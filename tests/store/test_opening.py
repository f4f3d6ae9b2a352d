"""A database that cannot be used is left as it was found, and the words say what to do."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import MetaData, inspect

from monitor.errors import NotPermitted, StateUnusable
from monitor.store import Store, opening, polls
from monitor.store.migrations import MIGRATIONS, Migration, current_version, migrate
from monitor.store.tables import metadata


async def refusal(address, error=StateUnusable):
    with pytest.raises(error) as caught:
        await Store.open(address)
    return caught.value


async def test_a_new_store_is_ours_alone(path):
    await (await Store.open(path)).close()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(Path(path).parent).st_mode) == 0o700


async def test_the_log_beside_an_open_store_is_ours_alone_too(store, path):
    beside = list(Path(path).parent.glob("monitor.db-*")) if Path(path).exists() else []
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in beside)


async def test_a_file_that_others_could_read_is_closed_to_them(path):
    await (await Store.open(path)).close()
    os.chmod(path, 0o644)
    await (await Store.open(path)).close()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


async def test_a_symbolic_link_is_refused(path, tmp_path):
    Path(path).parent.mkdir(mode=0o700)
    (tmp_path / "elsewhere").touch()
    Path(path).symlink_to(tmp_path / "elsewhere")
    assert "symbolic link" in str(await refusal(path, NotPermitted))


async def test_a_directory_that_is_a_symbolic_link_is_refused(path, tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    Path(path).parent.symlink_to(tmp_path / "real")
    assert "symbolic link" in str(await refusal(path, NotPermitted))


async def test_a_directory_others_may_write_to_is_refused(path):
    Path(path).parent.mkdir()
    os.chmod(Path(path).parent, 0o777)
    refused = await refusal(path, NotPermitted)
    assert "chmod 700" in str(refused)
    assert not Path(path).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_a_foreign_owner_is_refused(path):
    await (await Store.open(path)).close()
    os.chown(path, 12345, 12345)
    assert "another user" in str(await refusal(path, NotPermitted))
    os.chown(Path(path).parent, 12345, 12345)
    assert "another user" in str(await refusal(path, NotPermitted))


async def test_a_directory_in_the_place_of_the_file_is_refused(path):
    Path(path).mkdir(parents=True)
    assert (await refusal(path)).exit_code == 73


@pytest.mark.parametrize(
    "address",
    [
        "mysql://host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "http://x",
        "postgresql:/host/db",
        ":memory:",
    ],
)
async def test_an_address_no_store_can_live_at_is_refused(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = await refusal(address)
    assert (refused.exit_code, os.listdir(tmp_path)) == (73, [])


async def test_a_password_never_reaches_a_message():
    with pytest.raises(Exception) as caught:
        await Store.open("postgresql://user:hunter2@localhost:1/db?connect_timeout=1")
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == (69 if find_spec("psycopg") else 73)  # not there; no driver to ask with


async def test_another_programs_file_is_refused_and_left_alone(path):
    Path(path).parent.mkdir(mode=0o700)
    Path(path).write_bytes(b"no database at all, but long enough to be looked at" * 40)
    before = Path(path).read_bytes()
    assert "monitor restore" in str(await refusal(path))
    assert Path(path).read_bytes() == before


async def test_a_damaged_database_is_found_before_anything_is_written(path, make):
    async with await Store.open(path) as store:
        await store.ensure_sources([make.ref], make.now)
        for _ in range(10):
            await store.commit(make.news(await store.load("aleppo"), 20))
    with open(path, "r+b") as file:
        for page in range(5, 40):
            file.seek(page * 4096 + 100)
            file.write(os.urandom(600))
    before = Path(path).read_bytes()
    refused = await refusal(path)
    assert "damaged" in str(refused)
    assert "monitor restore" in str(refused)
    assert Path(path).read_bytes() == before


async def test_a_truncated_database_is_refused(path, make):
    async with await Store.open(path) as store:
        await store.ensure_sources([make.ref], make.now)
        await store.commit(make.news(await store.load("aleppo"), 50))
    os.truncate(path, os.path.getsize(path) // 2)
    assert (await refusal(path)).exit_code == 73


async def test_a_store_of_a_newer_version_is_refused_and_not_written_to(address):
    newer = (*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "of the future", ("CREATE TABLE future (id INTEGER)",)))
    engines = opening.open_engines(address, busy_timeout=1, check=True)
    with engines.writer.begin() as connection:
        assert migrate(connection, "x", newer) == len(newer)
    refused = await refusal(address)
    assert "newer version" in str(refused)
    assert "upgrade" in str(refused)
    with engines.reader.begin() as connection:
        assert current_version(connection) == len(newer)
    engines.dispose()


async def test_what_migrations_make_is_what_the_statements_expect(address):
    engines = opening.open_engines(address, busy_timeout=1, check=True)
    found = MetaData()
    with engines.reader.begin() as connection:
        found.reflect(connection)
        indexes = {name: inspect(connection).get_indexes(name) for name in metadata.tables}
    engines.dispose()
    assert shape(found) == shape(metadata)
    for name, table in metadata.tables.items():
        made = {
            index["name"]: index["column_names"] for index in indexes[name] if not index.get("duplicates_constraint")
        }
        assert made == {index.name: [column.name for column in index.columns] for index in table.indexes}


def shape(of):
    return {
        name: {(c.name, c.type._type_affinity, c.nullable or c.primary_key, c.primary_key) for c in table.columns}
        for name, table in of.tables.items()
    }


async def test_a_migration_that_fails_midway_leaves_the_old_version(address, make):
    async with await Store.open(address) as store:
        await store.ensure_sources([make.ref], make.now)
    half = Migration(len(MIGRATIONS) + 1, "half", ("CREATE TABLE half (id INTEGER)", "CREATE TABLE nonsense ("))
    engines = opening.open_engines(address, busy_timeout=1, check=True)
    with pytest.raises(Exception, match="nonsense|syntax|incomplete"), engines.writer.begin() as connection:
        migrate(connection, "x", (*MIGRATIONS, half))
    with engines.writer.begin() as connection:
        assert current_version(connection) == len(MIGRATIONS)
        assert not inspect(connection).has_table("half")
        whole = Migration(half.version, "whole", ("ALTER TABLE sources ADD COLUMN note TEXT", half.statements[0]))
        assert migrate(connection, "x", (*MIGRATIONS, whole)) == whole.version
    engines.dispose()


async def test_a_store_of_the_first_version_keeps_everything_through_the_upgrade(address, make):
    engines = opening.open_engines(address, busy_timeout=1, check=True)
    with engines.writer.begin() as connection:  # back to what the first version made
        connection.exec_driver_sql("DELETE FROM schema_version WHERE version > 1")
        later = [name for name in metadata.tables if name not in " ".join(MIGRATIONS[0].statements)]
        for name in later:
            if name != "schema_version":
                connection.exec_driver_sql(f"DROP TABLE {name}")
        polls.ensure_sources(connection, [make.ref], make.now)
        polls.commit(connection, make.news(polls.load(connection, "aleppo"), 3))
    engines.dispose()
    async with await Store.open(address) as store:
        assert [message.sequence for message in await store.pending(9)] == [1, 2, 3]
        assert (await store.load("aleppo")).version == 1
        assert await store.read(current_version) == len(MIGRATIONS)


async def test_opening_again_changes_nothing(address, make):
    for _ in range(3):
        async with await Store.open(address) as store:
            await store.ensure_sources([make.ref], make.now)
            assert (await store.heads())["deltas", "aleppo"] == (1, 0)


async def test_what_was_submitted_before_closing_is_stored(address, make):
    import asyncio

    store = await Store.open(address)
    await store.ensure_sources([make.ref], make.now)
    poll = make.news(await store.load("aleppo"))
    committing = asyncio.create_task(store.commit(poll))
    await asyncio.sleep(0)
    await store.close()
    await committing
    async with await Store.open(address) as again:
        assert (await again.load("aleppo")).version == 1
    with pytest.raises(Exception, match="closed"):
        await store.commit(poll)


@pytest.mark.postgresql
async def test_a_server_database_that_is_not_utf8_is_refused(postgresql):
    assert "not UTF8" in str(await refusal(postgresql.database("LATIN1")))


async def test_full_durability_is_what_the_file_is_opened_with(path):
    engines = opening.open_engines(path, busy_timeout=1.5, check=True)
    with engines.writer.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    engines.dispose()
    assert found == ["wal", 2, 1, 1500]


async def test_readers_cannot_write(store):
    from sqlalchemy import text

    with pytest.raises(Exception, match="readonly|read-only"):
        await store.read(lambda connection: connection.execute(text("UPDATE sources SET version = 9")))


async def test_looking_on_sees_what_a_daemon_commits_and_touches_nothing(store, address, make):
    async with await Store.open(address, read_only=True) as looking:
        await store.commit(make.news(await store.load("aleppo")))
        assert (await looking.load("aleppo")).version == 1
        with pytest.raises(RuntimeError, match="reading only"):
            await looking.ensure_sources([], make.now)


async def test_looking_on_does_not_wait_for_a_writer(path, make):
    async with await Store.open(path) as store:
        await store.ensure_sources([make.ref], make.now)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with await Store.open(path, read_only=True, busy_timeout=0.01) as looking:
                assert (await looking.load("aleppo")).version == 0


async def test_looking_for_a_store_that_is_not_there_makes_none(path):
    with pytest.raises(StateUnusable, match="no store is here yet"):
        await Store.open(path, read_only=True)
    assert not Path(path).parent.exists()


async def test_looking_at_an_older_store_says_who_upgrades_it(address):
    await (await Store.open(address)).close()
    engines = opening.open_engines(address, busy_timeout=1, check=True)
    with engines.writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM schema_version WHERE version > 1")
    engines.dispose()
    with pytest.raises(StateUnusable, match="older version.*start the daemon"):
        await Store.open(address, read_only=True)
