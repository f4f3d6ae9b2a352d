"""One way to ask a single rule a single question."""

from collections.abc import Callable

import pytest

from monitor.model import Match
from monitor.rules import compile_rules

Ask = Callable[..., list[Match]]


@pytest.fixture(scope="session")
def ask() -> Ask:
    def ask_rule(rule, text, title=None, lang="en", previous=None):
        return compile_rules({"rule": rule}).match(text, title=title, language=lang, previous=previous)

    return ask_rule
