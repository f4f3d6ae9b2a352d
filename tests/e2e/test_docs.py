"""What the documentation says is so: commands, options, settings and links exist, and the first alert comes as told."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from monitor.cli import COMMANDS, cli
from monitor.settings import load_settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("", "sh", "sh run", "sh server", "sh daemon", "console", "bash")
SECRETS = {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/x", "SLACK_BOT_TOKEN": "xoxb-1-x"}


def blocks(page):
    return [(kind.strip(), text) for kind, text in FENCE.findall(page.read_text(encoding="utf-8"))]


def shell_commands(text):
    """The commands of the monitor's in lines of shell: assignments, paths and what comes after pipes taken off."""
    for line in re.sub(
        r"\\\n\s*", " ", re.sub(r"<<'(\w+)'\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    ).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:
            continue  # no shell: a message's text, a table
        command = []
        for word in [*words, ";"]:
            if set(word) <= set("|&;<>()"):
                while command and re.match(r"\w+=", command[0]):
                    command = command[1:]
                if command and re.search(r"(^|/)monitor$", command[0]) and len(command) > 1:
                    yield command[1:]
                command = []
            else:
                command.append(word)


def told_commands(page):
    text = page.read_text(encoding="utf-8")
    for kind, block in blocks(page):
        if kind in SHELL:
            yield from shell_commands(block)
    for code in re.findall(r"`(monitor [^`]+)`", FENCE.sub("", text)):
        yield from shell_commands(code.replace("…", ""))


COMMAND_LINES = sorted({tuple(words) for page in PAGES for words in told_commands(page)})


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_a_command_in_the_documentation_exists_with_its_options(words):
    if words[0] in ("--help", "--version", "monitor"):
        return
    name, *arguments = words
    assert name in COMMANDS
    context, command = click.Context(cli, info_name="monitor"), cli.get_command(click.Context(cli), name)
    while isinstance(command, click.Group) and arguments and arguments[0] in command.commands:
        context, (name, *arguments) = click.Context(command, info_name=name, parent=context), arguments
        command = command.commands[name]
    if any("[" in word for word in arguments):  # a synopsis: only the names of its options are said
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word.strip("[],") for word in arguments if "--" in word} <= known
        return
    partial_mention = not any("." in word or "/" in word or word.isupper() for word in arguments)
    try:
        command.make_context(name, list(arguments), parent=context)
    except click.MissingParameter:
        assert partial_mention  # named in prose without what it works on


def test_every_command_there_is_has_help_with_an_example():
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command.help, name
        assert re.search(rf"monitor {name}\b", command.epilog or ""), name


def test_every_command_is_told_of_somewhere():
    told = {words[0] for words in COMMAND_LINES}
    assert COMMANDS.keys() - told == set()


YAML_BLOCKS = [
    pytest.param(page, text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, (kind, text) in enumerate(blocks(page))
    if kind in ("yaml", "yml")
]


@pytest.mark.parametrize(("page", "text"), YAML_BLOCKS)
def test_settings_shown_are_settings_that_load(page, text, tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "more.yaml").write_text("sources: {}\n")
    for name in ("slack", "hook", "smtp-password", "keys"):
        (tmp_path / name).write_text("https://hooks.slack.com/services/T0/B0/x")
        (tmp_path / name).chmod(0o600)
    file = tmp_path / "monitor.yaml"
    if text.startswith("match:"):  # one rule's settings
        text = "rules:\n  shown:\n" + "".join(f"    {line}\n" for line in text.splitlines())
    file.write_text(text if text.startswith("version:") else "version: 1\n" + text)
    named = dict.fromkeys(re.findall(r"\$\{(\w+)", text), "value-1234567890")
    load_settings(file, environ={**named, **SECRETS, "HOME": str(tmp_path)})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def anchors(page):
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_readme():
    reached, ahead = set(), {ROOT / "README.md"}
    while ahead:
        page = ahead.pop()
        reached.add(page)
        targets = re.findall(r"\]\(([^)#\s]+\.md)", page.read_text(encoding="utf-8"))
        ahead |= {there for target in targets if (there := (page.parent / target).resolve()).exists()} - reached
    assert set((ROOT / "docs").glob("*.md")) - reached == set()


WAIT = """
until_true() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.1; done; echo "never: $*" >&2; return 1; }
"""


def script(page, port):
    """The page's marked blocks as one script; what stays in the foreground there runs in the background here."""
    lines = ["set -eu", WAIT]
    for kind, text in blocks(page):
        if kind == "sh run":
            lines.append(text)
        elif kind == "sh server":
            lines.append(f"{text.strip()} >/dev/null 2>&1 &\nuntil_true bash -c ': </dev/tcp/127.0.0.1/{port}'")
        elif kind == "sh daemon":
            lines.append(
                f"{text.strip()} >daemon.out 2>daemon.err &\nuntil_true sh -c 'monitor status -c monitor.yaml | grep read'"
            )
        if "suspecnded" in text and kind == "sh run":
            lines.append("until_true grep -i halted daemon.out")
    return (
        "\n".join(lines)
        .replace("8000", str(port))
        .replace("allow_private: true", "allow_private: true\n    every: 1s\n    allow_fast: true")
    )


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_first_alert_comes_as_the_page_tells(tmp_path, free_port):
    shim = tmp_path / "bin" / "monitor"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m monitor "$@"\n')
    shim.chmod(0o755)
    interpreter = shim.parent / "python3"
    interpreter.symlink_to(sys.executable)
    running = subprocess.Popen(
        ["bash", "-c", script(ROOT / "docs" / "first-alert.md", free_port)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}"},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = running.communicate(timeout=100) if running.poll() is None else ("", "")
    except subprocess.TimeoutExpired:
        said = "too long"
    finally:
        end(running.pid)
    trouble = said + (tmp_path / "first" / "daemon.err").read_text()
    assert running.returncode == 0, trouble
    assert "Traffic is moving again" in said  # parse
    assert "suspecnded" in (tmp_path / "first" / "daemon.out").read_text()  # the alert on the screen
    assert re.search(r"read \d+ s ago; 3 entries, 1 new", said), said  # status
    assert "Work stops" in said  # history and tail


def end(group):
    for number in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(50):
            try:
                os.killpg(group, number)
            except ProcessLookupError:
                return
            time.sleep(0.1)
