"""The command line's manners: exit codes, streams, one-line errors."""

import json
import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    def run(*words, stdin=b"", **environment):
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("MONITOR_", "XDG_"))}
        return subprocess.run(
            [sys.executable, "-m", "monitor", *words],
            input=stdin,
            capture_output=True,
            timeout=60,
            cwd=tmp_path,
            env={**clean, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path), **environment},
        )

    return run


PAGE = "LIVE\n\n\n3:47 pm\n\nCafé “open”\n\nSecond thing\x1b[2J.\n\n\n3:10 pm\n\nEarlier\n\nFirst thing.\n".encode()


def test_an_unknown_command_is_a_usage_error_with_a_guess(run):
    done = run("parze")
    assert done.returncode == 2
    assert b"parse" in done.stderr


def test_parse_json_is_one_object_a_line_in_utf8_and_words_go_to_stderr(run):
    done = run("parse", "-", "--json", stdin=PAGE)
    assert done.returncode == 0
    entries = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert [entry["title"] for entry in entries] == ["Café “open”", "Earlier"]
    assert {"position", "native_id", "title", "text", "url", "published_at", "published_text", "updated_at", "author",
            "tags", "pinned"} <= entries[0].keys()  # fmt: skip
    assert b"text" in done.stderr


def test_source_text_cannot_command_the_terminal(run):
    done = run("parse", "-", stdin=PAGE)
    assert b"\x1b" not in done.stdout


def test_parse_of_nothing_readable_is_exit_65_with_the_reason(run):
    done = run("parse", "-", "--json", stdin=b"")
    assert done.returncode == 65
    assert done.stdout == b""
    assert done.stderr.strip()


def test_a_missing_file_is_unusable_input(run):
    done = run("parse", "nowhere.html")
    assert done.returncode == 65
    assert b"nowhere.html" in done.stderr


def test_a_url_that_does_not_answer_is_exit_69(run):
    done = run("parse", "http://127.0.0.1:9/live")
    assert done.returncode == 69
    assert b"127.0.0.1" in done.stderr


def test_who_was_not_reached_and_why_is_said_in_an_operators_words(run):
    assert (
        run("parse", "http://127.0.0.1:9/live")
        .stderr.strip()
        .endswith(b"no connection: 127.0.0.1:9: connection refused")
    )


@pytest.mark.parametrize(("made", "said"), [(False, b"is no directory"), (True, b"is a link or no directory")])
def test_a_state_directory_that_is_none_is_exit_73_with_what_to_do(run, tmp_path, made, said):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to("elsewhere") if made else (tmp_path / "state").write_text("")
    (tmp_path / "m.yaml").write_text("version: 1\nstate_dir: state\nsources: {one: page.txt}\n")
    done = run("run", "--once", "-c", "m.yaml")
    assert done.returncode == 73
    assert said in done.stderr
    assert b"name " in done.stderr


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs a directory of another user's")
@pytest.mark.parametrize("words", [["init", "forbidden/x"], ["run", "--once", "-c", "m.yaml"]])
def test_what_another_user_may_not_touch_is_exit_77(run, tmp_path, words):
    (tmp_path / "forbidden").mkdir(mode=0o700)
    os.chown(tmp_path / "forbidden", 65534, 65534)
    (tmp_path / "m.yaml").write_text("version: 1\nstate_dir: forbidden/state\nsources: {one: page.txt}\n")
    without = "-dac_override,-dac_read_search,-fowner"  # the rights that make root see everything
    done = subprocess.run(
        ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}", sys.executable, "-m", "monitor", *words],
        capture_output=True,
        cwd=tmp_path,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 77, done.stderr
    assert b"forbidden" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_option_without_meaning_is_a_usage_error(run):
    assert run("parse", "-", "--timezone", "Nowhere/Land", stdin=PAGE).returncode == 2
    assert run("parse", "-", "--reference", "yesterday", stdin=PAGE).returncode == 2
    assert run("parse", "-", "--select", "entry", stdin=PAGE).returncode == 2


def test_settings_with_errors_are_exit_78_and_all_are_told(run, tmp_path):
    (tmp_path / "m.yaml").write_text("version: 1\nsorces: {}\nrules: {a: {match: '(('}}\n")
    done = run("run", "-c", "m.yaml")
    assert done.returncode == 78
    assert b"m.yaml:2:1" in done.stderr
    assert b"m.yaml:3:" in done.stderr


SECRETS = """\
version: 1
state_dir: state
sources: {one: {url: "https://${SECRET_HOST}/live", headers: {Authorization: "Bearer ${TOKEN}"}}}
rules: {halted: {match: suspended, notify: [desk, hook]}}
receivers:
  desk: {slack: "${SLACK_WEBHOOK_URL}"}
  hook: {webhook: "https://example.org/", secret_file: not-there}
http: {heartbeat: "${HEARTBEAT}"}
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("status", 0), ("top --once", 0), ("alerts list", 0), ("history one", 73), ("reload", 69), ("tail -n 1", 69),
        ("explain halted suspended", 0), ("run --once", 78), ("check --offline", 78),
    ],
)  # fmt: skip
def test_commands_that_only_look_do_not_need_the_daemons_secrets(run, tmp_path, words, code):
    (tmp_path / "m.yaml").write_text(SECRETS)
    done = run(*words.split(), "-c", "m.yaml")
    assert done.returncode == code, done.stderr
    assert (b"SLACK_WEBHOOK_URL is not set" in done.stdout + done.stderr) == (code == 78)
    assert not (tmp_path / "state").exists()


def test_where_everything_is_must_be_known_to_look(run, tmp_path):
    (tmp_path / "m.yaml").write_text("version: 1\nstore: ${DATABASE}\nsources: {one: https://example.org/live}\n")
    done = run("status", "-c", "m.yaml")
    assert done.returncode == 78
    assert b"m.yaml:2:8" in done.stderr


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path, run):
    many = "LIVE\n\n\n" + "\n\n\n".join(
        f"{1 + n % 11}:{n % 60:02} pm\n\nTitle {n}\n\nThing {n} happened." for n in range(900)
    )
    (tmp_path / "long.txt").write_text(many)
    shell = f"{sys.executable} -m monitor parse long.txt --json | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() in ("0", "141")


def test_run_once_polls_everything_and_prints_a_summary(run, tmp_path):
    (tmp_path / "page.txt").write_bytes(PAGE)
    (tmp_path / "m.yaml").write_text(
        "version: 1\nstate_dir: state\nsources:\n  good: page.txt\n  bad: missing.txt\n", encoding="utf-8"
    )
    done = run("run", "--once", "--json", "-c", "m.yaml")
    assert done.returncode == 1, done.stderr
    bad, good = [json.loads(line) for line in done.stdout.splitlines()]
    assert (good["source"], good["verdict"], good["baseline"]) == ("good", "ok", 2)
    assert (bad["source"], bad["verdict"]) == ("bad", "failed")
    assert "missing.txt" in bad["reason"]


@pytest.mark.parametrize(
    "words",
    [("-c", "m.yaml", "status", "--json"), ("status", "--json", "-c", "m.yaml"),
     ("-c", "m.yaml", "alerts", "silence", "list"), ("alerts", "-c", "m.yaml", "list", "--json"),
     ("alerts", "--json", "list", "-c", "m.yaml")],
)  # fmt: skip
def test_the_settings_file_may_be_named_anywhere_on_the_line(run, tmp_path, words):
    (tmp_path / "page.txt").write_bytes(PAGE)
    (tmp_path / "m.yaml").write_text("version: 1\nstate_dir: state\nsources: {good: page.txt}\n", encoding="utf-8")
    assert run("run", "--once", "-c", "m.yaml").returncode == 0
    done = run(*words)
    assert done.returncode == 0, done.stderr


def test_json_asked_of_a_group_holds_for_its_command(run, tmp_path):
    (tmp_path / "m.yaml").write_text("version: 1\nstate_dir: state\nsources: {good: page.txt}\n", encoding="utf-8")
    (tmp_path / "page.txt").write_bytes(PAGE)
    assert run("run", "--once", "-c", "m.yaml").returncode == 0
    add = ("silence", "add", "rule=x", "--for", "1h", "--comment", "drill", "-c", "m.yaml")
    assert json.loads(run("alerts", "--json", *add).stdout)["matchers"] == {"rule": "x"}


@pytest.mark.parametrize(("ids", "told"), [("auto", []), ("trust", ["monitor.entry.new"]), ("ignore", [])])
def test_replay_shows_what_each_policy_of_ids_would_tell(run, tmp_path, ids, told):
    stories = ("the bridge is open again", "the last ferry leaves at dusk", "the school hall takes in families")
    for number, section in enumerate(("town", "sport")):
        items = [
            {
                "id": f"{section if n == 1 else 'town'}-{n}",
                "content_text": f"Witnesses say that {story}, and wait for news.",
            }
            for n, story in enumerate(stories)
        ]
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Desk", "items": items}
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(feed))
        os.utime(path, (1_700_000_000 + 60 * number,) * 2)
    done = run("replay", "0.json", "1.json", "--json", "--ids", ids)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [event["type"] for event in events if event["poll"] and event["type"] != "monitor.poll"] == told


def test_replay_of_what_is_stored_takes_no_policy_of_ids(run):
    done = run("replay", "--source", "aleppo", "--ids", "trust")
    assert done.returncode == 2
    assert b"--ids is for files" in done.stderr
