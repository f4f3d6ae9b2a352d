"""One part of the tree to one settings model, with every complaint at its place.

Rule: all of a part's errors are noted, each once; pydantic's words never reach the operator where ours know better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError

from monitor.settings.alerting import EscalateSettings, QuietSettings
from monitor.settings.fields import Frozen
from monitor.settings.problems import Place, Problems
from monitor.settings.receiver import ReceiverSettings
from monitor.settings.rule import RuleTest
from monitor.settings.tree import Mapping, Path, Scalar, find, plain
from monitor.settings.units import Unfit

_Model = TypeVar("_Model", bound=Frozen)
_NESTED: dict[str | int, type[Frozen]] = {"tests": RuleTest, "escalate": EscalateSettings, "quiet": QuietSettings}
HIDDEN = frozenset({"id", "name", "path", "files", "warnings", "mode"})  # set by us, never by the file
_WANTED = {
    "tuple_type": ("a list was expected", "write [first, second]"),
    "list_type": ("a list was expected", "write [first, second]"),
    "dict_type": ("keys and values were expected", "write `key: value` below it"),
    "model_type": ("keys and values were expected", "write `key: value` below it"),
    "mapping_type": ("keys and values were expected", "write `key: value` below it"),
}


def dotted(path: Path) -> str:
    """Return a path as `sources.aleppo.url`."""
    return ".".join(str(step) for step in path)


def nearest(word: str, known: list[str]) -> str:
    """Return what `word` was probably meant to be, or nothing."""
    near = get_close_matches(word.lower(), known, 1, 0.6)
    return near[0] if near else ""


def known_keys(model: type[Frozen]) -> list[str]:
    """Return the keys a part of the file may have."""
    inherited = ReceiverSettings.model_fields if issubclass(model, ReceiverSettings) else {}
    names = [name for name in model.model_fields if name not in HIDDEN]
    return sorted(names, key=lambda name: name in inherited)  # what is its own comes first


@dataclass(slots=True)
class Validator:
    """Makes models and notes what stands in their way."""

    problems: Problems

    def make(
        self,
        model: type[_Model],
        node: Mapping,
        path: Path,
        place: Place,
        *,
        given: dict[str, Any] | None = None,
        stand_ins: dict[str, Any] | None = None,
    ) -> _Model | None:
        """Return a model of `node`'s values after noting everything wrong with them.

        `path` leads to the node and `place` stands for it where a key is missing; `given` are values of ours. With
        `stand_ins` for what it requires, a model of the usable rest is returned, so that later checks see that too; else
        None.
        """
        values = _without_nulls(plain(node), model)
        assert isinstance(values, dict)
        for key in [key for key in values if key in HIDDEN]:
            del values[key]
            self.unknown(known_keys(model), key, (*path, key), node.pairs[key].key_place)
        values |= given or {}
        try:
            return model.model_validate(values)
        except ValidationError as wrong:
            errors = wrong.errors(include_url=False, include_input=False)
        self._note(errors, model, node, path, place)
        if stand_ins is None:
            return None
        unusable = {error["loc"][0] for error in errors}
        return model.model_validate(stand_ins | {key: value for key, value in values.items() if key not in unusable})

    def unknown(self, known: list[str], key: str, path: Path, place: Place) -> str:
        """Note an unknown key; return the one that was probably meant."""
        near = nearest(key, known)
        mend = f"did you mean '{near}'?" if near else f"it takes {', '.join(known)}"
        self.problems.error(place, f"{dotted(path)}: unknown key '{key}'", mend)
        return near

    def _note(self, errors: list[Any], model: type[Frozen], node: Mapping, path: Path, place: Place) -> None:
        meant: set[Path] = set()
        for error in errors:
            if error["type"] == "extra_forbidden":
                loc: Path = error["loc"]
                known = known_keys(_model_at(model, loc[:-1]))
                near = self.unknown(known, str(loc[-1]), (*path, *loc), find(node, loc)[1])
                meant.add((*loc[:-1], near))
        for error in errors:
            if error["type"] == "missing":
                self._missing(error["loc"], meant, node, path, place)
            elif error["type"] != "extra_forbidden":
                self._unfit(error, node, path)

    def _missing(self, loc: Path, meant: set[Path], node: Mapping, path: Path, place: Place) -> None:
        if loc in meant:  # misspelt, and already said so
            return
        at = find(node, loc)[1] if len(loc) > 1 else place
        self.problems.error(at, f"{dotted((*path, *loc))} is missing", f"add `{loc[-1]}: …`")

    def _unfit(self, error: Any, node: Mapping, path: Path) -> None:
        loc: Path = error["loc"]
        cause = error.get("ctx", {}).get("error")
        on_key = loc[-1:] == ("[key]",)  # pydantic's name for a mapping's key that is wrong
        loc = loc[:-1] if on_key else loc
        if not isinstance(cause, Unfit):
            message, mend = _WANTED.get(error["type"], (error["msg"], ""))
            self._note_unfit(Unfit(message, mend, on_key=on_key), node, loc, path)
            return
        cause.on_key = cause.on_key or on_key
        for unfit in (cause, *cause.others):
            self._note_unfit(unfit, node, (*loc, *unfit.at), path)

    def _note_unfit(self, unfit: Unfit, node: Mapping, loc: Path, path: Path) -> None:
        found, key_place = find(node, loc)
        if isinstance(found, Scalar) and found.broken:  # a variable or file it needs is missing, and that is said
            return
        place = key_place if unfit.on_key else found.place
        message, mend = unfit.message, unfit.mend
        if isinstance(found, Scalar) and found.varied and not unfit.on_key:
            message, mend = _unquoted(found, mend)
        self.problems.error(place, f"{dotted((*path, *loc))}: {message}", mend)


def _unquoted(node: Scalar, mend: str) -> tuple[str, str]:
    """Return words about a value out of a variable or a file that quote nothing of it: it may be a secret."""
    quoted = any(word in mend for word in re.findall(r"\w+", node.text or ""))
    return f"what {node.raw} stands for cannot be used here", "give it another value" if quoted else mend


def _without_nulls(values: object, model: type[Frozen]) -> object:
    """Return `values` without the known keys that hold nothing: that is the same as leaving them out."""
    if isinstance(values, list):
        return [_without_nulls(item, model) for item in values]
    if not isinstance(values, dict):
        return values
    kept = {key: value for key, value in values.items() if value is not None or key not in model.model_fields}
    return {key: _without_nulls(value, _NESTED[key]) if key in _NESTED else value for key, value in kept.items()}


def _model_at(model: type[Frozen], loc: Path) -> type[Frozen]:
    for step in loc:
        model = _NESTED.get(step, model)
    return model
