"""A process that raises and delivers alerts until it is killed, and goes on where it was: see test_kills.py."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from monitor.alerts import RuleOptions, consider_poll
from monitor.daemon.deliver import Deliverer, DeliverySetup
from monitor.daemon.deliver_values import Receiver
from monitor.model import Change, ChangeType, Delta, Entry, Judgement, Match, Revision, SourceRef
from monitor.sinks import SINKS, Target
from monitor.store import PollCommit, PollState, Store
from monitor.store.alert_lists import list_alerts
from monitor.store.deliveries import fired_alerts, insert_alerts

REF = SourceRef("blog")
RULES = {"halted": RuleOptions(notify=("hook", "desk", "shaky"), cooldown=None)}


def step(number: int) -> tuple[Delta, list[Judgement]]:
    """The numbered event: three new entries that say it, then one of them takes it back."""
    now = datetime.now(UTC)
    match = (Match("text", 0, 9, "suspended", "suspended"),)
    if number % 4 == 3:
        change = Change(
            ChangeType.EDITED, f"e{number - 3}", Entry(0, "resumed"), 2, previous=Revision(1, None, "suspended")
        )
        return Delta(REF, 1, number + 1, now, change), [Judgement("halted", "retracted", match, 1, 0)]
    change = Change(ChangeType.NEW, f"e{number}", Entry(0, "suspended"), 1)
    return Delta(REF, 1, number + 1, now, change), [Judgement("halted", "fired", match, 0, 1)]


async def main(database: str, url: str, total: int) -> None:
    def receiver(name: str, kind: str) -> Receiver:
        from dataclasses import replace

        target = Target(name, f"{url}/{name}", allow_private=True)
        policy = replace(SINKS[kind].policy, burst=timedelta(0), rate=500.0, rate_burst=50, coalesce_above=0)
        return Receiver(name, SINKS[kind].make(target), policy, target, configured="1")

    setup = DeliverySetup((receiver("hook", "webhook"), receiver("desk", "slack"), receiver("shaky", "webhook")), RULES)
    async with await Store.open(database, alert_writer=insert_alerts, check=False) as store:
        await store.ensure_sources([REF], datetime.now(UTC))
        async with Deliverer(store, setup) as deliverer:
            stop = asyncio.Event()
            running = asyncio.create_task(deliverer.run(stop))
            state = await store.load("blog")
            version = state.version
            for number in range(state.sequence, total):
                delta, judgements = step(number)
                earlier = await store.read(partial(fired_alerts, entry_ids=[delta.change.entry_id]))
                raised = consider_poll([(delta, judgements)], RULES, now=delta.seen_at, earlier=earlier)
                found = PollCommit(
                    REF,
                    version,
                    (delta.change,),
                    (delta,),
                    poll=PollState(),
                    alerts=raised.alerts,
                    seen_at=delta.seen_at,
                )
                version = (await store.commit(found)).version
                deliverer.wake()
                await asyncio.sleep(0.01)
            while await store.read(partial(list_alerts, states=["waiting", "pending", "leased"])):
                await asyncio.sleep(0.05)
            stop.set()
            await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
