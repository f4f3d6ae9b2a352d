"""Every broken settings file is told all that is wrong with it, at the right line and column, with what to do about it."""

from pathlib import Path

import pytest

from monitor.errors import SettingsError
from monitor.settings import examine, load_settings

CORPUS = Path(__file__).parent / "broken"
FILES = sorted(CORPUS.glob("*.yaml"))
ENVIRON = {
    "HOME": "/home/desk",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/canary",
    "SECRET": "canary",
}


def look(path, monkeypatch):
    monkeypatch.chdir(CORPUS)
    return examine(Path(path.name), environ=ENVIRON, rule_checker=lambda rules: None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_is_told_exactly_what_is_wrong_with_it(path, monkeypatch):
    examined = look(path, monkeypatch)
    told = [str(problem) for problem in (*examined.errors, *examined.warnings)]
    assert told == path.with_suffix(".expected").read_text(encoding="utf-8").splitlines()


def test_the_corpus_is_large_and_every_file_of_it_says_something():
    assert len(FILES) >= 60
    assert all(path.with_suffix(".expected").read_text(encoding="utf-8").strip() for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_problem_has_a_mend_and_a_place_inside_the_file(path, monkeypatch):
    examined = look(path, monkeypatch)
    raw = path.read_bytes().decode("utf-8", "replace").splitlines()
    for problem in (*examined.errors, *examined.warnings):
        assert problem.mend
        assert 1 <= problem.place.line <= max(1, len(raw))
        line = raw[problem.place.line - 1] if raw else ""
        assert 1 <= problem.place.column <= len(line) + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_secret_is_quoted(path, monkeypatch):
    shown = "\n".join(look(path, monkeypatch).described())
    assert "canary" not in shown
    assert "hunter2" not in shown


def test_all_errors_are_raised_at_once_with_line_and_caret_and_exit_code_78(monkeypatch):
    monkeypatch.chdir(CORPUS)
    with pytest.raises(SettingsError) as raised:
        load_settings(Path("unknown_source_key.yaml"), environ=ENVIRON)
    assert raised.value.exit_code == 78
    assert raised.value.problems == (
        (
            "unknown_source_key.yaml:3:5: error: sources.aleppo.ulr: unknown key 'ulr' — did you mean 'url'?\n"
            "     3 |     ulr: https://example.org/feed.xml\n"
            "       |     ^"
        ),
        (
            "unknown_source_key.yaml:4:5: error: sources.aleppo.evry: unknown key 'evry' — did you mean 'every'?\n"
            "     4 |     evry: 20s\n"
            "       |     ^"
        ),
    )


def test_the_caret_stands_below_the_character_in_scripts_of_every_width(desk):
    (said,) = desk.examine("rules: {r: {match: x, note: '停战 é', severity: high}}\n").described()
    _, line, caret = said.splitlines()
    before = line[: line.index("high")]
    assert len(caret) - 1 == len(before) + 2  # two characters of two columns each


def test_warnings_alone_do_not_refuse_the_settings(monkeypatch):
    monkeypatch.chdir(CORPUS)
    settings = load_settings(Path("nobody_hears.yaml"), environ=ENVIRON, rule_checker=lambda rules: None)
    assert [problem.severity for problem in settings.warnings] == ["warning", "warning"]
