"""`monitor history`: what changed, in words for a person or as JSON Lines for a script."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from monitor.cli import run_command_line
from monitor.model import Change, ChangeType
from monitor.store import Retention, Store

SETTINGS = "version: 1\nsources: {aleppo: {url: https://example.org/live}}\n"


@pytest.fixture
def monitor(tmp_path, monkeypatch, capfdbinary):
    """Runs a command on this test's settings and state; returns exit code, stdout and stderr."""
    (tmp_path / "monitor.yaml").write_text(SETTINGS)
    monkeypatch.setenv("MONITOR_CONFIG", str(tmp_path / "monitor.yaml"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("TZ", "UTC")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = run_command_line(["history", *arguments])
        captured = capfdbinary.readouterr()
        return code, captured.out.decode(), captured.err.decode()

    return run


@pytest.fixture
async def times(path, make):
    """A store with a slip, its correction, a removal and an unannounced tidying; returns when each was seen."""
    noon = make.now
    async with await Store.open(path, clock=lambda: make.now) as store:
        await store.ensure_sources([make.ref], noon)
        native = make.entry("it was suspecnded\n\nfor now", native_id="post-7")
        for change, silent in (
            (Change(ChangeType.BASELINE, "e7f3", native, 1), True),
            (make.edited("e7f3", "it was suspecnded", "it was suspended"), False),
            (make.new("a1b2", "\x1b[2Jsomething \u202enew"), False),
            (make.edited("a1b2", "something new", "something  new"), True),
            (make.removed("e7f3", "it was suspended", 3), False),
        ):
            await store.commit(make.poll(await store.load("aleppo"), [change], silent=silent))
            make.now += timedelta(minutes=1)
    return [noon + timedelta(minutes=n) for n in range(5)]


def told(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def test_every_revision_is_told_with_the_words_that_changed(times, monitor):
    code, out, err = monitor("aleppo")
    assert (code, err) == (0, "")
    assert "text: [-it was suspecnded-]{+it was suspended+}" in out
    assert [line.split()[5] for line in out.splitlines() if line.startswith("20")] == [
        "baseline", "edited", "new", "edited", "removed",
    ]  # fmt: skip
    assert "minor: typo\n" in out
    assert "minor: typo; not announced\n" in out


def test_nothing_a_publisher_wrote_reaches_the_terminal_raw(times, monitor):
    _, out, _ = monitor("aleppo")
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_json_lines_hold_the_whole_revision(times, monitor):
    code, out, _ = monitor("aleppo", "--json")
    first, second, *_, last = told(out)
    assert code == 0
    assert (first["type"], first["revision"], first["delta"]) == ("baseline", 1, None)
    assert first["entry"]["text"] == "it was suspecnded\n\nfor now"
    assert (second["delta"], second["changes"][0]["diff"]) == (
        "aleppo/1-1",
        [["-", "it was suspecnded"], ["+", "it was suspended"]],
    )
    assert (last["type"], last["seen_at"]) == ("removed", "2016-12-15T12:04:00.000Z")


@pytest.mark.parametrize("entry", ["e7f3", "e7", "post-7"])
def test_an_entry_is_named_by_id_by_its_beginning_or_as_the_publisher_does(times, monitor, entry):
    _, out, _ = monitor("aleppo", entry, "--json")
    assert [(line["entry_id"], line["revision"]) for line in told(out)] == [("e7f3", 1), ("e7f3", 2), ("e7f3", 3)]


def test_the_page_as_it_was_at_a_time(times, monitor):
    _, out, _ = monitor("aleppo", "--at", times[0].isoformat(), "--json")
    assert [line["text"] for line in told(out)] == ["it was suspecnded\n\nfor now"]
    _, out, _ = monitor("aleppo", "--at", times[3].isoformat(), "--json")
    assert [(line["position"], line["text"]) for line in told(out)] == [(0, "something  new"), (1, "it was suspended")]
    _, out, _ = monitor("aleppo", "--at", times[0].isoformat())
    assert "    for now" in out.splitlines()


def test_an_entry_as_it_was_at_a_time(times, monitor):
    _, out, _ = monitor("aleppo", "e7f3", "--at", times[1].isoformat(), "--json")
    assert [line["text"] for line in told(out)] == ["it was suspended"]
    code, out, err = monitor("aleppo", "e7f3", "--at", times[4].isoformat())
    assert (code, out) == (0, "")
    assert "nothing was there then" in err


def test_only_what_was_seen_since_a_time(times, monitor):
    _, out, _ = monitor("aleppo", "--since", times[3].isoformat(), "--json")
    assert [line["type"] for line in told(out)] == ["edited", "removed"]
    code, out, err = monitor("aleppo", "--since", "2h")
    assert (code, out) == (0, "")
    assert "nothing was recorded" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 65, "it knows aleppo"),
        (["aleppo", "zzz"], 65, "no such entry"),
        (["aleppo", "--at", "teatime"], 2, "neither a time"),
        (["aleppo", "--at", "1h", "--since", "2h"], 2, "--at shows one moment"),
    ],
)
def test_what_cannot_be_shown_is_said_and_coded(times, monitor, arguments, code, words):
    found, out, err = monitor(*arguments)
    assert (found, out) == (code, "")
    assert words in err


def test_an_ambiguous_entry_names_the_candidates(path, make, monitor, times):
    code, _, err = monitor("aleppo", "")
    assert code == 65
    assert "a1b2, e7f3" in err


def test_where_there_is_no_store_none_is_made(monitor, tmp_path):
    code, _, err = monitor("aleppo")
    assert (code, "no store is here yet" in err) == (73, True)
    assert not (tmp_path / "state").exists()


@pytest.fixture
async def forgetful(path, make, times):
    """The same store a day later, the texts of superseded revisions gone."""
    async with await Store.open(path, clock=lambda: make.now + timedelta(days=1)) as store:
        await store.prune(Retention(bodies=timedelta(hours=1)))


def test_texts_that_retention_took_away_are_said_to_be_gone(forgetful, monitor):
    _, out, _ = monitor("aleppo", "e7f3")
    assert "(its text is no longer kept)" in out
    _, out, _ = monitor("aleppo", "e7f3", "--json")
    assert [line["entry"] is None for line in told(out)] == [True, True, False]
