"""All settings as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model

from monitor.settings.fields import Frozen, Texts
from monitor.settings.problems import Problem
from monitor.settings.receiver import ReceiverSettings
from monitor.settings.rule import RuleSettings
from monitor.settings.service import (
    FetchSettings,
    HttpSettings,
    LimitSettings,
    Prefix,
    RedisSettings,
    ReloadSettings,
    RetentionSettings,
    StoreUrl,
)
from monitor.settings.source import SourceSettings
from monitor.settings.units import Unfit, count

VERSION = 1
SOURCE_DEFAULTS = (
    "kind",
    "every",
    "slowest",
    "timezone",
    "language",
    "allow_private",
    "allow_fast",
    "robots",
    "proxy",
    "ids",
    "whole",
    "confirm_removed",
    "confirm_mass",
    "announce_cosmetic",
)
RULE_DEFAULTS = ("severity", "notify", "cooldown", "cooldown_max", "policy", "max_age", "baseline", "fresh", "mention")


def read_version(value: object) -> int:
    """Return the version of the settings' form, which is 1."""
    number = count(value) if not isinstance(value, int) else value
    if number != VERSION:
        raise Unfit(f"version {number} is not known", f"write version: {VERSION}, or use a newer monitor")
    return number


def _shared(model: type[Frozen], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: (model.model_fields[name].annotation, model.model_fields[name]) for name in names}


# What sources and rules may share, with the types and words of their own settings.
DefaultSettings: type[Frozen] = create_model(
    "DefaultSettings",
    __base__=Frozen,
    **_shared(SourceSettings, SOURCE_DEFAULTS),
    **_shared(RuleSettings, RULE_DEFAULTS),
)


class Settings(Frozen):
    """Everything a daemon is told, from one file and the files it includes."""

    path: Path
    """The settings file."""

    files: tuple[Path, ...] = ()
    """Every file that was read: settings, includes, secrets; and the directories that include patterns look into."""

    version: Annotated[int, BeforeValidator(read_version), WithJsonSchema({"const": VERSION})] = VERSION
    """The form of this file; 1."""

    redis: RedisSettings = RedisSettings()
    """Where deltas are published: `embedded`, a URL (`redis://`, `rediss://`, `redis+sentinel://`, `redis+cluster://`, `unix://`), or `{embedded: {port: 6379}}`."""

    store: StoreUrl = "sqlite"
    """Where everything is recorded: `sqlite`, a file in the state directory, or `postgresql://user@host/database`."""

    state_dir: Path = Path()
    """The state directory: by default $STATE_DIRECTORY, else $XDG_STATE_HOME/monitor, else ~/.local/state/monitor."""

    prefix: Prefix = "monitor"
    """What Redis names start with."""

    defaults: Frozen = Field(default_factory=DefaultSettings)
    """What sources and rules that say nothing else get."""

    sources: Mapping[str, SourceSettings] = Field(default_factory=dict)
    """Live blogs and feeds, by id."""

    rules: Mapping[str, RuleSettings] = Field(default_factory=dict)
    """What to look for, by name."""

    receivers: Mapping[str, ReceiverSettings] = Field(default_factory=dict)
    """Who is told, by name."""

    operators: Texts = ()
    """Receivers of the monitor's own troubles: a source that fails for a quarter of an hour, a receiver that refuses."""

    limits: LimitSettings = LimitSettings()
    """How much one source may cost."""

    fetch: FetchSettings = FetchSettings()
    """How the monitor presents itself to publishers and how often it asks them."""

    http: HttpSettings = HttpSettings()
    """The health and metrics page."""

    retention: RetentionSettings = RetentionSettings()
    """How long things are kept."""

    reload: ReloadSettings = ReloadSettings()
    """When settings are read again."""

    warnings: tuple[Problem, ...] = ()
    """What works but is likely not meant."""

    def rules_of(self, source_id: str) -> frozenset[str]:
        """Return the names of the rules in use that look at a source."""
        source = self.sources[source_id]
        return frozenset(name for name, rule in self.rules.items() if rule.enabled and rule.looks_at(source))
