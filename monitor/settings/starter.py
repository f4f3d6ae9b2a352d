"""The settings a newcomer starts from, as files to be written.

Rule: returns texts; who writes them decides where and whether.
"""

from __future__ import annotations

import functools
import json
from importlib import resources

from monitor.settings.opml import OpmlSource
from monitor.settings.schema import settings_schema

SETTINGS_NAME = "monitor.yaml"
SCHEMA_NAME = "monitor.schema.json"
EXAMPLE_NAME = "example-live.txt"
_EXAMPLE_START = "  example:\n"
_EXAMPLE_END = "  # kyiv:\n"


@functools.cache
def schema_text() -> str:
    """Return the JSON Schema as a file's text."""
    return json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"


def starter_files(sources: tuple[OpmlSource, ...] = ()) -> dict[str, str]:
    """Return the files to start from, by name. With `sources` (of an OPML file) they take the example's place."""
    settings = _text(SETTINGS_NAME)
    files = {SETTINGS_NAME: settings, SCHEMA_NAME: schema_text(), EXAMPLE_NAME: _text(EXAMPLE_NAME)}
    if sources:
        before, _, rest = settings.partition(_EXAMPLE_START)
        after = rest.partition(_EXAMPLE_END)[2]
        listed = "".join(f"{_written(source)}\n" for source in sources)
        files[SETTINGS_NAME] = f"{_without_example(before)}{listed}\n{_EXAMPLE_END}{after}"
        del files[EXAMPLE_NAME]
    return files


def _text(name: str) -> str:
    return (resources.files("monitor.settings") / "templates" / name).read_text(encoding="utf-8")


def _without_example(head: str) -> str:
    """Return the head of the file without the lines that speak of the example."""
    start = head.index(" This file works as it stands")
    end = head.index("#   monitor check")
    return head[:start] + "\n#\n" + head[end:]


def _written(source: OpmlSource) -> str:
    lines = [f"  {source.id}:", f"    url: {_quoted(source.url)}", "    kind: feed"]
    if source.title:
        lines.append(f"    title: {_quoted(source.title)}")
    if source.tags:
        lines.append(f"    tags: [{', '.join(source.tags)}]")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Return a text in double quotes: JSON strings are YAML (1.2 §1.2); a plain ${ would ask for a variable."""
    return json.dumps(text.replace("${", "$${"), ensure_ascii=False)
