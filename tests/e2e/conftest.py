"""A real daemon in its own process, watched from outside."""

import contextlib
import hashlib
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner

from monitor.cli import cli


def wait_until(predicate, what, seconds=30.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = predicate()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Daemon:
    """`monitor run` on a settings file of its own."""

    def __init__(self, home, settings):
        self.home = home
        self.config = home / "monitor.yaml"
        self.config.write_text(settings.replace("STATE", str(home / "state")), encoding="utf-8")
        self.process = None
        self.log = home / "daemon.log"

    def start(self):
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "run", "-c", str(self.config)],
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def command(self, *words, check=False):
        done = subprocess.run(
            [sys.executable, "-m", "monitor", *words, "-c", str(self.config)],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        if check and done.returncode:
            raise AssertionError(done.stdout + done.stderr + self.log.read_text())
        return done

    def status(self):
        """What `monitor status --json` prints, asked in this process: tests ask until something holds."""
        asked = CliRunner().invoke(cli, ["status", "--json", "-c", str(self.config)], standalone_mode=False)
        return [json.loads(line) for line in asked.stdout.splitlines()]

    def polled(self, source):
        with contextlib.suppress(ValueError, KeyError):
            for line in self.status():
                if line.get("source") == source and line["state"] == "ok" and line["entries"]:
                    return line
        return None

    def words(self):
        return self.log.read_text()


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def daemon(tmp_path):
    made = []

    def make(settings):
        made.append(Daemon(tmp_path, settings))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None:
            one.kill()


@pytest.fixture
def client(free_port):
    connection = redis.Redis(port=free_port, socket_timeout=5)
    yield connection
    connection.close()


@pytest.fixture
def wait():
    return wait_until


class Site:
    """Pages on a local server that answers conditional requests, notes who asked what; it can be gone for a while."""

    def __init__(self):
        self.pages = {}
        self.asked = []  # (path, headers)
        self.times = []  # monotonic, of each request
        self.open(0)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def open(self, port=None):
        """Listen, after `close` at the same place as before."""
        place = self.server.server_address if port is None else ("127.0.0.1", port)
        self.server = http.server.ThreadingHTTPServer(place, self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def _handler(self):
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.times.append(time.monotonic())
                site.asked.append((self.path, dict(self.headers)))
                body = site.pages.get(self.path, "").encode()
                tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                code = 304 if self.headers.get("If-None-Match") == tag else 200 if body else 404
                self.send_response(code)
                self.send_header("ETag", tag)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body) if code == 200 else 0))
                self.end_headers()
                if code == 200:
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def served():
    site = Site()
    yield site
    site.close()
