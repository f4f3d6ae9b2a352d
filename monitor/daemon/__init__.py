"""The running monitor: when to poll, what a poll does, what is delivered; and the same decisions outside a daemon.

app               everything wired: `Monitor`                 plans     settings → what each room needs
schedule          when: tick, triggers, clock guard           cadence   how long until the next poll
poll, polled      one poll and what it makes of the state     judging   what a snapshot means (pure)
delivery          alerts to receivers                         report    how everything stands, in words
reading, replaying `parse` and `replay`, without a daemon      state_directory, logs
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.daemon.app import Monitor
    from monitor.daemon.reading import parse
    from monitor.daemon.replaying import ReplayedPoll, replay

_HOMES = {"Monitor": "app", "parse": "reading", "replay": "replaying", "ReplayedPoll": "replaying"}
__all__ = ["Monitor", "ReplayedPoll", "parse", "replay"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: reading a file needs no scheduler and no database."""
    if name not in _HOMES:
        raise AttributeError(f"module 'monitor.daemon' has no attribute {name!r}")
    return getattr(importlib.import_module(f"monitor.daemon.{_HOMES[name]}"), name)
