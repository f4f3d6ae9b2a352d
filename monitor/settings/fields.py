"""The types of single settings: how their text is read, and what an editor is told about them.

Rule: a type says what it takes and mends what it does not; nothing here knows another setting.
"""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetPydanticSchema, WithJsonSchema
from pydantic_core import core_schema

from monitor.settings import units
from monitor.settings.secret import Secret
from monitor.settings.units import Unfit, kind_of, text

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")  # BCP 47, without its grandfathered tags
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2 token
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "user-agent"})
_MEANT = {
    "rss": "feed", "atom": "feed", "xml": "feed", "html": "page", "web": "page", "txt": "text", "plain": "text",
    "low": "info", "notice": "info", "medium": "warning", "warn": "warning", "high": "critical", "error": "critical",
    "everyone": "channel",
}  # fmt: skip
ID_PATTERN = f"^{_ID.pattern}$"


class Frozen(BaseModel):
    """Settings are values: made once, never changed, and nothing unknown is taken."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )


def identifier(name: str) -> str:
    """Return a source's, rule's or receiver's name; it becomes part of Redis names, metrics and file names."""
    if _ID.fullmatch(name):
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    near = re.sub(r"[^a-z0-9_-]+", "-", plain).strip("-_")[:63]
    mend = f"'{near}' would do" if _ID.fullmatch(near) else "start with a letter or digit"
    raise Unfit(f"'{name[:80]}' cannot be a name: only a-z 0-9 _ - and at most 63 of them", mend)


def timezone(value: object) -> str:
    """Return an IANA time zone's name."""
    name = text(value).strip()
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        near = get_close_matches(name, (zone for zone in zoneinfo.available_timezones() if "/" in zone), 1, 0.6)
        mend = f"did you mean '{near[0]}'?" if near else "write an IANA name such as Europe/Berlin"
        raise Unfit(f"there is no time zone '{name}'", mend) from None
    return name


def language(value: object) -> str:
    """Return a BCP 47 language tag."""
    written = text(value).strip()
    if not _LANGUAGE.fullmatch(written):
        raise Unfit(f"'{written}' is not a language", "write a tag such as en, ar or pt-BR")
    return written


def one_of(*choices: str) -> Callable[[object], str]:
    """Return a reader that takes one of `choices`."""

    def read(value: object) -> str:
        written = text(value).strip()
        if written in choices:
            return written
        near = [_MEANT[written.lower()]] if _MEANT.get(written.lower()) in choices else []
        near = near or get_close_matches(written.lower(), choices, 1, 0.5)
        mend = f"did you mean '{near[0]}'?" if near else f"write {', '.join(choices[:-1])} or {choices[-1]}"
        raise Unfit(f"'{written}' is not known here", mend)

    return read


def listed(value: object) -> object:
    """Return a list; a single value stands for a list of one."""
    return [value] if isinstance(value, str) else value


def between(least: float, most: float, read: Callable[[object], float], words: str) -> Callable[[object], float]:
    """Return a reader that takes what `read` takes, from `least` to `most`."""

    def bounded(value: object) -> float:
        number = read(value)
        if not least <= number <= most:
            raise Unfit(f"{text(value).strip()} is out of range", f"write {words}")
        return number

    return bounded


def keys_and_values(value: object) -> object:
    """Return a mapping as it is; anything else is unfit."""
    if not isinstance(value, dict):
        raise Unfit(f"names and values were expected, not {kind_of(value)}", "write {name: value}")
    return value


def _header_name(value: object) -> str:
    name = text(value)
    if not _HEADER_NAME.fullmatch(name):
        raise Unfit(f"'{name}' is not a header's name", "use letters, digits and hyphens")
    if name.lower() in _OURS:
        mend = "set fetch.user_agent" if name.lower() == "user-agent" else "take it out"
        raise Unfit(f"the header {name} is set by the monitor itself", mend)
    return name


def _header_value(value: object) -> Secret:
    content = text(value)
    if not content.isprintable() or not content.isascii():
        raise Unfit("the header's value holds a character that cannot be sent", "use printable ASCII")
    return Secret(content)


def _secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not text(value).strip():
        raise Unfit("the secret is empty", "set the variable it stands in, or take the key out")
    return Secret(text(value))


_Kind = TypeVar("_Kind")


def _typed(read: Callable[[object], object], json_schema: dict[str, object]) -> tuple[BeforeValidator, WithJsonSchema]:
    return BeforeValidator(read), WithJsonSchema(json_schema)


_VARIABLE = {"type": "string", "pattern": r"\$\{"}  # any typed value may come from a variable


def _or_variable(schema: dict[str, object]) -> dict[str, object]:
    return {"anyOf": [schema, _VARIABLE]}


Text = Annotated[str, *_typed(text, {"type": ["string", "number", "boolean"]})]
Seconds = Annotated[
    float, *_typed(units.duration, _or_variable({"type": ["string", "integer"], "pattern": units.DURATION_PATTERN}))
]
Bytes = Annotated[
    int, *_typed(units.size, _or_variable({"type": ["string", "integer"], "pattern": units.SIZE_PATTERN}))
]
Count = Annotated[
    int,
    *_typed(
        between(0, 10**12, units.count, "a number that is not negative"),
        _or_variable({"type": "integer", "minimum": 0}),
    ),
]
Positive = Annotated[
    int, *_typed(between(1, 10**12, units.count, "1 or more"), _or_variable({"type": "integer", "minimum": 1}))
]
Flag = Annotated[bool, *_typed(units.flag, _or_variable({"type": "boolean"}))]
Timezone = Annotated[str, *_typed(timezone, {"type": "string"})]
Language = Annotated[str, *_typed(language, {"type": "string"})]
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number"]}}]}),
]
SecretText = Annotated[
    Secret,
    GetPydanticSchema(lambda _source, _handler: core_schema.no_info_plain_validator_function(_secret)),
    WithJsonSchema({"type": "string"}),
]
SecretTexts = Annotated[
    tuple[SecretText, ...],
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
SecretHeaders = Annotated[
    dict[
        Annotated[str, BeforeValidator(_header_name)],
        Annotated[
            Secret,
            GetPydanticSchema(lambda _source, _handler: core_schema.no_info_plain_validator_function(_header_value)),
        ],
    ],
    BeforeValidator(keys_and_values),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "number"]}}),
]


def choice(*choices: str) -> tuple[BeforeValidator, WithJsonSchema, object]:
    """Return the annotations of a setting that takes one of `choices`."""
    return (*_typed(one_of(*choices), {"type": "string", "enum": list(choices)}), Field())
