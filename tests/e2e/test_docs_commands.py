"""Every command of the task pages runs as it stands there, on a desk where a daemon works."""

import re
import shlex
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TASKS = (
    "add-a-source", "slack", "subscribe", "monitor-the-monitor", "back-up", "upgrade", "troubleshooting", "operations",
    "run-as-a-service", "alerts", "channels", "rules",
)  # fmt: skip
FENCE = re.compile(r"^```(?:sh)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTINGS = """\
version: 1
state_dir: STATE
redis: {embedded: {port: PORT}}
sources:
  aleppo: {url: "SITE/live/aleppo", every: 0.5s, allow_fast: true, allow_private: true, robots: false}
rules:
  evacuation-halted: {match: suspended~, max_age: 0, notify: [desk]}
receivers:
  desk: {terminal: true}
fetch: {spacing: 0s}
"""
OPML = '<opml version="2.0"><body><outline text="News" xmlUrl="https://example.org/feed.xml"/></body></opml>'
FOLLOWS = ("tail", "tail --alerts", "tail --source aleppo --since 2h --json")


def page(*stories):
    articles = "".join(
        f'<article class="update"><time datetime="2026-11-29T{10 + n}:00:00Z">{10 + n}:00</time><h2>Story {n}</h2>'
        f'<p class="body">{story} It was a long day for the people of the town.</p></article>'
        for n, story in reversed(list(enumerate(stories)))
    )
    return f"<!doctype html><html><head><title>Live</title></head><body>{articles}</body></html>"


def told(name):
    """The monitor's command lines of a page, in order, without synopses and without the daemon itself."""
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for block in FENCE.findall(text):
        for line in block.splitlines():
            found = re.match(r"(?:\w+=\S+ )?(?:/opt/monitor/bin/)?monitor (.*?)(?:\s+#.*)?$", line)
            if found and not re.search(r"^\||\s\| |\[", found[1]) and not found[1].startswith("run"):
                yield found[1]


ALL = [(name, command) for name in TASKS for command in told(name)]
LIVE = [one for one in ALL if not one[1].startswith("restore")]


@pytest.fixture
def desk(daemon, served, free_port, tmp_path, wait):
    """A desk with a day's work behind it: an alert told, a page saved, a feed reader's list."""
    first, second = ("The first convoy has left.", "Buses wait."), ("The evacuation was suspecnded.",)
    served.pages = {"/live/aleppo": page(*first), "/live/blog": page(*first)}
    text = SETTINGS.replace("SITE", served.address).replace("PORT", str(free_port))
    one = daemon(text).start()
    wait(lambda: one.polled("aleppo"), "the first poll")
    served.pages["/live/aleppo"] = page(*first, *second)
    wait(lambda: "evacuation-halted" in one.words(), "an alert")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "1.html").write_text(page(*first))
    (tmp_path / "subscriptions.opml").write_text(OPML)
    (tmp_path / "backups").mkdir()
    return one


def run(desk, served, command):
    line = command.replace("https://example.org/live/blog", f"{served.address}/live/blog")
    line = line.replace("/backups", str(desk.home / "backups")).replace("/etc/monitor/", "")
    words = [
        word.replace("$(date +%F)", str(date.today())) for word in shlex.split(line.replace("$(date +%F)", "TODAY"))
    ]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "monitor", *words], cwd=desk.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL, text=True, env={"PATH": "/usr/bin:/bin", "HOME": str(desk.home)},
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=5 if command in FOLLOWS else 60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    return process.returncode, out + err


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_command_of_the_task_pages_does_what_it_is_there_for(desk, served):
    wrong = []
    alert = re.search(r"A-\w{6}", desk.command("alerts").stdout)[0]
    for name, command in LIVE:
        code, said = run(desk, served, command.replace("A-3f9c12", alert))
        if code != (130 if command in FOLLOWS else 0) or "Traceback" in said:
            wrong.append(f"{name}: monitor {command}: exit {code}\n{said[-600:]}")
    assert not wrong, "\n\n".join(wrong)
    backups = sorted((desk.home / "backups").iterdir())
    assert len(backups) == 2
    assert desk.stop() == 0
    code, said = run(desk, served, f"restore /backups/{backups[0].name}")
    assert code == 0, said


def test_the_task_pages_have_commands():
    assert len(LIVE) > 25
    assert {command.split()[0] for _, command in ALL} >= {
        "check",
        "status",
        "top",
        "tail",
        "backup",
        "restore",
        "alerts",
    }
