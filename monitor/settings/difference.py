"""What changed between two settings, in words and by name.

Rule: pure; secrets are compared and never shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.settings.fields import Frozen
from monitor.settings.model import Settings

_WHOLE = ("redis", "store", "state_dir", "prefix", "operators", "limits", "fetch", "http", "retention", "reload")
# What a running daemon has opened and does not open anew: a change waits for its next start.
NEEDS_RESTART = frozenset({"redis", "store", "state_dir", "prefix", "http"})


@dataclass(frozen=True, slots=True)
class Changed:
    """Which parts of one section came, went and changed; names are sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name → the keys that differ

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class SettingsDifference:
    """What a reload would change."""

    sources: Changed
    rules: Changed
    receivers: Changed
    settings: tuple[str, ...] = ()  # other keys at the top that differ

    def __bool__(self) -> bool:
        return bool(self.sources or self.rules or self.receivers or self.settings)

    @property
    def needs_restart(self) -> tuple[str, ...]:
        """The changed keys that only a new start puts in force."""
        return tuple(key for key in self.settings if key in NEEDS_RESTART)

    def __str__(self) -> str:
        """Return the difference in one line: `+1 source (kiev), rule truce changed (match), limits changed`."""
        parts = [*_words("source", self.sources), *_words("rule", self.rules), *_words("receiver", self.receivers)]
        parts += [f"{key} changed" + (" (at the next start)" if key in NEEDS_RESTART else "") for key in self.settings]
        return ", ".join(parts) or "nothing changed"


def difference(old: Settings, new: Settings) -> SettingsDifference:
    """Return what differs between the settings in force and new ones."""
    return SettingsDifference(
        sources=_changed(old.sources, new.sources),
        rules=_changed(old.rules, new.rules),
        receivers=_changed(old.receivers, new.receivers),
        settings=tuple(key for key in _WHOLE if getattr(old, key) != getattr(new, key)),
    )


def _changed(old: Mapping[str, Frozen], new: Mapping[str, Frozen]) -> Changed:
    both = {name: _keys(old[name], new[name]) for name in sorted(old.keys() & new.keys())}
    return Changed(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed={name: keys for name, keys in both.items() if keys},
    )


def _keys(old: Frozen, new: Frozen) -> tuple[str, ...]:
    if type(old) is not type(new):
        return ("kind",)
    return tuple(name for name in type(new).model_fields if getattr(old, name) != getattr(new, name))


def _words(word: str, changed: Changed) -> list[str]:
    said = []
    for sign, names in (("+", changed.added), ("-", changed.removed)):
        if names:
            plural = "s" if len(names) > 1 else ""
            said.append(f"{sign}{len(names)} {word}{plural} ({_listed(names)})")
    return said + [f"{word} {name} changed ({', '.join(keys)})" for name, keys in changed.changed.items()]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
