"""Selectors for the repeated, time-stamped block of a page: what `kind: page` could be given for it.

Rule: only names the publisher chose for meaning are used; names made by a style compiler change with every release and
are left out. What is suggested is tried on the page before it is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.model import Document, ReadOptions
from monitor.sources.content import Content
from monitor.sources.dom import HEADINGS, attribute
from monitor.sources.dom_blocks import find_blocks
from monitor.sources.dom_entry import IDS, draft_of_block, heading_of
from monitor.sources.dom_times import EPOCHS
from monitor.sources.memory import ReadMemory
from monitor.text.html import too_deep

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_NAME = re.compile(r"[a-zA-Z][a-zA-Z_-]*")
_HASHED = re.compile(
    r"^(?:css|sc|jss|dcr|emotion|styled)-|__[a-zA-Z0-9]{5,}$|^[a-z]{1,2}[A-Z]|[bcdfghjklmnpqrstvwxz]{5}"
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Selectors, how many entries they find, and the first ones in words."""

    select: Mapping[str, str]
    count: int
    sample: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """Return the lines of the settings, with what they find as comments."""
        found = (f"# {self.count} entries, the first:", *(f"#   {text}" for text in self.sample))
        chosen = (f"  {key}: {_quoted(selector)}" for key, selector in self.select.items())
        return (*found, "kind: page", "select:", *chosen)


def suggest(document: Document) -> Suggestion | None:
    """Return selectors for the page's repeated time-stamped block, None if it shows none."""
    content = Content(document, ReadOptions(kind="page"), ReadMemory())
    if not content.is_markup or too_deep(content.text):
        return None
    group = find_blocks(content.tree)
    if group is None or group.flat:
        return None
    entry = _entry_selector(group.blocks, content.tree)
    select = {"entry": entry, **_field_selectors(group.blocks)}
    drafts = [draft_of_block(block, document.url) for block in content.tree.css(entry)]
    sample = tuple((draft.title or draft.text)[:70].replace("\n", " ") for draft in drafts[:3])
    return Suggestion(select, len(drafts), sample)


def _quoted(selector: str) -> str:
    return "'" + selector.replace("'", "''") + "'"


def _entry_selector(blocks: Sequence[LexborNode], tree: LexborHTMLParser) -> str:
    """Return the shortest selector that finds the blocks and no more; the closest one if none does so exactly."""
    wanted = {block.mem_id for block in blocks}
    options: list[tuple[int, bool, int, str]] = []
    for option in _options(blocks):
        found = {node.mem_id for node in tree.css(option)}
        options.append(
            (len(found ^ wanted), option.isalpha(), len(option), option)
        )  # a bare tag only if nothing else fits
    return min(options)[-1]


def _options(blocks: Sequence[LexborNode]) -> list[str]:
    tag = blocks[0].tag or "div"
    own = [f"{tag}.{name}" for name in _shared_classes(blocks)]
    marks = [f"{tag}[{name}]" for name in (*IDS, *EPOCHS) if all(name in block.attributes for block in blocks)]
    above = blocks[0].parent
    holders = []
    if above is not None and above.tag not in {"body", "html"}:
        holders = [f"{above.tag}.{name}" for name in _shared_classes([above])]
        if _NAME.fullmatch(attribute(above, "id")):
            holders.append(f"#{attribute(above, 'id')}")
    plain = [*own, *marks, tag]
    return [*plain, *(f"{holder} > {one}" for holder in holders for one in plain)]


def _shared_classes(nodes: Sequence[LexborNode]) -> list[str]:
    lists = [attribute(node, "class").split() for node in nodes]
    return [
        name
        for name in lists[0]
        if _NAME.fullmatch(name) and not _HASHED.search(name) and all(name in names for names in lists)
    ]


def _field_selectors(blocks: Sequence[LexborNode]) -> dict[str, str]:
    found: dict[str, str] = {}
    headings = [heading for block in blocks if (heading := heading_of(block)) is not None]
    if headings:
        found["title"] = _common(headings)
    for name in EPOCHS:
        if all(attribute(block, name).isdecimal() and len(attribute(block, name)) >= 10 for block in blocks):
            found["time"] = f"@{name}"
            break
    else:
        times = [time for block in blocks if (time := block.css_first("time")) is not None]
        if times:
            found["time"] = _common(times) + ("@datetime" if all(attribute(time, "datetime") for time in times) else "")
    for name in (*IDS, "id"):
        if all(attribute(block, name) for block in blocks):
            found["id"] = f"@{name}"
            break
    return found


def _common(nodes: Sequence[LexborNode]) -> str:
    tags = {node.tag for node in nodes}
    shared = _shared_classes(nodes)
    tag = str(next(iter(tags))) if len(tags) == 1 else ""
    if shared and tag not in HEADINGS | {"time"}:
        return f"{tag}.{shared[0]}"
    return tag or ", ".join(sorted(str(one) for one in tags))
