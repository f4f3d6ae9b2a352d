"""The settings file is the one that was asked for, else the first of the usual places."""

from pathlib import Path

import pytest

from monitor.errors import SettingsError
from monitor.settings import find_settings_file


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("version: 1\n")


def test_the_usual_places_are_tried_in_order(tmp_path):
    environ = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_DIRS": f"relative:{tmp_path}/xdg"}
    places = [
        (tmp_path / "xdg/monitor/monitor.yaml", tmp_path / "xdg/monitor/monitor.yaml"),
        (tmp_path / "home/.config/monitor/monitor.yaml", tmp_path / "home/.config/monitor/monitor.yaml"),
        (tmp_path / "monitor.yaml", Path("monitor.yaml")),
        (tmp_path / "config/monitor.yaml", Path("config/monitor.yaml")),
    ]
    for put_at, found in places:
        put(put_at)
        assert find_settings_file(None, environ, tmp_path) == found


def test_the_variable_beats_the_usual_places_and_the_flag_beats_both(tmp_path):
    for name in ("config/monitor.yaml", "variable.yaml", "flag.yaml"):
        put(tmp_path / name)
    environ = {"MONITOR_CONFIG": str(tmp_path / "variable.yaml")}
    assert find_settings_file(None, environ, tmp_path) == tmp_path / "variable.yaml"
    assert find_settings_file(Path("flag.yaml"), environ, tmp_path) == Path("flag.yaml")


def test_a_file_asked_for_that_is_not_there_is_an_error_and_no_other_is_taken(tmp_path):
    put(tmp_path / "config/monitor.yaml")
    for explicit, environ in ((Path("none.yaml"), {}), (None, {"MONITOR_CONFIG": "none.yaml"})):
        with pytest.raises(SettingsError, match=r"none\.yaml:1:1: error: there is no such settings file"):
            find_settings_file(explicit, environ, tmp_path)


def test_no_settings_file_at_all_is_told_with_every_place_that_was_tried(tmp_path):
    with pytest.raises(SettingsError) as raised:
        find_settings_file(None, {"HOME": str(tmp_path)}, tmp_path)
    assert raised.value.exit_code == 78
    assert "config/monitor.yaml" in str(raised.value)
    assert "/etc/monitor/monitor.yaml" in str(raised.value)
    assert "monitor init" in str(raised.value)
