"""docs/settings.md has every setting there is, with its default, and none that is not."""

import re
from pathlib import Path

import pytest

from monitor.settings import (
    AppriseSettings,
    EmailSettings,
    FetchSettings,
    HttpSettings,
    LimitSettings,
    ReceiverSettings,
    RedisSettings,
    ReloadSettings,
    RetentionSettings,
    RuleSettings,
    RuleTest,
    Settings,
    SlackSettings,
    SourceSettings,
    TerminalSettings,
    WebhookSettings,
)
from monitor.settings.alerting import EscalateSettings, QuietSettings
from monitor.settings.difference import _PARTS_NEED_RESTART, NEEDS_RESTART
from monitor.settings.model import RULE_DEFAULTS, SOURCE_DEFAULTS
from monitor.settings.receiver import KINDS
from monitor.settings.schema import written_default
from monitor.settings.secret import SECRET_KEYS
from monitor.settings.source import SELECT_KEYS
from monitor.settings.validate import known_keys

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
SECTIONS = {
    "At the top": Settings,
    "Sources": SourceSettings,
    "Rules": RuleSettings,
    "A rule's `tests`": RuleTest,
    "A rule's `escalate`": EscalateSettings,
    "Receivers": ReceiverSettings,
    "A receiver's `quiet`": QuietSettings,
    "Slack": SlackSettings,
    "Webhook": WebhookSettings,
    "E-mail": EmailSettings,
    "Terminal": TerminalSettings,
    "Apprise": AppriseSettings,
    "`redis` as keys": RedisSettings,
    "`limits`": LimitSettings,
    "`fetch`": FetchSettings,
    "`http`": HttpSettings,
    "`retention`": RetentionSettings,
    "`reload`": ReloadSettings,
}


def section(title):
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/settings.md has no section {title}"
    return found[1]


def rows(title):
    return dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]*?) \|", section(title), re.MULTILINE))


def settings_of(model):
    common = set(known_keys(ReceiverSettings)) if model in KINDS.values() else set()
    return {name for name in known_keys(model) if name not in common}


@pytest.mark.parametrize(("title", "model"), SECTIONS.items(), ids=[model.__name__ for model in SECTIONS.values()])
def test_a_section_names_exactly_the_settings_there_are(title, model):
    beside = {"include"} if model is Settings else set()
    assert set(rows(title)) == settings_of(model) | beside


@pytest.mark.parametrize(("title", "model"), SECTIONS.items(), ids=[model.__name__ for model in SECTIONS.values()])
def test_a_section_states_the_defaults_that_hold(title, model):
    told = rows(title)
    for name in settings_of(model):
        default = written_default(model, name)
        required = model.model_fields[name].is_required()
        assert told[name] == ("required" if required else f"`{default}`" if default else ""), name


def test_every_kind_of_settings_has_a_section():
    from monitor.settings.fields import Frozen
    from monitor.settings.model import DefaultSettings

    def below(kind):
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    told = {model for model in below(Frozen) if model.__module__.startswith("monitor.settings")}
    assert told - {DefaultSettings} == set(SECTIONS.values())


def test_lists_in_the_text_are_complete():
    assert all(f"`{name}`" in section("At the top") for name in (*SOURCE_DEFAULTS, *RULE_DEFAULTS))
    assert all(f"`{name}`" in section("Sources") for name in SELECT_KEYS)
    assert all(f"`{name}`" in section("Receivers") for name in KINDS)
    assert all(f"`{name}`" in section("At the top") for name in NEEDS_RESTART | _PARTS_NEED_RESTART)
    assert all(f"`{name}`" in section("How values are written") for name in SECRET_KEYS)
