"""docs/rules.md says what is so: each line of its tables, its YAML, its limits."""

import re
from pathlib import Path

import pytest
import yaml

from monitor.rules import compile_rules
from monitor.rules.lexer import MAX_RULE
from monitor.rules.parser import MAX_ATOMS, MAX_DEPTH, MAX_GROUP
from monitor.rules.sightings import LONG_TEXT, MAX_CHARACTERS, MAX_WORDS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "rules.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\| `(.+)` \| (.+) \| (yes|no) \|$", PAGE, re.MULTILINE)


def test_the_page_is_one_page_of_examples():
    assert len(LINES) >= 35
    assert len(PAGE.splitlines()) < 180


@pytest.mark.parametrize(("rule", "text", "fires"), LINES)
def test_each_example_does_what_the_page_says(rule, text, fires, ask):
    assert bool(ask(rule, text, lang="xx" if re.search("[а-я]", text) else "en")) is (fires == "yes")


def test_the_form_without_operators_reads_as_the_page_says():
    form = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1])["match"]
    ruleset = compile_rules({"rule": form})
    assert ruleset.match("The evacuation was called off")
    assert not ruleset.match("The evacuation drill was called off")
    assert not ruleset.match("The match was called off")


def test_the_limits_are_the_ones_in_force():
    for limit in (MAX_RULE, MAX_ATOMS, MAX_GROUP, MAX_DEPTH, MAX_CHARACTERS, MAX_WORDS, LONG_TEXT):
        assert f"{limit:,}" in PAGE
