"""The relay: each message in its stream exactly once, in order, whatever the server forgets or refuses."""

import asyncio
import json
import os
import signal

import pytest

from monitor.bus import Position, Relay, RelayEvents, StreamKey, connect
from monitor.errors import BusUnavailable, StoreUnavailable
from monitor.model import Outgoing

STREAM = "monitor:{live}:deltas"


async def ids(client, stream=STREAM):
    return [entry_id.decode() for entry_id, _ in await client.command("XRANGE", stream, "-", "+")]


@pytest.fixture
async def relay(any_server, outbox):
    relay = Relay(any_server.url, outbox)
    yield relay
    await relay.aclose()


async def test_the_stream_holds_the_outboxs_bytes_under_dense_ids(relay, client, outbox, row):
    for sequence in range(1, 6):
        outbox.add(row(sequence=sequence))
    assert await relay.drain() == 5
    entries = await client.command("XRANGE", STREAM, "-", "+")
    assert [entry_id for entry_id, _ in entries] == [b"1-1", b"1-2", b"1-3", b"1-4", b"1-5"]
    assert [fields for _, fields in entries] == [{b"d": row(sequence=n).payload} for n in range(1, 6)]
    assert await outbox.pending(10) == []


async def test_channel_firehose_and_pattern_get_the_same_bytes(any_server, relay, client, outbox, row):
    pubsub = client.pubsub()
    await pubsub.subscribe(STREAM, "monitor:deltas")
    await pubsub.psubscribe("monitor:*:deltas")
    while (await pubsub.get_message(timeout=1))["type"] != "psubscribe":
        pass
    outbox.add(row())
    await relay.drain()
    heard = {}
    while len(heard) < 3:
        message = await pubsub.get_message(timeout=2)
        heard[message["type"], message["channel"]] = message["data"]
    await pubsub.aclose()
    assert heard == {
        ("message", STREAM.encode()): row().payload,
        ("message", b"monitor:deltas"): row().payload,
        ("pmessage", STREAM.encode()): row().payload,
    }


async def test_alerts_have_one_stream_and_one_channel(relay, client, outbox, alert_row):
    outbox.add(alert_row(1))
    outbox.add(alert_row(2))
    await relay.drain()
    assert await ids(client, "monitor:alerts") == ["1-1", "1-2"]


async def test_a_repeat_is_neither_stored_nor_announced(relay, client, outbox, row):
    outbox.add(row())
    await relay.drain()
    pubsub = client.pubsub()
    await pubsub.subscribe(STREAM)
    await pubsub.get_message(timeout=1)
    outbox.published.clear()  # as after a crash between publishing and marking
    assert await relay.drain() == 0
    assert relay.state.repeated == 1
    assert await pubsub.get_message(timeout=0.1) is None
    await pubsub.aclose()
    assert await ids(client) == ["1-1"]


async def test_an_emptied_server_is_refilled(relay, client, outbox, row):
    for sequence in range(1, 301):
        outbox.add(row(sequence=sequence))
    await relay.drain()
    await client.command("FLUSHALL")
    outbox.add(row(sequence=301))
    await relay.drain()
    assert await ids(client) == [f"1-{n}" for n in range(1, 302)]
    assert await client.command("SMEMBERS", "monitor:sources") == {b"live"}


async def test_a_server_that_was_set_back_is_filled_up(relay, client, outbox, row):
    for sequence in range(1, 11):
        outbox.add(row(sequence=sequence))
    await relay.drain()
    saved = await client.command("DUMP", STREAM)
    for sequence in range(11, 21):
        outbox.add(row(sequence=sequence))
    await relay.drain()
    await client.command("DEL", STREAM)
    await client.command("RESTORE", STREAM, 0, saved)
    await relay.drain()
    assert await ids(client) == [f"1-{n}" for n in range(1, 21)]


async def test_a_gap_is_closed_while_running_without_a_reconnect(server, outbox, row, relaying, eventually):
    relay = await relaying(server.url)
    outbox.add(row(sequence=1))
    relay.wake()
    connection = connect(server.url)
    await eventually(lambda: relay.state.published == 1)
    await connection.command("FLUSHALL")
    outbox.add(row(sequence=2))
    relay.wake()

    async def both():
        return await ids(connection) == ["1-1", "1-2"]

    await eventually(both)
    await connection.aclose()


async def test_what_the_store_no_longer_keeps_is_skipped_and_told(any_server, client, outbox, row):
    holes = []
    relay = Relay(any_server.url, outbox, events=RelayEvents(on_truncated=holes.append))
    for sequence in range(1, 11):
        outbox.add(row(sequence=sequence))
    await relay.drain()
    outbox.drop_before("deltas", "live", (1, 8))
    await client.command("FLUSHALL")
    await relay.drain()
    await relay.aclose()
    assert await ids(client) == ["1-8", "1-9", "1-10"]
    assert [(hole.key, hole.after, hole.first) for hole in holes] == [
        (StreamKey("deltas", "live"), Position(0, 0), Position(1, 8))
    ]


async def test_a_hole_in_the_middle_is_skipped_only_after_the_store_was_asked(relay, client, outbox, row):
    for sequence in (1, 2, 3):
        outbox.add(row(sequence=sequence))
    await relay.drain()
    for sequence in (6, 7):
        outbox.add(row(sequence=sequence))
    await relay.drain()
    assert ("deltas", "live", 1, 3) in outbox.rewinds
    assert await ids(client) == ["1-1", "1-2", "1-3", "1-6", "1-7"]


async def test_a_trimmed_stream_goes_on_where_it_ended(relay, client, outbox, row):
    outbox.add(row(sequence=1))
    await relay.drain()
    await client.command("XTRIM", STREAM, "MAXLEN", 0)
    outbox.add(row(sequence=2))
    await relay.drain()
    assert await ids(client) == ["1-2"]


async def test_streams_are_trimmed_to_about_their_length(any_server, client, outbox, row):
    relay = Relay(any_server.url, outbox, stream_length=50)
    for sequence in range(1, 401):
        outbox.add(row(sequence=sequence))
    await relay.drain()
    await relay.aclose()
    left = await ids(client)
    assert left[-1] == "1-400"
    assert 50 <= len(left) <= 160  # "~" trims whole nodes of up to 100 entries


async def test_a_new_epoch_begins_at_one(relay, client, outbox, row):
    outbox.add(row(sequence=1))
    outbox.add(row(sequence=2))
    outbox.add(row(sequence=1, epoch=2))
    await relay.drain()
    assert await ids(client) == ["1-1", "1-2", "2-1"]


async def test_a_store_that_went_back_in_time_is_told_and_its_stream_held_until_the_epoch_rises(
    any_server, client, outbox, row
):
    first = Relay(any_server.url, outbox)
    for sequence in range(1, 6):
        outbox.add(row(sequence=sequence))
    await first.drain()
    await first.aclose()
    for sequence in (4, 5):  # an older copy of the store
        del outbox.rows["deltas", "live", 1, sequence]
    told = []

    async def rise(ends):
        told.append(dict(ends))
        await outbox.begin_after(ends)

    silent = Relay(any_server.url, outbox)
    await silent.drain()
    assert list(silent.state.blocked) == [StreamKey("deltas", "live")]
    await silent.aclose()
    relay = Relay(any_server.url, outbox, events=RelayEvents(on_ahead=rise))
    await relay.drain()
    outbox.epochs.clear()
    outbox.add(row(sequence=1, epoch=2))
    await relay.drain()
    await relay.aclose()
    assert told == [{StreamKey("deltas", "live"): Position(1, 5)}]
    assert (await ids(client))[-2:] == ["1-5", "2-1"]


async def test_an_epoch_that_does_not_rise_far_enough_holds_its_stream_up_and_no_other(any_server, client, outbox, row):
    rises = []

    async def rise(ends):
        rises.append(ends)
        outbox.epochs.update(dict.fromkeys(ends, len(rises) + 1))

    await client.command("XADD", STREAM, "*", "d", "another writer's")
    relay = Relay(any_server.url, outbox, events=RelayEvents(on_ahead=rise))
    outbox.add(row(sequence=1))
    outbox.add(row("other", 1))
    await relay.drain()
    await relay.aclose()
    assert len(rises) == 1
    assert list(relay.state.blocked) == [StreamKey("deltas", "live")]
    assert await ids(client, "monitor:{other}:deltas") == ["1-1"]


async def test_a_different_message_under_a_known_id_gets_an_id_of_its_own(any_server, client, outbox, row):
    relay = Relay(any_server.url, outbox, events=RelayEvents(on_ahead=outbox.begin_after))
    outbox.add(row(sequence=1))
    await relay.drain()
    outbox.add(row(sequence=1, text="Something else."))
    outbox.published.clear()
    await relay.drain()
    await relay.aclose()
    assert relay.state.conflicts == 1
    assert await ids(client) == ["1-1", "2-1"]
    held = [json.loads(fields[b"d"]) for _, fields in await client.command("XRANGE", STREAM, "-", "+")]
    assert [event["data"]["entry"]["text"] for event in held] == ["The road is open.", "Something else."]
    assert held[1]["id"] == "live/2-1"


async def test_without_a_way_to_other_ids_a_different_message_waits_and_is_told(relay, client, outbox, row):
    outbox.add(row(sequence=1))
    await relay.drain()
    outbox.add(row(sequence=1, text="Something else."))
    outbox.published.clear()
    await relay.drain()
    assert "this store did not write" in relay.state.trouble
    assert len(await outbox.pending(9)) == 1
    assert await ids(client) == ["1-1"]


async def test_a_key_of_another_type_blocks_its_own_stream_only(relay, client, outbox, row):
    await client.command("SET", STREAM, "mine")
    outbox.add(row("live", 1))
    outbox.add(row("other", 1))
    await relay.drain()
    assert await ids(client, "monitor:{other}:deltas") == ["1-1"]
    assert "not a stream" in relay.state.blocked[StreamKey("deltas", "live")]
    assert "live" in relay.state.trouble
    await client.command("DEL", STREAM)
    await relay.drain()
    assert await ids(client) == ["1-1"]
    assert relay.state.trouble == ""


async def test_two_relays_on_one_outbox_publish_nothing_twice(any_server, client, outbox, row):
    for sequence in range(1, 501):
        outbox.add(row(sequence=sequence))
    relays = [Relay(any_server.url, outbox) for _ in range(2)]
    await asyncio.gather(*(relay.drain() for relay in relays))
    for relay in relays:
        await relay.aclose()
    assert await ids(client) == [f"1-{n}" for n in range(1, 501)]


async def test_nothing_is_lost_while_the_server_is_killed_again_and_again(server, outbox, row, relaying, eventually):
    relay = await relaying(server.url)
    for sequence in range(1, 121):
        outbox.add(row(sequence=sequence))
        relay.wake()
        if sequence % 50 == 0 and server.pid:
            os.kill(server.pid, signal.SIGKILL)
        await asyncio.sleep(0.005)
    connection = connect(server.url)

    async def whole():
        try:
            return await ids(connection) == [f"1-{n}" for n in range(1, 121)]
        except BusUnavailable:
            return False

    await eventually(whole)
    await connection.aclose()


async def test_a_store_that_fails_is_waited_for_and_not_called_the_servers_trouble(
    server, outbox, row, relaying, eventually, monkeypatch
):
    relay = await relaying(server.url)
    await eventually(lambda: relay.state.connected)
    failures = []

    async def fail(*_):
        failures.append(1)
        raise StoreUnavailable("the disk is full", resource="monitor.db")

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "pending", fail)
        relay.wake()
        await eventually(lambda: len(failures) > 2)
        assert (relay.state.connected, relay.state.trouble) == (True, "")
    outbox.add(row())
    await eventually(lambda: relay.state.published == 1)


async def test_a_frozen_server_does_not_freeze_us(server, outbox, row, relaying, monkeypatch, eventually):
    monkeypatch.setattr("monitor.bus.connection.ANSWER_SECONDS", 0.3)
    relay = await relaying(server.url)
    await eventually(lambda: relay.state.connected)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        outbox.add(row())
        relay.wake()
        await eventually(lambda: not relay.state.connected)
        assert "in time" in relay.state.trouble
    finally:
        os.kill(server.pid, signal.SIGCONT)
    await eventually(lambda: relay.state.connected and relay.state.published == 1)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [("maxmemory", "1", "memory limit"), ("min-replicas-to-write", "1", "too few replicas")],
)
async def test_a_server_that_refuses_writes_is_waited_for_and_named(
    setting, value, words, any_server, client, outbox, row, eventually, relaying
):
    relay = await relaying(any_server.url)
    await eventually(lambda: relay.state.connected)
    await client.command("CONFIG", "SET", setting, value)
    outbox.add(row())
    relay.wake()
    await eventually(lambda: words in relay.state.trouble)
    await client.command("CONFIG", "SET", setting, 0)
    await eventually(lambda: relay.state.published == 1)
    assert relay.state.trouble == ""


async def test_a_server_that_cannot_save_is_named_and_waited_for(own_server, outbox, row, relaying, eventually):
    relay = await relaying(own_server.url)
    connection = connect(own_server.url)
    in_the_way = own_server.directory / "dump.rdb"
    in_the_way.mkdir()
    await connection.command("CONFIG", "SET", "save", "3600 1")
    await connection.command("BGSAVE")

    async def last_save(status):
        about = (await connection.info())[0]
        return about["rdb_last_bgsave_status"] == status and not about["rdb_bgsave_in_progress"]

    await eventually(lambda: last_save("err"))
    outbox.add(row())
    relay.wake()
    await eventually(lambda: "cannot write its files" in relay.state.trouble)
    in_the_way.rmdir()
    await connection.command("BGSAVE")
    await eventually(lambda: relay.state.published == 1)
    await connection.aclose()


async def test_a_read_only_replica_is_named(any_server, client, outbox, row):
    await client.command("REPLICAOF", "127.0.0.1", 1)
    await client.command("CONFIG", "SET", "replica-serve-stale-data", "yes")
    relay = Relay(any_server.url, outbox)
    outbox.add(row())
    with pytest.raises(BusUnavailable, match="read-only replica"):
        await relay.drain()
    await relay.aclose()
    assert len(await outbox.pending(10)) == 1


async def test_a_user_without_rights_is_told_which_are_missing(any_server, client, outbox, row):
    await client.command("ACL", "SETUSER", "weak", "on", ">pw", "+ping", "+info", "+hello", "+client")
    relay = Relay(any_server.url.replace("unix://", "unix://weak:pw@"), outbox)
    outbox.add(row())
    with pytest.raises(BusUnavailable, match=r"lacks a permission.*eval"):
        await relay.drain()
    await relay.aclose()


async def test_scripts_that_the_server_forgot_are_sent_again(relay, client, outbox, row):
    outbox.add(row(sequence=1))
    await relay.drain()
    await client.command("SCRIPT", "FLUSH")
    outbox.add(row(sequence=2))
    await relay.drain()
    assert await ids(client) == ["1-1", "1-2"]


async def test_a_full_64_kb_message_passes(relay, client, outbox):
    payload = json.dumps({"d": "x" * 65_000}).encode()
    outbox.add(Outgoing("deltas", "live", 1, 1, payload))
    await relay.drain()
    assert (await client.command("XRANGE", STREAM, "-", "+"))[0][1][b"d"] == payload


async def test_the_status_channel_beats_and_tells_changes(server, relaying):
    connection = connect(server.url)
    pubsub = connection.pubsub()
    await pubsub.subscribe("monitor:status")
    await pubsub.get_message(timeout=1)
    relay = await relaying(server.url)
    beat = json.loads((await pubsub.get_message(timeout=3))["data"])
    assert beat["type"] == "monitor.status.heartbeat"
    assert beat["data"]["interval"] == 5.0
    assert await relay.publish_status({"source": "live", "state": "failing"})
    told = json.loads((await pubsub.get_message(timeout=3))["data"])
    assert (told["type"], told["data"]) == ("monitor.status.changed", {"source": "live", "state": "failing"})
    await pubsub.aclose()
    await connection.aclose()


async def test_nobody_to_tell_is_no_failure(outbox, short_dir):
    relay = Relay(f"unix://{short_dir}/nothing.sock", outbox)
    assert await relay.publish_status({"source": "live"}) is False
    await relay.aclose()
