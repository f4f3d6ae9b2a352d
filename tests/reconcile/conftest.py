"""A small live blog to poll: entries by short name, pages by minute, every poll through the stored form."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.model import Change, Entry, Snapshot, Stamp
from monitor.reconcile import Known, Reconciled, ReconcilePolicy, reconcile

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

STORIES = (
    "Engineers have reopened the eastern bridge after inspecting every bearing, and two lanes are open again to traffic.",
    "The harbour master says the last ferry leaves at dusk because of the swell, with no sailings planned before Tuesday.",
    "Volunteers are filling sandbags along Mill Lane while the river keeps rising, and the school hall takes in families.",
    "A spokesman for the rail company apologised for the delays and promised refunds to everyone stuck near Oakfield.",
    "Firefighters pumped water out of eleven cellars overnight; nobody was hurt, and power is back in most of the streets.",
    "The mayor will speak at the town hall this evening about the flood wall, whose second stage was postponed in spring.",
    "Supermarkets report that bottled water is selling out, although the waterworks insist that the supply is clean.",
    "Meteorologists expect the rain to move north by midnight, leaving showers and a cold wind along the whole coast.",
    "Farmers upstream have moved four hundred sheep to higher ground and ask walkers to keep the gates of the dam shut.",
    "Police closed the ring road between the stadium and the hospital after a lorry lost its load of gravel at the exit.",
    "The orchestra cancelled its open-air concert and will play indoors, tickets remain valid, doors open an hour earlier.",
    "Insurance companies opened a shared desk in the library where people can report damage without an appointment.",
    "Divers found the missing rowing boat empty near the weir, its crew had already reached the bank on their own.",
    "A generator from the neighbouring county now feeds the hospital, so that planned operations can go ahead tomorrow.",
    "The council published a map of the streets that may be flooded and asked the residents to move their cars tonight.",
    "Students built a footbridge of pontoons for the market, which opens late but with nearly all of its usual stalls.",
)


def at(minute: float) -> datetime:
    """The instant `minute` minutes after noon."""
    return NOON + timedelta(minutes=minute)


def post(number: int, minute: float | None = None, **changes: object) -> Entry:
    """Entry number `number`, of that minute, its text one of the stories."""
    stamp = None if minute is None else Stamp(at(minute), at(minute).strftime("%H:%M"), 60, dated=False)
    entry = Entry(position=0, text=STORIES[number % len(STORIES)], published=stamp)
    return replace(entry, **changes)  # type: ignore[arg-type]


def timeline(count: int = 8) -> list[Entry]:
    """`count` entries newest first, ten minutes apart, the newest at noon."""
    return [post(number, -10 * number) for number in range(count)]


def snapshot(entries: Sequence[Entry], minute: float = 1, **more: object) -> Snapshot:
    """The page that shows these entries."""
    numbered = tuple(replace(entry, position=n) for n, entry in enumerate(entries))
    return replace(Snapshot(entries=numbered, kind="liveblog", seen_at=at(minute)), **more)  # type: ignore[arg-type]


@dataclass
class Source:
    """A source being polled; what is known goes through its stored form after every poll."""

    policy: ReconcilePolicy = field(default_factory=ReconcilePolicy)
    known: Known | None = None
    rows: dict[str, bytes] = field(default_factory=dict)
    memory: bytes | None = None
    minute: float = 0
    last: Reconciled | None = None
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def poll(self, entries: Sequence[Entry], **more: object) -> tuple[Change, ...]:
        """Poll the page a minute later; returns the changes."""
        self.minute += 1
        minute = more.pop("minute", self.minute)
        page = snapshot(entries, minute, **more)  # type: ignore[arg-type]
        result = reconcile(self.known, page, policy=self.policy, new_id=lambda: f"e{next(self.numbers)}")
        for key, row in result.rows.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        self.memory = result.memory if result.memory is not None else self.memory
        self.known = Known.load(self.rows, self.memory)
        self.last = result
        return result.changes

    def told(self, entries: Sequence[Entry], **more: object) -> list[str]:
        """Poll the page; returns `type:first words` of each change that is announced."""
        return [
            f"{change.type.value}:{' '.join((change.entry.title or change.entry.text).split()[:2])}"
            for change in self.poll(entries, **more)
            if change.significance is None or change.significance.value != "cosmetic"
        ]

    @property
    def verdict(self) -> str:
        assert self.last is not None
        return f"{self.last.verdict.kind.value}:{self.last.verdict.code}".rstrip(":")


@dataclass(frozen=True)
class Kit:
    """What the tests build pages with."""

    post: Callable[..., Entry]
    timeline: Callable[..., list[Entry]]
    snapshot: Callable[..., Snapshot]
    at: Callable[[float], datetime]
    source: Callable[..., Source]
    stories: tuple[str, ...] = STORIES
    noon: datetime = NOON


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit(post, timeline, snapshot, at, Source)


@pytest.fixture
def source() -> Source:
    """A source that shows eight entries and was polled once."""
    fresh = Source()
    fresh.poll(timeline())
    return fresh
