"""The settings' JSON Schema, for editors: completion, descriptions, and a red line before `monitor check` says it.

Rule: made from the same models that read the file; what is written here is only how the file's shorthands look.
"""

from __future__ import annotations

from typing import Any

from monitor.settings.fields import ID_PATTERN, Frozen
from monitor.settings.model import DefaultSettings, Settings
from monitor.settings.receiver import KINDS
from monitor.settings.rule import RuleSettings
from monitor.settings.secret import SECRET_KEYS
from monitor.settings.service import RedisSettings
from monitor.settings.source import SourceSettings
from monitor.settings.validate import HIDDEN

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a settings file."""
    definitions: Schema = {}
    top = _object(Settings, definitions)
    properties = top["properties"]
    properties["sources"] |= _named({"anyOf": [_text("Its URL or file path."), _object(SourceSettings, definitions)]})
    properties["rules"] |= _named({"anyOf": [_text("The rule's text."), _object(RuleSettings, definitions)]})
    properties["receivers"] |= _named({"anyOf": [_receiver(kind, definitions) for kind in KINDS.values()]})
    properties["defaults"] = _object(DefaultSettings, definitions) | _described(properties["defaults"])
    properties["redis"] = _redis(definitions) | _described(properties["redis"])
    properties["state_dir"] = {"type": "string"} | _described(properties["state_dir"])
    properties["include"] = {
        "description": "Further settings files, `conf.d/*.yaml`: their sources, rules and receivers are added to these.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    for name in properties:
        properties[name] = _or_nothing(properties[name])
    return {
        "$schema": _DIALECT,
        "title": "Settings of the live-update monitor",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(model: type[Frozen], definitions: Schema) -> Schema:
    """Return a model's schema; models it refers to go to `definitions`."""
    schema = model.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    for name, definition in schema.pop("$defs", {}).items():
        definitions.setdefault(name, _tidy(definition))
    return _tidy(schema)


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
