"""Events as a person reads them: one line a change, the words that changed struck and bold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from monitor.cli.output import BOLD, DIM, RESET, STRUCK, colours, word_diff, write_json, write_line
from monitor.text.characters import printable

BADGES = {
    "monitor.entry.new": "NEW",
    "monitor.entry.edited": "EDIT",
    "monitor.entry.removed": "GONE",
    "monitor.entry.restored": "BACK",
    "monitor.entry.baseline": "seen",
    "monitor.poll": "poll",
    "monitor.alert.fired": "ALERT",
    "monitor.alert.corrected": "CORRECTED",
    "monitor.alert.digest": "DIGEST",
}
TITLE_WIDTH = 96


def print_events(events: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print events as JSON Lines, or as words for a person."""
    colour = not as_json and colours()
    for event in events:
        if as_json:
            write_json(event)
        else:
            write_line(event_line(event, colour=colour))


def event_line(event: Mapping[str, Any], *, colour: bool) -> str:
    """Return one event as a line (an edit: a line a changed field) that is safe for a terminal."""
    badge = BADGES.get(event["type"], event["type"])
    clock = datetime.fromisoformat(event["time"]).astimezone().strftime("%H:%M:%S")
    if event["type"] == "monitor.poll":
        data = event["data"]
        line = f"{clock}  {badge:<9} {data['verdict']}  {printable(data['file'])}  {printable(data['reason'])}".rstrip()
        return f"{DIM}{line}{RESET}" if colour else line
    if event["type"].startswith("monitor.alert."):
        return _alert_line(event, clock, badge, colour)
    data = event["data"]
    head = f"{clock}  {_badge(badge, colour)} {printable(data['source']['id'])}  {_headline(data['entry'])}"
    return "\n".join([head, *_changed(data, colour)])


def _alert_line(event: Mapping[str, Any], clock: str, badge: str, colour: bool) -> str:
    data = event["data"]
    rule = printable(data["rule"])
    words = ", ".join(dict.fromkeys(f"“{printable(match['text'])}”" for match in data["matches"]))
    how = {"edited": "brought in by an edit", "retracted": "no longer says it", "removed": "entry removed"}
    said = f"{rule}: {words or 'no longer there'}" + (f" ({how[data['kind']]})" if data["kind"] in how else "")
    return f"{clock}  {_badge(badge, colour)} {said} — {_headline(data['delta']['entry'])}"


def _changed(data: Mapping[str, Any], colour: bool) -> list[str]:
    lines = [f"{'':>20}{change['field']}: {word_diff(change['diff'], colour=colour)}" for change in data["changes"]]
    tags = ", ".join(data["tags"])
    if lines and data["significance"]:
        note = f"{data['significance']}{': ' + tags if tags else ''}"
        lines.append(f"{'':>20}{DIM}{note}{RESET}" if colour else f"{'':>20}{note}")
    return lines


def _headline(entry: Mapping[str, Any]) -> str:
    said = entry["title"] or entry["text"].split("\n", 1)[0]
    shown = printable(said if len(said) <= TITLE_WIDTH else said[: TITLE_WIDTH - 1] + "…")
    claimed = entry.get("published_text") or ""
    return f"[{printable(claimed)}] {shown}" if claimed and len(claimed) <= 12 else shown


def _badge(badge: str, colour: bool) -> str:
    padded = f"{badge:<9}"
    if not colour:
        return padded
    style = {"ALERT": "\x1b[1;41;97m", "CORRECTED": "\x1b[1;45;97m", "NEW": BOLD, "EDIT": "\x1b[1;33m", "GONE": STRUCK}
    return f"{style.get(badge, '')}{badge}{RESET}{' ' * (9 - len(badge))}"
