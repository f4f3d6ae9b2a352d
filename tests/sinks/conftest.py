"""Receivers on real sockets, and notices to send them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiohttp import web

from monitor.alerts import Draft, Notice, compose, notice_of_words
from monitor.model import (
    Alert,
    AlertKind,
    Change,
    ChangeType,
    Delta,
    Entry,
    FieldChange,
    Match,
    Revision,
    SourceRef,
    Stamp,
)
from monitor.sinks import SINKS, Letter, Target

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CANARY = "canary-0b5e55ed"  # stands in every secret and URL: it must show up nowhere else
SECRET = "whsec_" + "Y2FuYXJ5LTBiNWU1NWVkLWNhbmFyeS0wYjVl"


@dataclass
class Heard:
    """One request as a receiver got it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class HttpReceiver:
    """An HTTP server that answers as it is told and remembers what it heard."""

    heard: list[Heard] = field(default_factory=list)
    answers: list[Callable[[web.Request], Awaitable[web.StreamResponse]]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.heard.append(Heard(request.path, dict(request.headers), await request.read()))
        if self.answers:
            return await self.answers.pop(0)(request)
        if "/chat." in request.path:
            return web.json_response({"ok": True, "channel": "C1", "ts": f"{len(self.heard)}.0"})
        return web.Response(text="ok")

    def answer(self, status: int, body: str = "", **headers: str) -> None:
        async def respond(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

        self.answers.append(respond)


@pytest.fixture
async def http() -> AsyncIterator[HttpReceiver]:
    receiver = HttpReceiver()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{rest:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield receiver
    await runner.cleanup()


@contextlib.asynccontextmanager
async def listening(handle) -> AsyncIterator[int]:
    """A TCP server that treats each connection with `handle(reader, writer)`; leaves nothing open."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader, writer) -> None:
        tasks.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            await handle(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**24)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)


@dataclass
class SmtpReceiver:
    """A small SMTP server: EHLO, AUTH PLAIN, MAIL, RCPT, DATA; `replies` overrides the answer to a verb."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")

        say("220 test")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb in self.replies:
                reply = self.replies[verb]
                if not reply:
                    break
                say(reply)
            elif verb == "EHLO":
                say("250-test\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                say("235 welcome")
            elif verb == "DATA":
                say("354 go on")
                await writer.drain()
                data = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(data[:-5].replace(b"\r\n..", b"\r\n."))
                say(self.replies.get("END", "250 taken"))
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        await writer.drain()

    @property
    def last(self):
        return message_from_bytes(self.mails[-1], policy=default)


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpReceiver]:
    receiver = SmtpReceiver()
    async with listening(receiver.serve) as receiver.port:
        yield receiver


@pytest.fixture
def tcp():
    return listening


@pytest.fixture
def targets(http, smtp) -> Callable[..., dict[str, Target]]:
    """Every kind of sink, pointed at the local receivers. Apprise goes to the HTTP receiver as JSON."""

    def make(**more) -> dict[str, Target]:
        more = {"allow_private": True, "timeout": 5.0, **more}
        port = http.url.rsplit(":", 1)[1]
        return {
            "webhook": Target("webhook", f"{http.url}/hook/{CANARY}", secrets=(SECRET,), **more),
            "slack": Target("slack", f"{http.url}/services/{CANARY}", **more),
            "slack-bot": Target("bot", "C1", secrets=(f"xoxb-{CANARY}",), options={"api": f"{http.url}/api"}, **more),
            "email": Target(
                "email",
                "127.0.0.1",
                secrets=(CANARY,),
                options={
                    "port": str(smtp.port),
                    "sender": "monitor@example.org",
                    "username": "ana",
                    "starttls": "false",
                },
                recipients=("desk@example.org",),
                **more,
            ),
            "terminal": Target("terminal", **more),
            "apprise": Target("apprise", secrets=(f"json://127.0.0.1:{port}/{CANARY}",), **more),
        }

    return make


@pytest.fixture
def sink_of(targets):
    """A sink of a kind, `slack-bot` being Slack with a token."""

    def make(kind: str, **more):
        return SINKS[kind.removesuffix("-bot")].make(targets(**more)[kind])

    return make


@dataclass
class Newsroom:
    """Notices of every form, with any text in them."""

    now: datetime = NOON
    made: int = 0

    def alert(self, text: str = 'evacuation has been "suspended"', **more) -> Alert:
        self.made += 1
        kind = AlertKind(more.pop("kind", "new"))
        types = {"new": ChangeType.NEW, "removed": ChangeType.REMOVED}
        old = more.pop("old", None)
        entry = Entry(
            position=0,
            text=text,
            title=more.pop("title", "Evacuation halted"),
            url=more.pop("url", "https://example.org/live#e1"),
            published=Stamp(self.now - timedelta(seconds=21), "12:07 pm"),
            author=more.pop("author", None),
        )
        diff = (FieldChange("text", (("-", old), ("+", text))),) if old is not None else ()
        change = Change(
            types.get(kind.value, ChangeType.EDITED),
            f"e{self.made}",
            entry,
            2,
            previous=Revision(1, entry.title, old) if old is not None else None,
            changes=diff,
        )
        source = SourceRef("aleppo", more.pop("source", "Aleppo live"), more.pop("page", "https://example.org/live"))
        word = "suspended"
        at = text.find(word)
        return Alert(
            id=f"{self.made:032x}",
            rule=more.pop("rule", "evacuation-halted"),
            severity=more.pop("severity", "warning"),
            kind=kind,
            delta=Delta(source, 1, self.made, self.now, change),
            matches=(Match("text", at, at + len(word), word, word),) if at >= 0 else (),
            raised_at=self.now,
            **more,
        )

    def notice(self, *alerts: Alert, form: str | None = None, **more) -> Notice:
        alerts = alerts or (self.alert(),)
        form = form or ("corrected" if alerts[0].corrects else "fired" if len(alerts) == 1 else "digest")
        draft = Draft(
            group="g",
            form=form,
            alert_ids=tuple(alert.id for alert in alerts),
            severity=more.pop("severity", alerts[0].severity),
            rest=timedelta(0),
            late=more.pop("late", False),
            flips=more.pop("flips", 0),
        )
        usual = {"receiver": "desk", "now": self.now, "full_items": 10}
        return compose(draft, alerts, **usual | more)

    def forms(self, text: str = 'evacuation has been "suspended"', **more) -> dict[str, Notice]:
        """One notice of every form, each holding `text` wherever a source's text can stand."""
        fired = self.alert(text, **more)
        edited = self.alert(text, kind="edited", old=f"{text} regmie", **more)
        retracted = self.alert("resumed", kind="retracted", old=text, corrects=fired.id, **more)
        removed = self.alert(text, kind="removed", corrects=fired.id, **more)
        many = [self.alert(text, **more) for _ in range(37)]
        return {
            "fired": self.notice(fired),
            "fired-edited": self.notice(edited),
            "corrected-retracted": self.notice(retracted, corrected=(fired,)),
            "corrected-removed": self.notice(removed, corrected=(fired,)),
            "digest": self.notice(*many, late=True),
            "words": notice_of_words(
                "k", "receiver desk is disabled", "it answered 410", severity="critical", now=NOON
            ),
        }


@pytest.fixture
def newsroom() -> Newsroom:
    return Newsroom()


@pytest.fixture
def letter() -> Callable[..., Letter]:
    def make(sink, notice, *, attempt: int = 1, sent_at: datetime = NOON) -> Letter:
        return Letter(notice.id, sink.render(notice).body, sent_at, attempt)

    return make


@pytest.fixture
def canary() -> str:
    return CANARY


@pytest.fixture
def secret() -> str:
    return SECRET


def check_limits(blocks):
    """The limits of https://docs.slack.dev/reference/block-kit/blocks and of composition objects, and the total."""
    assert 1 <= len(blocks) <= 50
    total = 0
    for block in blocks:
        kind = block["type"]
        assert kind in {"header", "rich_text", "context", "actions"}
        if kind == "header":
            assert set(block) == {"type", "text"}
            assert block["text"]["type"] == "plain_text"
            assert 1 <= len(block["text"]["text"]) <= 150
            total += len(block["text"]["text"])
        elif kind == "context":
            assert 1 <= len(block["elements"]) <= 10
            for element in block["elements"]:
                assert element["type"] == "plain_text"
                assert 1 <= len(element["text"]) <= 3_000
                total += len(element["text"])
        elif kind == "actions":
            assert 1 <= len(block["elements"]) <= 25
            assert len({one["action_id"] for one in block["elements"]}) == len(block["elements"])
            for button in block["elements"]:
                assert 1 <= len(button["text"]["text"]) <= 75
                assert 1 <= len(button["action_id"]) <= 255
                assert len(button["url"]) <= 3_000
                total += len(button["url"])
        else:
            total += check_rich_text(block)
    assert total <= 13_000
    return True


def check_rich_text(block):
    total = 0
    assert block["elements"]
    for part in block["elements"]:
        assert part["type"] in {"rich_text_section", "rich_text_quote", "rich_text_list"}
        if part["type"] == "rich_text_list":
            assert part["style"] in {"bullet", "ordered"}
            total += check_rich_text(part)
            continue
        assert part["elements"]
        for one in part["elements"]:
            assert one["type"] in {"text", "link", "broadcast"}
            if one["type"] == "link":
                assert one["url"].startswith(("https://", "http://"))
                assert len(one["url"]) <= 3_000
                total += len(one["url"])
            if one["type"] != "broadcast":
                assert 1 <= len(one["text"]) <= 3_000
                total += len(one["text"])
            assert set(one.get("style", {})) <= {"bold", "italic", "strike", "code"}
    return total


@pytest.fixture
def block_kit():
    """Asserts that blocks keep Slack's limits."""
    return check_limits
