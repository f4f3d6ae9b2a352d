"""Every case of the language files fires or does not, as its line says."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Their word lists take over a second to load.
HEAVY = {"de", "et", "fi", "hu", "pl", "ru", "sv", "tr", "uk", "pt", "es", "nl"}


def cases_of(name):
    grouped = defaultdict(list)
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        grouped[case.get("lang", "en")].append(case)
    return [
        pytest.param(cases, id=f"{name}-{lang}", marks=[pytest.mark.slow] if lang in HEAVY else [])
        for lang, cases in sorted(grouped.items())
    ]


@pytest.mark.parametrize("cases", cases_of("language.jsonl") + cases_of("cases.jsonl"))
def test_each_case_of_a_language_fires_as_its_line_says(cases, ask):
    wrong = [
        case
        for case in cases
        if bool(ask(case["rule"], case["text"], case.get("title"), case.get("lang", "en"), case.get("previous")))
        is not case["fires"]
    ]
    assert wrong == []
