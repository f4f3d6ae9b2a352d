"""A server that sends exactly the bytes it is told to, and knows every way to break off."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    at: float  # monotonic
    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    peer: str = ""
    local: str = ""  # the address that was connected to


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[bool]]  # True: keep the connection


@dataclass
class RawServer:
    """Answers each path by bytes or by a handler; anything else is 404."""

    routes: dict[str, bytes | Handler] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task] = field(default_factory=set)

    def url(self, path="/", host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def asked(self, path=None):
        """Return the requests for a path, robots.txt aside."""
        return [r for r in self.requests if (r.target == path if path else r.target != "/robots.txt")]

    async def start(self, host="127.0.0.1", port=0, ssl=None):
        self._server = await asyncio.start_server(self._serve, host, port, ssl=ssl, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        fields = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        request = Request(
            time.monotonic(),
            method,
            target,
            {name.lower(): value for name, value in fields.items()},
            writer.get_extra_info("peername")[0],
            writer.get_extra_info("sockname")[0],
        )
        self.requests.append(request)
        answer = self.routes.get(target.partition("?")[0], NOT_FOUND)
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
            return b"content-length:" in answer[:4096].lower() or answer.startswith(b"HTTP/1.1 304")
        return await answer(request, writer)


def http(body=b"", status="200 OK", length=True, **headers):
    """Return the bytes of an answer; header names are written with underscores for dashes."""
    lines = [f"HTTP/1.1 {status}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8") + body


NOT_FOUND = http(b"nothing here", "404 Not Found")


def redirect(location, status="302 Found"):
    return http(b"", status, Location=location)


def sends(*parts, pause=0.0, then="close"):
    """Return a handler that sends `parts` with pauses and then closes, resets, half-closes or hangs."""

    async def handler(request, writer):
        for part in parts:
            writer.write(part)
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
        await ends(writer, then)
        return False

    return handler


def endless(head, part, pause=0.0):
    """Return a handler that sends `part` for ever."""

    async def handler(request, writer):
        writer.write(head)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


async def ends(writer, how):
    if how == "hang":
        await asyncio.sleep(3600)
    if how == "half-close":
        writer.write_eof()
        await asyncio.sleep(3600)
    if how == "reset":
        await asyncio.sleep(0.05)  # let the bytes before it arrive: a reset overtakes them
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
