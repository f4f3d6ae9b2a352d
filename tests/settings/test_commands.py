"""`monitor check`, `init` and `schema` as a terminal and a script see them."""

import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from monitor.cli import run_command_line

ROOT = Path(__file__).parents[2]
ONE_OF_EACH = """\
sources:
  aleppo: {url: https://example.org/live}
rules:
  truce:
    match: ceasefire violation
    notify: [screen]
    tests:
      - {text: 'a "violation" of the ceasefire', fires: true}
      - {text: the ceasefire holds, fires: false}
      - {text: a violation of the ceasefire, previous: a violation of the ceasfire, fires: true}
      - {text: a violation of the ceasefire, previous: a ceasefire violation, fires: false}
receivers:
  screen: {terminal: true}
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("MONITOR_CONFIG", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments):
        code = run_command_line(arguments)
        told, chatter = capfdbinary.readouterr()
        return code, told.decode(), chatter.decode()

    return call


def put(text, name="config/monitor.yaml"):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_settings_without_a_fault_pass_with_one_line(run):
    put(ONE_OF_EACH)
    code, told, chatter = run("check", "--offline")
    assert (code, chatter) == (0, "")
    assert told == "config/monitor.yaml: 1 source, 1 rule, 1 receiver, 0 warnings, 4 of 4 rule tests passed\n"


def test_every_error_is_told_with_its_line_and_exit_code_78(run):
    put(ONE_OF_EACH.replace("url:", "ulr:").replace("notify: [screen]", "notify: [scren]"))
    code, told, _ = run("check", "--offline")
    assert code == 78
    assert told.splitlines() == [
        "config/monitor.yaml:2:12: error: sources.aleppo.ulr: unknown key 'ulr' — did you mean 'url'?",
        "     2 |   aleppo: {ulr: https://example.org/live}",
        "       |            ^",
        "config/monitor.yaml:6:14: error: there is no receiver 'scren' — did you mean 'screen'?",
        "     6 |     notify: [scren]",
        "       |              ^",
        "config/monitor.yaml: 2 errors, 0 warnings",
    ]


def test_a_failing_rule_test_is_told_at_its_line_and_exits_1(run):
    put(ONE_OF_EACH.replace("{text: the ceasefire holds, fires: false}", "{text: the ceasefire holds, fires: true}"))
    code, told, _ = run("check", "--offline")
    assert code == 1
    assert told.splitlines()[0] == (
        "config/monitor.yaml:9:9: error: rule truce should fire on 'the ceasefire holds', and it does not fire"
        " — `monitor explain truce` says why"
    )
    assert told.splitlines()[-1].endswith("3 of 4 rule tests passed")


def test_json_is_one_object_a_line_of_problems_tests_and_a_summary(run):
    put(ONE_OF_EACH.replace("screen: {terminal: true}", "screen: {terminal: true}\n  spare: {terminal: true}"))
    code, told, chatter = run("check", "--offline", "--json")
    assert (code, chatter) == (0, "")
    lines = [json.loads(line) for line in told.splitlines()]
    assert [line["type"] for line in lines] == ["problem", "test", "test", "test", "test", "summary"]
    assert lines[0] == {
        "type": "problem",
        "severity": "warning",
        "file": "config/monitor.yaml",
        "line": 14,
        "column": 10,
        "message": "nothing is ever sent to receiver spare",
        "mend": "name it in a rule: notify: [spare]",
    }
    assert lines[1]["matches"] == ["violation", "ceasefire"]
    assert lines[-1]["tests"] == 4
    assert lines[-1]["failed_tests"] == 0


def test_warnings_can_be_denied(run):
    put(ONE_OF_EACH.replace("screen: {terminal: true}", "screen: {terminal: true}\n  spare: {terminal: true}"))
    assert run("check", "--offline")[0] == 0
    assert run("check", "--offline", "--deny-warnings")[0] == 1


def test_no_settings_file_at_all_exits_78_and_says_how_to_get_one(run):
    code, told, chatter = run("check", "--offline")
    assert (code, told) == (78, "")
    assert "monitor init" in chatter


def test_send_and_offline_together_are_a_misuse(run):
    put(ONE_OF_EACH)
    assert run("check", "--offline", "--send", "screen")[0] == 2
    assert run("check", "--send", "nobody")[0] == 2


def test_escapes_in_a_rules_test_do_not_reach_the_terminal(run):
    put('rules: {r: {match: halted, tests: [{text: "\\e[2J stopped", fires: true}]}}')
    code, told, _ = run("check", "--offline")
    assert code == 1
    assert "\x1b" not in told


def test_init_writes_settings_that_pass_the_check_at_once(run):
    code, told, chatter = run("init")
    assert (code, told) == (0, "")
    assert "monitor check" in chatter
    assert sorted(path.name for path in Path("config").iterdir()) == [
        "example-live.txt",
        "monitor.schema.json",
        "monitor.yaml",
    ]
    code, told, _ = run("check", "--offline", "--deny-warnings")
    assert code == 0
    assert "4 of 4 rule tests passed" in told


def test_init_never_overwrites_settings(run):
    put("# mine\n", "desk/monitor.yaml")
    code, _, chatter = run("init", "desk")
    assert code == 73
    assert "it is there already" in chatter
    assert Path("desk/monitor.yaml").read_text() == "# mine\n"


def test_init_takes_the_feeds_of_an_opml_file(run):
    put(
        '<opml><body><outline text="Aleppo" xmlUrl="https://example.org/a"/><outline text="In" xmlUrl="http://10.0.0.1/"/></body></opml>',
        "feeds.opml",
    )
    code, _, chatter = run("init", "desk", "--opml", "feeds.opml")
    assert code == 0
    assert "took 1 feed\n" in chatter
    assert "left out In: it points inward" in chatter
    code, told, _ = run("check", "--offline", "-c", "desk/monitor.yaml")
    assert code == 0
    assert told.startswith("desk/monitor.yaml: 1 source, ")


@pytest.mark.parametrize("content", ["<html/>", "<opml><body/></opml>"])
def test_init_refuses_an_opml_file_without_feeds(run, content):
    put(content, "feeds.opml")
    assert run("init", "desk", "--opml", "feeds.opml")[0] == 65
    assert not Path("desk").exists()


def test_init_where_nothing_may_be_written_says_so(run):
    put("", "desk")
    assert run("init", "desk")[0] == 2
    Path("file").write_text("")
    code, _, chatter = run("init", "file/desk")
    assert code == 73
    assert "cannot be written" in chatter


def test_schema_prints_the_schema(run):
    code, told, _ = run("schema")
    assert code == 0
    assert json.loads(told)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_shipped_settings_are_the_ones_init_writes(run):
    run("init", "desk")
    for path in Path("desk").iterdir():
        assert path.read_bytes() == (ROOT / "config" / path.name).read_bytes()


def test_help_of_these_commands_loads_neither_settings_nor_rules():
    program = (
        "import sys; from monitor.cli import run_command_line\n"
        "for name in ('check', 'init', 'schema'): run_command_line([name, '--help'])\n"
        "sys.exit(any(name in sys.modules for name in ('pydantic', 'yaml', 'monitor.settings', 'monitor.rules')))"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 10


FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Live</title>
<item><guid>1</guid><title>Convoy halted</title><pubDate>Thu, 15 Dec 2016 12:07:00 GMT</pubDate></item></channel></rss>"""


@pytest.fixture
def web():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # the library's name
            found = self.path == "/feed"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(FEED) if found else 0))
            self.end_headers()
            self.wfile.write(FEED if found else b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_without_offline_sources_receivers_and_redis_are_reached_and_failures_exit_1(run, web):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    put(f"""\
defaults: {{allow_private: true}}
sources:
  there: {{url: "http://127.0.0.1:{web}/feed"}}
  gone: {{url: "http://127.0.0.1:{web}/other"}}
rules: {{r: {{match: halted, notify: [hook, dead]}}}}
receivers:
  hook: {{webhook: "http://127.0.0.1:{web}/hook", allow_private: true}}
  dead: {{webhook: "http://127.0.0.1:{nobody}/hook", allow_private: true}}
redis: redis://127.0.0.1:{nobody}/0
""")
    code, told, _ = run("check", "--json")
    assert code == 1
    probes = {
        (one["subject"], one["name"]): one for one in map(json.loads, told.splitlines()) if one["type"] == "probe"
    }
    outcomes = {name: one["outcome"] for (_, name), one in probes.items()}
    assert (outcomes["there"], outcomes["gone"], outcomes["hook"], outcomes["dead"]) == ("ok", "error", "ok", "error")
    assert [one["outcome"] for (subject, _), one in probes.items() if subject == "redis"] == ["error"]
    assert json.loads(told.splitlines()[-1])["failed_probes"] == 3
