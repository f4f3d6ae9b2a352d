"""`monitor init`: a commented settings file to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import complain
from monitor.errors import NotPermitted, StateUnusable, UnusableInput

if TYPE_CHECKING:
    from monitor.settings.opml import OpmlRead

_SHOWN = 10


@click.command(epilog="Example: monitor init --opml subscriptions.opml ~/news && monitor check -c ~/news/monitor.yaml")
@click.argument("directory", metavar="[DIR]", default="config", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--opml",
    metavar="FILE",
    default=None,
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Take the feeds of an OPML file, which every feed reader exports, as sources; - for standard input.",
)
def command(directory: Path, opml: Path | None) -> None:
    """Write a commented settings file to start from, and beside it its JSON Schema for your editor.

    DIR is `config` unless you name another; a settings file that is there already is never overwritten.
    """
    from monitor.settings.starter import SCHEMA_NAME, SETTINGS_NAME, starter_files

    settings_file = directory / SETTINGS_NAME
    if _is_there(settings_file):
        raise StateUnusable(
            "it is there already",
            resource=str(settings_file),
            mend="edit it, or name another directory: monitor init DIR",
        )
    read = _read_opml(opml) if opml else None
    for name, text in starter_files(read.sources if read else ()).items():
        _write(directory / name, text, replace=name == SCHEMA_NAME)
    if read is not None:
        _tell_opml(read)
    named = "" if directory == Path("config") else f" -c {settings_file}"
    complain(f"wrote {settings_file}\nnext: monitor check{named}, then monitor run{named}")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError as wrong:
        raise NotPermitted("may not be looked at", resource=str(path), mend="name a directory of yours") from wrong


def _read_opml(path: Path) -> OpmlRead:
    from monitor.settings.opml import NotOpml, read_opml

    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        read = read_opml(content)
    except OSError as wrong:
        why = (wrong.strerror or "unreadable").lower()
        raise UnusableInput(f"cannot be read: {why}", resource=str(path)) from wrong
    except NotOpml as wrong:
        raise UnusableInput(
            f"is no OPML: {wrong}", resource=str(path), mend="export it from your feed reader"
        ) from wrong
    if not read.sources:
        raise UnusableInput("names no feed that could be polled", resource=str(path))
    return read


def _tell_opml(read: OpmlRead) -> None:
    complain(f"took {len(read.sources)} feed{'s' if len(read.sources) > 1 else ''}")
    for words in read.left_out[:_SHOWN]:
        complain(f"left out {words}")
    if len(read.left_out) > _SHOWN:
        complain(f"left out {len(read.left_out) - _SHOWN} more")


def _write(path: Path, text: str, *, replace: bool) -> None:
    if path.exists() and not replace:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
    except PermissionError as wrong:
        raise NotPermitted("may not be written", resource=str(path)) from wrong
    except OSError as wrong:
        why = (wrong.strerror or "unknown").lower()
        raise StateUnusable(f"cannot be written: {why}", resource=str(path)) from wrong
