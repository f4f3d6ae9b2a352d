"""Waiting alerts → messages for one receiver: at once, grouped, rested, or held with a reason; nothing is dropped.

    expired ─▶ silenced ─▶ correction ─▶ flapping ─▶ quiet hours ─▶ group at rest or busy ─▶ leaves

Rule: decides; never does. The first step that speaks of an alert decides. A group (receiver and, by default, rule) sends
one message at a time: what comes meanwhile joins the next one, so nothing overtakes within a group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.alerts.options import Escalation, RuleOptions, rank
from monitor.alerts.raising import CORRECTIONS
from monitor.alerts.silences import Subject, silenced_by
from monitor.alerts.waiting import Draft, GroupState, Outlook, Plan, Verdict, Waiting
from monitor.model import Severity

FLAP_WINDOW = timedelta(minutes=10)
FLAPS = 3  # a rule came true and false again of one entry so often within the window: wait until it settles
MAX_ALERTS = 200  # of one message; the rest follows in the next
LATE_GROUP = "late"
BACKLOG_GROUP = "backlog"
THREAD = "thread:"

__all__ = ["Draft", "GroupState", "Outlook", "Plan", "Verdict", "Waiting", "group_of", "groups_of", "plan"]


def plan(outlook: Outlook, *, now: datetime, limit: int) -> Plan:
    """Return what leaves now, at most `limit` messages, and what does not leave and why.

    Drafts come gravest first, then corrections, then in the order of commits.
    """
    verdicts: dict[str, Verdict] = {}
    ready: list[tuple[Waiting, Severity, int]] = []
    also: list[tuple[str, str]] = []
    correcting = set(outlook.correcting)
    for one in _last_words(outlook, verdicts):
        severity, receivers = _escalated(one, outlook)
        also += [(one.alert_id, name) for name in receivers if name != outlook.receiver]
        verdict = _refused(one, severity, outlook, now)
        if one.kind not in CORRECTIONS and verdict is None and (one.rule, one.entry) in correcting:
            verdict = Verdict(one.alert_id, "held", "the correction before it goes first")
        if one.kind in CORRECTIONS and (verdict is None or verdict.state == "held"):
            correcting.add((one.rule, one.entry))
        if verdict is None:
            ready.append((one, severity, _flips(one, outlook)))
        else:
            verdicts[one.alert_id] = verdict
    drafts = _drafts(ready, outlook, now, verdicts)
    drafts.sort(key=lambda draft: (-rank(draft.severity), draft.form != "corrected"))
    changed = tuple(verdict for one in outlook.waiting if (verdict := _news(one, verdicts.get(one.alert_id))))
    times = [verdict.until for verdict in verdicts.values() if verdict.until is not None]
    return Plan(tuple(drafts[:limit]), changed, tuple(also), min(times, default=None))


def group_of(one: Waiting, severity: Severity, outlook: Outlook) -> str:
    """Return the key of the group an alert belongs to.

    A correction belongs to the message it answers. A rule with a cooldown of its own rests as a whole. What a silence kept
    back leaves together.
    """
    if one.kind in CORRECTIONS:
        return f"{THREAD}{one.thread}"
    silence = silenced_by(outlook.silences, _subject(one, severity, outlook), one.raised_at)
    if silence is not None:
        return f"silence={silence.id}"
    options = outlook.rules.get(one.rule, RuleOptions())
    if one.catch_up and severity != "critical":
        return LATE_GROUP
    fields = ("rule",) if options.cooldown is not None else outlook.policy.group_by
    values = {"rule": one.rule, "source": one.source, "entry": f"{one.source}/{one.entry}", "severity": severity}
    return "|".join(f"{field}={values[field]}" for field in fields) or "all"


def groups_of(outlook: Outlook) -> frozenset[str]:
    """Return the keys of every group that the plan may ask about."""
    keys = {group_of(one, _escalated(one, outlook)[0], outlook) for one in outlook.waiting}
    return frozenset(keys | {LATE_GROUP, BACKLOG_GROUP})


def _last_words(outlook: Outlook, verdicts: dict[str, Verdict]) -> list[Waiting]:
    """Leave out pairs of an alert and its withdrawal that both still wait, and all but the last of a flapping entry."""
    by_entry: dict[tuple[str, str], list[Waiting]] = {}
    for one in outlook.waiting:
        by_entry.setdefault((one.rule, one.entry), []).append(one)
    kept: dict[str, Waiting] = {}
    for several in by_entry.values():
        words = _settle_flapping(several, outlook, verdicts)
        waiting_ids = {one.alert_id for one in words}
        withdrawn = {one.corrects for one in words if one.corrects in waiting_ids}
        for one in words:
            if one.alert_id in withdrawn or one.corrects in withdrawn:
                verdicts[one.alert_id] = Verdict(one.alert_id, "cancelled", "withdrawn before it was sent")
            else:
                kept[one.alert_id] = one
    return [kept[one.alert_id] for one in outlook.waiting if one.alert_id in kept]


def _settle_flapping(several: list[Waiting], outlook: Outlook, verdicts: dict[str, Verdict]) -> list[Waiting]:
    """Keep the last of an entry's flapping alerts for the others; a correction then answers what was told last."""
    flapping = [one for one in several if _flips(one, outlook)]
    if not flapping:
        return several
    last = flapping[-1]
    dropped = {one.alert_id for one in flapping[:-1]}
    for alert_id in dropped:
        verdicts[alert_id] = Verdict(alert_id, "suppressed", f"flapping, told as {last.alert_id}")
    words = [one for one in several if one.alert_id not in dropped and one is not last]
    if last.corrects not in dropped:
        return [*words, last]
    if last.standing is None:
        verdicts[last.alert_id] = Verdict(last.alert_id, "cancelled", "withdrawn before it was sent")
        return words
    return [*words, replace(last, told="sent", thread=last.standing)]


def _refused(one: Waiting, severity: Severity, outlook: Outlook, now: datetime) -> Verdict | None:
    """Return why an alert does not leave, as far as this does not depend on its group."""
    free_since = max(one.raised_at, one.held_until or one.raised_at)
    if now - free_since > outlook.policy.keep:
        return Verdict(one.alert_id, "expired", f"not delivered within {outlook.policy.keep}")
    if one.kind in CORRECTIONS:
        return _refused_correction(one, outlook, now)
    silence = silenced_by(outlook.silences, _subject(one, severity, outlook), one.raised_at, now)
    if silence is not None and silence.on_end == "drop":
        return Verdict(one.alert_id, "suppressed", silence.reason)
    if silence is not None and now < silence.ends_at:
        return Verdict(one.alert_id, "held", silence.reason, silence.ends_at)
    return _flapping(one, outlook, now) or _quiet(one, severity, outlook, now)


def _subject(one: Waiting, severity: Severity, outlook: Outlook) -> Subject:
    return Subject(one.rule, one.source, severity, one.kind.value, one.entry, outlook.receiver, one.tags)


def _refused_correction(one: Waiting, outlook: Outlook, now: datetime) -> Verdict | None:
    """A correction goes where the alert it corrects went, however quiet it is there: someone may act on a wrong word."""
    if one.told in {"under_way", "waiting"}:
        return Verdict(one.alert_id, "held", "the alert it corrects is being delivered")
    if one.told in {"lost", "never"}:
        return Verdict(
            one.alert_id, "suppressed", f"undelivered: the alert it corrects did not arrive ({one.corrects})"
        )
    return _flapping(one, outlook, now)


def _flips(one: Waiting, outlook: Outlook) -> int:
    """Return how often the entry shortly went back and forth, this time included, if it is enough to call it flapping."""
    past = [
        other.correction
        for other in outlook.of_entry.get((one.rule, one.entry), ())
        if other.number <= one.number and one.raised_at - other.raised_at <= FLAP_WINDOW
    ]
    flips = sum(1 for before, after in pairwise(past) if before != after)
    return flips if flips >= FLAPS else 0


def _flapping(one: Waiting, outlook: Outlook, now: datetime) -> Verdict | None:
    flips = _flips(one, outlook)
    settled_at = one.raised_at + FLAP_WINDOW
    if not flips or now >= settled_at:
        return None
    return Verdict(one.alert_id, "held", f"flapping: back and forth {flips} times within 10 minutes", settled_at)


def _quiet(one: Waiting, severity: Severity, outlook: Outlook, now: datetime) -> Verdict | None:
    if outlook.policy.quiet is None or severity == "critical":
        return None
    until = outlook.policy.quiet.ends_after(now)
    return None if until is None else Verdict(one.alert_id, "held", "quiet hours", until)


def _escalated(one: Waiting, outlook: Outlook) -> tuple[Severity, tuple[str, ...]]:
    """Return an alert's severity and further receivers, counting the alerts of its rule up to and with it."""
    escalation = outlook.rules.get(one.rule, RuleOptions()).escalate
    if escalation is None or one.kind in CORRECTIONS or not _piled_up(one, escalation, outlook):
        return one.severity, ()
    graver = escalation.to if rank(escalation.to) > rank(one.severity) else one.severity
    return graver, escalation.notify


def _piled_up(one: Waiting, escalation: Escalation, outlook: Outlook) -> bool:
    counted = [
        past
        for past in outlook.of_rule.get(one.rule, ())
        if past.number <= one.number and one.raised_at - past.raised_at <= escalation.within
    ]
    return len(counted) >= escalation.count and len({past.source for past in counted}) >= escalation.sources


def _drafts(
    ready: Sequence[tuple[Waiting, Severity, int]], outlook: Outlook, now: datetime, verdicts: dict[str, Verdict]
) -> list[Draft]:
    groups: dict[str, list[tuple[Waiting, Severity, int]]] = {}
    for item in ready:
        groups.setdefault(group_of(item[0], item[1], outlook), []).append(item)
    free = {}
    for key, items in groups.items():
        gravest = max((severity for _, severity, _ in items), key=rank)
        held = _group_holds(key, gravest, items, outlook, now)
        if held is None:
            free[key] = items
        else:
            verdicts.update({one.alert_id: Verdict(one.alert_id, "held", *held) for one, _, _ in items})
    return [_draft(key, items, outlook, now) for key, items in _coalesced(free, outlook).items()]


def _group_holds(
    key: str, gravest: Severity, items: Sequence[tuple[Waiting, Severity, int]], outlook: Outlook, now: datetime
) -> tuple[str, datetime | None] | None:
    state = outlook.groups.get(key)
    if state is not None and state.busy:
        return "an earlier message of its group is being delivered", None
    if key.startswith(THREAD):
        return None
    if key == LATE_GROUP:
        gathered_at = min(one.raised_at for one, _, _ in items) + outlook.policy.late_wait
        if now < gathered_at:
            return "late: gathers into one digest", gathered_at
    if state is None or rank(gravest) > rank(state.severity):
        return None
    rested_at = state.left_at + state.rest
    return ("cooldown", rested_at) if now < rested_at else None


def _coalesced(
    free: dict[str, list[tuple[Waiting, Severity, int]]], outlook: Outlook
) -> dict[str, list[tuple[Waiting, Severity, int]]]:
    """Turn a pile of groups into one digest, as after a receiver was away; what is critical keeps its own message."""
    mild = {
        key: items
        for key, items in free.items()
        if not key.startswith(THREAD) and all(severity != "critical" for _, severity, _ in items)
    }
    backlog = outlook.groups.get(BACKLOG_GROUP)
    above = outlook.policy.coalesce_above
    if not above or len(mild) <= above or (backlog is not None and backlog.busy):
        return free
    pile = sorted((item for items in mild.values() for item in items), key=lambda item: item[0].number)
    return {key: items for key, items in free.items() if key not in mild} | {BACKLOG_GROUP: pile}


def _draft(key: str, items: Sequence[tuple[Waiting, Severity, int]], outlook: Outlook, now: datetime) -> Draft:
    kept = items[:MAX_ALERTS]
    corrected = key.startswith(THREAD)
    severity = max((severity for _, severity, _ in kept), key=rank)
    return Draft(
        group=key,
        form="corrected" if corrected else "fired" if len(kept) == 1 else "digest",
        alert_ids=tuple(one.alert_id for one, _, _ in kept),
        severity=severity,
        rest=timedelta() if corrected else _rest(key, (one for one, _, _ in kept), outlook, now),
        late=key in {LATE_GROUP, BACKLOG_GROUP} or any(_is_late(one, outlook, now) for one, _, _ in kept),
        thread=kept[0][0].thread if corrected else None,
        flips=max(flips for _, _, flips in kept),
    )


def _is_late(one: Waiting, outlook: Outlook, now: datetime) -> bool:
    return one.catch_up or now - one.raised_at > outlook.policy.late_after


def _rest(key: str, alerts: Iterable[Waiting], outlook: Outlook, now: datetime) -> timedelta:
    """Return how long a group rests after a message; with `cooldown_max` it doubles in bursts and halves in quiet."""
    chosen = [outlook.rules.get(one.rule, RuleOptions()) for one in alerts]
    base = max(outlook.policy.burst if one.cooldown is None else one.cooldown for one in chosen)
    ceiling = max((one.cooldown_max for one in chosen if one.cooldown_max is not None), default=None)
    state = outlook.groups.get(key)
    if ceiling is None or state is None or not state.rest:
        return base
    rests_ago = int((now - state.left_at) / state.rest)
    if rests_ago <= 1:
        return max(base, min(ceiling, state.rest * 2))
    return max(base, state.rest / (1 << min(rests_ago - 1, 30)))


def _news(one: Waiting, verdict: Verdict | None) -> Verdict | None:
    """Return a verdict only if it says more than what is already known of the alert."""
    if verdict is None:
        return None
    same = verdict.state == "held" and (verdict.until, verdict.reason) == (one.held_until, one.held_because)
    return None if same else verdict
