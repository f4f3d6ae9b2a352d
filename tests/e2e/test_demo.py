"""The demo does what the README's first screen promises, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]


def environment(tmp_path):
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "MONITOR_DEMO_MARK": str(tmp_path)}


def left_running(tmp_path):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MONITOR_DEMO_MARK") == str(tmp_path) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "monitor", "demo", "--speed", "3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(home), timeout=120)
    return home, done, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.timeout(150)
def test_the_demo_ends_by_itself_with_exit_code_zero(played):
    _, done, _ = played
    assert done.returncode == 0, done.stderr


def test_entries_appear_and_slips_are_corrected_with_word_diffs(played):
    events = played[2]
    new = [event for event in events if event["type"] == "monitor.entry.new"]
    edited = [event for event in events if event["type"] == "monitor.entry.edited"]
    assert len(new) >= 8
    assert len(edited) >= 2
    for event in edited:
        operations = {op for change in event["data"]["changes"] for op, _ in change["diff"]}
        assert {"-", "+"} <= operations


def test_two_rules_alert_and_one_of_them_because_of_a_correction(played):
    alerts = [event["data"] for event in played[2] if event["type"] == "monitor.alert.fired"]
    assert {alert["rule"] for alert in alerts} == {"evacuation-halted", "truce-broken"}
    assert {alert["rule"]: alert["kind"] for alert in alerts} == {"evacuation-halted": "edited", "truce-broken": "new"}


def test_every_line_is_a_cloud_event(played):
    for event in played[2]:
        assert event["specversion"] == "1.0"
        assert {"id", "source", "type", "subject", "time", "datacontenttype", "data"} <= event.keys()


def test_no_process_and_no_file_is_left(played):
    home = played[0]
    assert left_running(home) == []
    assert list(home.iterdir()) == []


@pytest.mark.timeout(90)
def test_an_interrupted_demo_leaves_nothing_either(tmp_path):
    command = [sys.executable, "-m", "monitor", "demo"]
    demo = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    )
    assert "A live blog at" in demo.stderr.readline()
    time.sleep(0.5)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 130
    demo.stderr.close()
    assert left_running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
