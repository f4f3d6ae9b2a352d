"""`monitor schema`: the settings' JSON Schema, for editors."""

from __future__ import annotations

import sys

import click


@click.command(
    epilog="Example: monitor schema > config/monitor.schema.json, and as the settings' first line: "
    "# yaml-language-server: $schema=monitor.schema.json"
)
def command() -> None:
    """Print the JSON Schema of the settings (draft 2020-12), with which an editor completes and checks them."""
    from monitor.settings.starter import schema_text

    sys.stdout.write(schema_text())
