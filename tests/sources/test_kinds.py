"""Every row of the table of kinds keeps the same promises; a kind without a sample here is half done."""

import json
from typing import get_args

import pytest

from monitor.model import SourceKind
from monitor.sources import KINDS

SAMPLES = {
    "feed": "<rss version='2.0'><channel><title>Live</title><item><guid>1</guid><title>Ferries</title><description>Two ferries.</description><pubDate>Tue, 10 Mar 2026 11:05:00 GMT</pubDate></item></channel></rss>",
    "liveblog": f"""<!doctype html><html><head><script type="application/ld+json">{
        json.dumps(
            {
                "@type": "LiveBlogPosting",
                "headline": "Live",
                "liveBlogUpdate": [
                    {
                        "@id": "1",
                        "headline": "Ferries",
                        "articleBody": "Two ferries.",
                        "datePublished": "2026-03-10T11:05:00Z",
                    }
                ],
            }
        )
    }</script></head><body></body></html>""",
    "page": "<!doctype html><html><head><title>Live</title></head><body><div class='live'><article id='1x'><time>11:05</time><h2>Ferries</h2><p>Two ferries.</p></article></div></body></html>",
    "json": json.dumps(
        {"posts": [{"id": "1", "title": "Ferries", "text": "Two ferries.", "time": "2026-03-10T11:05:00Z"}]}
    ),
    "text": "Live\n\n11:05\n\nFerries\n\nTwo ferries.",
}


def test_every_kind_of_the_model_has_a_row():
    assert set(KINDS) == set(get_args(SourceKind)) == set(SAMPLES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("asked", ["auto", "itself"])
def test_a_kinds_sample_reads_into_the_same_entry(reading, kind, asked):
    found = reading(SAMPLES[kind], kind="auto" if asked == "auto" else kind)
    snapshot = found.snapshot
    entry = snapshot.entries[0]
    assert (found.verdict.kind, snapshot.kind, len(snapshot.entries)) == ("ok", kind, 1)
    assert (entry.position, entry.title, entry.text) == (0, "Ferries", "Two ferries.")
    assert entry.published_at.isoformat() == "2026-03-10T11:05:00+00:00"
    assert (found.chosen is not None) == (asked == "auto")
    assert asked != "auto" or found.chosen.startswith(f"{kind}: ")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", SAMPLES)
def test_a_kind_asked_for_what_it_cannot_read_says_so(reading, kind, other):
    found = reading(SAMPLES[other], kind=kind)
    assert found.verdict.kind in {"ok", "failed"}
    assert found.verdict.kind == "ok" or found.verdict.reason


@pytest.mark.parametrize("kind", KINDS)
def test_reading_twice_gives_the_same(reading, kind):
    assert reading(SAMPLES[kind]) == reading(SAMPLES[kind])
