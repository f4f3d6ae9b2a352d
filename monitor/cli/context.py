"""What commands that work with a daemon need: its settings and where its server listens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import ServiceUnavailable

if TYPE_CHECKING:
    from monitor.daemon.replaying import ReplayRules
    from monitor.settings import Settings


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Settings in force for a command."""

    settings: Settings

    def bus_url(self) -> str:
        """Return where deltas are published: the configured server, or the running daemon's own.

        Raises ServiceUnavailable when the embedded server is meant and no daemon runs.
        """
        from monitor.daemon.state_directory import is_running, read_runtime

        redis = self.settings.redis
        if redis.mode == "url" and redis.url is not None:
            return redis.url.reveal()
        directory = self.settings.state_dir
        runtime = read_runtime(directory) if is_running(directory) else None
        if runtime is None:
            raise ServiceUnavailable(
                "no daemon runs here", resource=str(directory), mend="start one with `monitor run`"
            )
        return runtime.bus_url

    def store_url(self) -> str:
        """Return where the store is: a file path or a database URL."""
        from monitor.daemon.state_directory import store_place

        return store_place(self.settings)


def open_context(config: Path | None) -> CommandContext:
    """Read the settings for a command that looks at what a daemon did, which need not have the daemon's secrets.

    Raises SettingsError with every problem.
    """
    from monitor.settings import find_settings_file, settings_to_look_with

    found = find_settings_file(config, os.environ, Path.cwd())
    return CommandContext(settings_to_look_with(found, environ=os.environ))


def load(config: Path | None) -> Settings:
    """Find and read the settings, whole and without errors: `config`, else $MONITOR_CONFIG, else config/monitor.yaml, else the usual places."""
    from monitor.settings import find_settings_file, load_settings

    return load_settings(find_settings_file(config, os.environ, Path.cwd()), environ=os.environ)


def rules_of(config: Path) -> ReplayRules:
    """Return the compiled rules of a settings file for a replay."""
    from monitor.daemon.plans import rules_in_force
    from monitor.daemon.replaying import ReplayRules

    rules = rules_in_force(open_context(config).settings)
    return ReplayRules(rules.ruleset, rules.options)
