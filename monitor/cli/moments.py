"""Times as operators type them: an age such as `10m` or `2h`, or an ISO time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import click

_AGE = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: datetime, *, also: str = "") -> datetime:
    """Return the time that is meant; one without an offset is local.

    `also` names what else could have stood there, for the message. Raises click.BadParameter.
    """
    try:
        if age := _AGE.fullmatch(text):
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        meant = datetime.fromisoformat(text)
        return meant if meant.tzinfo else meant.astimezone()
    except (ValueError, OverflowError) as error:
        kinds = [*([also] if also else []), "a time (2026-11-22T10:00Z)", "an age (2h)"]
        raise click.BadParameter(f"{text!r} is neither {' nor '.join(kinds)}") from error
