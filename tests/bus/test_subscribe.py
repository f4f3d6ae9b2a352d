"""subscribe: every delta once and in order, from wherever a reader left off."""

import asyncio
import os
import random
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from monitor.bus import Relay, connect, subscribe, subscribe_alerts, subscribe_raw, subscribe_sync
from monitor.bus.status import HEARTBEAT, status_event
from monitor.errors import BusUnavailable, HistoryTruncated

STREAM = "monitor:{live}:deltas"


async def take(subscription, count, seconds=10):
    async with asyncio.timeout(seconds):
        return [await anext(subscription) for _ in range(count)]


async def nothing_more(subscription):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(subscription), 0.3)


@pytest.fixture
async def publish(any_server, outbox):
    """Put rows into the outbox and drain it."""
    relay = Relay(any_server.url, outbox)

    async def put(*rows):
        for row in rows:
            outbox.add(row)
        await relay.drain()

    yield put
    await relay.aclose()


@asynccontextmanager
async def reading(subscription):
    """A subscription that has begun: what is published from here on counts as later."""
    waiting = asyncio.ensure_future(anext(subscription))
    async with asyncio.timeout(5):
        while not subscription._follower._begun:
            await asyncio.sleep(0.005)

    class Begun:
        async def __anext__(self):
            nonlocal waiting
            value = await waiting
            waiting = asyncio.ensure_future(anext(subscription))
            return value

    try:
        yield Begun()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await subscription.aclose()


async def test_without_since_only_what_comes_from_now_on(any_server, publish, row, delta):
    await publish(row(sequence=1), row(sequence=2))
    async with reading(subscribe(any_server.url, ["live"])) as later:
        await publish(row(sequence=3))
        assert await take(later, 1) == [delta(sequence=3)]


async def test_without_sources_every_source_new_ones_included(any_server, publish, row):
    await publish(row("old", 1))
    async with reading(subscribe(any_server.url)) as later:
        await publish(row("new", 1), row("old", 2), row("new", 2))
        got = [d.id for d in await take(later, 3)]
        assert sorted(got) == ["new/1-1", "new/1-2", "old/1-2"]
        assert got.index("new/1-1") < got.index("new/1-2")


@pytest.mark.parametrize("since", ["live/1-2", "1-2", {"live": "1-2"}, {"live": "live/1-2"}])
async def test_since_an_id_goes_on_after_it(since, any_server, publish, row):
    await publish(*(row(sequence=n) for n in range(1, 5)))
    async with subscribe(any_server.url, ["live"], since=since) as subscription:
        assert [d.id for d in await take(subscription, 2)] == ["live/1-3", "live/1-4"]


async def test_since_zero_is_all_the_streams_hold(any_server, publish, row):
    await publish(*(row(source, n) for source in ("a", "b") for n in (1, 2, 3)))
    async with subscribe(any_server.url, since="0") as subscription:
        got = [d.id for d in await take(subscription, 6)]
    assert [i for i in got if i.startswith("a")] == ["a/1-1", "a/1-2", "a/1-3"]
    assert [i for i in got if i.startswith("b")] == ["b/1-1", "b/1-2", "b/1-3"]


async def test_since_positions_reads_sources_that_are_not_among_them_from_their_start(any_server, publish, row):
    await publish(row("a", 1), row("a", 2), row("b", 1))
    async with subscribe(any_server.url, since={"a": "1-1"}) as subscription:
        assert sorted(d.id for d in await take(subscription, 2)) == ["a/1-2", "b/1-1"]


async def test_patterns_of_sources_include_new_ones_and_nothing_else(any_server, publish, row):
    await publish(row("aleppo", 1), row("mosul", 1))
    async with subscribe(any_server.url, ["al*", "idlib"], since="0") as subscription:
        assert [d.id for d in await take(subscription, 1)] == ["aleppo/1-1"]
        await publish(row("mosul", 2), row("alma", 1), row("idlib", 1), row("aleppo", 2))
        assert sorted(d.id for d in await take(subscription, 3)) == ["aleppo/1-2", "alma/1-1", "idlib/1-1"]
        await nothing_more(subscription)


async def test_a_pattern_can_go_on_after_an_id(any_server, publish, row):
    await publish(*(row(source, n) for source in ("aleppo", "mosul") for n in (1, 2)))
    async with subscribe(any_server.url, ["*"], since="aleppo/1-1") as subscription:
        assert [d.id for d in await take(subscription, 1)] == ["aleppo/1-2"]


@pytest.mark.parametrize("later", [0, 900])
async def test_since_a_time_is_everything_of_then_or_later(later, any_server, publish, row, delta):
    await publish(*(row(sequence=n) for n in range(1, 301)))
    at = delta(sequence=290).seen_at + timedelta(microseconds=later)  # messages name milliseconds
    async with subscribe(any_server.url, ["live"], since=at) as subscription:
        assert [d.sequence for d in await take(subscription, 11)] == list(range(290, 301))


async def test_since_the_time_of_a_poll_leaves_none_of_its_deltas_out(any_server, publish, row, delta):
    at = delta(sequence=2).seen_at
    await publish(row(sequence=1), *(row(sequence=n, seen_at=at) for n in (2, 3, 4)))
    async with subscribe(any_server.url, ["live"], since=at) as subscription:
        assert [d.sequence for d in await take(subscription, 3)] == [2, 3, 4]


async def test_since_a_time_before_all_of_a_whole_stream_is_its_start(any_server, publish, row, delta):
    await publish(row(sequence=1), row(sequence=2))
    async with subscribe(any_server.url, ["live"], since=delta(sequence=0).seen_at) as subscription:
        assert [d.sequence for d in await take(subscription, 2)] == [1, 2]


async def test_positions_resume_where_a_reader_stopped(any_server, publish, row):
    await publish(*(row(sequence=n) for n in range(1, 6)))
    async with subscribe(any_server.url, since="0") as first:
        await take(first, 3)
        positions = first.positions
    assert positions == {"live": "1-3"}
    async with subscribe(any_server.url, since=positions) as second:
        assert [d.sequence for d in await take(second, 2)] == [4, 5]


async def test_a_trimmed_history_is_told_with_the_oldest_id_left_and_reading_goes_on_from_it(
    any_server, publish, client, row
):
    await publish(*(row(sequence=n) for n in range(1, 11)))
    await client.command("XTRIM", STREAM, "MINID", "1-7")
    async with subscribe(any_server.url, ["live"], since="1-3") as subscription:
        with pytest.raises(HistoryTruncated) as told:
            await take(subscription, 1)
        assert (told.value.resource, told.value.first_available) == ("live", "live/1-7")
        assert [d.sequence for d in await take(subscription, 4)] == [7, 8, 9, 10]


async def test_a_time_before_a_trimmed_streams_start_is_told(any_server, publish, client, row, delta):
    await publish(*(row(sequence=n) for n in range(1, 11)))
    await client.command("XTRIM", STREAM, "MINID", "1-7")
    async with subscribe(any_server.url, ["live"], since=delta(sequence=3).seen_at) as subscription:
        with pytest.raises(HistoryTruncated):
            await take(subscription, 1)
        assert [d.sequence for d in await take(subscription, 4)] == [7, 8, 9, 10]


async def test_an_epoch_that_rose_is_followed_without_a_hole(any_server, publish, row):
    await publish(*(row(sequence=n) for n in range(1, 4)))
    async with subscribe(any_server.url, ["live"], since="1-2") as subscription:
        await take(subscription, 1)
        await publish(row(sequence=1, epoch=2), row(sequence=2, epoch=2))
        assert [d.id for d in await take(subscription, 2)] == ["live/2-1", "live/2-2"]


async def test_an_epoch_whose_first_deltas_were_trimmed_is_a_hole(any_server, publish, client, row):
    await publish(row(sequence=1), *(row(sequence=n, epoch=2) for n in range(1, 6)))
    await client.command("XTRIM", STREAM, "MINID", "2-4")
    async with subscribe(any_server.url, ["live"], since="1-1") as subscription:
        with pytest.raises(HistoryTruncated) as told:
            await take(subscription, 1)
        assert told.value.first_available == "live/2-4"


async def test_a_message_only_the_stream_knows_is_found_by_looking(any_server, publish, client, row):
    async with reading(subscribe(any_server.url, ["live"], check_every=0.2)) as later:
        await client.command("XADD", STREAM, "1-1", "d", row(sequence=1).payload)  # its PUBLISH was lost
        assert [d.sequence for d in await take(later, 1)] == [1]


async def test_repeats_and_stale_messages_on_the_channel_are_dropped(any_server, publish, client, row):
    await publish(row(sequence=1))
    async with reading(subscribe(any_server.url, ["live"], since="0")) as later:
        await take(later, 1)
        await client.command("PUBLISH", STREAM, row(sequence=1).payload)
        await publish(row(sequence=2))
        assert [d.sequence for d in await take(later, 1)] == [2]


async def test_noise_on_the_channel_does_no_harm(any_server, publish, client, row):
    async with reading(subscribe(any_server.url, ["live"])) as later:
        for noise in (b"", b"{", b"\xff\xfe", b'{"epoch":"x"}', b'{"epoch":1}', b"[]", row(sequence=99).payload):
            await client.command("PUBLISH", STREAM, noise)
        await publish(row(sequence=1))
        assert [d.sequence for d in await take(later, 1)] == [1]


async def test_entries_of_another_writer_are_no_messages(any_server, publish, client, row, delta):
    await client.command("XADD", STREAM, "0-5", "other", "x")
    await publish(row(sequence=1))
    async with subscribe(any_server.url, ["live"], since="0") as subscription:
        assert [d.sequence for d in await take(subscription, 1)] == [1]
    async with subscribe(any_server.url, ["live"], since=delta(sequence=0).seen_at) as subscription:
        assert [d.sequence for d in await take(subscription, 1)] == [1]


async def test_a_message_that_is_no_delta_is_a_value_error_and_reading_goes_on(any_server, publish, client, row):
    await client.command("XADD", STREAM, "0-5", "d", "{}")
    await publish(row(sequence=1))
    async with subscribe(any_server.url, ["live"], since="0") as subscription:
        with pytest.raises(ValueError):
            await take(subscription, 1)
        assert [d.sequence for d in await take(subscription, 1)] == [1]


async def test_raw_gives_the_published_bytes(any_server, publish, row):
    await publish(row(sequence=1, text="“Evacuation” — перемирие"))
    async with subscribe_raw(any_server.url, since="0") as subscription:
        assert await take(subscription, 1) == [row(sequence=1, text="“Evacuation” — перемирие").payload]


async def test_alerts_have_their_own_subscription(any_server, publish, alert_row):
    await publish(alert_row(1), alert_row(2))
    async with reading(subscribe_alerts(any_server.url, since="1-1")) as alerts:
        assert [a.id for a in await take(alerts, 1)] == ["a2"]
        await publish(alert_row(3))
        assert [a.id for a in await take(alerts, 1)] == ["a3"]


async def test_a_slow_reader_holds_a_bounded_number_and_misses_nothing(any_server, publish, row):
    subscription = subscribe(any_server.url, ["live"], buffer=10)
    async with reading(subscription) as later:
        for start in range(1, 500, 50):
            await publish(*(row(sequence=n) for n in range(start, start + 50)))
        assert len(subscription._follower._ready) <= 10
        assert [d.sequence for d in await take(later, 500)] == list(range(1, 501))


async def test_a_reader_survives_a_server_that_is_killed_and_comes_back(server, outbox, row, relaying):
    relay = await relaying(server.url)
    async with reading(subscribe(server.url, ["live"])) as later:
        for n in range(1, 61):
            outbox.add(row(sequence=n))
            relay.wake()
            if n in {20, 40} and server.pid:
                os.kill(server.pid, signal.SIGKILL)
            await asyncio.sleep(0.01)
        assert [d.sequence for d in await take(later, 60, seconds=15)] == list(range(1, 61))


async def test_a_server_that_comes_back_empty_repeats_nothing(server, outbox, row, relaying):
    relay = await relaying(server.url)
    async with reading(subscribe(server.url, since="0")) as later:
        for n in range(1, 31):
            outbox.add(row(sequence=n))
        relay.wake()
        assert [d.sequence for d in await take(later, 30)] == list(range(1, 31))
        emptier = connect(server.url)
        await emptier.command("FLUSHALL")
        await emptier.aclose()
        outbox.add(row(sequence=31))
        relay.wake()
        assert [d.sequence for d in await take(later, 1)] == [31]


async def test_a_connection_cut_by_the_server_is_made_again(any_server, publish, client, row):
    async with reading(subscribe(any_server.url, ["live"])) as later:
        await client.command("CLIENT", "KILL", "TYPE", "pubsub")
        await publish(row(sequence=1))
        assert [d.sequence for d in await take(later, 1)] == [1]


async def test_a_reader_that_is_cancelled_ends_whatever_it_was_about(server):
    chance = random.Random(4)
    async with subscribe(server.url, ["live"], since="0", check_every=0.0005) as subscription:
        for _ in range(300):
            reading = asyncio.ensure_future(anext(subscription))
            await asyncio.sleep(chance.uniform(0, 0.004))
            reading.cancel()
            done, _ = await asyncio.wait({reading}, timeout=3)
            assert done, "the cancellation was lost"


async def test_a_server_that_is_not_there_is_told_at_once(short_dir):
    subscription = subscribe(f"unix://{short_dir}/nothing.sock")
    with pytest.raises(BusUnavailable, match="no connection"):
        await anext(subscription)
    await subscription.aclose()


async def test_an_outage_longer_than_the_patience_is_raised(server):
    async with reading(subscribe(server.url, ["live"], patience=0.2)) as later:
        await server.stop()
        with pytest.raises(BusUnavailable):
            await take(later, 1)


async def test_silence_is_told_from_outage(server, relaying, eventually):
    subscription = subscribe(server.url)
    async with reading(subscription):
        await asyncio.sleep(0.1)
        assert subscription.connected
        silent = subscription.silent_for
        await relaying(server.url)  # its first heartbeat
        await eventually(lambda: subscription.silent_for < silent)
        os.kill(server.pid, signal.SIGKILL)
        await eventually(lambda: not subscription.connected)
        assert subscription.trouble


@pytest.mark.parametrize("since", ["one", "1-2", "a/b", "live/1-x", {"live": "other/1-1"}])
def test_a_since_without_a_meaning_is_refused(since):
    with pytest.raises(ValueError):
        subscribe("redis://localhost", since=since)


def test_a_time_without_a_zone_is_refused(delta):
    with pytest.raises(ValueError, match="zone"):
        subscribe("redis://localhost", since=delta().seen_at.replace(tzinfo=None) + timedelta(1))


def test_without_an_event_loop_a_plain_loop_reads_the_same(short_dir, outbox, row):
    async def publish(url):
        relay = Relay(url, outbox)
        await relay.drain()
        await relay.aclose()

    from monitor.bus import EmbeddedServer

    for n in (1, 2, 3):
        outbox.add(row(sequence=n))
    with asyncio.Runner() as runner:
        server = EmbeddedServer(short_dir)
        runner.run(server.start())
        runner.run(publish(server.url))
        with subscribe_sync(server.url, ["live"], since="0") as deltas:
            assert [next(deltas).sequence for _ in range(3)] == [1, 2, 3]
            assert deltas.positions == {"live": "1-3"}
        runner.run(server.stop())


@pytest.fixture
def beat(client):
    """Publish a heartbeat of a daemon's run."""

    async def publish(run, **facts):
        data = {"interval": 5.0, "run": run, "published": 0, "waiting": False, "blocked": 0, **facts}
        message = status_event(HEARTBEAT, data, now=datetime.now(UTC), event_id="b")
        await client.command("PUBLISH", "monitor:status", message)

    return publish


async def beats(subscription, beat, *facts):
    """Let a subscription hear heartbeats and act on each."""
    for one in facts:
        heard = subscription._follower.last_heard
        await beat("fresh", **one)
        async with asyncio.timeout(5):
            while subscription._follower.last_heard == heard:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)


async def test_a_stream_that_was_begun_anew_is_told_and_read_from_its_first(any_server, client, publish, row, beat):
    await publish(row(sequence=1), row(sequence=2))  # a fresh store on a fresh server
    async with subscribe(any_server.url, ["live"], since="live/1-57") as subscription:
        waiting = asyncio.ensure_future(anext(subscription))
        async with asyncio.timeout(5):
            while not subscription._follower._begun:
                await asyncio.sleep(0.005)
        await beats(subscription, beat, {}, {})
        with pytest.raises(HistoryTruncated, match=r"begun anew.*1-57") as hole:
            await asyncio.wait_for(waiting, 5)
        assert hole.value.first_available == "live/1-1"
        assert [delta.id for delta in await take(subscription, 2)] == ["live/1-1", "live/1-2"]
        await publish(row(sequence=3))
        assert [delta.id for delta in await take(subscription, 1)] == ["live/1-3"]


async def test_a_stream_that_is_being_refilled_is_waited_for(any_server, client, publish, row, beat):
    await publish(row(sequence=1))
    async with subscribe(any_server.url, ["live"], since="live/1-2") as subscription:
        waiting = asyncio.ensure_future(anext(subscription))
        async with asyncio.timeout(5):
            while not subscription._follower._begun:
                await asyncio.sleep(0.005)
        await beats(subscription, beat, {"waiting": True}, {"waiting": True}, {"blocked": 1}, {})
        await publish(row(sequence=2))
        await beats(subscription, beat, {}, {})
        assert not waiting.done()
        await publish(row(sequence=3))
        assert (await asyncio.wait_for(waiting, 5)).id == "live/1-3"
