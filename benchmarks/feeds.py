"""What a feed costs when one entry changed: ours against feedparser over the whole of it.

    python benchmarks/feeds.py

Feeds are made here: RSS and Atom of about 30 KB (20 entries) and 300 KB (200). CPU time, median of the runs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import feedparser

from monitor.model import Document, ReadOptions
from monitor.sources import ReadMemory, read

WORDS = [
    "talks",
    "resume",
    "shelling",
    "harbour",
    "convoy",
    "ministry",
    "evening",
    "residents",
    "power",
    "council",
    "bridge",
    "relief",
    "ceasefire",
    "officials",
    "border",
    "hospital",
    "ambulance",
    "school",
    "market",
    "statement",
    "witness",
    "reported",
    "suspended",
    "evacuation",
    "northern",
    "district",
    "water",
    "supply",
]
START = datetime(2026, 1, 1, tzinfo=UTC)


def sentence(seed: int, words: int) -> str:
    return " ".join(WORDS[(seed * 7 + word * word * 3 + word) % len(WORDS)] for word in range(words)).capitalize() + "."


def rss(entries: int, changed: int | None = None) -> bytes:
    items = []
    for number in range(entries):
        body = "".join(f"&lt;p&gt;{sentence(number + part, 45)}&lt;/p&gt;" for part in range(4))
        extra = " Corrected." if number == changed else ""
        when = (START - timedelta(minutes=number)).strftime("%a, %d %b %Y %H:%M:%S +0000")
        items.append(
            f"<item><title>{sentence(number, 8)}</title><link>https://news.example/live#{number}</link>"
            f'<guid isPermaLink="false">block-{number}</guid><pubDate>{when}</pubDate><description>{body}{extra}</description></item>'
        )
    head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Live</title><link>https://news.example/live</link>'
    return f"{head}<lastBuildDate>{changed}</lastBuildDate>{''.join(items)}</channel></rss>".encode()


def atom(entries: int, changed: int | None = None) -> bytes:
    items = []
    for number in range(entries):
        body = "".join(f"<p>{sentence(number + part, 45)}</p>" for part in range(4))
        extra = "<p>Corrected.</p>" if number == changed else ""
        when = (START - timedelta(minutes=number)).isoformat()
        items.append(
            f"<entry><title>{sentence(number, 8)}</title><id>tag:news.example,2026:{number}</id><published>{when}</published>"
            f'<updated>{when}</updated><link href="https://news.example/live#{number}"/>'
            f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{body}{extra}</div></content></entry>'
        )
    head = '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Live</title><id>tag:news.example,2026:live</id>'
    return f"{head}<updated>{START.isoformat()}</updated>{''.join(items)}</feed>".encode()


def cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return (time.process_time() - begin) * 1000


def measure(make: Callable[..., bytes], entries: int, runs: int) -> tuple[float, float, float, float]:
    """Return milliseconds: feedparser whole, our first sight, ours with one entry changed, ours with none."""
    first, memory = make(entries), ReadMemory()
    options = ReadOptions(kind="feed")
    documents = [Document(make(entries, run % entries), START) for run in range(runs)]
    whole = [cpu(lambda: feedparser.parse(BytesIO(first))) for _ in range(max(3, runs // 4))]
    fresh = [cpu(lambda: read(Document(first, START), options, ReadMemory())) for _ in range(max(3, runs // 4))]
    read(Document(first, START), options, memory)
    one, none = [], []
    for document in documents:
        one.append(cpu(lambda: read(document, options, memory)))  # noqa: B023 - called at once
        none.append(cpu(lambda: read(document, options, memory)))  # noqa: B023
    assert memory.parsed_whole == 1, "a poll with one changed entry was parsed whole"
    return statistics.median(whole), statistics.median(fresh), statistics.median(one), statistics.median(none)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=40)
    runs = options.parse_args().runs
    print(
        f"{'feed':14}{'KB':>6}{'feedparser':>12}{'first sight':>13}{'one changed':>13}{'none changed':>14}{'one / feedparser':>18}"
    )
    for name, make in (("RSS", rss), ("Atom", atom)):
        for entries in (20, 200):
            whole, fresh, one, none = measure(make, entries, runs)
            size = len(make(entries)) // 1000
            print(
                f"{name:5}{entries:4} entr{size:6}{whole:9.1f} ms{fresh:10.1f} ms{one:10.2f} ms{none:11.2f} ms{one / whole:17.3f}"
            )


if __name__ == "__main__":
    main()
