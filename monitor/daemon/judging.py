"""What one snapshot of one source means: which deltas it gives, and which rules they make true or false.

Rule: decides; never does. The poll job and `monitor replay` both call these functions and nothing else to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.model import Change, ChangeType, Delta, Judgement, Reading, Significance, Snapshot, SourceRef, VerdictKind
from monitor.reconcile import Known, Reconciled, ReconcilePolicy, additions, reconcile

if TYPE_CHECKING:
    from monitor.rules import Ruleset, RuleText


TITLE_CHARACTERS = 200
DAMAGED = ("truncated", "broken_items", "external_entity")  # what is left of such a document is the publisher's own


@dataclass(frozen=True, slots=True)
class Watch:
    """How one source is watched."""

    ref: SourceRef
    language: str = "en"
    policy: ReconcilePolicy = field(default_factory=ReconcilePolicy)
    announce_cosmetic: bool = False
    rules: frozenset[str] = frozenset()  # names of the rules that look at this source


@dataclass(frozen=True, slots=True)
class Found:
    """What reconciling a snapshot gave: all changes are recorded, deltas are announced."""

    reconciled: Reconciled
    deltas: tuple[Delta, ...]
    ref: SourceRef  # the source, by the name that the settings or the page gives it


@dataclass(frozen=True, slots=True)
class JudgedDelta:
    """A delta and what the rules say of it."""

    delta: Delta
    judgements: tuple[Judgement, ...]

    @property
    def looks_back(self) -> bool:
        """Whether what was told of the entry before matters: a rule stopped being true, or still is."""
        return any(judgement.transition != "fired" for judgement in self.judgements)


def find_changes(
    watch: Watch,
    known: Known | None,
    reading: Reading,
    snapshot: Snapshot,
    *,
    epoch: int,
    head: int,
    new_id: Callable[[], str],
) -> Found:
    """Reconcile `snapshot` with what is known and number the changes to announce from `head + 1` on.

    The first poll of a source (`known` is None) gives baseline changes and no delta. Of a suspect reading only new
    entries are taken, and its verdict stays.
    """
    if reading.verdict.kind is VerdictKind.SUSPECT and known is not None:
        added = additions(known, snapshot, policy=watch.policy, new_id=new_id)
        reconciled = replace(added, verdict=reading.verdict)
    else:
        reconciled = reconcile(known, snapshot, policy=watch.policy, new_id=new_id)
    announced = [change for change in reconciled.changes if _is_announced(change, watch)]
    ref = _named(watch.ref, snapshot)
    deltas = tuple(
        Delta(source=ref, epoch=epoch, sequence=head + offset, seen_at=snapshot.seen_at, change=change)
        for offset, change in enumerate(announced, 1)
    )
    return Found(reconciled, deltas, ref)


def baseline_deltas(found: Found, *, epoch: int, seen_at: datetime) -> tuple[Delta, ...]:
    """Return the entries of a new baseline as deltas, sequence 0: they are never announced, but rules may ask for them."""
    return tuple(
        Delta(source=found.ref, epoch=epoch, sequence=0, seen_at=seen_at, change=change)
        for change in found.reconciled.changes
        if change.type is ChangeType.BASELINE
    )


def is_believable(reading: Reading, known: Known | None) -> bool:
    """Return whether anything may be concluded from a reading: all of a good one, additions of a damaged feed.

    A feed's item that is closed is whole, wherever the feed was cut. A block of a page is not known to be.
    """
    if reading.snapshot is None:
        return False
    if reading.verdict.kind is VerdictKind.OK:
        return True
    return (
        reading.verdict.kind is VerdictKind.SUSPECT
        and reading.verdict.code in DAMAGED
        and reading.snapshot.kind == "feed"
        and known is not None
    )


def judge_deltas(watch: Watch, deltas: Iterable[Delta], ruleset: Ruleset) -> tuple[JudgedDelta, ...]:
    """Return each delta with what the rules that watch its source say of it; deltas no rule speaks of are left out."""
    judged = (JudgedDelta(delta, _judgements(watch, delta.change, ruleset)) for delta in deltas)
    return tuple(one for one in judged if one.judgements)


def texts_to_judge(change: Change, watch: Watch) -> tuple[RuleText | None, RuleText | None]:
    """Return the texts before and after a change, as rules see them; None where there is none.

    A rule is judged on (old text, new text) and never on remembered state, so that a rule added later does not fire on
    a trivial edit of an old entry.
    """
    from monitor.rules import RuleText

    entry = change.entry
    after = RuleText(
        title=entry.title,
        text=entry.text,
        language=watch.language,
        author=entry.author,
        tags=entry.tags,
        url=entry.url,
        source=watch.ref.id,
        kind=change.type.value,
    )
    if change.type is ChangeType.REMOVED:
        return after, None
    if change.type is not ChangeType.EDITED or change.previous is None:
        return None, after
    return replace(after, title=change.previous.title, text=change.previous.text), after


def _named(ref: SourceRef, snapshot: Snapshot) -> SourceRef:
    """Return the source with a title: the settings' own, else what the page calls itself."""
    title = ref.title or " ".join((snapshot.title or "").split())[:TITLE_CHARACTERS]
    return replace(ref, title=title or None)


def _is_announced(change: Change, watch: Watch) -> bool:
    if change.type is ChangeType.BASELINE:
        return False
    return change.significance is not Significance.COSMETIC or watch.announce_cosmetic


def _judgements(watch: Watch, change: Change, ruleset: Ruleset) -> tuple[Judgement, ...]:
    if not watch.rules:
        return ()
    before, after = texts_to_judge(change, watch)
    return tuple(ruleset.judge(before, after, watch.rules))
