"""The settings of one rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from monitor.settings.alerting import EscalateSettings
from monitor.settings.fields import Flag, Frozen, Language, Seconds, Text, Texts, choice
from monitor.settings.source import SourceSettings
from monitor.settings.units import Unfit, kind_of, refuse_all, text

RuleMatch = str | Mapping[str, object]
MATCH_KEYS = ("any", "all", "none")


def read_match(value: object) -> object:
    """Return a rule's text, or its form without operators: any, all and none with lists of texts."""
    if isinstance(value, str):
        if not value.strip():
            raise Unfit("the rule is empty", "write the words to look for")
        return value
    if not isinstance(value, dict):
        raise Unfit(f"a rule's text was expected, not {kind_of(value)}", "write match: 'suspended OR halted'")
    if not value:
        raise Unfit("the rule is empty", "write any: [suspended, halted]")
    refuse_all([unfit for key, part in value.items() if (unfit := _part_unfit(str(key), part))])
    return {str(key): (part,) if isinstance(part, str) else tuple(part) for key, part in value.items()}


def _part_unfit(key: str, value: object) -> Unfit | None:
    if key not in MATCH_KEYS:
        return Unfit(f"'{key}' says nothing in a match", "use any, all and none", at=(key,), on_key=True)
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not items or not all(isinstance(item, str) and item.strip() for item in items):
        return Unfit("a list of texts was expected", f"write {key}: [suspended, halted]", at=(key,))
    return None


class RuleTest(Frozen):
    """A text a rule must fire on, or must not."""

    text: Text
    """The entry's text."""

    fires: Flag
    """Whether the rule must fire on it."""

    title: Text | None = None
    """The entry's title."""

    previous: Text | None = None
    """The entry's text before an edit: the rule fires only if the edit made it true."""

    lang: Language = "en"
    """Language of the text."""


class RuleSettings(Frozen):
    """What to look for, and what happens when it is found."""

    name: str
    """Its name in alerts: the key it stands under."""

    match: Annotated[
        RuleMatch,
        BeforeValidator(read_match),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": ["string", "number"]},
                    {
                        "type": "object",
                        "properties": {
                            key: {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
                            for key in MATCH_KEYS
                        },
                        "additionalProperties": False,
                    },
                ]
            }
        ),
    ]
    """The rule's text (docs/rules.md), or `any`, `all` and `none` with lists of texts."""

    sources: Texts = ("*",)
    """Which sources it looks at: ids, patterns such as `aleppo-*`, or `#tag`."""

    enabled: Flag = True
    """`false` takes the rule out of use."""

    severity: Annotated[Literal["info", "warning", "critical"], *choice("info", "warning", "critical")] = "warning"
    """How urgent its alerts are; `critical` ones wait for no grouping."""

    notify: Texts = ()
    """Receivers of its alerts; every alert also goes to the Redis stream of alerts."""

    cooldown: Seconds = 0.0
    """After an alert, hold further ones of this rule this long and send them together."""

    cooldown_max: Seconds | None = None
    """Double the cooldown up to this while bursts go on."""

    policy: Annotated[
        Literal["once_per_entry", "each_new_match", "every_change"],
        *choice("once_per_entry", "each_new_match", "every_change"),
    ] = "once_per_entry"
    """Alert once for an entry, again when an edit adds a further match, or on every change while it matches."""

    max_age: Seconds = 86_400.0
    """Entries published longer ago than this raise no alert; `0` lifts the limit."""

    baseline: Annotated[Literal["silent", "fresh", "digest"], *choice("silent", "fresh", "digest")] = "silent"
    """Entries of a source's first poll: tell nothing, those published within `fresh`, or all in one digest."""

    fresh: Seconds = 600.0
    """How recent an entry of the first poll must be, with `baseline: fresh`."""

    inhibits: Texts = ()
    """Rules that need not tell of an entry that this rule tells of."""

    escalate: EscalateSettings | None = None
    """Make alerts graver when many come at once."""

    mention: Annotated[Literal["here", "channel"], *choice("here", "channel")] | None = None
    """Call people in Slack: `here` or `channel`. Nobody is called unless asked."""

    note: Text | None = None
    """Words of your own that go with each alert, for those who are woken by it."""

    tests: tuple[RuleTest, ...] = Field(default=())
    """Texts it must and must not fire on; `monitor check` runs them."""

    def looks_at(self, source: SourceSettings) -> bool:
        """Tell whether this rule looks at `source`."""
        return any(selects(pattern, source) for pattern in self.sources)


def selects(pattern: str, source: SourceSettings) -> bool:
    """Tell whether a pattern of a rule's `sources` selects `source`: by tag with #, else by id."""
    if pattern.startswith("#"):
        return pattern[1:] in source.tags
    return fnmatchcase(source.id, pattern)


def texts_of(matched: RuleMatch) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """Yield every rule text of a `match` with the path at which it stands below it."""
    if isinstance(matched, str):
        yield (), matched
        return
    for key, part in matched.items():
        for index, item in enumerate(part if isinstance(part, tuple) else (part,)):
            yield (key, index), text(item)
