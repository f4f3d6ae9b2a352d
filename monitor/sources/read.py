"""A document → a reading: choose the kind, read, judge, place the times, cap the sizes.

Rule: pure and total. Any bytes give a reading; what a foreign parser raises on them becomes a failed verdict here, in one
place. Only a whole document is `ok`.
"""

from __future__ import annotations

from dataclasses import replace

from monitor.model import Document, Entry, Reading, ReadOptions, Snapshot, Stamp, Verdict, VerdictKind
from monitor.sources.content import Content, clean
from monitor.sources.cuts import FEED_ROOTS, is_cut
from monitor.sources.dating import date_page
from monitor.sources.drafts import Draft, Page
from monitor.sources.gates import explain
from monitor.sources.kinds import KINDS, Kind
from monitor.sources.memory import ReadMemory
from monitor.text.characters import canonical
from monitor.text.html import too_deep
from monitor.text.times import zone_named

_LONGEST_LINE = 4096  # characters of an id, an address, a name: longer than any browser takes an address
_MOST_TAGS = 100
_DECLARED = {"feed", "liveblog", "json"}  # kinds a document declares itself to be
_STRANGE_POLLS = 10  # after as many in a row the publisher is believed to have changed the page


def read(document: Document, options: ReadOptions, memory: ReadMemory | None = None) -> Reading:
    """Return what `document` says when read as `options` ask: a verdict, and a snapshot unless it failed.

    Never raises on content. `memory` is one source's, kept by the caller from poll to poll; it saves work and remembers
    the kind.
    """
    content = Content(document, options, memory if memory is not None else ReadMemory())
    try:
        return _read(content)
    except Exception as error:  # noqa: BLE001 - the parsers' authors promise nothing about hostile bytes
        verdict = Verdict(
            VerdictKind.FAILED,
            f"the document cannot be parsed ({type(error).__name__}: {clean(str(error))[:100]})",
            "parser_error",
        )
        return Reading(_incomplete(content) or verdict)


def _read(content: Content) -> Reading:
    if content.document.status >= 400:
        refused = Verdict(VerdictKind.FAILED, f"the server answered {content.document.status}", "http_status")
        return Reading(explain(content, refused))
    if content.is_markup and content.root not in FEED_ROOTS and too_deep(content.text):
        return Reading(Verdict(VerdictKind.FAILED, "the page nests thousands of elements into each other", "too_deep"))
    page, chosen = _page(content)
    if isinstance(page, Page) and content.options.kind == "auto":
        page = _steady(page, content.memory)
    if isinstance(page, Verdict):
        return Reading(_incomplete(content) or explain(content, page), chosen=chosen)
    cut = not content.document.complete or is_cut(content)
    drafts = page.drafts[:-1] if cut else page.drafts  # the last one may be half of itself
    if cut and not drafts:
        return Reading(_incomplete(content) or _verdict(page, content, cut=cut), chosen=chosen)
    snapshot = _snapshot(replace(page, drafts=drafts), content)
    return Reading(_verdict(page, content, cut=cut), snapshot, chosen)


def _steady(page: Page, memory: ReadMemory) -> Page | Verdict:
    """Keep a source to the kind it was read as: what reads as something lesser is a block page until it stays so.

    An error page with a list of other articles reads as a plain page where a live blog was read before.
    """
    known = memory.kind
    if known in _DECLARED and page.kind not in _DECLARED and memory.strange < _STRANGE_POLLS:
        memory.strange += 1
        reason = f"so far this was read as {known}, now it looks like {page.kind}: {page.how}"
        return Verdict(VerdictKind.FAILED, reason, "kind_changed")
    memory.kind, memory.strange = page.kind, 0
    return page


def _page(content: Content) -> tuple[Page | Verdict, str | None]:
    if content.options.kind != "auto":
        return KINDS[content.options.kind].read(content), None
    first: tuple[Verdict, str] | None = None
    for kind, why in _candidates(content):
        page = kind.read(content)
        if isinstance(page, Page):
            return page, f"{page.kind}: {page.how}; {why}"
        first = first or (page, f"{kind.name}: {why}")
    if first is None:
        return Verdict(VerdictKind.FAILED, "nothing in the document looks like a live blog", "no_entries"), None
    return first


def _candidates(content: Content) -> list[tuple[Kind, str]]:
    claimed = [(kind, why) for kind in KINDS.values() if (why := kind.claims(content)) is not None]
    if content.memory.kind is not None:
        claimed.sort(key=lambda pair: pair[0].name != content.memory.kind)
    return claimed


def _incomplete(content: Content) -> Verdict | None:
    if not content.document.complete:
        return Verdict(VerdictKind.FAILED, "the transfer ended early", "truncated")
    if content.body.strip() and is_cut(content):
        return Verdict(VerdictKind.FAILED, "the document ends in the middle", "truncated")
    return None


def _verdict(page: Page, content: Content, *, cut: bool) -> Verdict:
    if page.verdict is not None:
        return page.verdict
    if cut:
        how = "the document ends in the middle" if content.document.complete else "the transfer ended early"
        return Verdict(VerdictKind.SUSPECT, f"{how}; its last entry is left out", "truncated")
    return Verdict(VerdictKind.OK)


def _snapshot(page: Page, content: Content) -> Snapshot:
    document, options = content.document, content.options
    dated = date_page(page.drafts, seen_at=document.seen_at, zone=zone_named(options.timezone))
    remarks = list(page.remarks)
    shown = list(zip(page.drafts, dated.stamps, strict=True))
    count = len(shown) + page.left_out
    if count > options.max_entries:
        remarks.append(f"{count} entries; the newest {options.max_entries} are read")
        shown = shown[-options.max_entries :] if dated.order == "oldest_first" else shown[: options.max_entries]
    capped = sum(len(draft.text) > options.max_entry_characters for draft, _ in shown)
    if capped:
        remarks.append(f"{capped} entries are longer than {options.max_entry_characters} characters and were cut")
    return Snapshot(
        entries=tuple(_entry(draft, stamp, position, options) for position, (draft, stamp) in enumerate(shown)),
        kind=page.kind,
        seen_at=document.seen_at,
        title=_clean(page.title),
        order=dated.order,
        whole=page.whole and count <= options.max_entries,
        capped=count > options.max_entries,
        deleted=page.deleted,
        modified_at=page.modified_at or document.modified_at,
        served_age=document.served_age,
        intro=tuple(clean(paragraph) for paragraph in page.intro),
        background=tuple(clean(paragraph) for paragraph in page.background),
        ttl=page.ttl,
        next_url=page.next_url,
        remarks=tuple(remarks),
    )


def _entry(draft: Draft, stamp: Stamp | None, position: int, options: ReadOptions) -> Entry:
    title = clean(draft.title[: options.max_title_characters]) if draft.title else None
    return Entry(
        position=position,
        text=clean(_without_title(draft.text, title)[: options.max_entry_characters]),
        title=title or None,
        native_id=_clean(draft.native_id),
        url=_clean(draft.url),
        published=stamp,
        updated_at=draft.updated_at,
        author=_clean(draft.author),
        tags=tuple(clean(tag) for tag in draft.tags[:_MOST_TAGS]),
        pinned=draft.pinned,
    )


def _clean(value: str | None) -> str | None:
    return clean(value[:_LONGEST_LINE]) or None if value else None


def _without_title(text: str, title: str | None) -> str:
    """Take a first paragraph that only repeats the title off the text; a text of nothing else stays what it is."""
    if title is None:
        return text
    first, _, rest = text.partition("\n\n")
    return rest if rest and len(first) < 2 * len(title) + 20 and canonical(first) == canonical(title) else text
