"""A store of each kind, with values to put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
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
        announced = () if silent else tuple(changes)
        deltas = tuple(
            Delta(self.ref, state.epoch, state.sequence + place, self.now, change)
            for place, change in enumerate(announced, 1)
        )
        rows = {
            c.entry_id: None if c.type is ChangeType.REMOVED else c.entry.text.encode(errors="replace") for c in changes
        }
        poll = PollState(
            etag=f'"{state.version + 1}"', last_poll_at=self.now, next_poll_at=self.now + timedelta(seconds=15)
        )
        values = {"rows": rows, "memory": b"memory", "poll": poll, "seen_at": self.now, **more}
        return PollCommit(self.ref, state.version, tuple(changes), deltas, **values)

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


@pytest.fixture(params=["sqlite"])
def address(request: pytest.FixtureRequest, path: str) -> str:
    """Where the store under test lives."""
    return path


@pytest.fixture
async def store(address: str, make: Maker) -> AsyncIterator[Store]:
    async with await Store.open(address, clock=lambda: make.now) as opened:
        await opened.ensure_sources([make.ref], make.now)
        yield opened
