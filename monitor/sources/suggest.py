"""Selectors for the repeated, time-stamped block of a page: what `kind: page` could be given for it.

Rule: only names the publisher chose for meaning are used; names made by a style compiler change with every release and
are left out. What is suggested is tried on the page before it is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.model import Document, ReadOptions
from monitor.sources.content import Content
from monitor.sources.dom import HEADINGS, attribute
from monitor.sources.dom_blocks import find_blocks
from monitor.sources.dom_entry import IDS, heading_of
from monitor.sources.dom_times import EPOCHS
from monitor.sources.drafts import Draft, Page
from monitor.sources.memory import ReadMemory
from monitor.sources.selected_page import read_selected
from monitor.text.html import too_deep

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_BESIDE = 3  # elements a named selector may find besides each entry: posts of the same make without a time
_ROLES = ("data-testid", "data-component", "data-qa", "data-type", "itemprop", "role")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z_-]*")
_ANY_NAME = re.compile(r"-?[a-zA-Z_][\w-]*")
_HASHED = re.compile(
    r"^(?:css|sc|jss|dcr|emotion|styled)-|__[a-zA-Z0-9]{5,}$|^[a-z]{1,2}[A-Z]|[bcdfghjklmnpqrstvwxz]{5}"
)


_WARNING = "# the page gives its entries only a name made by a style compiler: it may change with any release"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Selectors, how many entries they find, and the first ones in words."""

    select: Mapping[str, str]
    count: int
    sample: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """Return the lines of the settings, with what they find as comments."""
        made = re.search(r"\.(\S+)$", self.select["entry"])
        warning = (_WARNING,) if made and (_HASHED.search(made[1]) or not _NAME.fullmatch(made[1])) else ()
        found = (f"# {self.count} entries, the first:", *(f"#   {text}" for text in self.sample), *warning)
        chosen = (f"  {key}: {_quoted(selector)}" for key, selector in self.select.items())
        return (*found, "kind: page", "select:", *chosen)


def suggest(document: Document) -> Suggestion | None:
    """Return selectors for the page's repeated time-stamped block, None if it shows none that selectors find again."""
    content = Content(document, ReadOptions(kind="page"), ReadMemory())
    if not content.is_markup or too_deep(content.text):
        return None
    group = find_blocks(content.tree)
    entry = _entry_selector(group.blocks, content.tree) if group is not None and not group.flat else None
    if group is None or entry is None:
        return None
    read = _read(document, {"entry": entry})
    select = {"entry": entry}
    for field, options in _field_options(group.blocks).items():
        for option in options:
            if _agree(field, read, _read(document, {"entry": entry, field: option})):
                select[field] = option
                break
    sample = tuple((draft.title or draft.text)[:70].replace("\n", " ") for draft in read[:3])
    return Suggestion(select, len(read), sample)


def _read(document: Document, select: Mapping[str, str]) -> tuple[Draft, ...]:
    """Return what the selectors read, as `kind: page` will."""
    page = read_selected(Content(document, ReadOptions(kind="page", select=select), ReadMemory()))
    return page.drafts if isinstance(page, Page) else ()


def _agree(field: str, known: Sequence[Draft], tried: Sequence[Draft]) -> bool:
    """Whether a selector gives every entry what it was read with, and gives most of them something."""
    if len(known) != len(tried):
        return False
    pairs = [(_value(field, one), _value(field, other)) for one, other in zip(known, tried, strict=True)]
    return all(one == other for one, other in pairs) and 2 * sum(one is not None for one, _ in pairs) >= len(pairs)


def _value(field: str, draft: Draft) -> object:
    if field == "time":
        return draft.stamp.at if draft.stamp is not None else draft.claim
    return draft.title if field == "title" else draft.native_id


def _quoted(selector: str) -> str:
    return "'" + selector.replace("'", "''") + "'"


def _entry_selector(blocks: Sequence[LexborNode], tree: LexborHTMLParser) -> str | None:
    """Return the shortest selector that finds the blocks and least else, None if there is none.

    A bare tag, or a name a style compiler made, only if nothing else fits; a bare tag only if it finds hardly anything else.
    """
    wanted = {block.mem_id for block in blocks}
    ranked: list[tuple[bool, int, int, str]] = []
    for option, poor in _options(blocks):
        found = {node.mem_id for node in tree.css(option)}
        wrong = len(found - wanted)
        if wanted <= found and wrong <= len(wanted) * (0 if option.isalpha() else _BESIDE):
            ranked.append((poor, wrong, len(option), option))
    return min(ranked)[-1] if ranked else None


def _options(blocks: Sequence[LexborNode]) -> Iterator[tuple[str, bool]]:
    """Yield selectors for the blocks, and whether each is a makeshift."""
    tag = blocks[0].tag or "div"
    named = [f"{tag}.{name}" for name in _shared_classes(blocks)]
    named += [f"{tag}[{name}]" for name in (*IDS, *EPOCHS) if all(name in block.attributes for block in blocks)]
    for name in _ROLES:
        value = attribute(blocks[0], name)
        if _NAME.fullmatch(value) and all(attribute(block, name) == value for block in blocks):
            named.append(f'{tag}[{name}="{value}"]')
    made = [f"{tag}.{name}" for name in _shared_classes(blocks, hashed=True)]
    above = blocks[0].parent
    holders = [f"{above.tag}.{name}" for name in _shared_classes([above])] if above is not None else []
    if above is not None and _NAME.fullmatch(attribute(above, "id")):
        holders.append(f"#{attribute(above, 'id')}")
    yield from ((option, False) for option in named)
    yield from ((f"{holder} > {option}", False) for holder in holders for option in (*named, tag))
    yield from ((option, True) for option in (*made, tag))


def _shared_classes(nodes: Sequence[LexborNode], *, hashed: bool = False) -> list[str]:
    lists = [attribute(node, "class").split() for node in nodes]
    shared = [name for name in lists[0] if all(name in names for names in lists)]
    if hashed:
        return [name for name in shared if _ANY_NAME.fullmatch(name)]
    return [name for name in shared if _NAME.fullmatch(name) and not _HASHED.search(name)]


def _field_options(blocks: Sequence[LexborNode]) -> dict[str, list[str]]:
    """Return for each field the expressions it may be read with, the surest first."""
    headings = [heading for block in blocks if (heading := heading_of(block)) is not None]
    times = [time for block in blocks if (time := block.css_first("time")) is not None]
    attributes = [name for name in blocks[0].attributes if all(name in block.attributes for block in blocks)]
    held = [name for name in EPOCHS if name in attributes]
    return {
        "title": [_common(headings)] if headings else [],
        "time": [f"@{name}" for name in held] + ([f"{_common(times)}@datetime", _common(times)] if times else []),
        "id": [f"@{name}" for name in (*IDS, "id") if name in attributes]
        + ["article@id", "a@id", "a@name"]
        + [f"@{name}" for name in attributes if name.startswith("data-")],
    }


def _common(nodes: Sequence[LexborNode]) -> str:
    tags = {node.tag for node in nodes}
    shared = _shared_classes(nodes)
    tag = str(next(iter(tags))) if len(tags) == 1 else ""
    if shared and tag not in HEADINGS | {"time"}:
        return f"{tag}.{shared[0]}"
    return tag or ", ".join(sorted(str(one) for one in tags))
