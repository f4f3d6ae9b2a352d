"""A document's bytes as text, parsed JSON or a tree, each made once and only when asked for.

Rule: the byte-order mark goes before the transport's charset, that before the document's own, that before UTF-8, and
cp1252 takes what is left (WHATWG Encoding Standard: it is what browsers show); decoding never fails.
"""

from __future__ import annotations

import codecs
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from monitor.model import Document, ReadOptions
from monitor.sources.memory import ReadMemory

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_OWN_CHARSET = re.compile(
    rb"""(?:<\?xml[^>]{0,80}?encoding|<meta[^>]{0,200}?charset)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE
)
# Codecs that decode text and nothing else: Python's "unicode_escape", "punycode", "undefined", "zip" and the like are
# reachable by declaration and raise, or interpret what they read.
_TEXT_CODEC = re.compile(
    r"utf-?(?:8|16|32)(?:-?[bl]e)?|us-?ascii|ascii|latin-?\d+|iso-?8859-?\d+|l\d|windows-?\d+|cp\d+|koi8-?\w|mac-?\w+|gb\w+|big5\w*"
    r"|shift[-_]?jis\w*|s-?jis|x-sjis|euc-?\w+|iso-?2022-\w+|tis-?620|ks_c_5601\w*|hz\w*|johab|ptcp154|viscii",
    re.IGNORECASE,
)
_BROWSERS_READ = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "ks_c_5601-1987": "cp949",
}
_PAGE_TAG = re.compile(r"<(?:!doctype|html|head|body|div|p|article|section|main|rss|feed|script)\b")
_ROOT = re.compile(
    r"(?:\s|<\?[^>]*>|<!--(?:(?!-->)[\s\S])*-->|<!(?!--)[^>\[]*(?:\[(?:[^\]]|\](?!\s*>))*\]\s*)?>)*<(?:[\w.-]+:)?([\w.-]+)"
)
_ROOTS = {"html", "head", "body", "rss", "feed", "rdf", "channel"}
_LATE_FEED = re.compile(r"<(?:rdf:)?(rss|feed|RDF)\s[^<>]{0,2000}(?:version|xmlns)\s*=")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


class Content:
    """One document in the forms adapters ask for."""

    def __init__(self, document: Document, options: ReadOptions, memory: ReadMemory) -> None:
        self.document = document
        self.options = options
        self.memory = memory
        self.body = document.body

    @cached_property
    def encoding(self) -> str:
        """The codec `text` is decoded with."""
        for mark, codec in _BOMS:
            if self.body.startswith(mark):
                return codec
        if declared := charset_of(self.document.content_type):
            return declared
        own = _OWN_CHARSET.search(self.body[:2048])
        if own and (named := known_codec(own.group(1).decode("ascii", "replace"))):
            return named
        return _unmarked(self.body)

    @cached_property
    def text(self) -> str:
        """The body as text; bytes that are not in the declared encoding are read as cp1252 or replaced."""
        try:
            decoded = self.body.decode(self.encoding)
        except (UnicodeError, LookupError):
            decoded = self.body.decode(_unmarked(self.body), "replace")
        return decoded.removeprefix("\ufeff").replace("\0", "")

    @cached_property
    def head(self) -> str:
        """The beginning of the text: enough to tell kinds apart without decoding all of it."""
        return self.body[:65536].decode(self.encoding, "ignore").removeprefix("\ufeff").replace("\0", "").lstrip()

    @cached_property
    def json(self) -> JSON:
        """The body as JSON, or None if it is none (or only `null`)."""
        return read_json(self.text)

    @cached_property
    def tree(self) -> LexborHTMLParser:
        """The body as an HTML tree."""
        from selectolax.lexbor import LexborHTMLParser

        return LexborHTMLParser(self.text)

    @cached_property
    def is_markup(self) -> bool:
        """Whether the document begins like XML or HTML, or shows the tags of a page early on."""
        return self.start.startswith("<") or bool(_PAGE_TAG.search(self.start))

    @cached_property
    def root(self) -> str:
        """The local name of the first element, lower case; "" where the document does not begin with markup."""
        found = _ROOT.match(self.head)
        name = found.group(1).lower() if found else ""
        if name not in _ROOTS and (late := _LATE_FEED.search(self.head[:8192])):
            return late.group(1).lower()  # a feed after a warning of the program that wrote it
        return name

    @cached_property
    def start(self) -> str:
        """The first characters without white space before them, lower case: enough to tell kinds apart."""
        return self.head[:4096].lower()


def clean(text: str) -> str:
    """Return `text` with what no database or bus takes left out: NUL and lone surrogates, which JSON can spell."""
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = _LONE_SURROGATES.sub("\ufffd", text)
    return text.replace("\0", "")


def charset_of(content_type: str | None) -> str | None:
    """Return the codec a Content-Type header names, or None where it names none that is known."""
    found = _HEADER_CHARSET.search(content_type or "")
    return known_codec(found.group(1)) if found else None


def known_codec(name: str) -> str | None:
    """Return the Python codec for the charset `name` as browsers read it, or None for unknown and unsafe ones."""
    name = name.strip().lower()
    if not _TEXT_CODEC.fullmatch(name):
        return None
    name = _BROWSERS_READ.get(name, name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def read_json(text: str) -> JSON:
    """Return the value of a JSON text, None if it is not one; `NaN` and its like are no JSON (RFC 8259)."""
    try:
        return _loaded(text)
    except (ValueError, RecursionError):
        return None


def json_fault(text: str) -> str:
    """Return why a text is not JSON, in words and with the place."""
    try:
        _loaded(text)
    except json.JSONDecodeError as error:
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        return "it is nested too deeply"
    except ValueError as error:
        return str(error).partition(";")[0]
    return "it is null"


def _loaded(text: str) -> JSON:
    value: JSON = json.loads(text.strip().removeprefix("\ufeff"), parse_constant=_refuse, strict=False)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON value")


def _unmarked(body: bytes) -> str:
    if body[:2] in {b"<\0", b"{\0"}:
        return "utf-16-le"
    if body[:2] in {b"\0<", b"\0{"}:
        return "utf-16-be"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as wrong:
        # a cut in the middle of the last character is a truncated UTF-8 text, not another encoding
        return "utf-8" if wrong.start >= len(body) - 3 else "cp1252"
    return "utf-8"
