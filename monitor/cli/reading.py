"""Options that `parse` and `replay` share: how bytes are to be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from monitor.model import ReadOptions

KINDS = ("auto", "feed", "liveblog", "page", "json", "text")
F = TypeVar("F", bound=Callable[..., Any])


def reading_options(command: F) -> F:
    """Add --kind, --url, --timezone, --reference, --language and --select to a command."""
    for option in (
        click.option(
            "--select",
            "select",
            multiple=True,
            metavar="KEY=EXPR",
            help="entry, title, text, time, id, url, author: a CSS selector (page) or JMESPath (json). Repeatable.",
        ),
        click.option("--reference", type=str, default=None, metavar="ISO-TIME", help="Now, for stamps without a date."),
        click.option("--language", default=None, metavar="TAG", help="Language of the texts, as en or ar."),
        click.option(
            "--timezone",
            default="UTC",
            metavar="ZONE",
            show_default=True,
            help="For stamps without a zone, as Asia/Damascus.",
        ),
        click.option("--url", default=None, help="Address of the page: base of relative links."),
        click.option("--kind", type=click.Choice(KINDS), default="auto", show_default=True),
    ):
        command = option(command)
    return command


def read_options(kind: str, timezone: str, language: str | None, select: tuple[str, ...]) -> ReadOptions:
    """Return the options as a value. Raises click.BadParameter where one makes no sense."""
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise click.BadParameter(f"{timezone!r} is no time zone; write it as Europe/London") from error
    pairs = {}
    for item in select:
        key, equals, expression = item.partition("=")
        if not equals or not expression:
            raise click.BadParameter(f"{item!r}: write --select KEY=EXPR, as --select entry=article.update")
        pairs[key.strip()] = expression.strip()
    return ReadOptions(kind=kind, timezone=timezone, language=language, select=pairs)  # type: ignore[arg-type]


def instant(text: str | None, timezone: str) -> datetime | None:
    """Return `--reference` as an aware datetime; one without an offset is read in `timezone`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no ISO time; write 2016-12-15T15:55:00+02:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))


def now() -> datetime:
    """Return the time of the wall clock; commands read it once and pass it on."""
    return datetime.now(UTC)
