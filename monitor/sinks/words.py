"""A notice in plain words: for terminals, mail and services that take text only.

Rule: pure. Source text stands on its own lines, each begun with `> `, so that it cannot pass for ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from monitor.alerts import Notice, NoticeItem
from monitor.alerts.compose import how_late
from monitor.alerts.raising import CORRECTIONS, OWN_NOTES, age_in_words
from monitor.model import Alert, AlertKind, ChangeType, DiffOp

QUOTE_CHARACTERS = 600
TITLE_CHARACTERS = 300
STAMP_CHARACTERS = 12  # "12:07 pm"; longer ones are dates for machines, as in feeds
MARKS = {"info": "i", "warning": "!", "critical": "!!"}
KIND_WORDS = {
    AlertKind.NEW: "new entry",
    AlertKind.EDITED: "edited entry",
    AlertKind.RETRACTED: "no longer says it",
    AlertKind.REMOVED: "entry removed",
}


def subject(notice: Notice) -> str:
    """Return one line that names the notice: our words and the source's title."""
    if len(notice.items) == 1:
        alert = notice.items[0].alert
        corrected = "CORRECTED " if alert.kind in CORRECTIONS else ""
        return f"{corrected}{alert.rule} — {source_name(alert)}"
    return notice.headline


def notice_lines(notice: Notice) -> Iterator[str]:
    """Yield the notice line by line."""
    yield f"[{MARKS[notice.severity]}] {subject(notice)}"
    if notice.words:
        yield from notice.words.split("\n")
    yield from notice.notes
    for item in notice.full:
        if len(notice.items) > 1:
            yield f"* {item.alert.rule} — {source_name(item.alert)}"
        yield from item_lines(item)
    named = notice.named
    if named:
        yield f"+{len(named)} more:"
        yield from (f"> {_shortened(headline(item.alert), 100)}" for item in named[:20])
    yield f"({notice.reference})"


def item_lines(item: NoticeItem) -> Iterator[str]:
    """Yield one alert: what happened, the words, and where they are."""
    alert = item.alert
    entry = alert.delta.change.entry
    retitled = diff_of(alert, "title")
    if retitled:
        yield f"> {_shortened(' '.join(''.join(map(_marked, retitled)).split()), 2 * TITLE_CHARACTERS)}"
    elif entry.title:
        yield f"> {_shortened(' '.join(entry.title.split()), TITLE_CHARACTERS)}"
    for line in said(alert).split("\n"):
        if line.strip():
            yield f"> {line}"
    yield facts(item)
    link = entry.url or alert.delta.source.url
    if link:
        yield link


def said(alert: Alert) -> str:
    """Return the words that matter: an edit as `[-old-]{+new+}`, else the text around the first match."""
    change = alert.delta.change
    diff = diff_of(alert, "text")
    if diff:
        return "".join(_marked(part) for part in around_changes(diff))
    first = next((match for match in alert.matches if match.field == "text"), None)
    furthest = len(change.entry.text) - QUOTE_CHARACTERS
    start = max(0, min(first.start - QUOTE_CHARACTERS // 3, furthest)) if first else 0
    cut = change.entry.text[start : start + QUOTE_CHARACTERS]
    return ("…" if start else "") + cut + ("…" if start + QUOTE_CHARACTERS < len(change.entry.text) else "")


def diff_of(alert: Alert, field: str) -> tuple[DiffOp, ...]:
    """Return what an edit changed of the title or the text; nothing where it is no edit or left that as it was."""
    change = alert.delta.change
    if change.type is not ChangeType.EDITED:
        return ()
    return next((one.diff for one in change.changes if one.field == field), ())


def facts(item: NoticeItem) -> str:
    """Return source, times, lag, rule, revision and what kind of alert it is, on one line."""
    alert, delta = item.alert, item.alert.delta
    entry = delta.change.entry
    # Beside the publisher's time stands ours in the publisher's zone: two zones on one line are misread.
    seen = delta.seen_at.astimezone(entry.published_at.tzinfo if entry.published_at else UTC)
    parts = [
        source_name(alert),
        published(alert, seen),
        f"seen {seen.strftime('%H:%M:%S %Z')}" + lag(alert),
        f"rule {alert.rule}",
        f"revision {delta.change.revision}",
        happened(alert),
        how_late(item),
    ]
    return " · ".join(part for part in parts if part)


def published(alert: Alert, seen: datetime) -> str:
    """Return when it was published: as the page says it, or, where a machine wrote that, as people say it."""
    entry = alert.delta.change.entry
    claimed = " ".join((entry.published_text or "").split())
    if claimed and (entry.published_at is None or len(claimed) <= STAMP_CHARACTERS):
        return f"published {claimed}"
    if entry.published_at is None:
        return ""
    same_day = entry.published_at.date() == seen.date()
    return f"published {entry.published_at:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}}"


def happened(alert: Alert) -> str:
    """Return what kind of alert it is, in words of our own."""
    note = alert.note
    return note if note and (note in OWN_NOTES or note == alert.delta.change.note) else KIND_WORDS[alert.kind]


def lag(alert: Alert) -> str:
    """Return ` (+21 s)`, the time from the publisher's claim to our seeing it, for what is new; else nothing."""
    late_by = alert.delta.late_by
    if late_by is None or alert.kind is not AlertKind.NEW:
        return ""
    return f" (+{age_in_words(timedelta(seconds=late_by))})"


def source_name(alert: Alert) -> str:
    """Return the source's title on one line, or its id."""
    return " ".join((alert.delta.source.title or alert.delta.source.id).split())


def headline(alert: Alert) -> str:
    """Return the entry's title, or its first words."""
    entry = alert.delta.change.entry
    return " ".join((entry.title or entry.text).split())


def around_changes(diff: tuple[DiffOp, ...], context: int = 120) -> list[DiffOp]:
    """Return a diff with its long unchanged stretches shortened, so that what changed is always to be seen."""
    shown: list[DiffOp] = []
    for place, (operation, text) in enumerate(diff):
        if operation != "=":
            shown.append((operation, _shortened(text, QUOTE_CHARACTERS)))
        elif len(text) <= context:
            shown.append((operation, text))
        elif place == 0:
            shown.append((operation, "…" + text[-context:]))
        elif place == len(diff) - 1:
            shown.append((operation, text[:context] + "…"))
        else:
            shown.append((operation, text[: context // 2] + " … " + text[-context // 2 :]))
    return shown


def _marked(part: DiffOp) -> str:
    operation, text = part
    return {"=": text, "-": f"[-{text}-]", "+": f"{{+{text}+}}"}[operation]


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
