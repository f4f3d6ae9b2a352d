"""Settings change under a running daemon: nothing is lost, repeated or leaked, and old entries stay old."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

STORM = Path(__file__).parents[2] / "benchmarks" / "reload_storm.py"
SETTINGS = """\
version: 1
state_dir: STATE
redis: {embedded: {port: PORT}}
reload: {watch: false}
sources:
  one: {url: "SITE/first", every: 0.3s, allow_fast: true, allow_private: true, robots: false, kind: text}
rules:
  halted: {match: suspended, max_age: 0}
fetch: {spacing: 0s}
"""
OLD = "10:05 am\n\nFirst thing\n\nThe march was banned.\n"
NEW = "10:12 am\n\nSecond thing\n\nThe vote was suspended.\n"


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_storm_of_good_and_bad_reloads_loses_nothing_and_leaks_nothing():
    done = subprocess.run([sys.executable, STORM, "--reloads", "40"], capture_output=True, text=True, timeout=140)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "none lost, none repeated, nothing grew" in done.stdout


@pytest.fixture
def site(served):
    served.pages["/first"] = f"LIVE\n\n\n{OLD}"
    return served


@pytest.fixture
def running(daemon, site, free_port, wait):
    one = daemon(SETTINGS.replace("SITE", site.address).replace("PORT", str(free_port)))
    one.start()
    wait(lambda: one.polled("one"), "the first poll")
    return one


def rewrite(running, old, new):
    text = running.config.read_text()
    assert old in text
    running.config.write_text(text.replace(old, new))
    return running.command("reload")


def alerts(client):
    return [json.loads(fields[b"d"])["data"]["rule"] for _, fields in client.xrange("monitor:alerts")]


def test_a_new_rule_never_fires_for_what_was_there_and_fires_for_what_comes(running, site, client, wait):
    done = rewrite(running, "rules:\n", "rules:\n  banned: {match: banned OR suspended, max_age: 0}\n")
    assert done.returncode == 0, done.stderr
    assert "banned" in done.stdout
    site.pages["/first"] = f"LIVE\n\n\n{NEW}\n\n{OLD}"
    wait(lambda: len(client.xrange("monitor:{one}:deltas")) == 1, "the new entry")
    wait(lambda: sorted(alerts(client)) == ["banned", "halted"], "both rules on the new entry only")


def test_a_source_keeps_its_entries_when_only_its_pace_changes(running, site, client, wait):
    assert rewrite(running, "every: 0.3s", "every: 0.5s").returncode == 0
    site.pages["/first"] = f"LIVE\n\n\n{NEW}\n\n{OLD}"
    found = wait(lambda: client.xrange("monitor:{one}:deltas"), "the new entry")
    assert [json.loads(fields[b"d"])["type"] for _, fields in found] == ["monitor.entry.new"]


def test_a_changed_address_is_asked_without_the_old_validators(running, site, wait):
    site.pages["/second"] = f"LIVE\n\n\n{NEW}\n\n{OLD}"
    wait(
        lambda: any("If-None-Match" in headers for path, headers in site.asked if path == "/first"),
        "a conditional poll",
    )
    assert rewrite(running, "/first", "/second").returncode == 0
    first = wait(lambda: [headers for path, headers in site.asked if path == "/second"], "the new address")[0]
    assert "If-None-Match" not in first
    assert "If-Modified-Since" not in first


def test_a_file_cut_off_in_the_middle_is_refused_and_the_daemon_goes_on(running, wait):
    whole = running.config.read_text()
    running.config.write_text(whole[: whole.index("match: susp") + 3])
    os.kill(running.process.pid, signal.SIGHUP)
    wait(lambda: "reload_refused" in running.words(), "the refusal in the log")
    before = running_poll(running, whole)
    wait(lambda: running_poll(running, whole) > before, "polling goes on")


def running_poll(running, settings):
    running.config.write_text(settings)
    return running.polled("one")["last_poll_at"]


def test_a_deleted_settings_file_changes_nothing(running, wait):
    whole = running.config.read_text()
    running.config.unlink()
    os.kill(running.process.pid, signal.SIGHUP)
    wait(lambda: "reload_refused" in running.words(), "the refusal in the log")
    before = running_poll(running, whole)
    wait(lambda: running_poll(running, whole) > before, "polling goes on")
