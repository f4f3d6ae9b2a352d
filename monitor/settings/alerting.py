"""The settings of parts that rules and receivers share a vocabulary for: escalation, quiet hours, rates.

Rule: types and words only; what they do is decided in the room of alerts.
"""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from monitor.settings.fields import Frozen, Positive, Seconds, Texts, Timezone, choice
from monitor.settings.units import Unfit, refuse_all, text

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GROUP_FIELDS = ("rule", "source", "entry", "severity")
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def read_rate(value: object) -> float:
    """Return messages a second of `1/s`, `30/m` or `100/h`."""
    written = text(value).strip().replace(" ", "")
    found = _RATE.fullmatch(written)
    if not found or not float(found[1]):
        raise Unfit(f"'{written}' is not a rate", "write 1/s, 30/m or 100/h")
    return float(found[1]) / _SECONDS[found[2]]


def read_clock(value: object) -> time:
    """Return a time of day of `22:00`."""
    written = text(value).strip()
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", written)
    if not found:
        raise Unfit(f"'{written}' is not a time of day", "write 22:00")
    return time(int(found[1]), int(found[2]))


def _each_of(*choices: str) -> tuple[BeforeValidator, WithJsonSchema]:
    reader = choice(*choices)[0].func

    def read(value: object) -> list[str]:
        items = value if isinstance(value, list) else [value]
        refuse_all([unfit for index, item in enumerate(items) if (unfit := _unfit(reader, item, index))])
        return [str(item) for item in items]

    item = {"type": "string", "enum": list(choices)}
    return BeforeValidator(read), WithJsonSchema({"anyOf": [item, {"type": "array", "items": item}]})


def _unfit(reader: object, item: object, index: int) -> Unfit | None:
    assert callable(reader)
    try:
        reader(item)
    except Unfit as wrong:
        return Unfit(wrong.message, wrong.mend, at=(index,))
    return None


Rate = Annotated[
    float, BeforeValidator(read_rate), WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+ ?/ ?[smh]$|\$\{"})
]
Clock = Annotated[
    time, BeforeValidator(read_clock), WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,2}:[0-9]{2}$|\$\{"})
]
Days = Annotated[tuple[str, ...], *_each_of(*DAYS)]
GroupBy = Annotated[tuple[Literal["rule", "source", "entry", "severity"], ...], *_each_of(*GROUP_FIELDS)]


class EscalateSettings(Frozen):
    """Several alerts of one rule in a short time make the next one graver."""

    count: Positive
    """Alerts within the time, the escalated one included."""

    within: Seconds
    """The time they fall into."""

    sources: Positive = 1
    """From at least so many sources."""

    to: Annotated[Literal["info", "warning", "critical"], *choice("info", "warning", "critical")] = "critical"
    """The severity of what comes then."""

    notify: Texts = ()
    """Receivers told from then on, besides the rule's own."""


class QuietSettings(Frozen):
    """When a receiver does not want to be woken; what is critical wakes it all the same."""

    start: Clock
    """The time of day it begins, `22:00`."""

    end: Clock
    """The time of day it ends; one before `start` is on the next day."""

    timezone: Timezone = "UTC"
    """The time zone of both."""

    days: Days = DAYS
    """The days it begins on, of mon tue wed thu fri sat sun."""
