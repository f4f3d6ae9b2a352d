"""One daemon a state directory, and nobody else gets in."""

import os
import stat
import subprocess
import sys

import pytest

from monitor.daemon.state_directory import (
    Runtime,
    is_running,
    locked,
    prepare,
    read_runtime,
    read_troubles,
    remove_runtime,
    write_runtime,
    write_troubles,
)
from monitor.errors import AlreadyRunning, StateUnusable

HOLD = "import sys, time; from pathlib import Path; from monitor.daemon.state_directory import locked\nwith locked(Path(sys.argv[1])):\n print('held', flush=True); time.sleep(60)"


def test_a_new_directory_is_for_its_owner_alone(tmp_path):
    directory = prepare(tmp_path / "a" / "state")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_an_open_directory_is_closed_to_others(tmp_path):
    directory = tmp_path / "state"
    directory.mkdir(mode=0o755)
    assert stat.S_IMODE(prepare(directory).stat().st_mode) == 0o700


def test_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateUnusable, match="link"):
        prepare(tmp_path / "state")


def test_a_second_daemon_is_refused_and_told_who_runs(tmp_path):
    write_runtime(tmp_path, Runtime(4711, "unix:///x", "2026-01-01T00:00:00+00:00", "monitor.yaml"))
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        assert is_running(tmp_path)
        with pytest.raises(AlreadyRunning, match="4711") as refused, locked(tmp_path):
            pass
        assert refused.value.exit_code == 75
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_the_lock_falls_with_the_process_that_held_it(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with locked(tmp_path):
        pass


def test_the_note_of_a_running_daemon_is_private_and_comes_back_whole(tmp_path):
    runtime = Runtime(os.getpid(), "unix:///run/x.sock", "2026-01-01T00:00:00+00:00", "monitor.yaml")
    write_runtime(tmp_path, runtime)
    assert read_runtime(tmp_path) == runtime
    assert stat.S_IMODE((tmp_path / "runtime.json").stat().st_mode) == 0o600
    remove_runtime(tmp_path)
    assert read_runtime(tmp_path) is None


def test_a_damaged_note_is_no_note(tmp_path):
    (tmp_path / "runtime.json").write_text("{")
    assert read_runtime(tmp_path) is None


def test_troubles_are_written_in_place_and_read_back(tmp_path):
    write_runtime(tmp_path, Runtime(4711, "unix:///x", "2026-01-01T00:00:00+00:00", "monitor.yaml"))
    before = (tmp_path / "troubles.json").stat()
    write_troubles(tmp_path, ("store: the disk is full", "redis: gone\x1b[2J"))
    assert read_troubles(tmp_path) == ("store: the disk is full", "redis: gone\\x1b[2J")
    after = (tmp_path / "troubles.json").stat()
    assert (after.st_ino, after.st_size, after.st_blocks) == (before.st_ino, before.st_size, before.st_blocks)
    write_troubles(tmp_path, tuple("й" * 2000 for _ in range(9)))
    assert [len(words) for words in read_troubles(tmp_path)] == [190] * 5
    assert (tmp_path / "troubles.json").stat().st_size == before.st_size
