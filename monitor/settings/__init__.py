"""Settings: YAML files to one frozen value, or every problem at once with file, line, column and mend.

Rule: the environment and the files are read here and nowhere else; what comes out is plain values.
"""

from __future__ import annotations

from monitor.settings.build import state_directory
from monitor.settings.difference import Changed, SettingsDifference, difference, put_in_force
from monitor.settings.find import find_settings_file
from monitor.settings.load import Examined, examine, load_settings, settings_to_look_with
from monitor.settings.model import Settings
from monitor.settings.problems import Place, Problem
from monitor.settings.receiver import (
    AppriseSettings,
    EmailSettings,
    ReceiverSettings,
    SlackSettings,
    TerminalSettings,
    WebhookSettings,
)
from monitor.settings.rule import RuleSettings, RuleTest
from monitor.settings.secret import Secret
from monitor.settings.service import (
    FetchSettings,
    HttpSettings,
    LimitSettings,
    RedisSettings,
    ReloadSettings,
    RetentionSettings,
)
from monitor.settings.source import SourceSettings

__all__ = [
    "AppriseSettings",
    "Changed",
    "EmailSettings",
    "Examined",
    "FetchSettings",
    "HttpSettings",
    "LimitSettings",
    "Place",
    "Problem",
    "ReceiverSettings",
    "RedisSettings",
    "ReloadSettings",
    "RetentionSettings",
    "RuleSettings",
    "RuleTest",
    "Secret",
    "Settings",
    "SettingsDifference",
    "SlackSettings",
    "SourceSettings",
    "TerminalSettings",
    "WebhookSettings",
    "difference",
    "examine",
    "find_settings_file",
    "load_settings",
    "put_in_force",
    "settings_to_look_with",
    "state_directory",
]
