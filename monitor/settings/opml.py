"""Feeds of an OPML file (opml.org/spec2.opml), which every feed reader exports, as sources.

Rule: the file is a stranger's: no entity, no document type, bounded size and depth; what is left out is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from xml.parsers import expat

from monitor.settings.addresses import http_url, inward
from monitor.settings.units import Unfit

MAX_BYTES = 16 * 1024 * 1024
_MAX_ID = 40


@dataclass(frozen=True, slots=True)
class OpmlSource:
    """One feed of an OPML file under an id of ours."""

    id: str
    url: str
    title: str | None
    tags: tuple[str, ...]  # the folders it lies in, outermost first


@dataclass(frozen=True, slots=True)
class OpmlRead:
    """The sources of an OPML file, and in words what was left out."""

    sources: tuple[OpmlSource, ...]
    left_out: tuple[str, ...]


class NotOpml(ValueError):
    """The bytes are no OPML that is safe to read; says why."""


@dataclass(slots=True)
class _Outline:
    url: str
    title: str
    folders: tuple[str, ...]


def read_opml(content: bytes, taken: Collection[str] = ()) -> OpmlRead:
    """Return the feeds of an OPML file with ids that are not in `taken`. Raises NotOpml."""
    outlines = _outlines(content)
    ids = set(taken)
    urls: set[str] = set()
    sources: list[OpmlSource] = []
    left_out: list[str] = []
    for outline in outlines:
        try:
            url = http_url(outline.url)
        except Unfit as wrong:
            left_out.append(f"{outline.title or outline.url}: {wrong.message}")
            continue
        why = "it is there twice" if url in urls else f"it points inward ({inward(url)})" if inward(url) else None
        if why:
            left_out.append(f"{outline.title or url}: {why}")
            continue
        urls.add(url)
        id_ = _free(_slug(outline.title) or _slug(url.partition("://")[2]) or "feed", ids)
        ids.add(id_)
        tags = tuple(dict.fromkeys(tag for folder in outline.folders if (tag := _slug(folder))))
        sources.append(OpmlSource(id_, url, outline.title or None, tags))
    return OpmlRead(tuple(sources), tuple(left_out))


def _outlines(content: bytes) -> list[_Outline]:
    if len(content) > MAX_BYTES:
        raise NotOpml(f"it is larger than {MAX_BYTES // 2**20} MiB")
    reader = _Reader([], [], None)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as wrong:
        raise NotOpml(f"line {wrong.lineno}: {expat.ErrorString(wrong.code)}") from wrong
    except (ValueError, LookupError) as wrong:
        raise NotOpml(str(wrong)) from wrong
    if reader.root != "opml":
        raise NotOpml(f"its root element is {reader.root}, not opml")
    return reader.found


def _refuse_doctype(*_: object) -> None:
    raise NotOpml("it declares a document type, which OPML has none of")


@dataclass(slots=True)
class _Reader:
    found: list[_Outline]
    path: list[str]  # titles of the open outlines, "" for those that are feeds
    root: str | None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.root = self.root or name
        if name != "outline":
            return
        given = {key.lower(): value.strip() for key, value in attributes.items()}
        title = " ".join((given.get("title") or given.get("text") or "").split())[:200]
        url = given.get("xmlurl", "")
        if url:
            self.found.append(_Outline(url, title, tuple(folder for folder in self.path if folder)))
        self.path.append("" if url else title)

    def end(self, name: str) -> None:
        if name == "outline":
            self.path.pop()


def _slug(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_MAX_ID].strip("-")


def _free(wanted: str, taken: Collection[str]) -> str:
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"
