"""Every transport row of the bad-input matrix: what a hostile or broken server sends, and what a fetch must make of it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli
import zstandard

from tests.fetch.wire import Handler, RawServer, endless, http, redirect, sends

FEED = (
    b"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>"
    + b"<item><guid>1</guid></item>" * 40
    + b"</channel></rss>"
)
MiB = 1 << 20


@dataclass(frozen=True)
class Row:
    name: str
    answer: bytes | Handler
    code: (
        str  # of the verdict, or fresh, incomplete, unchanged; a|b where it is chance which of two faults is met first
    )
    seconds: float = 1.0  # the outcome comes within
    validators: bool = False  # the request is conditional
    setup: Callable[[RawServer], None] | None = None


def _bomb(compress, size, once=MiB):
    """Compress `size` zero bytes piece by piece."""
    zeros = bytes(once)
    return b"".join([*(compress.compress(zeros) for _ in range(size // once)), compress.flush()])


def gzip_bomb(size):
    return _bomb(zlib.compressobj(9, zlib.DEFLATED, 31), size)


class _Brotli:
    def __init__(self):
        self._c = brotli.Compressor(quality=5)

    def compress(self, data):
        return self._c.process(data)

    def flush(self):
        return self._c.finish()


def encoded(name, body, **headers):
    return http(body, Content_Encoding=name, **headers)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n"


def cut(body, by=60):
    return body[:-by]


async def _304_with_a_body(request, writer):
    """Break HTTP when asked conditionally, as some servers do; the page itself is fine."""
    writer.write(b"HTTP/1.1 304 X\r\n\r\n" + FEED if "if-none-match" in request.headers else http(FEED))
    await writer.drain()
    return False


async def _thirty_hops(request, writer):
    """Lead on and on, each time to another address."""
    path, _, hop = request.target.partition("?")
    writer.write(http(FEED) if hop == "30" else redirect(f"{path}?{int(hop or 0) + 1}"))
    await writer.drain()
    return True


def rows() -> list[Row]:
    gz = gzip.compress(FEED, mtime=0)
    big = 64 * MiB
    return [
        # B1: validators that lie
        Row("304 to an unconditional request", http(status="304 Not Modified", length=False), "unexpected_304"),
        Row(
            "304 with Content-Length 500",
            b"HTTP/1.1 304 X\r\nContent-Length: 500\r\n\r\n",
            "unchanged",
            validators=True,
        ),
        Row("304 with a body", _304_with_a_body, "fresh", validators=True),
        Row("200 with the same ETag and a new body", http(FEED, ETag='"same"'), "fresh", validators=True),
        Row("a weak ETag", http(FEED, ETag='W/"1"'), "fresh", validators=True),
        Row("Last-Modified in the future", http(FEED, Last_Modified="Thu, 15 Dec 2099 13:47:00 GMT"), "fresh"),
        Row("an ETag of 100 KB", http(FEED, ETag='"' + "x" * 100_000 + '"'), "bad_http"),
        # B2: framing that lies
        Row("Content-Length too long", sends(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + FEED), "truncated"),
        Row("Content-Length too short", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + FEED, "bad_http"),
        Row(
            "Content-Length and chunked",
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
            "bad_http",
        ),
        Row(
            "two Content-Lengths",
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
            "bad_http",
        ),
        Row("a negative Content-Length", sends(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"), "bad_http"),
        Row("a bad chunk", sends(CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n"), "bad_http"),
        Row(
            "a bad chunk, later",
            sends(CHUNKED + b"5\r\nhello\r\n", b"zz\r\nhello\r\n0\r\n\r\n", pause=0.05),
            "truncated|bad_http",
        ),
        Row("a cut chunk", sends(CHUNKED + b"ffff\r\n" + FEED), "truncated"),
        Row("chunks without an end", sends(CHUNKED + b"5\r\nhello\r\n"), "truncated"),
        Row("HTTP/0.9", sends(FEED), "bad_http"),
        Row("no HTTP at all", sends(b"SSH-2.0-OpenSSH_9.7\r\n"), "bad_http"),
        Row("nothing", sends(b""), "reset"),
        # B3: bodies that end early
        Row("gzip cut, close-delimited", sends(PLAIN[:-2] + b"Content-Encoding: gzip\r\n\r\n" + cut(gz)), "incomplete"),
        Row("gzip cut, right length", encoded("gzip", cut(gz)), "incomplete"),
        Row("br cut", encoded("br", cut(brotli.compress(FEED), 20)), "incomplete"),
        Row("zstd cut", encoded("zstd", cut(zstandard.compress(FEED), 20)), "incomplete"),
        Row("deflate cut", encoded("deflate", cut(zlib.compress(FEED))), "incomplete"),
        Row(
            "reset within a counted body",
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + FEED, then="reset"),
            "incomplete",
        ),
        Row("reset within a chunk", sends(CHUNKED + b"ffff\r\n" + FEED, then="reset"), "incomplete"),
        Row("reset of a close-delimited body", sends(PLAIN + FEED, then="reset"), "incomplete"),
        Row("reset before an answer", sends(then="reset"), "reset"),
        Row("half-close after a counted body", sends(http(FEED), then="half-close"), "fresh"),
        Row("half-close instead of an answer", sends(then="half-close"), "reset"),
        # B4: encodings
        Row("gzip bomb of 64 MiB", encoded("gzip", gzip_bomb(big)), "too_large"),
        Row("gzip bomb of 14 MiB", encoded("gzip", gzip_bomb(14 * MiB)), "too_large"),
        Row("br bomb of 64 MiB", encoded("br", _bomb(_Brotli(), big)), "too_large"),
        Row(
            "zstd bomb of 64 MiB",
            encoded("zstd", _bomb(zstandard.ZstdCompressor(level=3).compressobj(), big)),
            "too_large",
        ),
        Row("deflate bomb of 64 MiB", encoded("deflate", _bomb(zlib.compressobj(9), big)), "too_large"),
        Row("gzip twice", encoded("gzip, gzip", gzip.compress(gz)), "bad_encoding"),
        Row("gzip fifty times", encoded(", ".join(["gzip"] * 50), gz), "bad_encoding"),
        Row("gzip header on plain bytes", encoded("gzip", FEED), "bad_encoding"),
        Row("gzip with a wrong CRC", encoded("gzip", gz[:-8] + b"\0\0\0\0" + gz[-4:]), "bad_encoding"),
        Row("an unknown encoding", encoded("sdch", FEED), "bad_encoding"),
        Row(
            "a zstd window of 2 GiB", encoded("zstd", b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00" * 9), "bad_encoding"
        ),
        Row("gzip of two members", encoded("gzip", gzip.compress(FEED[:50]) + gzip.compress(FEED[50:])), "fresh"),
        Row("raw deflate", encoded("deflate", zlib.compress(FEED)[2:-4]), "fresh"),
        # B5: sizes and paces
        Row(
            "1 GB announced", sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", then="hang"), "too_large"
        ),
        Row("an endless chunked body", endless(CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n"), "too_large|timeout"),
        Row("an endless plain body", endless(PLAIN, bytes(65536)), "too_large|timeout"),
        Row(
            "one byte each 0.1 s",
            endless(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", b"x", 0.1),
            "timeout",
            3.0,
        ),
        Row("headers one byte each 0.1 s", endless(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.1), "timeout", 3.0),
        Row("silence", sends(then="hang"), "idle_timeout", 2.0),
        Row("silence after headers", sends(PLAIN, then="hang"), "idle_timeout", 2.0),
        Row("headers for ever", endless(b"HTTP/1.1 200 OK\r\n", b"X-Flood: " + b"x" * 60_000 + b"\r\n"), "bad_http"),
        Row("short headers for ever", endless(b"HTTP/1.1 200 OK\r\n", b"X-Flood: x\r\n" * 1000), "bad_http"),
        Row("one header line for ever", endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), "bad_http"),
        Row("a status line for ever", endless(b"HTTP/1.1 200 ", b"x" * 65536), "bad_http"),
        Row("10,000 headers", sends(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"), "bad_http"),
        Row("100 headers of 2 KB", http(FEED, **{f"X{i}": "x" * 2000 for i in range(100)}), "too_large"),
        Row("1xx for ever", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "truncated"),
        # B6: redirects
        Row("a redirect loop", redirect("/a-redirect-loop"), "redirects"),
        Row("thirty hops", _thirty_hops, "redirects"),
        Row("a line break in Location", http(status="302 Found", Location="/x\r\n\r\nX: y"), "http_404"),
        Row("a carriage return in Location", http(status="302 Found", Location="/x\rX: y"), "bad_http"),
        Row("a host without a scheme at another port", redirect("//127.0.0.1:6379/"), "refused_redirect"),
        *(
            Row(f"a redirect to {target!r}", redirect(target), "refused_redirect")
            for target in (
                "file:///etc/passwd",
                "gopher://127.0.0.1/",
                "ftp://127.0.0.1/",
                "javascript:alert(1)",
                "data:text/html,x",
                "http://a\\@b/",
                "http://user:secret@127.0.0.1/",
                "http://127.0.0.1:22/",
                "http://127.0.0.1:6379/",
                "",
                "http://",
                "http://[::1/",
                "//",
            )
        ),
        Row("a redirect without Location", http(status="302 Found"), "refused_redirect"),
        *(
            Row(f"a redirect to {host}", redirect(f"http://{host}/"), "refused_address")
            for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "0.0.0.0", "224.0.0.1")
        ),
        # B8, B9: walls and absences
        Row("403 by Cloudflare", http(b"<html>", "403 Forbidden", cf_mitigated="challenge"), "challenge"),
        Row("200 by Cloudflare", http(b"<html>", cf_mitigated="challenge"), "challenge"),
        Row("503 just a moment", http(b"<title>Just a moment...</title>", "503 Unavailable"), "challenge"),
        Row("204", b"HTTP/1.1 204 No Content\r\n\r\n", "http_204"),
        Row("206", http(FEED, "206 Partial Content"), "http_206"),
        Row("300", http(FEED, "300 Multiple Choices"), "http_300"),
        Row("an empty 200", http(b""), "fresh"),
        *(
            Row(str(status), http(b"no", f"{status} No"), "gone" if status == 410 else f"http_{status}")
            for status in (400, 401, 403, 404, 410, 429, 451, 500, 503)
        ),
    ]


def path_of(row: Row) -> str:
    return "/" + "".join(c if c.isalnum() else "-" for c in row.name)


def install(server: RawServer) -> list[Row]:
    """Give every row its path on the server."""
    every = rows()
    for row in every:
        server.routes[path_of(row)] = row.answer
    return every


def ended(outcome) -> str:
    """Return the outcome in the words of `Row.code`."""
    kind = type(outcome).__name__
    if kind == "Fresh":
        return "fresh" if outcome.document.complete else "incomplete"
    return "unchanged" if kind == "NotModified" else outcome.verdict.code
