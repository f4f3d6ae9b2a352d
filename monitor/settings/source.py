"""The settings of one source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from monitor.settings.addresses import is_url, source_address
from monitor.settings.fields import (
    Flag,
    Frozen,
    Language,
    Positive,
    Seconds,
    SecretHeaders,
    Text,
    Texts,
    Timezone,
    choice,
    keys_and_values,
)
from monitor.settings.units import Unfit, text

STAND_IN_URL = "/dev/null"  # of a source whose own cannot be used, so that the rest of it is checked
QUIET_FACTOR = 4.0  # so many times more rarely a source is polled that has long been silent, unless it says `slowest`
FLOOR = 10.0  # seconds between polls of a source, unless it says allow_fast
PAGE_KEYS = ("entry", "title", "text", "time", "id", "url", "author")
SELECT_KEYS = (*PAGE_KEYS, "updated", "tags", "pinned", "deleted")  # the last four of JSON only
_CRON_FIELDS = 5


def read_cron(value: object) -> str:
    """Return a cron expression of five fields (crontab(5))."""
    written = " ".join(text(value).split())
    if len(written.split()) != _CRON_FIELDS or not re.fullmatch(r"[0-9A-Za-z*/,\- ?#]+", written):
        raise Unfit(f"'{written}' is not a cron expression", "write five fields: '*/5 6-22 * * mon-fri'")
    from apscheduler.triggers.cron import CronTrigger

    try:
        CronTrigger.from_crontab(written, timezone="UTC")
    except ValueError as wrong:
        mend = "write minute hour day month weekday, as '*/5 6-22 * * mon-fri'"
        why = str(wrong).rpartition("': ")[2]
        raise Unfit(f"'{written}' is not a cron expression: {why}", mend) from None
    return written


def read_select_key(value: object) -> str:
    """Return what a selector selects."""
    key = text(value)
    if key not in SELECT_KEYS:
        near = get_close_matches(key, SELECT_KEYS, 1, 0.5)
        mend = f"did you mean '{near[0]}'?" if near else f"use {', '.join(SELECT_KEYS)}"
        raise Unfit(f"'{key}' is nothing that can be selected", mend)
    return key


def read_selector(value: object) -> str:
    """Return a selector that is not empty."""
    expression = text(value)
    if not expression.strip():
        raise Unfit("the selector is empty", 'write it as "h2" or "time@datetime"')
    return expression


class SourceSettings(Frozen):
    """One live blog or feed and how it is watched."""

    id: str
    """Its name in Redis, alerts and commands: the key it stands under."""

    url: Annotated[str, BeforeValidator(source_address), WithJsonSchema({"type": "string"})]
    """Where it is: an http(s) URL, or a file path that starts at the settings file's directory."""

    title: Text | None = None
    """How alerts call it; by default what the page calls itself."""

    kind: Annotated[
        Literal["auto", "feed", "liveblog", "page", "json", "text"],
        *choice("auto", "feed", "liveblog", "page", "json", "text"),
    ] = "auto"
    """How it is read. `auto` looks at the bytes; `monitor parse URL` shows what it chose."""

    enabled: Flag = True
    """`false` keeps its history and stops polling it."""

    every: Seconds = 15.0
    """Time between two polls while there is news. At least 10s, unless `allow_fast`."""

    slowest: Seconds | None = None
    """Time between two polls of a source that has been quiet for long; by default four times `every`. For an even pace: as `every`."""

    cron: Annotated[str, BeforeValidator(read_cron), WithJsonSchema({"type": "string"})] | None = None
    """Poll at these times instead of `every`: five fields as in crontab(5), in the source's time zone."""

    timezone: Timezone = "UTC"
    """Time zone of the stamps on the page that name none, and of `cron`."""

    language: Language | None = None
    """Language of its texts, for the rules and for dates in words; by default English."""

    select: Annotated[
        Mapping[Annotated[str, BeforeValidator(read_select_key)], Annotated[str, BeforeValidator(read_selector)]],
        BeforeValidator(keys_and_values),
        WithJsonSchema(
            {
                "type": "object",
                "properties": {key: {"type": "string"} for key in SELECT_KEYS},
                "additionalProperties": False,
            }
        ),
    ] = Field(default_factory=dict)
    """Where entries stand on a `page` (CSS selectors, `@attr` for an attribute) or in `json` (JMESPath)."""

    headers: SecretHeaders = Field(default_factory=dict)
    """HTTP headers to send, to this source's own origin only; their values are secrets."""

    allow_private: Flag = False
    """Let its URL point at this machine or a private network."""

    allow_fast: Flag = False
    """Let `every` be shorter than 10s. For publishers who agreed to it."""

    robots: Flag = True
    """Obey the host's robots.txt."""

    proxy: Annotated[str, BeforeValidator(text), WithJsonSchema({"type": "string"})] | None = None
    """Fetch it through this HTTP proxy, `http://host:port`, instead of `fetch.proxy`."""

    render: Annotated[Literal["none", "browser"], *choice("none", "browser")] = "none"
    """`browser`: let a Chromium run the page's scripts first (extra `browser`); for pages that are empty without."""

    ids: Annotated[Literal["auto", "ignore", "trust"], *choice("auto", "ignore", "trust")] = "auto"
    """The publisher's entry ids: `auto` learns whether they hold, `ignore` matches by text, `trust`: each is an entry."""

    whole: Flag = False
    """The page shows the whole blog, not a window of its newest entries: an absent entry was removed."""

    confirm_removed: Positive = 2
    """Polls an entry must be absent from before it counts as removed."""

    confirm_mass: Positive = 3
    """The same when a large part of the entries vanishes at once."""

    announce_cosmetic: Flag = False
    """Publish edits of nothing but white space, quotes, dashes or markup too."""

    furniture: Texts = ()
    """Paragraphs of the site's own (a byline, an appeal) that are never content."""

    tags: Texts = ()
    """Words of your own; `sources: ["#word"]` in a rule means every source with that tag."""

    @property
    def quiet_pace(self) -> float:
        """Seconds between two polls while nothing happens."""
        return self.every * QUIET_FACTOR if self.slowest is None else self.slowest

    @property
    def is_file(self) -> bool:
        """Whether the source is a file of this machine."""
        return not is_url(self.url)
