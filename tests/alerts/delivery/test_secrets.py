"""The canary: secrets of every receiver stand in the settings' environment and nowhere else.

The real program polls, alerts, fails in many ways and is asked about it; then everything it said and stored is searched.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

CANARY = "canary-7f3a9c51"
SETTINGS = """
version: 1
state_dir: {state}
operators: [archive]
sources:
  blog: {{url: {page}, kind: text, allow_fast: true}}
rules:
  halted: {{match: suspended, notify: [desk, archive, gone, post]}}
receivers:
  desk: {{slack: "${{SLACK_URL}}", allow_private: true}}
  archive: {{webhook: "${{HOOK_URL}}", secret: "${{HOOK_SECRET}}", headers: {{X-Key: "${{HOOK_KEY}}"}}, allow_private: true}}
  gone: {{webhook: "${{GONE_URL}}", secret: "${{HOOK_SECRET}}", allow_private: true}}
  post: {{email: a@example.org, sender: b@example.org, host: 127.0.0.1, port: 1, username: ana,
          password: "${{PASSWORD}}", allow_private: true}}
"""
PAGE = "12:07 pm\nAll is calm\nNothing happens here today.\n"
LATER = "12:31 pm\nEvacuation halted\nThe evacuation has been suspended.\n\n" + PAGE


async def monitor(environ, *arguments) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "monitor",
        *arguments,
        cwd=Path(__file__).parents[3],
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_no_secret_is_in_any_log_answer_or_file(world, tmp_path):
    page, settings, state = tmp_path / "live.txt", tmp_path / "monitor.yaml", tmp_path / "state"
    settings.write_text(SETTINGS.format(state=state, page=page))
    page.write_text(PAGE)
    environ = {
        **os.environ,
        "MONITOR_CONFIG": str(settings),
        "SLACK_URL": f"{world.receivers.url}/desk-{CANARY}",
        "HOOK_URL": f"{world.receivers.url}/archive-{CANARY}",
        "GONE_URL": f"{world.receivers.url}/gone-{CANARY}",
        "HOOK_SECRET": f"{CANARY} signing",
        "HOOK_KEY": f"key-{CANARY}",
        "PASSWORD": f"password-{CANARY}",
        "MONITOR_LOG_LEVEL": "debug",
    }
    world.receivers.answers[f"desk-{CANARY}"] = lambda _: 500
    world.receivers.answers[f"gone-{CANARY}"] = lambda _: 410
    said = []
    for text in (PAGE, LATER):
        page.write_text(text)
        code, output = await monitor(environ, "run", "--once")
        said.append(output)
        assert code == 0, output
    commands = (("alerts", "list"), ("alerts", "list", "--json"), ("status", "--json"), ("check", "--offline"))
    for command in commands:
        said.append((await monitor(environ, *command))[1])
    heard = {one.name for one in world.receivers.heard}
    assert heard == {f"{name}-{CANARY}" for name in ("desk", "archive", "gone")}, "the receivers were really called"
    assert b"gone" in said[2]
    for output in said:
        assert CANARY.encode() not in output
    for stored in state.rglob("*"):
        if stored.is_file():
            assert CANARY.encode() not in stored.read_bytes(), stored
