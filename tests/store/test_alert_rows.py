"""Alerts, deliveries and messages keep their promises in both databases."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from monitor.alerts import Draft, ReceiverPolicy, RuleOptions, Verdict
from monitor.model import Alert, AlertKind, Delta, Match
from monitor.store import alert_lists, alert_retention, deliveries, messages
from monitor.store.messages import Composed
from monitor.store.outlook import read_outlook

RULES = {"halted": RuleOptions()}


@pytest.fixture
def alert(make):
    def raised(number: int = 1, entry: str = "e1", **more) -> Alert:
        delta = Delta(make.ref, 1, number, make.now, make.new(entry, "suspended"))
        usual = {
            "id": f"{number:032x}",
            "rule": "halted",
            "severity": "warning",
            "kind": AlertKind.NEW,
            "delta": delta,
            "matches": (Match("text", 0, 9, "suspended", "suspended"),),
            "raised_at": make.now,
            "notify": ("desk", "archive"),
        }
        return Alert(**usual | more)

    return raised


def insert(store, make, *alerts):
    return store.run(partial(deliveries.insert_alerts, raised=alerts, seen_at=make.now))


def outlook(store, make, receiver="desk", **policy):
    look = partial(read_outlook, receiver=receiver, policy=ReceiverPolicy(**policy), rules=RULES, now=make.now)
    return store.read(look)


def composed(make, *ids: str, group: str = "rule=halted") -> Composed:
    draft = Draft(group, "fired", ids, "warning", timedelta(minutes=1))
    key = f"{group}-{'-'.join(ids)}"
    return Composed(key, draft, "halted", b"{}", b"plain", make.now, make.now + timedelta(hours=6), 1)


def freeze(store, make, *some: Composed):
    lease = make.now + timedelta(seconds=60)
    return store.run(partial(messages.freeze, receiver="desk", composed=some, lease_until=lease))


async def test_the_same_alert_again_adds_nothing(store, make, alert):
    await insert(store, make, alert())
    await insert(store, make, alert())
    assert len((await outlook(store, make)).waiting) == 1
    assert len(await store.pending(10)) == 1


async def test_a_suppressed_alert_is_recorded_and_told_to_nobody(store, make, alert):
    await insert(store, make, alert(suppressed="too old"), alert(2, notify=(), suppressed="too old"))
    assert (await outlook(store, make)).waiting == ()
    assert await store.pending(10) == ()
    listed = await store.read(alert_lists.list_alerts)
    assert [(one.state, one.reason) for one in listed] == [("suppressed", "too old")] * 3


async def test_a_muted_receiver_is_left_out_with_the_reason(store, make, alert):
    await insert(store, make, alert(muted=(("desk", "inhibited by rule x"),)))
    assert (await outlook(store, make)).waiting == ()
    assert len((await outlook(store, make, "archive")).waiting) == 1


async def test_the_latest_told_alert_is_what_a_correction_corrects(store, make, alert):
    await insert(store, make, alert(1), alert(2, kind=AlertKind.EDITED), alert(3, suppressed="flood"))
    fired = await store.read(partial(deliveries.fired_alerts, entry_ids=["e1"]))
    assert (fired["halted", "e1"].id, fired["halted", "e1"].kind) == (f"{2:032x}", AlertKind.EDITED)


async def test_a_group_has_one_unsettled_message(store, make, alert):
    await insert(store, make, alert(1), alert(2, "e2"))
    first, second = composed(make, f"{1:032x}"), composed(make, f"{2:032x}")
    assert len(await freeze(store, make, first)) == 1
    assert await freeze(store, make, second) == ()
    assert [one.alert_id for one in (await outlook(store, make)).waiting] == [f"{2:032x}"]
    assert (await outlook(store, make)).groups["rule=halted"].busy


async def test_two_that_compose_the_same_message_store_it_once(store, make, alert):
    await insert(store, make, alert())
    assert len(await freeze(store, make, composed(make, f"{1:032x}"))) == 1
    assert await freeze(store, make, composed(make, f"{1:032x}")) == ()
    assert (await outlook(store, make)).waiting == ()


async def test_only_the_holder_of_a_lease_settles(store, make, alert):
    await insert(store, make, alert())
    (old,) = await freeze(store, make, composed(make, f"{1:032x}"))
    later = make.now + timedelta(seconds=61)
    claim = partial(messages.claim_due, receiver="desk", now=later, limit=5, lease_until=later + timedelta(seconds=60))
    (taken,) = await store.run(claim)
    assert taken.attempts == 2
    settle = partial(messages.settle_sent, now=later, status="200", receipt=b"r")
    assert not await store.run(partial(settle, message=old))
    assert await store.run(partial(settle, message=taken))
    assert await store.read(partial(messages.read_receipt, message_id=taken.id)) == b"r"


async def test_a_retry_waits_for_its_time_and_may_be_simpler(store, make, alert):
    await insert(store, make, alert())
    (leased,) = await freeze(store, make, composed(make, f"{1:032x}"))
    at = make.now + timedelta(seconds=30)
    await store.run(
        partial(messages.settle_retry, message=leased, next_at=at, status="400", error="refused", simpler=True)
    )
    claim = partial(messages.claim_due, receiver="desk", limit=5, lease_until=at + timedelta(seconds=60))
    assert await store.read(partial(messages.next_due, receiver="desk")) == at
    assert await store.run(partial(claim, now=at - timedelta(seconds=1))) == ()
    (again,) = await store.run(partial(claim, now=at))
    assert (again.body, again.simpler) == (b"plain", True)


async def test_a_correction_knows_what_became_of_what_it_corrects(store, make, alert):
    correction = alert(2, kind=AlertKind.RETRACTED, corrects=f"{1:032x}")
    await insert(store, make, alert(), correction)

    async def told():
        waiting = {one.alert_id: one for one in (await outlook(store, make)).waiting}
        return waiting[correction.id].told

    assert await told() == "waiting"
    (leased,) = await freeze(store, make, composed(make, f"{1:032x}"))
    assert await told() == "under_way"
    await store.run(partial(messages.settle_sent, message=leased, now=make.now, status="200", receipt=None))
    assert await told() == "sent"
    assert (await outlook(store, make)).waiting[0].thread == leased.id


async def test_verdicts_are_written_where_an_alert_still_waits(store, make, alert):
    await insert(store, make, alert(1), alert(2, "e2"))
    until = make.now + timedelta(minutes=5)
    verdicts = [
        Verdict(f"{1:032x}", "held", "cooldown", until),
        Verdict(f"{2:032x}", "suppressed", "silence 1 by ana"),
    ]
    await store.run(partial(deliveries.apply_verdicts, receiver="desk", verdicts=verdicts))
    (held,) = (await outlook(store, make)).waiting
    assert (held.held_because, held.held_until) == ("cooldown", until)


async def test_an_escalation_adds_a_receiver_once(store, make, alert):
    await insert(store, make, alert())
    also = [(f"{1:032x}", "chief"), (f"{1:032x}", "desk")]
    assert await store.run(partial(deliveries.add_receivers, also=also)) == ("chief",)
    assert await store.run(partial(deliveries.add_receivers, also=also)) == ()


async def test_dead_letters_are_counted_retried_and_dropped(store, make, alert):
    await insert(store, make, alert())
    (leased,) = await freeze(store, make, composed(make, f"{1:032x}"))
    await store.run(partial(messages.settle_dead, message=leased, status="410", error="gone"))
    await store.run(partial(messages.disable, name="desk", configured="h", reason="gone", now=make.now))
    assert await store.read(deliveries.count_dead) == 1
    assert await store.read(partial(messages.disabled, configured={"desk": "h"})) == {"desk": "gone"}
    assert await store.read(partial(messages.disabled, configured={"desk": "other"})) == {}
    assert await store.run(partial(alert_lists.retry, names=[], receiver=None, now=make.now)) == 1
    assert await store.read(deliveries.count_dead) == 0
    assert await store.read(partial(messages.disabled, configured={"desk": "h"})) == {}


async def test_silences_are_kept_and_ended(store, make):
    add = partial(
        alert_lists.add_silence,
        matchers={"rule": "halted"},
        starts_at=make.now,
        ends_at=make.now + timedelta(hours=1),
        author="ana",
        comment="drill",
        now=make.now,
    )
    added = await store.run(add)
    assert await store.read(deliveries.read_silences) == (added,)
    assert await store.run(partial(alert_lists.expire_silence, number=added.id, now=make.now))
    assert await store.read(partial(deliveries.read_silences, ends_after=make.now)) == ()


async def test_what_may_leave_is_not_hidden_by_a_pile_that_is_held(store, make, alert):
    await insert(store, make, *(alert(number, f"e{number}") for number in range(1, 80)))
    until = make.now + timedelta(hours=1)
    held = [Verdict(f"{number:032x}", "held", "cooldown", until) for number in range(1, 79)]
    await store.run(partial(deliveries.apply_verdicts, receiver="desk", verdicts=held))
    brisk = await outlook(store, make, burst=timedelta(0))
    assert f"{79:032x}" in {one.alert_id for one in brisk.waiting}


async def test_old_messages_that_arrived_lose_their_bytes_and_keep_their_receipt(store, make, alert):
    await insert(store, make, alert(1), alert(2, "e2"))
    (sent,) = await freeze(store, make, composed(make, f"{1:032x}"))
    (dead,) = await freeze(store, make, composed(make, f"{2:032x}", group="other"))
    await store.run(partial(messages.settle_sent, message=sent, now=make.now, status="200", receipt=b"r"))
    await store.run(partial(messages.settle_dead, message=dead, status="410", error="gone"))
    later = make.now + timedelta(days=1)
    assert await store.run(partial(alert_retention.empty_bodies, before=later)) == 1
    assert await store.run(partial(alert_retention.empty_bodies, before=later)) == 0
    assert await store.read(partial(messages.read_receipt, message_id=sent.id)) == b"r"


async def test_alerts_that_ended_long_ago_go_with_their_messages(store, make, alert):
    await insert(store, make, alert(1, notify=("desk",)), alert(2, "e2", suppressed="published long ago"))
    (sent,) = await freeze(store, make, composed(make, f"{1:032x}"))
    await store.run(partial(messages.settle_sent, message=sent, now=make.now, status="200", receipt=None))
    assert await prune(store, make, days=0) == 0, "what is young stays"
    assert await prune(store, make) == 2
    assert await store.read(partial(alert_lists.list_alerts)) == ()
    assert await store.read(partial(alert_lists.find_alerts, name=f"{1:032x}")) == ()
    assert await store.read(partial(messages.read_receipt, message_id=sent.id)) is None


async def test_what_waits_is_under_way_or_did_not_arrive_stays_whatever_its_age(store, make, alert):
    one = {"notify": ("desk",)}
    await insert(store, make, *(alert(number, f"e{number}", **one) for number in range(1, 5)))
    (dead,) = await freeze(store, make, composed(make, f"{1:032x}"))
    await freeze(store, make, composed(make, f"{2:032x}", group="under way"))
    await store.run(partial(messages.settle_dead, message=dead, status="410", error="gone"))
    expired = [Verdict(f"{3:032x}", "expired", "not delivered in time")]
    await store.run(partial(deliveries.apply_verdicts, receiver="desk", verdicts=expired))
    assert await prune(store, make) == 0
    assert await prune(store, make, receivers=()) == 1, "what waits for a receiver that was taken out"
    assert await store.run(partial(alert_lists.drop, names=(), receiver=None)) == 2
    assert await prune(store, make) == 2


async def test_an_alert_stays_until_it_ended_at_each_of_its_receivers(store, make, alert):
    await insert(store, make, alert(1))
    (sent,) = await freeze(store, make, composed(make, f"{1:032x}"))
    await store.run(partial(messages.settle_sent, message=sent, now=make.now, status="200", receipt=None))
    assert await prune(store, make, receivers=("desk", "archive")) == 0
    assert len(await store.read(partial(alert_lists.list_alerts))) == 2


async def test_pruning_takes_a_few_at_a_time(store, make, alert):
    await insert(store, make, *(alert(number, f"e{number}", suppressed="flood") for number in range(1, 8)))
    before = make.now + timedelta(days=1)
    some = partial(alert_retention.prune_alerts, before=before, receivers=(), limit=3)
    assert [await store.run(some) for _ in range(4)] == [3, 3, 1, 0]


def prune(store, make, *, days=1, receivers=("desk",)):
    before = make.now + timedelta(days=days)
    return store.run(partial(alert_retention.prune_alerts, before=before, receivers=receivers))
