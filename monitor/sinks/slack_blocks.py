"""A notice → Slack's Block Kit. Pure.

Rule: source text stands only in `rich_text` text and link elements and in `plain_text` objects, which Slack shows
literally: no mention, link, emoji or formatting in it does anything. Nothing is written in mrkdwn but the fallback `text`,
and that is escaped.
Limits: https://docs.slack.dev/reference/block-kit (blocks 50, header 150, text objects 3,000, button 75, url 3,000); a
message of about 13,200 characters is refused as msg_blocks_too_long, so ours end at 12,000.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from monitor.alerts import Notice, NoticeItem
from monitor.model import Alert, AlertKind, DiffOp
from monitor.sinks.words import KIND_WORDS, around_changes, diff_of, facts, headline, source_name, subject
from monitor.text.characters import printable

Block = dict[str, Any]
MAX_BLOCKS, MAX_HEADER, MAX_TEXT, MAX_URL, MAX_TOTAL = 45, 150, 3_000, 3_000, 12_000
MAX_FALLBACK = 300
QUOTE, DIGEST_QUOTE, NAMED = 1_800, 280, 20
MAX_NAMED_URL = 200  # in a list: twenty long addresses would leave no room for words
MARKS = {"info": "🔵", "warning": "🟠", "critical": "🔴"}
CORRECTED_MARK = "↩️"


def blocks_of(notice: Notice) -> list[Block]:
    """Return the blocks of a notice, within every limit of Slack."""
    blocks: list[Block] = [_header(notice)]
    if notice.mention in {"here", "channel"}:
        blocks.append(_rich([{"type": "broadcast", "range": notice.mention}]))
    if notice.words:
        blocks.append(_rich([_text(notice.words, 1_000)]))
    blocks += (_rich([_text(note, 500)]) for note in notice.notes[:3])
    single = len(notice.items) == 1
    for item in notice.full[: (MAX_BLOCKS - 8) // 3]:
        blocks += _item(item, QUOTE if single else DIGEST_QUOTE)
    if notice.named:
        blocks.append(_named(notice.named))
    if single:
        blocks += _buttons(notice.items[0].alert)
    blocks.append(_context(notice.reference))
    return _within(blocks)


def fallback(notice: Notice) -> str:
    """Return the text of notifications and of clients that show no blocks: escaped, short, one line."""
    words = [subject(notice), *(headline(item.alert) for item in notice.items[:1]), notice.words]
    return escaped(cut(" — ".join(" ".join(clean(one).split()) for one in words if one), MAX_FALLBACK))


def corrected_blocks(original: Sequence[Block], notice: Notice) -> list[Block]:
    """Return the blocks of a message that was corrected: said so first, what it said struck through."""
    banner = _rich([_text(f"{CORRECTED_MARK} Corrected: {what_changed(notice)}", 400, bold=True)])
    return _within([*original[:1], banner, *(_struck(block) for block in original[1:])])


def what_changed(notice: Notice) -> str:
    """Return in our own words what a correction says."""
    alerts = [item.alert for item in notice.items]
    return "; ".join(dict.fromkeys(f"{alert.rule}: {KIND_WORDS[alert.kind]}" for alert in alerts))


def safe_url(url: str | None) -> str | None:
    """Return an http(s) URL that Slack takes and that cannot end its own markup, or None."""
    if not url:
        return None
    encoded = quote(url.strip(), safe="%/:?#[]@!$&'()*+,;=~-._", errors="replace")
    try:
        parts = urlsplit(encoded)
    except ValueError:
        return None
    return encoded if parts.scheme in {"http", "https"} and parts.netloc and len(encoded) <= MAX_URL else None


def escaped(text: str) -> str:
    """Escape Slack's three control characters (https://docs.slack.dev/messaging/formatting-message-text#escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean(text: str) -> str:
    r"""Return text whose controls and bidi overrides are visible (`\x1b`) instead of active."""
    return printable(text.replace("\r\n", "\n").replace("\r", "\n"))


def cut(text: str, width: int) -> str:
    """Shorten text to `width` characters with an ellipsis, never between a letter and its marks or inside an emoji."""
    if len(text) <= width:
        return text
    end = width - 1
    while end > max(0, width - 32) and _joined(text, end):
        end -= 1
    return text[:end] + "…"


def _joined(text: str, place: int) -> bool:
    """Whether the character at `place` belongs to the one before it."""
    after, before = text[place], text[place - 1]
    return (
        unicodedata.combining(after) != 0
        or after in "\u200d\ufe0e\ufe0f"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or "\U0001f1e6" <= after <= "\U0001f1ff"
    )


def _header(notice: Notice) -> Block:
    corrected = notice.form == "corrected"
    mark = CORRECTED_MARK if corrected else MARKS[notice.severity]
    words = " ".join(clean(subject(notice)).split())
    # emoji: false, or `:rotating_light:` in a headline would become a picture.
    return {
        "type": "header",
        "text": {"type": "plain_text", "text": cut(f"{mark} {words}", MAX_HEADER), "emoji": False},
    }


def _item(item: NoticeItem, room: int) -> list[Block]:
    alert = item.alert
    title = _title(alert)
    blocks = [_rich(title)] if title else []
    quote_of = _quote(alert, room)
    if quote_of:
        blocks.append({"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": quote_of}]})
    return [*blocks, _context(clean(facts(item)))]


def _title(alert: Alert) -> list[Block]:
    """Return the entry's title, linked; with what an edit did to it."""
    entry = alert.delta.change.entry
    retitled = diff_of(alert, "title")
    if retitled:
        return _diff(retitled, 500)
    shown = " ".join(clean(entry.title or "").split())
    if not shown:
        return []
    url = safe_url(entry.url)
    gone = alert.kind is AlertKind.REMOVED
    style = {"bold": True, "strike": True} if gone else {"bold": True}
    if url and not gone:
        return [{"type": "link", "url": url, "text": cut(shown, 500), "style": style}]
    return [{"type": "text", "text": cut(shown, 500), "style": style}]


def _quote(alert: Alert, room: int) -> list[Block]:
    diff = diff_of(alert, "text")
    return _diff(around_changes(diff), room) if diff else _highlighted(alert, room)


def _diff(diff: Iterable[DiffOp], room: int) -> list[Block]:
    elements = []
    for operation, text in diff:
        if room <= 0:
            break
        shown = cut(clean(text), min(room, MAX_TEXT))
        room -= len(shown)
        if shown:
            style = {"-": {"strike": True}, "+": {"bold": True}}.get(operation)
            elements.append({"type": "text", "text": shown, **({"style": style} if style else {})})
    return elements


def _highlighted(alert: Alert, room: int) -> list[Block]:
    """Return the text around the first match, matches bold; of a removed entry, struck."""
    text = alert.delta.change.entry.text
    spans = sorted((match.start, match.end) for match in alert.matches if match.field == "text")
    # A text that was cut to fit its event may end before its match does.
    start = max(0, min(spans[0][0] - room // 3, len(text) - room)) if spans else 0
    end = min(len(text), start + room)
    pieces: list[tuple[str, bool]] = [("…", False)] if start else []
    place = start
    for first, last in spans:
        low, high = max(first, place), min(last, end)
        if low < high:
            pieces += [(text[place:low], False), (text[low:high], True)]
            place = high
    pieces += [(text[place:end], False), ("…" if end < len(text) else "", False)]
    struck = alert.kind is AlertKind.REMOVED
    return [_text(piece, MAX_TEXT, bold=bold and not struck, strike=struck) for piece, bold in pieces if piece]


def _named(items: Sequence[NoticeItem]) -> Block:
    lines = [_name(item.alert) for item in items[:NAMED]]
    if len(items) > NAMED:
        lines.append(_text(f"and {len(items) - NAMED} more", 100))
    listed = [{"type": "rich_text_section", "elements": [line]} for line in lines]
    heading = {"type": "rich_text_section", "elements": [_text(f"+{len(items)} more", 100, bold=True)]}
    return {
        "type": "rich_text",
        "elements": [heading, {"type": "rich_text_list", "style": "bullet", "elements": listed}],
    }


def _name(alert: Alert) -> Block:
    shown = _text(f"{source_name(alert)}: {headline(alert)}", 100)
    url = None if alert.kind is AlertKind.REMOVED else safe_url(alert.delta.change.entry.url)
    return {**shown, "type": "link", "url": url} if url and len(url) <= MAX_NAMED_URL else shown


def _buttons(alert: Alert) -> list[Block]:
    entry, source = alert.delta.change.entry, alert.delta.source
    gone = alert.kind is AlertKind.REMOVED
    links = [("Open entry", None if gone else safe_url(entry.url)), ("Open live blog", safe_url(source.url))]
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url, "action_id": f"open-{place}"}
        for place, (label, url) in enumerate(links)
        if url and (place == 0 or url != links[0][1])
    ]
    return [{"type": "actions", "elements": buttons}] if buttons else []


def _context(words: str) -> Block:
    return {"type": "context", "elements": [{"type": "plain_text", "text": cut(words, 900) or "–", "emoji": False}]}


def _rich(elements: list[Block]) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _text(text: str, width: int, *, bold: bool = False, strike: bool = False) -> Block:
    style = {name: True for name, wanted in (("bold", bold), ("strike", strike)) if wanted}
    return {"type": "text", "text": cut(clean(text), width) or " ", **({"style": style} if style else {})}


def _struck(block: Block) -> Block:
    """Return a rich text block with its text struck; other blocks as they are."""
    if block["type"] != "rich_text":
        return block
    parts = [
        {
            **part,
            "elements": [
                {**one, "style": {"strike": True}} if one["type"] == "text" else one for one in part["elements"]
            ],
        }
        if part["type"] != "rich_text_list"
        else part
        for part in block["elements"]
    ]
    return {**block, "elements": parts}


def _within(blocks: list[Block]) -> list[Block]:
    """Drop blocks from the end, the closing reference excepted, until the whole fits."""
    while len(blocks) > MAX_BLOCKS or total_characters(blocks) > MAX_TOTAL:
        del blocks[-2]
    return blocks


def total_characters(value: Any) -> int:
    """Return how many characters of text and URLs blocks hold."""
    if isinstance(value, dict):
        return sum(
            len(one) if isinstance(one, str) and key in {"text", "url"} else total_characters(one)
            for key, one in value.items()
        )
    return sum(map(total_characters, value)) if isinstance(value, list) else 0
