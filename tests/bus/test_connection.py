"""Any Redis URL leads to a connection, or to words about what is wrong with it."""

import asyncio
import os
import shutil
import signal
import subprocess
import time

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import AuthenticationError, ResponseError

from monitor.bus import Relay, connect, subscribe
from monitor.bus.address import parse_address
from monitor.bus.failures import in_words
from monitor.errors import BusUnavailable


@pytest.mark.parametrize(
    ("url", "kind", "hosts", "rest"),
    [
        ("redis://localhost", "tcp", (("localhost", 6379),), {}),
        ("redis://cache.example:7000/3", "tcp", (("cache.example", 7000),), {"database": 3}),
        ("redis://:secret@h", "tcp", (("h", 6379),), {"password": "secret"}),
        ("redis://me:p%40ss%2Fword@h:1/0?protocol=2", "tcp", (("h", 1),), {"username": "me", "password": "p@ss/word"}),
        ("rediss://h?ssl_ca_certs=/etc/ca.pem", "tcp", (("h", 6379),), {"tls": True}),
        ("valkey://h", "tcp", (("h", 6379),), {}),
        ("valkeys://[::1]:7000", "tcp", (("::1", 7000),), {"tls": True}),
        ("unix:///run/redis.sock", "unix", (), {"path": "/run/redis.sock"}),
        ("unix://me:pw@/run/my%20redis.sock?db=2", "unix", (), {"path": "/run/my redis.sock", "database": 2}),
        ("redis+sentinel://a,b:1,c/main/2", "sentinel", (("a", 26379), ("b", 1), ("c", 26379)), {"service": "main", "database": 2}),
        ("rediss+cluster://u:p@a:1,b:2", "cluster", (("a", 1), ("b", 2)), {"tls": True, "username": "u"}),
    ],
)  # fmt: skip
def test_a_url_is_read(url, kind, hosts, rest):
    address = parse_address(url)
    assert (address.kind, address.hosts) == (kind, hosts)
    assert {name: getattr(address, name) for name in rest} == rest


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:6379", "scheme"),
        ("http://h", "scheme"),
        ("redis://h:port", "port"),
        ("redis://h:99999", "port"),
        ("redis://h/one", "database"),
        ("redis://h/1/2", "database"),
        ("redis://a,b", "sentinel"),
        ("redis+sentinel://a:1", "service"),
        ("redis+cluster://a:1/2", "database 0"),
        ("unix://run/redis.sock", "absolute"),
        ("redis://h?tineout=3", "tineout"),
        ("redis://h?protocol=4", "protocol"),
    ],
)
def test_a_url_without_a_meaning_is_told_in_words(url, words):
    with pytest.raises(BusUnavailable, match=words):
        connect(url)


@given(st.text(max_size=80).map(lambda text: "redis://" + text) | st.text(max_size=80))
def test_any_text_is_an_address_or_a_value_error(text):
    try:
        parse_address(text)
    except ValueError:
        return


@pytest.mark.parametrize("url", ["redis://me:sesame@h:1", "unix://me:sesame@/s", "redis+sentinel://me:sesame@a,b/main"])
def test_no_password_is_shown(url):
    connection = connect(url)
    assert "sesame" not in connection.resource


async def test_no_password_is_in_an_error(free_port):
    connection = connect(f"redis://me:sesame@127.0.0.1:{free_port}")
    with pytest.raises(BusUnavailable) as told:
        await connection.command("PING")
    assert "sesame" not in str(told.value)
    assert str(free_port) in str(told.value)


@pytest.mark.parametrize("protocol", [2, 3])
async def test_both_protocols_carry_everything(protocol, any_server, outbox, row):
    url = f"{any_server.url}?protocol={protocol}"
    relay = Relay(url, outbox)
    for sequence in (1, 2, 3):
        outbox.add(row(sequence=sequence))
    async with subscribe(url, since="0") as subscription:
        await relay.drain()
        async with asyncio.timeout(5):
            assert [(await anext(subscription)).sequence for _ in range(3)] == [1, 2, 3]
        outbox.add(row(sequence=4))
        await relay.drain()
        async with asyncio.timeout(5):
            assert (await anext(subscription)).sequence == 4
    await relay.aclose()


@pytest.mark.parametrize(
    ("login", "words"), [("", "wants a password"), ("default:wrong@", "refuses the user or the password")]
)
async def test_a_password_that_is_missing_or_wrong_is_told_apart(login, words, any_server, client):
    await client.command("CONFIG", "SET", "requirepass", "right")
    stranger = connect(any_server.url.replace("unix://", f"unix://{login}"))
    try:
        with pytest.raises(BusUnavailable, match=words):
            await stranger.command("PING")
    finally:
        await client.command("CONFIG", "SET", "requirepass", "")
        await stranger.aclose()


@pytest.mark.parametrize("kind", [AuthenticationError, ResponseError])
def test_a_password_that_is_missing_is_told_so_whatever_class_the_refusal_has(kind):
    said = "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be"
    happened, mend = in_words(kind(said))
    assert happened.startswith("the server wants a password: HELLO must")
    assert len(happened) < 110, "what to do about it fits on the line"
    assert mend == "put user and password into the redis URL"


async def test_more_commands_at_once_than_connections_wait_instead_of_failing(client):
    assert await asyncio.gather(*(client.command("ECHO", str(n)) for n in range(200))) == [
        str(n).encode() for n in range(200)
    ]


async def test_a_subscriber_whose_server_freezes_reconnects(server, outbox, row, relaying, monkeypatch):
    monkeypatch.setattr("monitor.bus.connection.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("monitor.bus.live.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("monitor.bus.live.QUIET_SECONDS", 0.3)
    relay = await relaying(server.url)
    outbox.add(row(sequence=1))
    relay.wake()
    async with subscribe(server.url, ["live"], since="0") as subscription:
        await asyncio.wait_for(anext(subscription), 5)
        os.kill(server.pid, signal.SIGSTOP)
        waiting = asyncio.create_task(anext(subscription))
        async with asyncio.timeout(10):
            while subscription.connected:
                await asyncio.sleep(0.02)
        assert subscription.trouble
        os.kill(server.pid, signal.SIGCONT)
        outbox.add(row(sequence=2))
        relay.wake()
        assert (await asyncio.wait_for(waiting, 10)).sequence == 2


@pytest.mark.system_redis
async def test_tls_checks_the_servers_certificate(short_dir, free_port, outbox, row):
    if not shutil.which("redis-server"):
        pytest.skip("no redis-server on the PATH; the embedded program has no TLS")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(short_dir / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(short_dir / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(short_dir / "cert.pem"))
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--tls-port", str(free_port), "--bind", "127.0.0.1", "--save", "",
         "--dir", str(short_dir), "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem",
         "--tls-auth-clients", "no"],
        stdout=subprocess.DEVNULL, cwd=short_dir,
    )  # fmt: skip
    trusting = f"rediss://localhost:{free_port}?ssl_ca_certs={short_dir}/ca.pem"
    try:
        relay = Relay(trusting, outbox)
        outbox.add(row())
        deadline = time.monotonic() + 10
        while True:
            try:
                assert await relay.drain() == 1
                break
            except BusUnavailable:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
        await relay.aclose()
        async with subscribe(trusting, since="0") as subscription:
            assert (await asyncio.wait_for(anext(subscription), 5)).sequence == 1
        stranger = connect(f"rediss://localhost:{free_port}")
        with pytest.raises(BusUnavailable, match="(?i)certificate"):
            await stranger.command("PING")
        await stranger.aclose()
    finally:
        process.kill()
        process.wait()


async def listed(client, name):
    """The connections under a name, as the server counts them."""
    clients = await client.command("CLIENT", "LIST")
    text = clients.decode() if isinstance(clients, bytes) else str(clients)
    return text.count(f" name={name} ")


async def test_a_close_whose_waiter_is_cancelled_closes_all_the_same(any_server, client, eventually):
    connection = connect(f"{any_server.url}?client_name=leaver")
    await asyncio.gather(*(connection.command("PING") for _ in range(5)))
    assert await listed(client, "leaver") > 1
    closing = asyncio.create_task(connection.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing

    async def gone():
        return await listed(client, "leaver") == 0

    await eventually(gone)
