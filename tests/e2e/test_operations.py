"""What an operator does to a running daemon: look, reload, stop, ask for its health."""

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

SETTINGS = """\
version: 1
state_dir: STATE
http: {listen: "127.0.0.1:PORT"}
sources:
  one: {url: PAGE, every: 0.3s, allow_fast: true}
rules:
  halted: {match: suspended}
"""
PAGE = "LIVE\n\n\n10:12 am\n\nSecond thing\n\nIt went on.\n\n\n10:05 am\n\nFirst thing\n\nIt began.\n"


@pytest.fixture
def running(daemon, tmp_path, free_port, wait):
    page = tmp_path / "page.txt"
    page.write_text(PAGE)
    one = daemon(SETTINGS.replace("PAGE", str(page)).replace("PORT", str(free_port)))
    one.address = f"http://127.0.0.1:{free_port}"
    one.page = page
    one.start()
    wait(lambda: one.polled("one"), "the first poll")
    return one


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_says_well_and_metrics_parse(running, wait):
    wait(lambda: get(running.address + "/readyz")[0] == 200, "ready")
    assert json.loads(get(running.address + "/healthz")[1]) == {"status": "ok", "reasons": []}
    wait(lambda: 'monitor_source_state{source="one",state="ok"} 1.0' in get(running.address + "/metrics")[1], "a look")
    families = {family.name: family for family in text_string_to_metric_families(get(running.address + "/metrics")[1])}
    for name in (
        "monitor_polls",
        "monitor_entries",
        "monitor_outbox_pending",
        "monitor_redis_up",
        "monitor_build_info",
    ):
        assert families[name].samples
    assert {s.labels["source"] for s in families["monitor_entries"].samples} == {"one"}


def test_a_reload_says_what_changed_and_a_bad_one_changes_nothing(running, wait):
    unwatched = running.config.read_text() + "reload: {watch: false}\n"
    running.config.write_text(unwatched)
    assert running.command("reload").returncode == 0
    good = unwatched.replace("every: 0.3s", "every: 0.4s")
    running.config.write_text(good)
    done = running.command("reload")
    assert done.returncode == 0, done.stderr
    assert "one" in done.stdout
    running.config.write_text(good + "sorces: {}\n")
    done = running.command("reload")
    assert done.returncode == 78
    assert "sorces" in done.stderr
    running.config.write_text(good)
    before = running.polled("one")["last_poll_at"]
    wait(lambda: running.polled("one")["last_poll_at"] > before, "polling goes on")


def test_a_changed_settings_file_is_read_by_itself(running, wait):
    running.config.write_text(running.config.read_text() + "  later: {match: halted}\n")
    wait(lambda: "later" in running.words(), "the reload in the log")


def test_a_second_daemon_on_the_same_state_is_refused(running):
    done = running.command("run")
    assert done.returncode == 75
    assert str(running.process.pid) in done.stderr


def test_status_speaks_in_words_and_tells_a_failing_source_by_its_exit_code(running, wait):
    assert running.command("status").returncode == 0
    running.page.unlink()
    done = wait(lambda: (found := running.command("status")).returncode == 1 and found, "the failure")
    assert "cannot be read" in done.stdout


def test_sigterm_ends_it_in_order(running):
    started = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - started < 10
    assert running.command("status", "--live").returncode == 69


def test_a_taken_port_is_told_with_what_to_do(daemon, free_port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        one = daemon(f"version: 1\nstate_dir: STATE\nredis: {{embedded: {{port: {free_port}}}}}\nsources: {{}}\n")
        done = one.command("run")
        assert done.returncode == 69
        assert str(free_port) in done.stderr


def test_status_names_every_address_of_the_embedded_server(daemon, free_port, wait):
    settings = f"version: 1\nstate_dir: STATE\nredis: {{embedded: {{port: {free_port}}}}}\nsources: {{}}\n"
    one = daemon(settings).start()
    wait(lambda: "unix://" in one.command("status").stdout, "the server")
    assert f" and redis://127.0.0.1:{free_port}" in one.command("status").stdout


def test_the_service_manager_hears_ready_and_stopping(daemon, tmp_path, monkeypatch):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(20)
        monkeypatch.setitem(os.environ, "NOTIFY_SOCKET", path)
        one = daemon("version: 1\nstate_dir: STATE\nsources: {}\n").start()
        assert manager.recv(200).startswith(b"READY=1")
        one.process.send_signal(signal.SIGTERM)
        assert manager.recv(200) == b"STOPPING=1"
        one.process.wait(20)
        one.process = None
