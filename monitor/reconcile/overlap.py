"""Whether a page shows anything that is known: if not, entries between it and the last page may have been missed."""

from __future__ import annotations

from monitor.model import Snapshot
from monitor.reconcile.features import features_of, identifier
from monitor.reconcile.state import Known


def meets(known: Known, snapshot: Snapshot) -> bool:
    """Return whether at least one entry of `snapshot` is known, by the publisher's id or by its text.

    An empty page and an empty knowledge meet: there is nothing between them that could be missed.
    """
    if not snapshot.entries or not (known.live or known.gone):
        return True
    if any((entry.title, entry.text) in known.read for entry in snapshot.entries):
        return True
    texts = {record.features.exact for record in known.live.values()} | known.gone_by_content.keys()
    furniture = known.memory.furniture
    return any(
        (key := identifier(entry)) in known.by_key
        or key in known.gone_by_key
        or features_of(entry, furniture).exact in texts
        for entry in snapshot.entries
    )
