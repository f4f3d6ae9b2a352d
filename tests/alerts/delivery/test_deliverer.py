"""Each alert reaches each of its receivers, once, in order, as the same message on every try."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from aiohttp import web

from monitor.alerts import Escalation
from monitor.store import alert_lists, deliveries

SAID, CALM = "evacuation suspended", "evacuation resumed"


@pytest.fixture
def hooked(world):
    """A world with one webhook and one rule."""
    world.receiver("hook")
    world.rule("halted", "suspended")
    return world


def kinds(world, name="hook"):
    return [one.event["data"].get("kind") for one in world.receivers.of(name)]


async def test_an_alert_arrives_at_each_of_its_receivers_once(world):
    for name, kind in (("hook", "webhook"), ("desk", "slack"), ("other", "webhook")):
        world.receiver(name, kind)
    world.rule("halted", "suspended")
    async with world.delivering():
        await world.poll("a", ("e1", SAID))
        await world.advance(3600)
    assert world.receivers.counts == {"hook": 1, "desk": 1, "other": 1}
    assert await world.states() == {"sent": 3}


async def test_what_was_raised_while_nobody_delivered_arrives_later(hooked):
    await hooked.poll("a", ("e1", SAID))
    async with hooked.delivering():
        await hooked.advance(1)
    assert kinds(hooked) == ["new"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_retry_is_the_same_bytes_under_the_same_id_later_and_later(hooked, status):
    hooked.receivers.answers["hook"] = lambda count: status if count <= 4 else 200
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(600)
    heard = hooked.receivers.of("hook")
    assert len(heard) == 5
    assert len({one.body for one in heard}) == len({one.id for one in heard}) == 1
    waits = [(later.at - one.at).total_seconds() for one, later in zip(heard, heard[1:], strict=False)]
    assert waits == [1, 2, 4, 8]  # chance is fixed at a half of 2, 4, 8, 16


@pytest.mark.parametrize(("written", "seconds"), [("90", 90), ("Mon, 02 Mar 2026 12:02:00 GMT", 120)])
async def test_retry_after_holds_the_whole_receiver_in_both_its_forms(hooked, written, seconds):
    async def later(_):
        return web.Response(status=429, headers={"Retry-After": written})

    hooked.receivers.answers["hook"] = lambda count: later if count == 1 else 200
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.poll("a", ("e2", SAID))
        await hooked.advance(seconds - 1)
        assert hooked.receivers.counts["hook"] <= 2, "one may have been under way"
        await hooked.advance(2)
    heard = hooked.receivers.of("hook")
    assert len({one.id for one in heard if one.status == 200}) == 2
    assert max(one.at for one in heard) - heard[0].at >= timedelta(seconds=seconds)


async def test_one_receiver_that_hangs_delays_no_other(world):
    let_go = asyncio.Event()

    async def hang(_):
        await let_go.wait()
        return web.Response()

    world.receiver("slow", timeout=30.0)
    world.receiver("hook")
    world.rule("halted", "suspended")
    world.receivers.answers["slow"] = lambda _: hang
    async with world.delivering() as deliverer:
        for number in range(5):
            await world.poll("a", (f"e{number}", SAID))
        async with asyncio.timeout(20):
            while world.receivers.counts.get("hook", 0) < 5:
                await asyncio.sleep(0.005)
        assert not any(name == "slow" for name, _ in deliverer.counts)
        let_go.set()


async def test_an_edit_never_overtakes_the_alert_before_it(hooked):
    hooked.rule("halted", "suspended", policy="every_change")
    hooked.receivers.answers["hook"] = lambda count: 500 if count <= 3 else 200
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        for text in ("suspended still", "suspended again", "suspended for good"):
            await hooked.advance(0.1)
            await hooked.poll("a", ("e1", text))
        await hooked.advance(60)
    told = [one.event for one in hooked.receivers.of("hook") if one.status == 200]
    assert [event["type"] for event in told] == ["monitor.alert.fired", "monitor.alert.digest"]
    revisions = [one["delta"]["entry"]["revision"] for one in told[1]["data"]["alerts"]]
    assert revisions == [2, 3, 4], "what came meanwhile left together, in order"


async def test_a_burst_of_one_rule_is_two_slack_messages(world):
    world.receiver("desk", "slack")
    world.rule("halted", "suspended", cooldown=timedelta(minutes=10))
    async with world.delivering():
        for number in range(13):
            await world.poll("a", (f"e{number}", SAID))
            await world.advance(1)
        assert world.receivers.counts == {"desk": 1}
        assert {one.reason for one in await world.listed(states=["waiting"])} == {"cooldown"}
        await world.advance(600)
    first, rest = world.receivers.of("desk")
    assert (rest.at - first.at) == timedelta(minutes=10)
    assert "12 alerts" in rest.event["blocks"][0]["text"]["text"]
    assert await world.states() == {"sent": 13}


async def test_words_taken_back_after_delivery_are_corrected_once(hooked):
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(60)
        await hooked.poll("a", ("e1", CALM))
        await hooked.advance(60)
        await hooked.poll("a", ("e1", None))
        await hooked.advance(60)
    fired, corrected = (one.event for one in hooked.receivers.of("hook"))
    assert [fired["type"], corrected["type"]] == ["monitor.alert.fired", "monitor.alert.corrected"]
    assert corrected["data"]["id"] == fired["data"]["id"]


async def test_a_removed_entry_is_corrected_as_removed(hooked):
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(5)
        await hooked.poll("a", ("e1", None))
        await hooked.advance(5)
    assert kinds(hooked) == ["new", "removed"]


async def test_words_taken_back_before_delivery_are_never_told(world):
    world.receiver("desk", "slack")
    world.rule("halted", "suspended", cooldown=timedelta(minutes=10))
    async with world.delivering():
        await world.poll("a", ("e0", SAID))
        await world.advance(1)
        await world.poll("a", ("e1", SAID))
        await world.advance(1)
        await world.poll("a", ("e1", CALM))
        await world.advance(3600)
    assert world.receivers.counts == {"desk": 1}
    assert await world.states() == {"sent": 1, "cancelled": 2}


async def test_a_correction_waits_until_the_alert_has_arrived(hooked):
    hooked.receivers.answers["hook"] = lambda count: 503 if count <= 3 else 200
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(0.1)
        await hooked.poll("a", ("e1", CALM))
        await hooked.advance(60)
    assert [one.event["type"].rsplit(".", 1)[1] for one in hooked.receivers.of("hook")] == [*["fired"] * 4, "corrected"]


async def test_what_is_said_again_waits_until_its_correction_has_arrived(hooked):
    hooked.receivers.answers["hook"] = lambda count: 503 if 2 <= count <= 4 else 200
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(1)
        await hooked.poll("a", ("e1", CALM))
        await hooked.advance(1.1)
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(60)
    arrived = [one.event["type"].rsplit(".", 1)[1] for one in hooked.receivers.of("hook") if one.status == 200]
    assert arrived == ["fired", "corrected", "fired"]


async def test_taken_back_and_said_again_in_one_go_is_told_in_that_order(hooked):
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(1)
    await hooked.poll("a", ("e1", CALM))
    await hooked.poll("a", ("e1", SAID))
    beside = []

    async def slowly(_):
        await asyncio.sleep(0.05)
        beside.append(hooked.receivers.counts["hook"])
        return web.Response()

    hooked.receivers.answers["hook"] = lambda count: slowly if count == 2 else 200
    async with hooked.delivering():
        await hooked.advance(60)
    assert beside == [2], "nothing is sent beside the correction"
    kinds_ = [one.event["type"].rsplit(".", 1)[1] for one in hooked.receivers.of("hook")]
    assert kinds_ == ["fired", "corrected", "fired"]


async def test_a_correction_goes_to_whom_an_escalation_told(world):
    world.receiver("hook")
    world.receiver("chief")
    escalate = Escalation(2, timedelta(minutes=15), notify=("chief",))
    world.rule("halted", "suspended", notify=("hook",), escalate=escalate)
    async with world.delivering():
        for entry in ("e1", "e2"):
            await world.poll("a", (entry, SAID))
            await world.advance(1)
        await world.poll("a", ("e1", CALM), ("e2", CALM))
        await world.advance(5)
    assert kinds(world, "chief") == ["new", "retracted"], "of the one it heard of, and of no other"
    assert kinds(world) == ["new", "new", "retracted", "retracted"]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_permanent_answer_disables_the_receiver_and_another_one_hears_of_it(world, status):
    world.receiver("gone")
    world.receiver("hook")
    world.rule("halted", "suspended", notify=("gone",))
    world.receivers.answers["gone"] = lambda _: status
    async with world.delivering():
        await world.poll("a", ("e1", SAID))
        await world.advance(5)
        await world.poll("a", ("e2", SAID))
        await world.advance(3600)
        assert world.receivers.counts["gone"] == 1, "nothing is sent to a disabled receiver"
        (told,) = [one.event["data"] for one in world.receivers.of("hook")]
        assert told["title"] == "receiver gone is disabled"
        assert "monitor alerts retry --receiver gone" in told["text"]
        assert [one.reason for one in await world.listed(states=["dead"])] == [f"it answered {status}"]
    assert await world.states(receiver="gone") == {"dead": 1, "waiting": 1}


async def test_where_nobody_else_can_be_told_the_log_is(hooked, capsys):
    hooked.receivers.answers["hook"] = lambda _: 410
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(5)
    said = capsys.readouterr().out
    assert "nobody_to_tell" in said
    assert "receiver hook is disabled" in said


async def test_an_outage_is_told_in_the_log_when_it_begins_now_and_then_and_when_it_ends(hooked, capsys):
    hooked.receivers.answers["hook"] = lambda count: 503 if count <= 10 else 200
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(3600)
    said = capsys.readouterr().out
    assert said.count("delivery_retried") == 4, "after 1, 2, 4 and 8 failures"
    assert said.count("delivery_resumed") == 1


async def test_a_receiver_that_was_configured_anew_is_off_the_record_of_disabled_ones(hooked):
    from dataclasses import replace

    from monitor.daemon.delivery.deliverer import DeliverySetup

    hooked.receivers.answers["hook"] = lambda count: 410 if count == 1 else 200
    async with hooked.delivering() as deliverer:
        await hooked.poll("a", ("e1", SAID))
        await hooked.poll("a", ("e2", SAID))
        await hooked.advance(5)
        assert await hooked.store.read(alert_lists.disabled_receivers) == {"hook": "it answered 410"}
        mended = replace(deliverer.setup.receivers[0], configured="hook-2")
        await deliverer.reconfigure(DeliverySetup((mended,), hooked.rules))
        await hooked.advance(60)
    assert await hooked.store.read(alert_lists.disabled_receivers) == {}
    assert (await hooked.states())["sent"] == 1


async def test_a_retried_dead_letter_enables_its_receiver_and_goes_out_as_it_was(hooked):
    hooked.receivers.answers["hook"] = lambda count: 404 if count == 1 else 200
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(5)
    again = partial(alert_lists.retry, names=(), receiver="hook", now=hooked.time.now())
    assert await hooked.store.run(again) == 1
    async with hooked.delivering():
        await hooked.advance(5)
    first, second = hooked.receivers.of("hook")
    assert (first.id, first.body) == (second.id, second.body)
    assert await hooked.states() == {"sent": 1}


async def test_a_running_deliverer_notices_that_its_receiver_was_enabled_by_command(hooked):
    hooked.receivers.answers["hook"] = lambda count: 410 if count == 1 else 200
    async with hooked.delivering() as deliverer:
        await hooked.poll("a", ("e1", SAID))
        await hooked.poll("a", ("e2", SAID))
        await hooked.advance(60)
        assert hooked.receivers.counts["hook"] <= 2
        await hooked.store.run(partial(alert_lists.retry, names=(), receiver="hook", now=hooked.time.now()))
        deliverer.wake()
        await hooked.advance(60)
    assert await hooked.states() == {"sent": 2}


async def test_a_correction_kept_back_follows_its_retried_alert(hooked):
    hooked.receivers.answers["hook"] = lambda count: 409 if count == 1 else 200
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(5)
        await hooked.poll("a", ("e1", CALM))
        await hooked.advance(5)
        assert await hooked.states() == {"dead": 1, "suppressed": 1}
        await hooked.store.run(partial(alert_lists.retry, names=(), receiver=None, now=hooked.time.now()))
        hooked.deliverer.wake()
        await hooked.advance(5)
    assert kinds(hooked) == ["new", "new", "retracted"]


async def test_a_dropped_dead_letter_is_recorded_and_no_longer_counted(hooked):
    hooked.receivers.answers["hook"] = lambda _: 409
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(5)
    assert await hooked.store.read(deliveries.count_dead) == 1
    (dead,) = await hooked.listed(states=["dead"])
    assert await hooked.store.run(partial(alert_lists.drop, names=[dead.reference], receiver=None)) == 1
    assert await hooked.store.read(deliveries.count_dead) == 0
    assert await hooked.states() == {"dropped": 1}


async def test_a_refused_body_is_tried_once_more_in_plain_words(world):
    world.receiver("desk", "slack")
    world.rule("halted", "suspended")
    world.receivers.answers["desk"] = lambda count: 400 if count == 1 else 200
    async with world.delivering():
        await world.poll("a", ("e1", SAID))
        await world.advance(30)
    rich, plain = (one.event for one in world.receivers.of("desk"))
    assert "blocks" in rich
    assert set(plain) == {"text"}
    assert await world.states() == {"sent": 1}


async def test_a_body_refused_twice_is_a_dead_letter(world):
    world.receiver("desk", "slack")
    world.rule("halted", "suspended")
    world.receivers.answers["desk"] = lambda _: 400
    async with world.delivering():
        await world.poll("a", ("e1", SAID))
        await world.advance(30)
    assert world.receivers.counts["desk"] == 2
    assert await world.states() == {"dead": 1}


async def test_slack_gets_one_message_a_second(world):
    world.receiver("desk", "slack")
    for number in range(5):
        world.rule(f"rule-{number}", "suspended")
    async with world.delivering():
        await world.poll("a", ("e1", SAID))
        await world.advance(10)
    at = [one.at for one in world.receivers.of("desk")]
    assert len(at) == 5
    assert all(later - one >= timedelta(seconds=1) for one, later in zip(at, at[1:], strict=False))


async def test_a_receiver_that_was_away_gets_one_digest_of_its_backlog(world):
    world.receiver("desk", "slack")
    for number in range(30):
        world.rule(f"rule-{number}", f"word-{number}.")
    world.receivers.answers["desk"] = lambda count: 503 if count <= 6 else 200
    async with world.delivering():
        for number in range(30):
            await world.poll("a", (f"e{number}", f"word-{number}."))
        await world.advance(300)
    told = [one for one in world.receivers.of("desk") if one.status == 200]
    assert len(told) <= 4
    assert await world.states() == {"sent": 30}


async def test_after_failures_in_a_row_only_one_message_at_a_time_knocks(hooked):
    hooked.receivers.answers["hook"] = lambda _: 500
    async with hooked.delivering():
        await hooked.poll("a", *((f"e{number}", SAID) for number in range(40)))
        await hooked.advance(60)
        knocks = hooked.receivers.counts["hook"]
        await hooked.advance(600)
        assert hooked.receivers.counts["hook"] - knocks < 12
        hooked.receivers.answers.clear()
        await hooked.advance(3600)
    assert await hooked.states() == {"sent": 40}


async def test_what_cannot_be_delivered_in_time_is_listed_and_told(world):
    world.receiver("desk", keep=timedelta(minutes=10))
    world.receiver("hook")
    world.rule("halted", "suspended", notify=("desk",))
    world.receivers.answers["desk"] = lambda _: 500
    async with world.delivering():
        await world.poll("a", ("e1", SAID))
        await world.advance(3600)
    assert await world.states(receiver="desk") == {"dead": 1}
    assert "could not be delivered" in world.receivers.of("hook")[0].event["data"]["title"]


async def test_escalation_tells_the_receivers_it_adds(world):
    world.receiver("hook")
    world.receiver("chief")
    escalate = Escalation(3, timedelta(minutes=15), sources=2, notify=("chief",))
    world.rule("halted", "suspended", notify=("hook",), escalate=escalate)
    async with world.delivering():
        for source in ("a", "a", "b"):
            await world.poll(source, (f"e{world.time.now().timestamp()}", SAID))
            await world.advance(60)
    assert [one.event["data"]["severity"] for one in world.receivers.of("hook")] == ["warning", "warning", "critical"]
    assert [one.event["data"]["severity"] for one in world.receivers.of("chief")] == ["critical"]


async def test_a_silenced_alert_is_listed_with_who_silenced_it(hooked):
    add = partial(
        alert_lists.add_silence,
        matchers={"rule": "halted"},
        starts_at=hooked.time.now(),
        ends_at=hooked.time.now() + timedelta(hours=1),
        author="ana",
        comment="drill",
        now=hooked.time.now(),
    )
    await hooked.store.run(add)
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(7200)
        await hooked.poll("a", ("e2", SAID))
        await hooked.advance(5)
    assert kinds(hooked) == ["new"]
    (kept,) = await hooked.listed(states=["suppressed"])
    assert kept.reason == "silence 1 by ana: drill"


async def test_a_sink_that_cannot_show_an_alert_says_so_and_goes_on(hooked):
    sink = hooked.chosen[0].sink
    render = sink.render

    def broken(notice):
        if notice.items and "poison" in notice.items[0].alert.delta.change.entry.text:
            raise RuntimeError("bug")
        return render(notice)

    sink.render = broken
    async with hooked.delivering():
        await hooked.poll("a", ("e1", "suspended poison"))
        await hooked.poll("a", ("e2", SAID))
        await hooked.advance(5)
    assert {one.event["type"] for one in hooked.receivers.of("hook")} == {"monitor.notice", "monitor.alert.fired"}


async def test_a_sink_that_raises_is_retried_like_a_failure(hooked):
    sink = hooked.chosen[0].sink
    send = sink.send
    failures = iter([True, False])

    async def broken(letter):
        if next(failures):
            raise RuntimeError("bug")
        return await send(letter)

    sink.send = broken
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(30)
    assert await hooked.states() == {"sent": 1}


async def test_a_damaged_row_is_told_in_the_log_and_stops_no_other_receiver(world, capsys):
    from sqlalchemy import update

    from monitor.store.alert_tables import alerts

    world.receiver("hook")
    world.receiver("other")
    world.rule("halted", "suspended", notify=("hook",))
    world.rule("truce", "violation", notify=("other",))
    await world.poll("a", ("e1", SAID))
    await world.store.run(lambda connection: connection.execute(update(alerts).values(payload=b"{}")).rowcount)
    async with world.delivering():
        await world.advance(1)
        await world.poll("b", ("e1", "violation"))
        await world.advance(1)
    assert world.receivers.counts == {"other": 1}
    assert await world.states(receiver="hook") == {"waiting": 1}
    assert "delivery_failed" in capsys.readouterr().out


async def test_drain_sends_what_can_leave_and_leaves_the_rest(hooked):
    from monitor.daemon.delivery.deliverer import Deliverer, DeliverySetup

    hooked.receivers.answers["hook"] = lambda count: 500 if count == 2 else 200
    await hooked.poll("a", ("e1", SAID), ("e2", SAID), ("e3", SAID))
    setup = DeliverySetup(tuple(hooked.chosen), hooked.rules)
    async with Deliverer(hooked.store, setup, time=hooked.time) as deliverer:
        await deliverer.drain()
    assert await hooked.states() == {"sent": 2, "pending": 1}


async def test_drain_does_not_wait_for_late_alerts_to_gather(hooked):
    from monitor.daemon.delivery.deliverer import Deliverer, DeliverySetup

    await hooked.poll("a", ("e1", SAID), ("e2", SAID), catch_up=True)
    async with Deliverer(
        hooked.store, DeliverySetup(tuple(hooked.chosen), hooked.rules), time=hooked.time
    ) as deliverer:
        await deliverer.drain()
    (heard,) = hooked.receivers.of("hook")
    assert (heard.event["type"], heard.event["data"]["late"]) == ("monitor.alert.digest", True)


async def test_late_alerts_of_many_sources_are_one_digest_marked_late(hooked):
    async with hooked.delivering():
        for source in ("a", "b", "c"):
            await hooked.poll(source, ("e1", SAID), catch_up=True)
            await hooked.advance(4)
        assert hooked.receivers.heard == []
        await hooked.advance(60)
    (heard,) = hooked.receivers.of("hook")
    assert (heard.event["data"]["count"], heard.event["data"]["late"]) == (3, True)


async def test_a_message_in_flight_at_shutdown_is_finished(hooked):
    arrived = asyncio.Event()

    async def slow(_):
        arrived.set()
        await asyncio.sleep(0.2)
        return web.Response()

    hooked.receivers.answers["hook"] = lambda _: slow
    async with hooked.delivering():
        await hooked.poll("a", ("e1", SAID))
        await arrived.wait()
    assert await hooked.states() == {"sent": 1}


async def test_a_reload_changes_pace_and_keeps_the_connection(hooked):
    from dataclasses import replace

    from monitor.daemon.delivery.deliverer import DeliverySetup

    async with hooked.delivering() as deliverer:
        before = deliverer.setup.receivers[0]
        wanted = replace(before, policy=replace(before.policy, rate=7.0))
        await deliverer.reconfigure(DeliverySetup((wanted,), hooked.rules))
        assert deliverer.setup.receivers[0].sink is before.sink
        assert deliverer.setup.receivers[0].policy.rate == 7.0
        await hooked.poll("a", ("e1", SAID))
        await hooked.advance(1)
    assert kinds(hooked) == ["new"]


async def test_a_receiver_taken_out_keeps_its_messages_for_when_it_is_back(hooked):
    from monitor.daemon.delivery.deliverer import DeliverySetup

    async with hooked.delivering() as deliverer:
        setup = deliverer.setup
        await deliverer.reconfigure(DeliverySetup((), hooked.rules))
        await hooked.poll("a", ("e1", SAID))
        assert await hooked.states() == {"waiting": 1}
        await deliverer.reconfigure(setup)
        await hooked.advance(1)
    assert kinds(hooked) == ["new"]
