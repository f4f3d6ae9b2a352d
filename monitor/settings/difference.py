"""What changed between two settings, in words and by name.

Rule: pure; secrets are compared and never shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.settings.fields import Frozen
from monitor.settings.model import Settings

_WHOLE = ("redis", "store", "state_dir", "prefix", "operators")
_PARTS = ("limits", "fetch", "http", "retention", "reload")
# What a running daemon has opened and does not open anew: a change waits for its next start.
NEEDS_RESTART = frozenset({"redis", "store", "state_dir", "prefix", "http", "fetch"})
_PARTS_NEED_RESTART = frozenset({"limits.parse_time", "limits.parse_memory", "retention.stream_length"})


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
    settings: tuple[str, ...] = ()  # other keys that differ, as `store` or `limits.redirects`

    def __bool__(self) -> bool:
        return bool(self.sources or self.rules or self.receivers or self.settings)

    @property
    def needs_restart(self) -> tuple[str, ...]:
        """The changed keys that only a new start puts in force."""
        return tuple(key for key in self.settings if _needs_restart(key))

    def __str__(self) -> str:
        """Return the difference in one line: `+1 source (kiev), rule truce changed (match), limits changed`."""
        parts = [*_words("source", self.sources), *_words("rule", self.rules), *_words("receiver", self.receivers)]
        parts += [f"{key} changed" + (" (at the next start)" if _needs_restart(key) else "") for key in self.settings]
        return ", ".join(parts) or "nothing changed"


def difference(old: Settings, new: Settings) -> SettingsDifference:
    """Return what differs between the settings in force and new ones."""
    return SettingsDifference(
        sources=_changed(old.sources, new.sources),
        rules=_changed(old.rules, new.rules),
        receivers=_changed(old.receivers, new.receivers),
        settings=(
            *(key for key in _WHOLE if getattr(old, key) != getattr(new, key)),
            *(f"{part}.{key}" for part in _PARTS for key in _keys(getattr(old, part), getattr(new, part))),
        ),
    )


def put_in_force(old: Settings, new: Settings) -> Settings:
    """Return the settings a running daemon works with after a reload: `new`, but what needs a start as it is in `old`."""
    kept = {key: getattr(old, key) for key in NEEDS_RESTART}
    for part in _PARTS:
        if part not in NEEDS_RESTART:
            model = getattr(new, part)
            names = [key for key in type(model).model_fields if f"{part}.{key}" in _PARTS_NEED_RESTART]
            kept[part] = model.model_copy(update={key: getattr(getattr(old, part), key) for key in names})
    return new.model_copy(update=kept)


def _needs_restart(key: str) -> bool:
    return key.partition(".")[0] in NEEDS_RESTART or key in _PARTS_NEED_RESTART


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
