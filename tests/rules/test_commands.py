"""`monitor explain` and `monitor backtest`, run as users run them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BEFORE = """Live: harbour

12:05 pm

Buses arrive

Buses arrive at the harbour this morning.

12:01 pm

Gate open

The gate is open again.
"""
AFTER = BEFORE.replace(
    "12:05 pm", "12:09 pm\n\nEvacuation halted\n\nThe evacuation of the harbour was suspecnded.\n\n12:05 pm"
)


def monitor(*arguments, stdin="", home=ROOT):
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("MONITOR_CONFIG", None)
    command = [sys.executable, "-m", "monitor", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=home, env=environment, timeout=120)


def test_explain_shows_what_matched_and_exits_0(tmp_path):
    done = monitor("explain", "ceasefire violation", "They violated the ceasefire.", home=tmp_path)
    assert done.returncode == 0
    assert "They [violated] the [ceasefire]." in done.stdout


def test_explain_says_the_nearest_miss_and_exits_1(tmp_path):
    done = monitor("explain", "suspended", "--title", "Live", home=tmp_path, stdin="It was suspecnded.")
    assert done.returncode == 1
    assert "the unknown word 'suspecnded' is; `suspended~` finds it" in done.stdout


def test_explain_gives_json(tmp_path):
    done = monitor("explain", "Angriff", "Neue Angriffe", "--lang", "de", "--json", home=tmp_path)
    told = json.loads(done.stdout)
    assert told["fires"] is True
    assert told["matches"] == [{"field": "text", "start": 5, "end": 13, "text": "Angriffe", "term": "Angriff"}]


def test_explain_points_at_what_is_wrong_with_a_rule(tmp_path):
    done = monitor("explain", "fire AND", "x", home=tmp_path)
    assert done.returncode == 78
    assert "fire AND\n     ^\ncolumn 6: AND needs something after it" in done.stderr


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "blog.txt").write_text(BEFORE, encoding="utf-8")
    path = tmp_path / "monitor.yaml"
    path.write_text(
        f"version: 1\nredis: embedded\nstate_dir: {tmp_path / 'state'}\n"
        f"sources:\n  blog: {{url: {tmp_path / 'blog.txt'}, kind: text, every: 10s}}\n"
        "rules:\n  halted: {match: 'suspended~ OR halted'}\n",
        encoding="utf-8",
    )
    return path


def test_explain_knows_the_rules_of_the_settings(settings):
    assert monitor("explain", "halted", "talks halt", "-c", settings).returncode == 0
    assert monitor("explain", "halted", "talks go on", "-c", settings).returncode == 1


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_backtest_shows_what_a_rule_would_have_fired_on(settings):
    assert monitor("run", "--once", "-c", settings).returncode == 0
    (settings.parent / "blog.txt").write_text(AFTER, encoding="utf-8")
    assert monitor("run", "--once", "-c", settings).returncode == 0
    done = monitor("backtest", "halted", "-c", settings, "--json")
    hit, summary = map(json.loads, done.stdout.splitlines())
    assert (hit["source"], hit["change"]) == ("blog", "new")
    assert {match["text"] for match in hit["matches"]} == {"halted", "suspecnded"}
    assert (summary["fired"], summary["changes"], len(summary["days"])) == (1, 1, 1)
    assert "would have fired 0 times on 1 changes" in monitor("backtest", "drill", "-c", settings).stderr
