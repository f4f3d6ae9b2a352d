"""The stream of alerts holds the same events as the webhooks, with the source's text as it was and nothing more."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import redis

from monitor.bus import EmbeddedServer, Relay
from monitor.wire import Names
from tests.sinks.corpus import CORPUS, SUSPENDED


@pytest.fixture
async def published(world):
    """Publishes what waits and returns the messages of the stream of alerts."""
    with tempfile.TemporaryDirectory(prefix="mon") as home:
        async with EmbeddedServer(Path(home)) as server:
            relay = Relay(server.url, world.store, Names("monitor"))

            async def publish() -> list[bytes]:
                await relay.drain()
                with redis.Redis(unix_socket_path=server.url.removeprefix("unix://")) as client:
                    return [fields[b"d"] for _, fields in client.xrange("monitor:alerts")]

            yield publish
            await relay.aclose()


async def test_whatever_a_source_writes_stands_in_the_stream_as_it_was_in_valid_json(world, published):
    world.rule("halted", "suspended", notify=())
    for number, text in enumerate(CORPUS.values()):
        await world.poll("a", (f"e{number}", text + SUSPENDED))
    for text, message in zip(CORPUS.values(), await published(), strict=True):
        assert len(message) <= 65_536
        event = json.loads(message.decode("utf-8"))
        entry = event["data"]["delta"]["entry"]
        expected = (text + SUSPENDED).encode("utf-8", "replace").decode()
        assert entry["text"] == expected or event["data"]["truncated"]
        assert b"\n" not in message


async def test_the_stream_holds_what_the_webhooks_got_byte_for_byte(world, published):
    world.receiver("hook")
    world.rule("halted", "suspended")
    async with world.delivering():
        await world.poll("a", ("e1", "suspended"))
        await world.advance(60)
        await world.poll("a", ("e1", "resumed"))
        await world.advance(60)
    assert [one.body for one in world.receivers.of("hook")] == await published()
