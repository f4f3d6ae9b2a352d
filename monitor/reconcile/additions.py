"""What a damaged page may still add: its new entries, and nothing about those that are known.

Rule: an edit or a removal is never read from a page that is not whole (verdict suspect).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitor.model import ChangeType, Snapshot, Verdict, VerdictKind
from monitor.reconcile.engine import Reconciled, reconcile
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.state import Known

_NOTHING_NEW = Verdict(VerdictKind.UNCHANGED, "nothing new", "nothing_new")


def additions(known: Known, snapshot: Snapshot, *, policy: ReconcilePolicy, new_id: Callable[[], str]) -> Reconciled:
    """Compare a damaged snapshot with what is known and return its new entries alone.

    The entries found new are looked at once more, on a page on which everything known stands as it was: so nothing else
    can change, and the next whole page is compared with an unharmed state.
    """
    probe = reconcile(known, snapshot, policy=policy, new_id=lambda: "probe")
    new = {change.entry.position for change in probe.changes if change.type is ChangeType.NEW}
    if not new:
        return Reconciled(_NOTHING_NEW, (), known)
    added = tuple(entry for entry in snapshot.entries if entry.position in new)
    standing = tuple(known.live[entry_id].entry for entry_id in known.memory.order if entry_id in known.live)
    page = (*reversed(standing), *added) if snapshot.order == "oldest_first" else (*added, *standing)
    found = reconcile(known, replace(snapshot, entries=page, deleted=(), whole=False), policy=policy, new_id=new_id)
    if any(change.type is not ChangeType.NEW for change in found.changes):
        return Reconciled(_NOTHING_NEW, (), known)
    return found
