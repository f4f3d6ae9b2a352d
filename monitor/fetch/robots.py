"""robots.txt: what a publisher asks robots to leave alone (RFC 9309).

Rule: pure. Longest match with `*` and `$` (§2.2.2, §2.2.3), which the standard library's parser does not know: it takes
the first match and reads `/*?page=` literally.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_BYTES = 512_000  # §2.5: at least 500 kibibytes are to be read
_MAX_RULES = 5_000
_MAX_PATTERN = 2_000


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules for one robot at one origin."""

    rules: tuple[tuple[str, bool], ...] = ()  # (path pattern, allowed)
    crawl_delay: float | None = None  # seconds; not in the RFC, but what publishers mean by it is plain

    def allows(self, url: str) -> bool:
        """Return whether the robot may fetch `url`: the longest matching pattern decides, allow wins a tie."""
        parts = urlsplit(url)
        path = _canonical((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        if path == "/robots.txt":
            return True
        matching = [(len(pattern), allowed) for pattern, allowed in self.rules if _matches(pattern, path)]
        return max(matching)[1] if matching else True


def parse_robots(body: bytes, robot: str) -> Robots:
    """Return the rules for `robot` (a product token, any case): its own groups, else those of `*`.

    Never fails: lines that make no sense are skipped (§2.2).
    """
    text = body[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
    groups: dict[str, list[tuple[str, str]]] = {}
    agents: list[str] = []
    naming = False
    for line in text.splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            agents = [*agents, value.lower()] if naming else [value.lower()]
            naming = True
            groups.setdefault(value.lower(), [])
        elif key in ("allow", "disallow", "crawl-delay"):
            naming = False
            for agent in agents:
                groups[agent].append((key, value))
    return _robots(groups.get(robot.lower(), groups.get("*", [])))


def _robots(lines: list[tuple[str, str]]) -> Robots:
    rules = [(_canonical(value), key == "allow") for key, value in lines if key != "crawl-delay" and value]
    delays = [delay for key, value in lines if key == "crawl-delay" and (delay := _delay(value)) is not None]
    kept = [rule for rule in rules if len(rule[0]) <= _MAX_PATTERN][:_MAX_RULES]
    return Robots(tuple(kept), max(delays, default=None))


def _delay(text: str) -> float | None:
    return float(text) if len(text) <= 8 and text.replace(".", "", 1).isdigit() and text.isascii() else None


def _canonical(path: str) -> str:
    """One spelling of percent escapes (§2.2.2): unreserved characters bare, all else escaped in upper case."""
    out: list[str] = []
    data = path.encode("utf-8", "replace")
    at = 0
    while at < len(data):
        byte = data[at]
        if (
            byte == 0x25
            and len(pair := data[at + 1 : at + 3]) == 2
            and all(c in b"0123456789abcdefABCDEF" for c in pair)
        ):
            value = int(pair, 16)
            bare = value < 0x80 and (chr(value).isalnum() or chr(value) in "-._~")
            out.append(chr(value) if bare else f"%{value:02X}")
            at += 3
        else:
            out.append(chr(byte) if 0x20 < byte < 0x7F else f"%{byte:02X}")
            at += 1
    return "".join(out)


def _matches(pattern: str, path: str) -> bool:
    """Greedy segments between `*`: linear in pattern and path, where a regular expression could be made to explode."""
    anchored = pattern.endswith("$")
    segments = pattern.removesuffix("$").split("*")
    if not path.startswith(segments[0]):
        return False
    at = len(segments[0])
    for segment in segments[1:-1]:
        found = path.find(segment, at)
        if found < 0:
            return False
        at = found + len(segment)
    if len(segments) == 1:
        return not anchored or at == len(path)
    last = segments[-1]
    if anchored:
        return path.endswith(last) and len(path) - len(last) >= at
    return path.find(last, at) >= 0
