"""Whose streams a server holds: this store's, or those of another one under the same names.

A state directory that was lost, copied or moved meets streams it did not write. Ids alone do not tell: a fresh store gives
out 1-1 again, and the server takes it for a repeat. What tells is the message a stream ends with.

Rule: asks and compares; what is done about a stranger is the verifier's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from monitor.bus.outbox import START, Outbox, Position, StreamKey
from monitor.bus.publisher import Publisher, key_of

_PAGE = 500


async def strangers(
    publisher: Publisher,
    outbox: Outbox,
    tops: Mapping[StreamKey, Position | None],
    heads: Mapping[StreamKey, Position],
    unmet: Collection[StreamKey],
) -> dict[StreamKey, Position]:
    """Return where those streams end that end after everything the store knows, or, of the `unmet`, in another's message.

    A stream of an earlier epoch than the store's is nobody's rival, whoever wrote it. Raises BusUnavailable or
    StoreUnavailable.
    """
    ends = {key: top for key, top in tops.items() if top is not None}
    ahead = {key: top for key, top in ends.items() if top > heads.get(key, START)}
    rivals = {
        key: top
        for key, top in ends.items()
        if key in unmet and key not in ahead and top.epoch == heads.get(key, START).epoch
    }
    return ahead | {key: rivals[key] for key, ours in (await compared(publisher, outbox, rivals)).items() if not ours}


async def compared(publisher: Publisher, outbox: Outbox, ends: Mapping[StreamKey, Position]) -> dict[StreamKey, bool]:
    """Return whether each stream has our message at its end; left out are those of which either side has none."""
    if not ends:
        return {}
    kept = {key_of(row): row.payload for row in (await outbox.messages_at(tuple(ends.items())))}
    held = await publisher.held([(key, ends[key]) for key in kept])
    return {key: message == kept[key] for key, message in zip(kept, held, strict=True) if message is not None}


async def settle_held(publisher: Publisher, outbox: Outbox, key: StreamKey) -> None:
    """Call those published that a stream holds already, byte for byte, up to the first that it does not."""
    while rows := await outbox.waiting(*key, _PAGE):
        held = await publisher.held([(key, Position(row.epoch, row.sequence)) for row in rows])
        same = next(
            (n for n, (row, message) in enumerate(zip(rows, held, strict=True)) if row.payload != message), None
        )
        if done := rows[:same]:
            await outbox.mark_published(done)
        if same is not None:
            return
