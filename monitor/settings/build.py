"""A tree of text to settings: every type, every unknown key and every missing one in one pass.

Rule: what cannot be used is noted and left out, and the rest is built, so that the checks that follow see all of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Mapping as Environment
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from monitor.settings.fields import Frozen, identifier
from monitor.settings.model import DefaultSettings, Settings
from monitor.settings.problems import Place, Problems, masked
from monitor.settings.receiver import KINDS, ReceiverSettings
from monitor.settings.rule import RuleSettings
from monitor.settings.secret import SECRET_KEYS
from monitor.settings.service import (
    FetchSettings,
    HttpSettings,
    LimitSettings,
    RedisSettings,
    ReloadSettings,
    RetentionSettings,
)
from monitor.settings.source import STAND_IN_URL, SourceSettings
from monitor.settings.tree import Mapping, Node, Pair, Scalar, is_null, plain
from monitor.settings.units import Unfit, kind_of
from monitor.settings.validate import Validator, dotted, known_keys
from monitor.settings.variables import SecretFiles

_Built = TypeVar("_Built")
_SECTIONS: dict[str, type[Frozen]] = {
    "limits": LimitSettings,
    "fetch": FetchSettings,
    "http": HttpSettings,
    "retention": RetentionSettings,
    "reload": ReloadSettings,
}
_OWN_KEYS = {
    "sources": frozenset(known_keys(SourceSettings)),
    "rules": frozenset(known_keys(RuleSettings)),
    "receivers": frozenset({"secret", "token", "password", "headers"}),
}
_EXAMPLES = {
    "sources": "name each one, without a dash: `aleppo: {url: https://…}`",
    "rules": "name each one, without a dash: `halted: {match: suspended}`",
    "receivers": "name each one, without a dash: `desk: {slack: …}`",
}
_SINGLE = ("version", "store", "prefix", "operators")


@dataclass(slots=True)
class Builder:
    """Builds each part of the settings, noting what is wrong on the way."""

    environ: Environment[str, str]
    problems: Problems
    files: list[Path] = field(default_factory=list)  # secret files that were read
    validator: Validator = field(init=False)
    secrets: SecretFiles = field(init=False)

    def __post_init__(self) -> None:
        self.validator = Validator(self.problems)
        self.secrets = SecretFiles(self.environ, self.problems, self.files)

    def settings(self, tree: Mapping, path: Path) -> tuple[Settings, Mapping]:
        """Return settings of what is usable in `tree`, and the tree with shorthands, defaults and secrets put in."""
        tree = Mapping(tree.place, dict(tree.pairs))
        known = known_keys(Settings)
        for key in [key for key in tree.pairs if key not in known]:
            self.validator.unknown([*known, "include"], key, (key,), tree.pairs.pop(key).key_place)
        parts: dict[str, Any] = {"path": path, "state_dir": self._state_dir(tree), "redis": self._redis(tree)}
        for name, model in _SECTIONS.items():
            parts[name] = self._section(tree, name, model)
        shared, parts["defaults"] = self._defaults(tree)
        parts["sources"] = self._each(tree, "sources", partial(self._source, shared))
        parts["rules"] = self._each(tree, "rules", partial(self._rule, shared))
        parts["receivers"] = self._each(tree, "receivers", self._receiver)
        single = Mapping(tree.place, {name: tree.pairs[name] for name in _SINGLE if name in tree.pairs})
        made = self.validator.make(Settings, single, (), tree.place, given=parts)
        return made or Settings(**parts), tree

    def _mapping(self, tree: Mapping, name: str) -> tuple[Mapping, Place]:
        """Return a section, or an empty one after noting that it is none."""
        pair = tree.pairs.get(name)
        if pair is None or is_null(pair.value):
            return Mapping(pair.key_place if pair else tree.place), pair.key_place if pair else tree.place
        if isinstance(pair.value, Mapping):
            return pair.value, pair.key_place
        said = kind_of(plain(pair.value))
        mend = _EXAMPLES.get(name, "write `key: value` below it")
        self.problems.error(pair.value.place, f"{name}: keys and values were expected, not {said}", mend)
        tree.pairs[name] = Pair(pair.key_place, Mapping(pair.value.place))
        return Mapping(pair.value.place), pair.key_place

    def _section(self, tree: Mapping, name: str, model: type[Frozen]) -> Frozen:
        node, place = self._mapping(tree, name)
        return self.validator.make(model, node, (name,), place) or model()

    def _defaults(self, tree: Mapping) -> tuple[Mapping, Frozen]:
        """Return the usable defaults as they are to be merged, and as a value."""
        node, place = self._mapping(tree, "defaults")
        before = len(self.problems.found)
        made = self.validator.make(DefaultSettings, node, ("defaults",), place)
        usable = dict(node.pairs)
        if made is None:
            wrong = {(problem.place.file, problem.place.line) for problem in list(self.problems.found)[before:]}
            usable = {
                key: pair for key, pair in usable.items() if (pair.key_place.file, pair.key_place.line) not in wrong
            }
        return Mapping(node.place, usable), made or DefaultSettings()

    def _each(
        self, tree: Mapping, name: str, make: Callable[[str, Node, Place], tuple[Node, _Built | None]]
    ) -> dict[str, _Built]:
        section, _ = self._mapping(tree, name)
        pairs: dict[str, Pair] = {}
        built: dict[str, _Built] = {}
        for key, pair in section.pairs.items():
            self._name(name, key, pair)
            node, made = make(key, pair.value, pair.key_place)
            pairs[key] = Pair(pair.key_place, node)
            if made is not None:
                built[key] = made
        if name in tree.pairs:
            tree.pairs[name] = Pair(tree.pairs[name].key_place, Mapping(section.place, pairs))
        return built

    def _name(self, section: str, name: str, pair: Pair) -> None:
        try:
            identifier(name)
        except Unfit as wrong:
            self.problems.error(pair.key_place, f"{section}: {wrong.message}", wrong.mend)
        if name in _OWN_KEYS[section]:
            said = f"{section}: '{name}' is a setting of a {section[:-1]}, and here the name of one"
            self.problems.warning(pair.key_place, said, "indent it below the name it belongs to")

    def _entry(
        self, node: Node, path: tuple[str, str], short: str | None, shared: Mapping, model: type[Frozen]
    ) -> Mapping | None:
        """Return one source or rule as a mapping with its defaults; a lone value stands for its key `short`."""
        if isinstance(node, Scalar) and short and node.text is not None:
            node = self._unjoined(node, node.text, path, model)
            node = Mapping(node.place, {short: Pair(node.place, node)})
        elif is_null(node):
            node = Mapping(node.place)
        if not isinstance(node, Mapping):
            said = f"{dotted(path)}: keys and values were expected, not {kind_of(plain(node))}"
            mend = "indent them below it" if short else "say what it is: {slack: …}, {webhook: …} or another kind"
            self.problems.error(node.place, said, mend)
            return None
        own = {key: pair for key, pair in shared.pairs.items() if key in model.model_fields and key not in node.pairs}
        return Mapping(node.place, node.pairs | own)

    def _unjoined(self, node: Scalar, text: str, path: tuple[str, str], model: type[Frozen]) -> Scalar:
        """Note `url:https://…`: without a space it is one text and no key."""
        key = text.partition(":")[0]
        if ":" not in text or key not in known_keys(model):
            return node
        said = f"{dotted(path)}: there is no space after `{key}:`"
        rest = "…" if node.varied else masked(text[len(key) + 1 :].strip()[:40])
        self.problems.error(node.place, said, f"write `{key}: {rest}`")
        return replace(node, broken=True)

    def _source(self, shared: Mapping, name: str, node: Node, place: Place) -> tuple[Node, SourceSettings | None]:
        path = ("sources", name)
        entry = self._entry(node, path, "url", shared, SourceSettings)
        if entry is None:
            return node, None
        self._header_files(entry)
        made = self.validator.make(
            SourceSettings, entry, path, place, given={"id": name}, stand_ins={"url": STAND_IN_URL}
        )
        if made is not None and made.is_file and "url" in entry.pairs:
            address = self._beside(entry.pairs["url"].value.place.file, made.url)
            made = made.model_copy(update={"url": address})
        return entry, made

    def _header_files(self, entry: Mapping) -> None:
        headers = entry.pairs.get("headers")
        if headers and isinstance(headers.value, Mapping):
            names = frozenset(key.removesuffix("_file") for key in headers.value.pairs if key.endswith("_file"))
            entry.pairs["headers"] = Pair(headers.key_place, self.secrets.put(headers.value, names))

    def _rule(self, shared: Mapping, name: str, node: Node, place: Place) -> tuple[Node, RuleSettings | None]:
        entry = self._entry(node, ("rules", name), "match", shared, RuleSettings)
        if entry is None:
            return node, None
        return entry, self.validator.make(
            RuleSettings, entry, ("rules", name), place, given={"name": name}, stand_ins={"match": "stand-in"}
        )

    def _receiver(self, name: str, node: Node, place: Place) -> tuple[Node, ReceiverSettings | None]:
        path = ("receivers", name)
        entry = self._entry(node, path, None, Mapping(place), ReceiverSettings)
        if entry is None:
            return node, None
        entry = self.secrets.put(entry, SECRET_KEYS)
        self._header_files(entry)
        kinds = [key for key in entry.pairs if key in KINDS]
        if not kinds:
            self._kindless(entry, path, place)
            return entry, None
        for kind in kinds[1:]:
            said = f"{dotted(path)}: a receiver is of one kind, and '{kinds[0]}' is given already"
            self.problems.error(entry.pairs.pop(kind).key_place, said, f"make '{kind}' a receiver of its own")
        return entry, self.validator.make(KINDS[kinds[0]], entry, path, place, given={"name": name})

    def _kindless(self, entry: Mapping, path: tuple[str, str], place: Place) -> None:
        common = known_keys(ReceiverSettings)
        for key in ("type", "kind"):
            said = entry.pairs[key].value if key in entry.pairs else None
            if isinstance(said, Scalar) and said.text in KINDS:
                words = f"{dotted((*path, key))}: the kind of a receiver is a key of its own"
                self.problems.error(entry.pairs[key].key_place, words, f"write `{said.text}: …` with where to send")
                return
        others = [key for key in entry.pairs if not any(key in known_keys(kind) for kind in KINDS.values())]
        meant = [
            self.validator.unknown([*KINDS, *common], key, (*path, key), entry.pairs[key].key_place) for key in others
        ]
        if not any(near in KINDS for near in meant):
            kinds = ", ".join(KINDS)
            self.problems.error(place, f"{dotted(path)}: it does not say where to send", f"give it one of {kinds}")

    def _redis(self, tree: Mapping) -> RedisSettings:
        pair = tree.pairs.get("redis")
        if pair is None or is_null(pair.value):
            return RedisSettings()
        node = pair.value
        if isinstance(node, Scalar):
            if node.text == "embedded":
                return RedisSettings()
            node = Mapping(node.place, {"url": Pair(node.place, node)})
        elif not isinstance(node, Mapping):
            self.problems.error(node.place, "redis: a list is no server", "write embedded or redis://host:6379")
            return RedisSettings()
        return self._redis_parts(self.secrets.put(node, frozenset({"url"}), looked_at=True), pair.key_place)

    def _redis_parts(self, node: Mapping, place: Place) -> RedisSettings:
        embedded = node.pairs.get("embedded")
        for key in [key for key in node.pairs if key not in {"embedded", "url"}]:
            known = ["embedded", "url", "url_file"]
            self.validator.unknown(known, key, ("redis", key), node.pairs.pop(key).key_place)
        if embedded is not None and "url" in node.pairs:
            self.problems.error(embedded.key_place, "redis: embedded and url are both given", "keep one of the two")
        if embedded is None:
            return self.validator.make(RedisSettings, node, ("redis",), place, given={"mode": "url"}) or RedisSettings()
        if isinstance(embedded.value, Mapping):
            options = Mapping(embedded.value.place, dict(embedded.value.pairs))
            for key in [key for key in options.pairs if key != "port"]:
                self.validator.unknown(["port"], key, ("redis", "embedded", key), options.pairs.pop(key).key_place)
            path = ("redis", "embedded")
            return self.validator.make(RedisSettings, options, path, embedded.key_place) or RedisSettings()
        if not is_null(embedded.value):
            said = "redis.embedded: keys and values were expected"
            self.problems.error(embedded.value.place, said, "write redis: embedded, or {embedded: {port: 6379}}")
        return RedisSettings()

    def _state_dir(self, tree: Mapping) -> Path:
        pair = tree.pairs.pop("state_dir", None)
        if pair is None or is_null(pair.value):
            return state_directory(self.environ)
        if not isinstance(pair.value, Scalar):
            self.problems.error(pair.value.place, "state_dir: the path of a directory was expected", "write one path")
            return state_directory(self.environ)
        return Path(self._beside(pair.value.place.file, pair.value.text or ""))

    def _beside(self, file: str, written: str) -> str:
        """Return a path that starts at the directory of the settings file it was written in; ~ is the home."""
        if written == "~" or written.startswith("~/"):
            written = self.environ.get("HOME", "/") + written[1:]
        # abspath, not resolve: a symlink may be turned to another file while the monitor runs.
        return os.path.abspath(Path(file).parent / written)  # noqa: PTH100


def state_directory(environ: Environment[str, str]) -> Path:
    """Return where state is kept unless the settings say otherwise.

    $STATE_DIRECTORY is systemd's (systemd.exec(5); the first where it lists several), $XDG_STATE_HOME the desktop's
    (XDG Base Directory Specification; relative values are to be ignored).
    """
    if first := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(first)
    if (base := environ.get("XDG_STATE_HOME", "")).startswith("/"):
        return Path(base) / "monitor"
    return Path(environ.get("HOME") or "/") / ".local" / "state" / "monitor"
