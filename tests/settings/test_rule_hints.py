"""`monitor check` tells what is allowed in a rule and seldom meant, at the very character."""

from monitor.settings import examine
from monitor.settings.rule_hints import rule_hints

SETTINGS = """\
version: 1
sources:
  a: {url: https://example.org/a, language: en}
rules:
  one: {match: evacuation AND halted OR suspended}
  two: {match: 'ceasefire near violation', enabled: false}
  three: {match: {any: [truce, 'halted NOT "not halted"']}}
  fine: {match: ceasefire violation}
"""


def hints(tmp_path, text):
    path = tmp_path / "monitor.yaml"
    path.write_text(text, encoding="utf-8")
    return [(hint.place.line, hint.place.column, hint.message) for hint in rule_hints(examine(path, environ={}))]


def test_each_hint_stands_at_its_place_and_rules_out_of_use_have_none(tmp_path):
    found = hints(tmp_path, SETTINGS)
    assert [(line, column) for line, column, _ in found] == [(5, 16), (7, 40)]
    assert "rule one: AND binds tighter than OR" in found[0][2]


def test_settings_with_errors_have_no_hints(tmp_path):
    assert hints(tmp_path, SETTINGS.replace("version: 1", "version: 9")) == []
