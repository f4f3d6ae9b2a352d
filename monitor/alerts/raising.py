"""A delta and what the rules say of it → alerts.

    rule false → true   fired     an alert of kind new or edited
    rule true → false   retracted a correction of the alert raised earlier, if there was one: kind retracted or removed
    rule true → true    holds     nothing, unless the rule asks for each new match or every change

Rule: decides on the judgement of this delta's two texts, so a rule added today does not fire on yesterday's entries.
Whatever is not told is returned all the same, with the reason in `suppressed` or `muted`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from monitor.alerts.options import RuleOptions
from monitor.model import Alert, AlertKind, ChangeType, Delta, Judgement, Significance

CORRECTIONS = frozenset({AlertKind.RETRACTED, AlertKind.REMOVED})
# Notes of our own, where a rule has none.
NO_LONGER, GONE = "the entry no longer says it", "the entry was removed"
BY_AN_EDIT, STILL = "brought in by an edit", "the entry changed and still says it"
BACK, THERE_BEFORE = "the entry is back", "the entry was there at the source's first poll"
OWN_NOTES = frozenset({NO_LONGER, GONE, BY_AN_EDIT, STILL, BACK, THERE_BEFORE})
FLOOD_ENTRIES = 50  # so many new entries in one poll, and more than half of the page: its ids changed, not the news


class EarlierAlert(Protocol):
    """The latest alert of a rule about an entry, as far as the next decision needs it. An `Alert` is one."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> AlertKind: ...
    @property
    def occurrences(self) -> int: ...


Earlier = Mapping[tuple[str, str], EarlierAlert]  # (rule, entry id) → the latest told alert


@dataclass(frozen=True, slots=True)
class PollAlerts:
    """What one poll raises."""

    alerts: tuple[Alert, ...]  # told and suppressed ones, in the order of the deltas
    flood: str | None = None  # words for the operators when the poll's new entries are no news


def alert_id(rule: str, delta: Delta, kind: AlertKind) -> str:
    """Return the id that judging the same delta again gives again; unique over rules, sources and revisions."""
    change = delta.change
    named = "\x1f".join((rule, delta.id, change.entry_id, kind.value, str(change.revision)))
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def raise_alerts(
    delta: Delta,
    judgements: Iterable[Judgement],
    options: Mapping[str, RuleOptions],
    *,
    now: datetime,
    delivered: Earlier,
) -> tuple[Alert, ...]:
    """Return the alerts to tell about one delta; `delivered` is the latest alert by (rule, entry id)."""
    weighed = _consider(delta, tuple(judgements), options, now=now, earlier=delivered)
    return tuple(alert for alert in weighed if alert.suppressed is None)


def consider_poll(
    judged: Sequence[tuple[Delta, Sequence[Judgement]]],
    options: Mapping[str, RuleOptions],
    *,
    now: datetime,
    earlier: Earlier,
    new_entries: int = 0,
    entries: int = 0,
    catch_up: bool = False,
) -> PollAlerts:
    """Return all alerts of one poll, the suppressed ones with their reason.

    `earlier`: the latest told alert by (rule, entry id). `new_entries` of `entries` on the page were new: a flood of
    them suppresses the alerts of kind new. `catch_up`: the source was not polled for so long that its news comes late,
    and that much of it is no flood.
    """
    alerts = tuple(
        replace(alert, catch_up=catch_up) if catch_up else alert
        for delta, judgements in judged
        for alert in _consider(delta, tuple(judgements), options, now=now, earlier=earlier)
    )
    if catch_up or new_entries <= max(FLOOD_ENTRIES, entries / 2):
        return PollAlerts(alerts)
    reason = f"flood: {new_entries} of {entries} entries are new at once, as when a page changes its ids"
    held = tuple(
        replace(alert, suppressed=alert.suppressed or reason) if alert.kind is AlertKind.NEW else alert
        for alert in alerts
    )
    return PollAlerts(held, flood=reason if held != alerts else None)


def _consider(
    delta: Delta,
    judgements: tuple[Judgement, ...],
    options: Mapping[str, RuleOptions],
    *,
    now: datetime,
    earlier: Earlier,
) -> tuple[Alert, ...]:
    raised = []
    for judgement in judgements:
        chosen = options.get(judgement.rule, RuleOptions())
        before = earlier.get((judgement.rule, delta.change.entry_id))
        standing = before if before is not None and before.kind not in CORRECTIONS else None
        kind = _kind(delta, judgement, chosen, standing)
        if kind is not None:
            raised.append(_alert(delta, judgement, kind, chosen, standing=standing, now=now))
    return tuple(_inhibited(alert, judgements, options) for alert in raised)


def _kind(delta: Delta, judgement: Judgement, options: RuleOptions, standing: EarlierAlert | None) -> AlertKind | None:
    change = delta.change
    if judgement.transition == "retracted":
        if standing is None:
            return None
        return AlertKind.REMOVED if change.type is ChangeType.REMOVED else AlertKind.RETRACTED
    if judgement.transition == "fired":
        return AlertKind.EDITED if change.type is ChangeType.EDITED else AlertKind.NEW
    if options.policy == "each_new_match":
        told = standing.occurrences if standing is not None else 0
        more = judgement.occurrences_after > max(judgement.occurrences_before, told)
        return AlertKind.EDITED if more else None
    if options.policy == "every_change" and change.type is ChangeType.EDITED:
        return None if change.significance is Significance.COSMETIC else AlertKind.EDITED
    return None


def _alert(
    delta: Delta,
    judgement: Judgement,
    kind: AlertKind,
    options: RuleOptions,
    *,
    standing: EarlierAlert | None,
    now: datetime,
) -> Alert:
    correction = kind in CORRECTIONS
    return Alert(
        id=alert_id(judgement.rule, delta, kind),
        rule=judgement.rule,
        severity=options.severity,
        kind=kind,
        delta=delta,
        matches=judgement.matches,
        note=_note(delta, judgement, kind) if correction else options.note or _note(delta, judgement, kind),
        raised_at=now,
        corrects=standing.id if correction and standing is not None else None,
        notify=options.notify,
        suppressed=None if correction else _unnewsworthy(delta, kind, options, now),
        catch_up=options.baseline == "digest" and delta.change.type is ChangeType.BASELINE,
    )


def _note(delta: Delta, judgement: Judgement, kind: AlertKind) -> str | None:
    if kind is AlertKind.RETRACTED:
        return NO_LONGER
    if kind is AlertKind.REMOVED:
        return GONE
    if kind is AlertKind.EDITED:
        return BY_AN_EDIT if judgement.transition == "fired" else STILL
    if delta.change.type is ChangeType.BASELINE:
        return delta.change.note or THERE_BEFORE
    return BACK if delta.change.type is ChangeType.RESTORED else delta.change.note


def _unnewsworthy(delta: Delta, kind: AlertKind, options: RuleOptions, now: datetime) -> str | None:
    """Return why an alert is not told. An edit is news whatever the age of its entry."""
    if kind is not AlertKind.NEW:
        return None
    published = delta.change.entry.published_at
    if delta.change.type is ChangeType.BASELINE:
        recent = published is not None and now - published <= options.fresh
        if options.baseline == "silent" or (options.baseline == "fresh" and not recent):
            return THERE_BEFORE
    if published is not None and now - published > options.max_age:
        return f"published {age_in_words(now - published)} before it was seen (max_age {age_in_words(options.max_age)})"
    return None


def _inhibited(alert: Alert, judgements: Sequence[Judgement], options: Mapping[str, RuleOptions]) -> Alert:
    """Mute the receivers that hear the same of this entry from a rule that inhibits this one."""
    if alert.kind in CORRECTIONS:
        return alert
    for judgement in judgements:
        stronger = options.get(judgement.rule, RuleOptions())
        if judgement.transition == "retracted" or alert.rule not in stronger.inhibits:
            continue
        reason = f"inhibited by rule {judgement.rule}"
        muted = dict(alert.muted) | {name: reason for name in alert.notify if name in stronger.notify}
        everyone = all(name in muted for name in alert.notify)
        suppressed = alert.suppressed or (reason if everyone else None)
        alert = replace(alert, muted=tuple(muted.items()), suppressed=suppressed)
    return alert


def age_in_words(age: timedelta) -> str:
    """Return a length of time as a person says it, in its largest whole unit: `3 h`, `2 days`."""
    seconds = max(0, int(age.total_seconds()))
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= unit * (2 if name == "days" else 1):
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
