"""The live-update monitor: polls live blogs, publishes each change of each entry as a delta, alerts on words.

Everything named in `__all__` is the public API; everything else is private and may change.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from monitor.bus import subscribe
    from monitor.daemon import Monitor, parse, replay
    from monitor.errors import MonitorError
    from monitor.model import Alert, Delta, Entry
    from monitor.rules import Ruleset, compile_rules

_HOMES = {
    "Alert": "monitor.model",
    "Delta": "monitor.model",
    "Entry": "monitor.model",
    "Monitor": "monitor.daemon.app",
    "MonitorError": "monitor.errors",
    "Ruleset": "monitor.rules",
    "compile_rules": "monitor.rules",
    "parse": "monitor.daemon.reading",
    "replay": "monitor.daemon.replaying",
    "subscribe": "monitor.bus",
}

__all__ = [
    "Alert",
    "Delta",
    "Entry",
    "Monitor",
    "MonitorError",
    "Ruleset",
    "compile_rules",
    "parse",
    "replay",
    "subscribe",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `monitor --help` loads no HTTP client and no database."""
    if name not in _HOMES:
        raise AttributeError(f"module 'monitor' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
