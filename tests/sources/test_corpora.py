"""Real pages and other parsers' feeds, where they lie beside the project."""

import json
import tarfile
from datetime import UTC, datetime

import pytest

from monitor.model import Document, ReadOptions
from monitor.sources import read
from monitor.sources.layout import letters

SEEN = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.slow
def test_every_feed_of_other_parsers_test_suites_gives_a_reading(data):
    count = 0
    with tarfile.open(data / "feeds.tar.xz") as archive:
        for member in archive:
            if member.isfile():
                found = read(Document(archive.extractfile(member).read(), SEEN), ReadOptions())
                assert found.verdict.code != "parser_error", member.name
                count += 1
    assert count > 2800


def instant(text):
    return datetime.fromisoformat(text) if text else None


def test_saved_live_blogs_are_read_without_a_hint(data):
    """Found, titles, times, ids all right; texts begin right; nothing invented."""
    pages = sorted((data / "pages").glob("*.truth.json"))
    assert pages
    for path in pages:
        truth = json.loads(path.read_text(encoding="utf-8"))
        body = path.with_name(path.name.replace(".truth.json", ".html")).read_bytes()
        found = read(Document(body, SEEN, url=truth["url"]), ReadOptions()).snapshot.entries
        assert len(found) == len(truth["entries"]), path.name
        by_id = {key: entry for entry in found for key in (entry.native_id, entry.url) if key}
        for place, wanted in enumerate(truth["entries"]):
            entry = by_id[wanted["id"]] if wanted["id"] else found[place]
            title = letters(wanted["title"].split("&rd")[0].removesuffix("…"))
            assert letters(entry.title).startswith(title), (path.name, wanted["title"], entry.title)
            assert entry.published_at == instant(wanted["time"]), (path.name, wanted["id"])
            shown, text = letters(entry.text), letters(wanted["text"])
            assert not text or text[:50] in shown or shown[:50] in text, (
                path.name,
                wanted["text"][:80],
                entry.text[:80],
            )


def test_saved_live_blogs_read_the_same_from_their_plain_blocks(data):
    """Where the page itself shows them, the entries are found without the markup too."""
    for name in ("guardian-ukraine-2023", "telegraph-brits-2024", "corkbeo-level3-2020", "bbc-covid-2020"):
        truth = json.loads((data / f"pages/{name}.truth.json").read_text(encoding="utf-8"))
        document = Document((data / f"pages/{name}.html").read_bytes(), SEEN, url=truth["url"])
        found = read(document, ReadOptions(kind="page")).snapshot.entries
        assert [letters(entry.title) for entry in found] == [letters(wanted["title"]) for wanted in truth["entries"]], (
            name
        )
