"""How long reconciling takes, by page size and by how much changed: `python benchmarks/reconcile.py`.

Every row is the median CPU time of several different polls against the same known state; `limit` is what the project
promises on one core of ordinary hardware. Texts are made of a fixed vocabulary by a seeded generator.
"""

from __future__ import annotations

import gc
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.model import Entry, Snapshot, Stamp
from monitor.reconcile import Known, Reconciled, ReconcilePolicy, reconcile

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = ReconcilePolicy()
LIMITS = {(200, "unchanged"): 0.3, (200, "5 edited"): 3.0, (1000, "50 edited"): 60.0}


def page(count: int, rng: random.Random, words: list[str]) -> tuple[Entry, ...]:
    return tuple(entry(n, NOON - timedelta(minutes=n), rng, words) for n in range(count))


def entry(position: int, at: datetime, rng: random.Random, words: list[str]) -> Entry:
    body = "\n\n".join(" ".join(rng.choices(words, k=30)).capitalize() + "." for _ in range(2))
    title = " ".join(rng.choices(words, k=7)).capitalize() if position % 2 else None
    return Entry(position, body, title, published=Stamp(at, at.strftime("%H:%M"), 60, dated=False))


def edit(one: Entry, rng: random.Random, words: list[str]) -> Entry:
    pieces = one.text.split(" ")
    pieces[rng.randrange(len(pieces))] = rng.choice(words)
    return replace(one, text=" ".join(pieces))


def snapshot(entries: tuple[Entry, ...], minutes: int = 1) -> Snapshot:
    numbered = tuple(one if one.position == n else replace(one, position=n) for n, one in enumerate(entries))
    return Snapshot(entries=numbered, kind="liveblog", seen_at=NOON + timedelta(minutes=minutes))


def new_ids() -> Callable[[], str]:
    counter = itertools.count()
    return lambda: f"id{next(counter)}"


def scenarios(base: tuple[Entry, ...], rng: random.Random, words: list[str]) -> dict[str, tuple[Entry, ...]]:
    count = len(base)

    def edited(many: int) -> tuple[Entry, ...]:
        chosen = set(rng.sample(range(count), many))
        return tuple(edit(one, rng, words) if n in chosen else one for n, one in enumerate(base))

    fresh = entry(0, NOON + timedelta(minutes=1), rng, words)
    tenth = max(1, count // 10)
    return {
        "unchanged": tuple(replace(one, text="".join(one.text)) for one in base),
        "counters changed": tuple(replace(one, text=f"{one.text}\n\nShare {n} comments") for n, one in enumerate(base)),
        "page replaced": tuple(
            replace(one, text=other.text) for one, other in zip(base, page(count, rng, words), strict=True)
        ),
        "pairs merged": tuple(
            replace(one, text=f"{one.text}\n\n{other.text}") for one, other in zip(base[::2], base[1::2], strict=True)
        ),
        "1 new": (fresh, *base),
        "5 edited": edited(5),
        "50 edited": edited(min(50, count)),
        "40 % edited": edited(count * 2 // 5),
        "10% new, 10% edited": (
            *(entry(0, NOON + timedelta(minutes=1 + n), rng, words) for n in reversed(range(tenth))),
            *edited(tenth),
        ),
    }


def timed(known: Known, poll: Snapshot) -> tuple[float, Reconciled]:
    """Return the CPU milliseconds of one poll and its result."""
    gc.collect()
    gc.disable()
    start = time.process_time()
    result = reconcile(known, poll, policy=POLICY, new_id=new_ids())
    took = time.process_time() - start
    gc.enable()
    return took * 1000, result


def main() -> int:
    """Print the table and how time grows; exit 1 when a promised limit is passed."""
    rng = random.Random(7)
    words = [
        f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "ei", "o", "u") for c in ("rn", "lt", "sk", "ven", "mid")
    ]
    print(f"{'entries':>8}  {'poll':20} {'CPU ms':>9} {'us/entry':>9} {'changes':>8} {'limit ms':>9}")
    times: dict[tuple[int, str], float] = {}
    for count in (50, 200, 1000, 2000):
        base = page(count, rng, words)
        start = time.process_time()
        first = reconcile(None, snapshot(base, 0), policy=POLICY, new_id=new_ids())
        took = (time.process_time() - start) * 1000
        print(f"{count:8}  {'first sight':20} {took:9.3f} {took / count * 1000:9.2f} {count:8}")
        seen: dict[str, list[tuple[float, Reconciled]]] = {}
        for _ in range(25 if count < 1000 else 5):  # in turns: what else the machine does falls on all of them alike
            for name, entries in scenarios(base, rng, words).items():
                seen.setdefault(name, []).append(timed(first.known, snapshot(entries)))
        for name, polls in seen.items():
            took = times[count, name] = statistics.median(milliseconds for milliseconds, _ in polls)
            limit = LIMITS.get((count, name))
            shown = f"{limit:9.1f}" if limit else ""
            print(f"{count:8}  {name:20} {took:9.3f} {took / count * 1000:9.2f} {len(polls[-1][1].changes):8} {shown}")
    print_growth(times)
    print_identified(rng, words)
    return int(any(times[key] > limit for key, limit in LIMITS.items()))


def print_identified(rng: random.Random, words: list[str]) -> None:
    """Print what 5 edits of 200 entries take by what the publisher gives to know them by."""
    kinds: dict[str, Callable[[int, Entry], Entry]] = {
        "times": lambda _, one: one,
        "times and ids": lambda n, one: replace(one, native_id=f"block-{n * 7919 % 100_003}"),
        "times and addresses": lambda n, one: replace(one, url=f"https://www.example.org/live/{n}?utm_source=feed"),
        "ids": lambda n, one: replace(one, native_id=f"block-{n * 7919 % 100_003}", published=None),
        "nothing": lambda _, one: replace(one, published=None),
    }
    firsts = {}
    for kind, given in kinds.items():
        base = tuple(given(n, one) for n, one in enumerate(page(200, rng, words)))
        firsts[kind] = base, reconcile(None, snapshot(base, 0), policy=POLICY, new_id=new_ids()).known
    seen: dict[str, list[float]] = {}
    for _ in range(25):
        for kind, (base, known) in firsts.items():
            entries = scenarios(base, rng, words)["5 edited"]
            seen.setdefault(kind, []).append(timed(known, snapshot(entries))[0])
    print("\n5 edited of 200, by what the publisher gives")
    for kind, polls in seen.items():
        print(f"{'':8}  {kind:20} {statistics.median(polls):9.3f}")


def print_growth(times: dict[tuple[int, str], float]) -> None:
    """Print how many times longer polls take with more entries and with more changes: linear is the factor itself."""
    print("\ngrowth with entries, 200 to 2,000 (10 times as many)")
    for name in ("unchanged", "counters changed", "page replaced", "pairs merged", "5 edited", "10% new, 10% edited"):
        print(f"{'':8}  {name:20} {times[2000, name] / times[200, name]:8.1f} times")
    print("growth with changes, 1,000 entries, 50 to 400 edited (8 times as many)")
    still = times[1000, "counters changed"]
    grown = times[1000, "40 % edited"] / times[1000, "50 edited"]
    print(f"{'':8}  {'edited':20} {grown:8.1f} times (all texts read anew, none changed: {still:.1f} ms)")


if __name__ == "__main__":
    sys.exit(main())
