"""How far our reading of feeds agrees with what other parsers' test suites expect of theirs.

    python benchmarks/feed_agreement.py FOLDER [--list CLASS]

FOLDER holds the test data of feedparser (`Expect:` comments), gofeed, feed-rs and rss-parser (expected JSON beside the
feeds). Held against ours: ids, titles, links, dates, texts. Every disagreement is put into a class that says why.
"""

from __future__ import annotations

import argparse
import ast
import html
import json
import re
from calendar import timegm
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

from monitor.model import Document, Entry, Reading, ReadOptions, Verdict
from monitor.sources import read
from monitor.text.html import html_text
from monitor.text.times import read_stamp

SEEN = datetime(2026, 11, 22, tzinfo=UTC)


class Wanted(NamedTuple):
    file: Path
    suite: str
    index: int
    field: str  # id, title, link, published, updated, text
    value: object


# What each suite expects

FEEDPARSER_EXPECT = re.compile(r"Expect:(.*?)(?:-->|\n\s*\n)", re.DOTALL)
COMPARISON = re.compile(
    r"entries\[(-?\d+)\](?:\.|\[u?')(title_detail|title|id|guid|link|summary|description|content|published_parsed|updated_parsed)(?:'\])?"
    r"(?:\[0\])?(?:(?:\.|\[u?')value(?:'\])?)?\s*==\s*(u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|\([\d, ]+\))(?!\s*\+)"
)
NAMES = {
    "title_detail": "title",
    "guid": "id",
    "description": "text",
    "summary": "text",
    "content": "text",
    "published_parsed": "published",
    "updated_parsed": "updated",
}


def feedparser_wants(folder: Path) -> Iterator[Wanted]:
    for path in sorted(folder.rglob("*.xml")):
        text = path.read_bytes().decode("utf-8", "replace")
        expect = FEEDPARSER_EXPECT.search(text)
        if expect is None or "Header:" in text[: expect.end()]:
            continue  # what depends on response headers is the transport's matter
        for index, name, literal in COMPARISON.findall(expect.group(1)):
            field = NAMES.get(name, name)
            value = ast.literal_eval(literal.removeprefix("u"))
            if isinstance(value, tuple):
                value = datetime.fromtimestamp(timegm(value), UTC).isoformat() if len(value) == 9 else None
            yield Wanted(path, "feedparser", int(index), field, value)


def gofeed_wants(folder: Path) -> Iterator[Wanted]:
    for path in sorted(folder.rglob("*.json")):
        feed = path.with_suffix(".xml")
        if not feed.exists():
            continue
        expected = json.loads(path.read_text(encoding="utf-8"))
        for index, item in enumerate(expected.get("items") or expected.get("entries") or []):
            guid = item.get("guid") or item.get("id")
            yield from _fields(
                feed,
                "gofeed",
                index,
                {
                    "id": guid.get("value") if isinstance(guid, dict) else guid,
                    "title": item.get("title"),
                    "link": item.get("link") or _alternate(item.get("links")),
                    "published": item.get("publishedParsed") or item.get("pubDateParsed"),
                    "text": _value(item.get("content")) or item.get("description") or item.get("summary"),
                },
            )


def feed_rs_wants(folder: Path) -> Iterator[Wanted]:
    for path in sorted(folder.rglob("*.serde.json")):
        feed = path.with_name(path.name.replace(".serde.json", ".xml"))
        if not feed.exists():
            continue
        for index, item in enumerate(json.loads(path.read_text(encoding="utf-8")).get("entries") or []):
            yield from _fields(
                feed,
                "feed-rs",
                index,
                {
                    "id": item.get("id"),
                    "title": _value(item.get("title")),
                    "link": _alternate(item.get("links")),
                    "published": item.get("published"),
                    "text": _value(item.get("content")) or _value(item.get("summary")),
                },
            )


def rss_parser_wants(folder: Path) -> Iterator[Wanted]:
    for path in sorted(folder.rglob("output/*.json")):
        feed = next(
            (
                one
                for suffix in (".rss", ".atom")
                if (one := path.parent.parent / "input" / (path.stem + suffix)).exists()
            ),
            None,
        )
        if feed is None:
            continue
        for index, item in enumerate(
            (json.loads(path.read_text(encoding="utf-8")).get("feed") or {}).get("items") or []
        ):
            guid = item.get("guid") or item.get("id")
            yield from _fields(
                feed,
                "rss-parser",
                index,
                {
                    "id": guid.get("_") if isinstance(guid, dict) else guid,
                    "title": item.get("title"),
                    "link": item.get("link"),
                    "published": item.get("isoDate"),
                    "text": item.get("content:encoded") or item.get("content"),
                },
            )


def _fields(path: Path, suite: str, index: int, values: dict[str, object]) -> Iterator[Wanted]:
    yield from (
        Wanted(path, suite, index, field, value)
        for field, value in values.items()
        if isinstance(value, str) and value.strip()
    )


def _value(value: object) -> object:
    if isinstance(value, dict):
        return value.get("value") or value.get("content") or value.get("body")
    return value


def _alternate(links: object) -> object:
    listed = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    return next((link.get("href") for link in listed if link.get("rel") in (None, "", "alternate")), None)


# Ours against theirs


def plain(text: str) -> str:
    return " ".join(html.unescape(html.unescape(text)).split())


def agrees(wanted: Wanted, entry: Entry) -> bool:
    if wanted.field in {"published", "updated"}:
        got = entry.published_at if wanted.field == "published" else entry.updated_at or entry.published_at
        stamp = (
            read_stamp(str(wanted.value).partition(".")[0].replace("Z", "") + "Z", reference=SEEN, zone=UTC)
            if "+" not in str(wanted.value)
            else read_stamp(str(wanted.value), reference=SEEN, zone=UTC)
        )
        return got is not None and stamp is not None and got.replace(microsecond=0) == stamp.at.replace(microsecond=0)
    got_text = {"id": entry.native_id, "title": entry.title, "link": entry.url, "text": entry.text}[wanted.field] or ""
    value = str(wanted.value)
    return plain(got_text) in {plain(value), plain(html_text(value)), plain(html_text(html.unescape(value)))}


def reason(wanted: Wanted, entry: Entry | None, body: str, verdict: Verdict) -> str:
    if entry is None:
        return f"entry left out: {verdict.reason or 'read as no entry of a whole feed'}"
    value, field = str(wanted.value), wanted.field
    got = {"id": entry.native_id, "title": entry.title, "link": entry.url, "text": entry.text}.get(field)
    if field in {"published", "updated"}:
        if entry.published_at is None and entry.updated_at is None:
            return "date: a form we do not read"
        return (
            "date: they take the other of published and updated"
            if entry.published_at is None or entry.updated_at
            else "date: another instant"
        )
    if field == "id" and got is None:
        return "id: invented by them (hash or link); we never invent one"
    if field == "link":
        if got is None:
            return "link: no web address, or taken from another rel"
        return (
            "link: made absolute by one of us"
            if urljoin(value, got) in {got, value} or urljoin(got, value) == got
            else "link: another of several"
        )
    if field == "id":
        return "id: invented by them (hash); ours is rdf:about, the publisher's"
    if field == "text" and "<description>" in body and "summary" in body:
        return "text: description and summary both given, the other chosen"
    if field == "text" and "iframe" in body:
        return "text: they keep what stands inside an <iframe>, which no reader is shown"
    if field == "text" and "<" in value + (got or ""):
        return "text: broken markup, cleaned otherwise"
    return f"{field}: differs"


def compare(folder: Path) -> tuple[Counter[tuple[str, str, bool]], dict[str, list[tuple[Wanted, str]]]]:
    tally: Counter[tuple[str, str, bool]] = Counter()
    classes: dict[str, list[tuple[Wanted, str]]] = {}
    readings: dict[Path, Reading] = {}
    for source in (
        feedparser_wants(folder / "feedparser"),
        gofeed_wants(folder / "gofeed"),
        feed_rs_wants(folder / "feed-rs"),
        rss_parser_wants(folder / "rss-parser"),
    ):
        for wanted in source:
            if wanted.file not in readings:
                readings[wanted.file] = read(Document(wanted.file.read_bytes(), SEEN), ReadOptions(kind="feed"))
            reading = readings[wanted.file]
            entries = reading.snapshot.entries if reading.snapshot else ()
            entry = entries[wanted.index] if -len(entries) <= wanted.index < len(entries) else None
            good = entry is not None and agrees(wanted, entry)
            tally[wanted.suite, wanted.field, good] += 1
            if not good:
                why = reason(wanted, entry, wanted.file.read_bytes().decode("utf-8", "replace"), reading.verdict)
                got = (
                    ""
                    if entry is None
                    else str(
                        {
                            "id": entry.native_id,
                            "title": entry.title,
                            "link": entry.url,
                            "text": entry.text,
                            "published": entry.published,
                            "updated": entry.updated_at,
                        }[wanted.field]
                    )
                )
                classes.setdefault(why, []).append((wanted, got))
    return tally, classes


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--list", help="print the disagreements whose class contains this text")
    chosen = options.parse_args()
    tally, classes = compare(chosen.folder)
    print(f"{'suite':12}{'field':11}{'agree':>8}{'of':>7}{'share':>9}")
    for suite, field in sorted({key[:2] for key in tally}):
        good, bad = tally[suite, field, True], tally[suite, field, False]
        print(f"{suite:12}{field:11}{good:8}{good + bad:7}{good / (good + bad):9.4f}")
    good = sum(count for key, count in tally.items() if key[2])
    print(f"{'all':23}{good:8}{sum(tally.values()):7}{good / max(1, sum(tally.values())):9.4f}\n")
    for why, cases in sorted(classes.items(), key=lambda pair: -len(pair[1])):
        print(f"{len(cases):5}  {why}")
        if chosen.list and chosen.list in why:
            for wanted, got in cases[:40]:
                print(f"         {wanted.file.name} [{wanted.index}] want {str(wanted.value)[:90]!r} got {got[:90]!r}")


if __name__ == "__main__":
    main()
