"""How many texts a second the rules keep up with, beside a loop over `re` and SQLite FTS5 in the same run.

    python benchmarks/rules.py [--rules 100,1000,10000,100000] [--texts FILE.jsonl] [--seed N]

Without --texts the texts are made: words of an English word list drawn by Zipf's law in sentences of news length. With it,
each line is a JSON object with a `text`; five lines make one text. Times are CPU time of one core; p99 is of single texts.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import re
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.rules import Ruleset, RuleText, compile_rules

VOCABULARY = 48_000
SENTENCE = 22  # words, as in news agency copy
TEXTS = 400
NASTY, NASTY_LIMIT, NASTY_RULES = 200_000, 250, 10_000  # characters, ms, rules


def vocabulary(seed: int) -> list[str]:
    """English words, shortest first within a random order: common words are short."""
    from simplemma.strategies.dictionaries.dictionary_factory import DEFAULT_DICTIONARY_FACTORY

    words = sorted(
        w for w in DEFAULT_DICTIONARY_FACTORY.get_dictionary("en") if w.isascii() and w.isalpha() and w.islower()
    )
    chosen = random.Random(seed).sample(words, VOCABULARY)
    return sorted(chosen, key=lambda word: len(word) + random.Random(word).random() * 8)


def made_texts(words: list[str], seed: int) -> list[str]:
    chance = random.Random(seed + 1)
    weights = [1 / (rank + 2.7) for rank in range(len(words))]
    texts = []
    for _ in range(TEXTS):
        sentences = []
        for _ in range(5):
            drawn = chance.choices(words, weights, k=SENTENCE)
            drawn[0] = drawn[0].capitalize()
            drawn[chance.randrange(SENTENCE)] += ","
            sentences.append(" ".join(drawn) + ".")
        texts.append(" ".join(sentences))
    return texts


def read_texts(path: str) -> list[str]:
    with open(path, encoding="utf-8") as lines:
        sentences = [json.loads(line)["text"] for line in lines]
    return [" ".join(sentences[at : at + 5]) for at in range(0, len(sentences) - 4, 5)]


def made_rules(words: list[str], count: int, seed: int) -> dict[str, str]:
    """The mix of a large desk: mostly single words and natural phrases, a few of everything else."""
    chance = random.Random(seed + 2)

    def word() -> str:
        return chance.choice(words)

    shapes = [
        (55.0, word),
        (25.0, lambda: f"{word()} {word()}"),
        (8.0, lambda: f'"{word()} {word()}"'),
        (5.0, lambda: f"{word()} AND {word()} NOT {word()}"),
        (4.0, lambda: f"({word()} OR {word()}) AND {word()}"),
        (2.0, lambda: f"{word()} NEAR/8 {word()}"),
        (0.5, lambda: f"{(word() + 'xyz')[:5]}*"),
        (0.3, lambda: f"{word()}~"),
        (0.2, lambda: rf"/\b{word()} {word()}\b/i"),
    ]
    kinds = chance.choices([make for _, make in shapes], [share for share, _ in shapes], k=count)
    return {f"r{number}": make() for number, make in enumerate(kinds)}


def resident() -> float:
    """MB of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def timed(texts: list[str], judge: object) -> list[float]:
    assert callable(judge)
    times = []
    for text in texts:
        start = time.process_time_ns()
        judge(text)
        times.append((time.process_time_ns() - start) / 1e3)
    return times


def ours(rules: dict[str, str], texts: list[str]) -> dict[str, float]:
    gc.collect()
    before = resident()
    start = time.process_time()
    ruleset = compile_rules(rules)
    ruleset.prepare(["en"])
    build = time.process_time() - start
    memory = resident() - before
    cold = timed(texts, lambda text: ruleset.judge(None, RuleText(text)))
    warm = [t for _ in range(3) for t in timed(texts, lambda text: ruleset.judge(None, RuleText(text)))]
    hits = sum(len(ruleset.judge(None, RuleText(text))) for text in texts) / len(texts)
    return {
        "build": build,
        "memory": memory,
        "cold": statistics.mean(cold),
        "warm": statistics.mean(warm),
        "p99": sorted(warm)[int(len(warm) * 0.99)],
        "hits": hits,
    }


def nasty_texts(words: list[str], seed: int) -> dict[str, str]:
    """Texts of 200,000 characters that nobody writes: the dearest kinds of some ninety that were tried."""
    chance = random.Random(seed + 3)

    def run(low: int, high: int, length: int) -> str:
        return "".join(chr(chance.randrange(low, high)) for _ in range(length))

    def spaced(make: Callable[[], str], between: str = " ") -> str:
        return between.join(make() for _ in range(NASTY // (len(make()) + len(between)) + 3000))[:NASTY]

    return {
        "any character": run(0x20, 0xD7FF, NASTY),
        "any four characters": spaced(lambda: run(0x21, 0xD7FF, 4)),
        "astral": run(0x10000, 0x10FFFD, NASTY),
        "sentences of a word": spaced(lambda: chance.choice(words).capitalize() + "."),
        "words of the rules": spaced(lambda: chance.choice(words)),
        "in capitals": spaced(lambda: chance.choice(words).upper()),
        "compounds": spaced(lambda: "-".join(chance.choices(words, k=3))),
        "apostrophes": spaced(lambda: f"{run(97, 123, 4)}’{run(97, 123, 3)}"),
        "decomposed": spaced(lambda: "".join(c + "\u0301" for c in run(97, 123, 4))),
        "half characters": spaced(lambda: run(97, 123, 4) + "\ud800"),
        "Han and commas": spaced(lambda: run(0x4E00, 0x9FA5, 1) + "，", ""),
        "Devanagari": spaced(lambda: run(0x915, 0x939, 5) + "ि"),
    }


def worst_of_nasty(ruleset: Ruleset, words: list[str], seed: int) -> str:
    """A line of the dearest nasty text, the better of two unlike it, beside the limit."""
    ruleset.judge(None, RuleText("warm up"))
    once, again = nasty_texts(words, seed), nasty_texts(words, seed + 1)
    costs = {
        kind: min(timed([text, again[kind]], lambda text: ruleset.judge(None, RuleText(text)))) / 1e3
        for kind, text in once.items()
    }
    kind = max(costs, key=costs.__getitem__)
    return f"worst of {len(costs)} nasty texts of {NASTY:,} characters: {costs[kind]:.0f} ms ({kind}); limit {NASTY_LIMIT} ms"


def loop_over_re(rules: dict[str, str], texts: list[str]) -> float:
    """Each rule's words as one pattern: less than our rules ask, but what a script would do."""
    patterns = [
        re.compile("|".join(rf"\b{w}\b" for w in re.findall(r"[a-z]+", rule)[:2]), re.IGNORECASE)
        for rule in rules.values()
    ]
    few = texts[: max(2, 200_000 // len(patterns) // 10)][:50]
    return statistics.mean(timed(few, lambda text: [p for p in patterns if p.search(text)]))


def full_text_search(rules: dict[str, str], texts: list[str]) -> float:
    """One text as one row of an FTS5 table with the Porter stemmer, every rule as a query."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE entry USING fts5(text, tokenize='porter unicode61')")
    queries = [" AND ".join(f'"{w}"' for w in re.findall(r"[a-z]+", rule)[:2]) for rule in rules.values()]

    def judge(text: str) -> None:
        database.execute("DELETE FROM entry")
        database.execute("INSERT INTO entry VALUES (?)", (text,))
        for query in queries:
            database.execute("SELECT 1 FROM entry WHERE entry MATCH ?", (query,)).fetchone()

    few = texts[: max(2, 100_000 // len(queries) // 10)][:50]
    return statistics.mean(timed(few, judge))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rules", default="100,1000,10000,100000")
    options.add_argument("--texts")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--no-peers", action="store_true", help="leave the loop over re and FTS5 out")
    chosen = options.parse_args()
    words = vocabulary(chosen.seed)
    texts = read_texts(chosen.texts) if chosen.texts else made_texts(words, chosen.seed)
    if chosen.texts:
        words = sorted(
            {w.lower() for text in texts for w in re.findall(r"[A-Za-z]{4,}", text)} | set(words[-VOCABULARY // 2 :])
        )
    print(f"{len(texts)} texts of {statistics.mean(map(len, texts)):.0f} characters; CPU time, one core\n")
    print(
        "| rules | texts/s | µs a text | p99 µs | cold µs | hits a text | build s | MB | `re` loop µs | × | FTS5 µs | × |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    compile_rules({"warm": "the~ /x/"}).match("warm up")
    for count in map(int, chosen.rules.split(",")):
        rules = made_rules(words, count, chosen.seed)
        mine = ours(rules, texts)
        loop = fts = float("nan")
        if not chosen.no_peers:
            loop, fts = loop_over_re(rules, texts), full_text_search(rules, texts)
        print(
            f"| {count:,} | {1e6 / mine['warm']:,.0f} | {mine['warm']:.0f} | {mine['p99']:.0f} | {mine['cold']:.0f} | {mine['hits']:.1f} "
            f"| {mine['build']:.2f} | {mine['memory']:.0f} | {loop:,.0f} | {loop / mine['warm']:,.0f} | {fts:,.0f} | {fts / mine['warm']:,.0f} |",
            flush=True,
        )
    ruleset = compile_rules(made_rules(words, NASTY_RULES, chosen.seed))
    ruleset.prepare(["en"])
    print(f"\n{NASTY_RULES:,} rules, {worst_of_nasty(ruleset, words, chosen.seed)}")


if __name__ == "__main__":
    main()
