"""The settings' JSON Schema, for editors: completion, descriptions, and a red line before `monitor check` says it.

Rule: made from the same models that read the file; what is written here is only how the file's shorthands look.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BeforeValidator

from monitor.settings import units
from monitor.settings.fields import ID_PATTERN, Frozen
from monitor.settings.model import DefaultSettings, Settings
from monitor.settings.receiver import KINDS, ReceiverSettings
from monitor.settings.rule import RuleSettings
from monitor.settings.secret import SECRET_KEYS
from monitor.settings.service import RedisSettings
from monitor.settings.source import SourceSettings
from monitor.settings.validate import HIDDEN

Schema = dict[str, Any]
_SINKS_OWN = frozenset({"group_by", "burst"})  # each kind of receiver has its own unless the file says otherwise
_WRITTEN: dict[object, Callable[[Any], str]] = {units.duration: units.in_words, units.size: units.size_in_words}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a settings file."""
    definitions: Schema = {}
    top = _object(Settings, definitions)
    properties = top["properties"]
    entries = {
        "sources": {"anyOf": [_text("Its URL or file path."), _object(SourceSettings, definitions)]},
        "rules": {"anyOf": [_text("The rule's text."), _object(RuleSettings, definitions)]},
        "receivers": {"anyOf": [_receiver(kind, definitions) for kind in KINDS.values()]},
    }
    for name, entry in entries.items():
        properties[name] = _named(entry) | _described(properties[name])
    properties["defaults"] = _object(DefaultSettings, definitions) | _described(properties["defaults"])
    properties["redis"] = _redis(definitions) | _described(properties["redis"])
    properties["state_dir"] = {"type": "string"} | _described(properties["state_dir"])
    properties["include"] = {
        "description": "Further settings files, `conf.d/*.yaml`: their sources, rules and receivers are added to these.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    for name in properties:
        properties[name] = _or_nothing(properties[name])
    schema = {"$schema": _DIALECT, "title": "Settings of the live-update monitor", **top}
    return schema | {"$defs": _used(schema, definitions)}


def _used(schema: Schema, definitions: Schema) -> Schema:
    """Return the definitions that `schema` refers to; those of values of our own are not."""
    said = json.dumps(schema)
    used = {name: definition for name, definition in definitions.items() if f"#/$defs/{name}" in said}
    return dict(sorted(used.items()))


def written_default(model: type[Frozen], name: str) -> str | None:
    """Return a setting's default as it is written in a file, or None where leaving it out means something else."""
    field = model.model_fields[name]
    if field.is_required() or (issubclass(model, ReceiverSettings) and name in _SINKS_OWN):
        return None
    value = field.get_default(call_default_factory=True)
    reader = next((part.func for part in field.metadata if isinstance(part, BeforeValidator)), None)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, Frozen | Path | dict) or value == ():
        return None
    if reader in _WRITTEN:
        return _WRITTEN[reader](value)
    return f"[{', '.join(_item(item) for item in value)}]" if isinstance(value, tuple) else str(value)


def _item(item: object) -> str:
    return f'"{item}"' if item == "*" else str(item)


def _object(model: type[Frozen], definitions: Schema) -> Schema:
    """Return a model's schema; models it refers to go to `definitions`."""
    schema = model.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    for name, definition in schema.pop("$defs", {}).items():
        definitions.setdefault(name, _tidy(definition))
    schema = _tidy(schema)
    for name, part in schema["properties"].items():
        if (default := written_default(model, name)) is not None:
            part["description"] = f"{part.get('description', '')} Default: {default}.".strip()
    return schema


def _tidy(schema: Schema) -> Schema:
    """Return a schema without what we set ourselves and without the noise of class names; secrets may be in files."""
    schema = {key: value for key, value in schema.items() if key != "title"}
    if "properties" not in schema:
        return schema
    schema["properties"] = {
        name: _or_nothing({key: value for key, value in part.items() if key not in {"title", "default"}})
        for name, part in schema["properties"].items()
        if name not in HIDDEN
    }
    required = [name for name in schema.get("required", ()) if name not in HIDDEN]
    schema.pop("required", None)
    return schema | ({"required": required} if required else {})


def _or_nothing(part: Schema) -> Schema:
    """Return a schema that also takes an empty value, which is the same as leaving the key out."""
    if part.get("type") == "null" or {"type": "null"} in part.get("anyOf", ()):
        return part
    if "anyOf" in part:
        return part | {"anyOf": [*part["anyOf"], {"type": "null"}]}
    described = _described(part)
    rest = {key: value for key, value in part.items() if key != "description"}
    return described | {"anyOf": [rest, {"type": "null"}]}


def _receiver(kind: type[Frozen], definitions: Schema) -> Schema:
    schema = _object(kind, definitions)
    properties = schema["properties"]
    required = schema.pop("required", [])
    for name in [name for name in properties if name in SECRET_KEYS]:
        properties[f"{name}_file"] = _text(f"A file that holds `{name}`.")
    schema["allOf"] = [{"anyOf": [{"required": [name]}, {"required": [f"{name}_file"]}]} for name in required]
    return schema


def _redis(definitions: Schema) -> Schema:
    port = _object(RedisSettings, definitions)["properties"]["port"]
    embedded = {"type": ["object", "null"], "properties": {"port": port}, "additionalProperties": False}
    ways = [
        {"const": "embedded"},
        {"type": "string", "pattern": r"^(rediss?(\+(sentinel|cluster))?|unix)://|\$\{"},
        {"type": "object", "properties": {"embedded": embedded}, "additionalProperties": False},
        {
            "type": "object",
            "properties": {"url": {"type": "string"}, "url_file": {"type": "string"}},
            "additionalProperties": False,
        },
    ]
    return {"anyOf": ways}


def _named(entry: Schema) -> Schema:
    return {"propertyNames": {"pattern": ID_PATTERN}, "additionalProperties": entry, "type": "object"}


def _text(words: str) -> Schema:
    return {"type": ["string", "number"], "description": words}


def _described(part: Schema) -> Schema:
    return {key: value for key, value in part.items() if key == "description"}
