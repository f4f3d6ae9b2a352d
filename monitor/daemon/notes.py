"""States of polls that found nothing to store, kept until they are flushed in one go.

Rule: what the store does not take stays here, the newest of each source, so that a full or locked disk costs no state.
"""

from __future__ import annotations

from monitor.errors import StoreUnavailable
from monitor.store import PollNote, Store


class PollNotes:
    """Collects notes; `trouble` is why the last flush failed, "" when it did not."""

    def __init__(self, store: Store) -> None:
        self.trouble = ""
        self._store = store
        self._kept: dict[str, PollNote] = {}

    def keep(self, note: PollNote) -> None:
        """Take a source's newest state in place of an older one."""
        self._kept[note.source_id] = note

    async def flush(self) -> None:
        """Store what is kept. Raises StoreUnavailable, and keeps it, when the store takes nothing."""
        notes, self._kept = self._kept, {}
        if not notes:
            return
        try:
            await self._store.note_polls(list(notes.values()))
        except StoreUnavailable as error:
            self._kept = notes | self._kept
            self.trouble = str(error)
            raise
        self.trouble = ""

    async def flush_if_taken(self) -> None:
        """Store what is kept, or keep it and let `trouble` tell."""
        try:
            await self.flush()
        except StoreUnavailable:
            return
