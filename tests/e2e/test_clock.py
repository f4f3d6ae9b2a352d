"""Time and the world misbehave: the clock jumps, the process sleeps, names do not resolve, every source goes and returns."""

import contextlib
import glob
import json
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

SETTINGS = """\
version: 1
state_dir: STATE
redis: {embedded: {port: PORT}}
sources:
  one: {url: "SITE/one", every: 0.5s, allow_fast: true, allow_private: true, robots: false, kind: text}
  two: {url: "SITE/two", every: 0.5s, allow_fast: true, allow_private: true, robots: false, kind: text}
rules:
  halted: {match: suspended, max_age: 0, notify: [screen], policy: every_change}
receivers:
  screen: {terminal: true}
fetch: {spacing: 0s, per_host: 8}
"""
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def page(*numbers):
    blocks = [
        f"10:{number:02d} am\n\nReport {number}\n\nThe vote of ward {number} was suspended." for number in numbers
    ]
    return "\n\n\n".join(["LIVE", *blocks]) + "\n"


@pytest.fixture
def site(served):
    served.pages = {"/one": page(1), "/two": page(1)}
    return served


@pytest.fixture
def made(daemon, site, free_port):
    return daemon(SETTINGS.replace("SITE", site.address).replace("PORT", str(free_port)))


def polls(site, path, since=0.0):
    return [
        at for at, (asked, _) in zip(list(site.times), list(site.asked), strict=False) if asked == path and at >= since
    ]


def longest_gap(times):
    return max(after - before for before, after in pairwise(times))


def told(running, number):
    return f"ward {number}" in running.words()


def jumped(running, times):
    return running.words().count("clock_jumped") == times


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
def test_the_clock_of_a_running_daemon_jumps_an_hour_on_and_back_and_nothing_waits(
    made, site, tmp_path, wait, monkeypatch
):
    stamp = tmp_path / "offset"
    stamp.write_text("+0")
    for name, value in {
        "LD_PRELOAD": FAKETIME,
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_CACHE_DURATION": "1",  # seconds; read anew at every call, it costs more than the daemon
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }.items():
        monkeypatch.setenv(name, value)
    made.start()
    for name in ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE"):
        monkeypatch.delenv(name)
    wait(lambda: len(polls(site, "/one")) > 8, "polls")
    began = time.monotonic()
    for number, offset in enumerate(("+3600", "+0", "-3600", "+0"), 2):
        stamp.write_text(offset)
        site.pages["/one"] = page(*range(number, 0, -1))
        wait(partial(told, made, number), f"the alert after the clock went to {offset}", 20)
        wait(partial(jumped, made, number - 1), f"the jump to {offset} in the log")
    wait(lambda: len(polls(site, "/two", began)) > 8, "polls of the quiet source go on")
    beats = polls(site, "/two", began)
    assert longest_gap(beats) < 8  # the quiet source is asked every 0.5 to 2 s; a jump moves no poll by its hour
    slowest_before = longest_gap([at for at in polls(site, "/two") if at < began])  # what the machine itself costs
    assert statistics.median(after - before for before, after in pairwise(beats)) < max(3, slowest_before)
    jumps = [round(json.loads(line)["seconds"]) for line in made.words().splitlines() if "clock_jumped" in line]
    assert [round(jump, -2) for jump in jumps] == [3600, -3600, -3600, 3600]
    assert made.stop() == 0
    with contextlib.closing(sqlite3.connect(made.home / "state" / "monitor.db")) as store:
        taken_for_outages = store.execute("SELECT COUNT(*) FROM alerts WHERE catch_up").fetchone()
    assert taken_for_outages == (0,)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_daemon_that_slept_polls_each_source_once_and_goes_on_at_its_pace(made, site, wait):
    made.start()
    wait(lambda: len(polls(site, "/one")) > 4 and len(polls(site, "/two")) > 4, "polls")
    os.killpg(made.process.pid, signal.SIGSTOP)
    time.sleep(0.3)
    asleep = len(site.times)
    site.pages["/one"] = page(3, 2, 1)
    time.sleep(8)
    assert len(site.times) == asleep
    woke = time.monotonic()
    os.killpg(made.process.pid, signal.SIGCONT)
    wait(lambda: told(made, 3) and told(made, 2), "what happened meanwhile", 15)
    wait(lambda: polls(site, "/two", woke + 2), "polls go on")
    assert len(polls(site, "/two", woke)) - len(polls(site, "/two", woke + 0.4)) <= 1  # no burst for missed turns
    assert made.command("status").returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_all_sources_down_and_back_is_told_once_each_way_and_the_pace_returns(made, site, client, wait):
    made.start()
    wait(lambda: made.polled("one") and made.polled("two"), "the first polls")
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("monitor:status")
    site.close()
    wait(lambda: made.words().count("source_failing") == 2, "both in the log")
    time.sleep(12)  # pauses have grown to more than eight seconds by then
    site.pages["/one"] = page(2, 1)
    site.open()
    back = time.monotonic()
    wait(lambda: told(made, 2), "what happened meanwhile", 45)
    wait(lambda: made.words().count("source_back") == 2, "both back in the log", 10)
    wait(lambda: len(polls(site, "/two", back)) >= 4, "the old pace", 12)
    assert (made.words().count("source_failing"), made.words().count("source_back")) == (2, 2)
    heard, silent = [], 0
    while silent < 3:  # the first silence is the confirmation of the subscription
        message = pubsub.get_message(timeout=0.3)
        silent += message is None
        heard += [json.loads(message["data"])] if message else []
    pubsub.close()
    states = [(one["data"]["source"], one["data"]["state"]) for one in heard if one["type"] == "monitor.status.changed"]
    assert sorted(states) == [("one", "failed"), ("one", "ok"), ("two", "failed"), ("two", "ok")]


def may_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.skipif(not may_mount(), reason="a file of the system cannot be replaced for one process here")
def test_names_gone_for_all_sources_and_back_is_told_once_each_way_and_the_pace_returns(
    daemon, site, free_port, tmp_path, wait
):
    names = tmp_path / "hosts"
    names.write_text("127.0.0.1 blog.test\n")
    address = site.address.replace("127.0.0.1", "blog.test")
    made = daemon(SETTINGS.replace("SITE", address).replace("PORT", str(free_port)))
    inside = f"mount --bind {names} /etc/hosts && exec {sys.executable} -m monitor run -c {made.config}"
    with made.log.open("ab") as log:
        made.process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", inside],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    wait(lambda: made.polled("one") and made.polled("two"), "the first polls")
    names.write_text("")
    wait(lambda: made.words().count("source_failing") == 2, "both in the log", 40)
    assert all("name" in line for line in made.words().splitlines() if "source_failing" in line)
    site.pages["/one"] = page(2, 1)
    names.write_text("127.0.0.1 blog.test\n")
    back = time.monotonic()
    wait(lambda: told(made, 2), "what happened meanwhile", 60)
    wait(lambda: made.words().count("source_back") == 2, "both back in the log", 10)
    wait(lambda: len(polls(site, "/two", back)) >= 4, "the old pace", 15)
    assert (made.words().count("source_failing"), made.words().count("source_back")) == (2, 2)
    assert made.stop() == 0


def test_a_name_that_does_not_resolve_is_told_in_words_and_others_go_on(daemon, site, free_port, wait):
    text = SETTINGS.replace("SITE/two", "http://no-such-host.invalid/live").replace("SITE", site.address)
    made = daemon(text.replace("PORT", str(free_port))).start()
    wait(lambda: made.polled("one"), "the good source")
    two = wait(
        lambda: next((s for s in made.status() if s.get("source") == "two" and s["state"] == "failing"), None),
        "the failure",
    )
    assert re.search(r"no-such-host\.invalid|host name|resolve", two["words"])
    before = len(polls(site, "/one"))
    wait(lambda: len(polls(site, "/one")) > before + 2, "the good source goes on")
