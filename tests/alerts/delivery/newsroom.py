"""An hour of a newsroom: forty live blogs, bursts, edits, withdrawals, two rules flapping; and receivers in trouble.

The script is generated; what each receiver must get is worked out here, from the script alone and without a line of the
code under test: by rule of thumb of a person who reads the policy.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from tests.alerts.delivery.world import START

RULES = {"halted": "suspended", "truce": "violation", "toll": "killed", "flap-a": "alpha", "flap-b": "beta"}
COOLDOWN = 300.0  # of every rule at the desk
FILLER = ["buses wait", "crowds gather", "officials meet", "no word yet", "a convoy moves"]


@dataclass(frozen=True)
class Step:
    """At a second of the hour an entry of a source gets this text; None takes it off the page."""

    at: float
    source: str
    entry: str
    text: str | None


def newsroom_hour(seed: int) -> list[Step]:
    """Forty sources, each with its entries' lives; times are whole seconds and no two steps of a source share one."""
    chance = random.Random(seed)
    steps: list[Step] = []
    for number in range(40):
        source, at = f"blog-{number:02}", chance.uniform(0, 240)
        for entry in range(chance.randint(2, 5)):
            words = [word for word in ("suspended", "violation", "killed") if chance.random() < 0.35]
            steps.append(Step(at, source, f"e{entry}", " ".join([chance.choice(FILLER), *words])))
            if chance.random() < 0.4:  # an edit: brings a word in, takes the words away, or neither
                change = chance.choice([["suspended"], [], words, ["killed", "violation"]])
                text = " ".join([chance.choice(FILLER), "more", *change])
                edited_at = at + chance.uniform(20, 500)
                steps.append(Step(edited_at, source, f"e{entry}", text))
                if chance.random() < 0.4:  # and the first words after all
                    text = " ".join([chance.choice(FILLER), "again", *words])
                    steps.append(Step(edited_at + chance.uniform(1, 200), source, f"e{entry}", text))
            elif chance.random() < 0.15:
                steps.append(Step(at + chance.uniform(30, 400), source, f"e{entry}", None))
            at += chance.uniform(30, 700)
    for burst in range(3):  # everybody reports the same within half a minute
        when = 600 + 900 * burst
        for number in chance.sample(range(40), 15):
            text = f"{chance.choice(FILLER)} suspended"
            steps.append(Step(when + chance.uniform(0, 30), f"blog-{number:02}", f"burst{burst}", text))
    for rule, word in (("a", "alpha"), ("b", "beta")):  # two entries that editors quarrel over
        for turn in range(9):
            text = f"report {word}" if turn % 2 == 0 else "report withdrawn"
            steps.append(Step(1000 + 70 * turn, f"blog-0{1 if rule == 'a' else 2}", f"quarrel-{rule}", text))
    return tidy(steps)


def tidy(steps: list[Step]) -> list[Step]:
    """Order by time, and keep only what can happen: an entry's life ends with its removal, texts change."""
    seen: dict[tuple[str, str], str | None] = {}
    kept, times = [], set()
    for step in sorted(steps, key=lambda step: step.at):
        key, at = (step.source, step.entry), float(int(step.at))
        if (
            at > 3600
            or (key in seen and (seen[key] is None or seen[key] == step.text))
            or (key not in seen and step.text is None)
        ):
            continue
        while (step.source, at) in times:
            at += 1
        times.add((step.source, at))
        seen[key] = step.text
        kept.append(Step(at, step.source, step.entry, step.text))
    return sorted(kept, key=lambda step: (step.at, step.source))


# What must be told, by reading the script.

Said = tuple[str, str, str]  # rule, "source:entry", what: fired, corrected


def what_happens(steps: list[Step]) -> list[tuple[float, Said]]:
    """Every time a rule comes true or, having been true, false."""
    texts: dict[tuple[str, str], str] = {}
    found = []
    for step in steps:
        before, after = texts.get((step.source, step.entry), ""), step.text or ""
        texts[step.source, step.entry] = after
        for rule, word in RULES.items():
            entry = f"{step.source}:{step.entry}"
            if word in after and word not in before:
                found.append((step.at, (rule, entry, "fired")))
            elif word in before and word not in after:
                found.append((step.at, (rule, entry, "corrected")))
    return found


def settled(happened: list[tuple[float, Said]]) -> tuple[list[tuple[float, Said]], list[tuple[float, Said]]]:
    """Quarrels are told three times, then once more when they have been quiet for ten minutes.

    Returns what is told, and what is held back on the way.
    """
    lives: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for at, (rule, entry, what) in happened:
        lives[rule, entry].append((at, what))
    told, held_back = [], []
    for (rule, entry), turns in lives.items():
        held: list[tuple[float, str]] = []
        for place, (at, what) in enumerate(turns):
            recent = [turn for turn in turns[: place + 1] if at - turn[0] <= 600]
            if len(recent) - 1 >= 3:
                held.append((at, what))
                held_back.append((at, (rule, entry, what)))
            else:
                told.append((at, (rule, entry, what)))
        if held:
            told.append((held[-1][0] + 600, (rule, entry, held[-1][1])))
    return sorted(told), held_back


def at_the_archive(steps: list[Step]) -> Counter[Said]:
    """The webhook hears everything at once, each thing once."""
    return Counter(said for _, said in settled(what_happens(steps))[0])


def at_the_desk(steps: list[Step]) -> tuple[list[tuple[float, str, int]], Counter[Said]]:
    """The desk hears the first of a rule at once and the rest of each cooldown together; corrections at once.

    What was taken back before the desk heard it is never told. Returns (time, rule, how many alerts) of each message of
    alerts, and the corrections.
    """
    waiting: dict[str, dict[str, float]] = defaultdict(dict)  # rule → entries that wait
    heard: set[tuple[str, str]] = set()
    free_at: dict[str, float] = defaultdict(float)
    messages: list[tuple[float, str, int]] = []
    corrections: Counter[Said] = Counter()

    def leave(until: float) -> None:
        for rule in waiting:
            if waiting[rule] and free_at[rule] <= until:
                at = max(free_at[rule], min(waiting[rule].values()))
                messages.append((at, rule, len(waiting[rule])))
                heard.update((rule, entry) for entry in waiting[rule])
                waiting[rule].clear()
                free_at[rule] = at + COOLDOWN

    told, held = settled(what_happens(steps))
    for at in sorted({at for at, _ in (*told, *held)}):
        leave(at)
        for rule, entry, what in (said for when, said in held if when == at):
            if what == "corrected":
                waiting[rule].pop(entry, None)
        for rule, entry, what in (said for when, said in told if when == at):
            if what == "fired":
                waiting[rule][entry] = at
            elif waiting[rule].pop(entry, None) is None and (rule, entry) in heard:
                heard.discard((rule, entry))
                corrections[rule, entry, what] += 1
        leave(at)
    leave(10_000)
    return messages, corrections


def last_words(steps: list[Step]) -> set[tuple[str, str]]:
    """The rules and entries that hold when the hour is over: whoever heard of others was told that they no longer do."""
    lives = {(rule, entry): what for _, (rule, entry, what) in what_happens(steps)}
    return {key for key, what in lives.items() if what == "fired"}


def outfit(world, *, troubled: bool = False) -> None:
    """The archive (a webhook) and the desk (Slack, its rest after a message five minutes), told by every rule.

    `troubled`: a webhook for every kind of trouble beside them.
    """
    world.receiver("archive")
    rest = timedelta(seconds=COOLDOWN)
    world.receiver("desk", "slack", burst=rest, rate=50.0, rate_burst=50, in_flight=8, coalesce_above=0)
    for fault in FAULTS if troubled else ():
        world.receiver(fault, timeout=0.05 if fault == "hangs" else 5.0)
    for rule, word in RULES.items():
        world.rule(rule, word)


async def play(world, steps, *, after=3000.0):
    """Commit every step at its time, in seconds after START."""
    for step in steps:
        await world.advance((START + timedelta(seconds=step.at) - world.time.current).total_seconds())
        await world.poll(step.source, (step.entry, step.text))
    await world.advance(after)


def told(heard) -> list[tuple[str, Said]]:
    """(webhook-id, what was said) of each POST that was answered well, in order; a digest says several things."""
    said = []
    for one in heard:
        if one.status != 200:
            continue
        event = one.event
        if event["type"] == "monitor.notice":
            continue
        alerts = event["data"]["alerts"] if event["type"].endswith("digest") else [event["data"]]
        for alert in alerts:
            what = "corrected" if alert.get("corrects") or alert.get("event") == "corrected" else "fired"
            said.append((one.id, (alert["rule"], alert["delta"]["entry"]["id"], what)))
    return said


def in_order(said) -> None:
    """Of each rule and entry: first fired, then corrected, in turn."""
    lives: dict[tuple[str, str], list[str]] = defaultdict(list)
    for _, (rule, entry, what) in said:
        lives[rule, entry].append(what)
    for (rule, _), life in lives.items():
        if not rule.startswith("flap"):
            assert life == [("fired", "corrected")[place % 2] for place in range(len(life))]
        assert life[0] == "fired"


class Fault:
    """Answers as a receiver with one kind of trouble, again and again."""

    def __init__(self, kind: str, chance: random.Random) -> None:
        self.kind = kind
        self.chance = chance

    def __call__(self, count: int):
        if self.kind == "gone":
            return 410 if count > 20 else 200
        if self.chance.random() > 0.45:
            return 200
        return {"500": 500, "busy": self.busy, "hangs": self.hang, "resets": self.reset, "lies": self.lie}[self.kind]

    async def busy(self, _):
        return web.Response(status=429, headers={"Retry-After": str(self.chance.randint(1, 90))})

    async def hang(self, request):
        await asyncio.sleep(0.1)
        return web.Response(status=504)

    async def reset(self, request):
        request.transport.abort()
        return web.Response(status=599)

    async def lie(self, request):
        request.transport.write(b"HTTP/1.1 two hundred\r\n\r\n")
        return web.Response(status=599)


FAULTS = ("500", "busy", "hangs", "resets", "lies", "redirects", "gone")
