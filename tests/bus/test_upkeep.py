"""What is noticed about a server, and what is forgotten by age."""

import pytest

from monitor.bus import Relay, RelayEvents, connect
from monitor.bus.inspection import judge
from monitor.bus.outbox import Position, StreamKey
from monitor.bus.verification import compare

GOOD = {
    "redis_version": "7.2.4",
    "run_id": "r1",
    "role": "master",
    "maxmemory": 0,
    "used_memory": 1_000_000,
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
}


def test_a_server_that_keeps_what_it_is_given_has_no_warnings():
    assert judge([GOOD]).warnings == ()


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ({"redis_version": "6.0.16"}, "Redis 6.2 or newer"),
        ({"role": "slave"}, "replica"),
        ({"maxmemory": 10**9, "maxmemory_policy": "allkeys-lru"}, "drops whole streams"),
        ({"maxmemory": 1_100_000}, "91% full"),
        ({"aof_enabled": 0}, "no append-only file"),
        ({"aof_last_write_status": "err"}, "fails to write"),
    ],
)
def test_what_would_lose_or_refuse_messages_is_told(fact, words):
    (warning,) = judge([GOOD | fact]).warnings
    assert words in warning


def test_a_policy_that_evicts_only_keys_with_an_expiry_is_harmless():
    assert judge([GOOD | {"maxmemory": 10**9, "maxmemory_policy": "volatile-lru"}]).warnings == ()


def test_of_a_cluster_each_warning_is_told_once_and_any_restart_is_seen():
    nodes = [GOOD | {"aof_enabled": 0, "run_id": run} for run in ("a", "b", "c")]
    report = judge(nodes)
    assert len(report.warnings) == 1
    assert judge([*nodes[:2], nodes[2] | {"run_id": "d"}]).run != report.run
    assert judge(nodes[::-1]).run == report.run


async def test_the_relay_tells_of_an_evicting_server_once(any_server, client, outbox):
    told = []
    await client.command("CONFIG", "SET", "maxmemory", "100mb")
    await client.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    relay = Relay(any_server.url, outbox, events=RelayEvents(on_warning=told.append))
    await relay.drain()
    await relay.drain()
    await relay.aclose()
    assert len(told) == 1
    assert "noeviction" in told[0]


def test_streams_are_behind_ahead_or_level():
    a, b, c, d, e = (StreamKey("deltas", name) for name in "abcde")
    heads = {a: Position(1, 5), b: Position(1, 5), c: Position(1, 5), d: Position(2, 0), e: Position(1, 3)}
    tops = {a: Position(1, 5), b: Position(1, 3), c: None, d: Position(1, 9), e: Position(1, 4)}
    comparison = compare(tops, heads)
    assert dict(comparison.behind) == {b: Position(1, 3), c: Position(0, 0), d: Position(1, 9)}
    assert dict(comparison.ahead) == {e: Position(1, 4)}


async def test_old_messages_are_removed_by_age_and_the_newest_stays(any_server, client, outbox, row, alert_row, delta):
    relay = Relay(any_server.url, outbox)
    for sequence in range(1, 11):
        outbox.add(row("live", sequence))
    outbox.add(row("old", 1))
    outbox.add(row("old", 2))
    outbox.add(alert_row(1))
    await relay.drain()
    removed = await relay.trim_before(delta(sequence=7).seen_at)
    left = {
        name: [entry_id for entry_id, _ in await client.command("XRANGE", name, "-", "+")]
        for name in ("monitor:{live}:deltas", "monitor:{old}:deltas", "monitor:alerts")
    }
    assert left == {
        "monitor:{live}:deltas": [b"1-7", b"1-8", b"1-9", b"1-10"],
        "monitor:{old}:deltas": [b"1-2"],
        "monitor:alerts": [b"1-1"],
    }
    assert removed == 7
    assert await relay.drain() == 0  # nothing is sent again for having been trimmed
    assert outbox.rewinds == [] or all(rewind[2:] == (0, 0) for rewind in outbox.rewinds)
    await relay.aclose()


async def test_a_trimmed_stream_does_not_look_emptied(any_server, client, outbox, row):
    relay = Relay(any_server.url, outbox)
    outbox.add(row(sequence=1))
    outbox.add(row(sequence=2))
    await relay.drain()
    outbox.rewinds.clear()
    await client.command("XTRIM", "monitor:{live}:deltas", "MAXLEN", 0)
    await relay.drain()
    await relay.aclose()
    assert outbox.rewinds == []


async def test_under_another_prefix_nothing_of_ours_is_elsewhere(any_server, outbox, row, alert_row):
    from monitor.wire import Names

    relay = Relay(any_server.url, outbox, Names("desk"))
    outbox.add(row())
    outbox.add(alert_row())
    await relay.drain()
    await relay.aclose()
    connection = connect(any_server.url)
    assert sorted(await connection.command("KEYS", "*")) == [b"desk:alerts", b"desk:sources", b"desk:{live}:deltas"]
    await connection.aclose()
