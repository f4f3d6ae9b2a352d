"""A store of each kind, with values to put into it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.model import (
    Change,
    ChangeType,
    Delta,
    Entry,
    FieldChange,
    Revision,
    Significance,
    SourceRef,
    Stamp,
)
from monitor.store import PollCommit, PollState, SourceState, Store

NOON = datetime(2016, 12, 15, 12, 0, tzinfo=UTC)


@dataclass
class Maker:
    """Makes polls of one source that follow each other."""

    ref: SourceRef = field(default_factory=lambda: SourceRef("aleppo", "Aleppo live", "https://example.org/live"))
    now: datetime = NOON
    made: int = 0

    def entry(self, text: str, position: int = 0, **more: Any) -> Entry:
        published = Stamp(self.now, "12:00 pm", precision=60, dated=False)
        return Entry(position=position, text=text, title=f"On {text[:9]}", published=published, **more)

    def new(self, entry_id: str, text: str, position: int = 0) -> Change:
        return Change(ChangeType.NEW, entry_id, self.entry(text, position), 1)

    def edited(self, entry_id: str, old: str, new: str, revision: int = 2, position: int = 0) -> Change:
        return Change(
            ChangeType.EDITED,
            entry_id,
            self.entry(new, position),
            revision,
            previous=Revision(revision - 1, f"On {old[:9]}", old, self.now),
            changes=(FieldChange("text", (("-", old), ("+", new))),),
            significance=Significance.MINOR,
            tags=("typo",),
            confidence=0.99,
        )

    def removed(self, entry_id: str, text: str, revision: int = 2) -> Change:
        return Change(ChangeType.REMOVED, entry_id, self.entry(text, 3), revision)

    def poll(self, state: SourceState, changes: Sequence[Change], *, silent: bool = False, **more: Any) -> PollCommit:
        """A poll that found `changes`; `silent`: none of them is announced."""
        ref = self.ref if state.source_id == self.ref.id else SourceRef(state.source_id)
        announced = () if silent else tuple(changes)
        deltas = tuple(
            Delta(ref, state.epoch, state.sequence + place, self.now, change)
            for place, change in enumerate(announced, 1)
        )
        rows = {
            c.entry_id: None if c.type is ChangeType.REMOVED else c.entry.text.encode(errors="replace") for c in changes
        }
        poll = PollState(
            etag=f'"{state.version + 1}"', last_poll_at=self.now, next_poll_at=self.now + timedelta(seconds=15)
        )
        values = {"rows": rows, "memory": b"memory", "poll": poll, "seen_at": self.now, **more}
        return PollCommit(ref, state.version, tuple(changes), deltas, **values)

    def news(self, state: SourceState, count: int = 1) -> PollCommit:
        """A poll that found `count` entries nobody saw before."""
        first = self.made
        self.made += count
        return self.poll(state, [self.new(f"e{first + n}", f"entry {first + n}", n) for n in range(count)])


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "monitor.db")


def _binaries() -> Path | None:
    """Where initdb is: on the PATH, or in the versioned places of Debian and Red Hat, newest first."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    return max((place for place in places if (place / "initdb").exists()), default=None)


def _unprivileged() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        return {"user": pwd.getpwnam("postgres").pw_uid, "group": pwd.getpwnam("postgres").pw_gid, "extra_groups": []}
    except KeyError:
        pytest.skip("PostgreSQL does not run as root and there is no user postgres")


class Server:
    """A PostgreSQL server of our own on a unix socket, with a fresh database for whoever asks."""

    def __init__(self, binaries: Path, place: Path, as_user: dict[str, Any]) -> None:
        self._binaries, self._place, self._as_user, self._made = binaries, place, as_user, 0
        self._run("initdb", "-D", str(place / "data"), "-U", "monitor", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-k {self._place} -c listen_addresses= -c fsync=off -c max_connections=40"
        log = str(self._place / "log")
        self._run("pg_ctl", "-D", str(self._place / "data"), "-o", options, "-l", log, "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._place / "data"), "-m", "immediate", "-w", "stop")

    def database(self, encoding: str = "UTF8") -> str:
        """A database of its own for other encodings than ours; else a schema, which takes a hundredth of the time."""
        import psycopg

        self._made += 1
        name = f"store{self._made}"
        with psycopg.connect(f"postgresql://monitor@/postgres?host={self._place}", autocommit=True) as server:
            if encoding == "UTF8":
                server.execute(f"CREATE SCHEMA {name}")
                return f"postgresql://monitor@/postgres?host={self._place}&options=-csearch_path%3D{name}"
            server.execute(f"CREATE DATABASE {name} ENCODING {encoding} LOCALE 'C' TEMPLATE template0")
        return f"postgresql://monitor@/{name}?host={self._place}"

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / command), *arguments],
            cwd=self._place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, **self._as_user,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server binaries here")
    as_user = _unprivileged()
    place = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a unix socket's path has 107 bytes
    if as_user:
        os.chown(place, as_user["user"], as_user["group"])
    try:
        server = Server(binaries, place, as_user)
        yield server
        server.stop()
    finally:
        shutil.rmtree(place)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def address(request: pytest.FixtureRequest, path: str) -> str:
    """Where the store under test lives: the same promises for every kind."""
    return path if request.param == "sqlite" else request.getfixturevalue("postgresql").database()


@pytest.fixture
async def store(address: str, make: Maker) -> AsyncIterator[Store]:
    async with await Store.open(address, clock=lambda: make.now) as opened:
        await opened.ensure_sources([make.ref], make.now)
        yield opened
