"""The two options every command shares: they hold wherever on the line they are written.

`monitor -c desk.yaml alerts --json list` means what `monitor alerts list -c desk.yaml --json` means: an option given to a
group is never dropped silently.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def config_option(meaning: str = "The settings file.") -> Callable[[F], F]:
    """Return the decorator for `-c/--config`."""
    return click.option(
        "-c", "--config", type=click.Path(path_type=Path), default=None, callback=_own_or_inherited, help=meaning
    )


def json_option(meaning: str = "One JSON object a line.") -> Callable[[F], F]:
    """Return the decorator for `--json`."""
    return click.option("--json", "as_json", is_flag=True, callback=_own_or_inherited, help=meaning)


def _own_or_inherited(context: click.Context, option: click.Parameter, value: Any) -> Any:
    above = context.parent
    while not value and above is not None:
        value = above.params.get(str(option.name)) or value
        above = above.parent
    return value
