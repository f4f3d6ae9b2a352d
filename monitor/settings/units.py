"""Written values to numbers: durations, sizes, counts and flags.

Rule: pure; what cannot be meant is an `Unfit` with a mend, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d|w))+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
_SIZES = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmg]?i?b?)", re.IGNORECASE)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLAGS = {"true": True, "false": False}
_LOOSE_FLAGS = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "1": "true",
    "no": "false",
    "off": "false",
    "n": "false",
    "0": "false",
}
_MAX_SECONDS = 100 * 365 * 86_400.0
DURATION_PATTERN = r"^(0|([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+)$"
SIZE_PATTERN = r"^[0-9]+(\.[0-9]+)? ?([kKmMgG]?i?[bB]?)$"


class Unfit(ValueError):
    """A value that its setting cannot take; `mend` says what it would take, `at` leads to the part that is wrong.

    `on_key` says that the key at `at` is wrong, not its value.
    """

    def __init__(self, message: str, mend: str = "", *, at: tuple[str | int, ...] = (), on_key: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.at = at
        self.on_key = on_key
        self.others: tuple[Unfit, ...] = ()  # further parts that are wrong


def refuse_all(found: Sequence[Unfit]) -> None:
    """Raise one Unfit that carries all of `found`; nothing where there is none."""
    if found:
        found[0].others = tuple(found[1:])
        raise found[0]


def text(value: object) -> str:
    """Return a scalar's text; a list or a mapping is unfit."""
    if isinstance(value, str):
        return value
    raise Unfit(f"text was expected, not {kind_of(value)}", "write one value")


def kind_of(value: object) -> str:
    """Return what a value is, in words; never the value itself, which may be a secret in the wrong place."""
    if isinstance(value, dict):
        return "keys and values"
    return "a list" if isinstance(value, list | tuple) else "nothing" if value is None else "text"


def duration(value: object) -> float:
    """Return the seconds of `30s`, `10m`, `1h30m`, `2d`, `500ms`, `1w` or `0`."""
    written = text(value).strip()
    if written == "0":
        return 0.0
    if not _DURATION.fullmatch(written):
        raise Unfit(f"'{written}' is not a duration", _duration_mend(written))
    seconds = sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(written))
    if seconds > _MAX_SECONDS:
        raise Unfit(f"'{written}' is longer than a century", "write a shorter one")
    return seconds


def _duration_mend(written: str) -> str:
    if written.replace(".", "", 1).isdigit():
        return f"write {written}s for seconds, or a unit of ms s m h d w"
    together = written.replace(" ", "")
    return f"write {together}" if _DURATION.fullmatch(together) else "write it as 30s, 10m, 1h30m or 2d"


def size(value: object) -> int:
    """Return the bytes of `8MiB`, `64KiB`, `2MB` or a plain number."""
    written = text(value).strip()
    found = _SIZE.fullmatch(written)
    unit = found[2].lower() if found else ""
    if unit in {"k", "m", "g", "ki", "mi", "gi"}:
        unit += "b"
    if not found or unit not in _SIZES:
        raise Unfit(f"'{written}' is not a size", "write it as 64KiB, 8MiB or a number of bytes")
    return int(float(found[1]) * _SIZES[unit])


def count(value: object) -> int:
    """Return a whole number."""
    written = text(value).strip()
    if not _NUMBER.fullmatch(written):
        raise Unfit(f"'{written}' is not a whole number", "write digits only, without a leading zero")
    return int(written)


def flag(value: object) -> bool:
    """Return `true` or `false`; other words for them are named, not taken."""
    written = text(value).strip()
    if written in _FLAGS:
        return _FLAGS[written]
    meant = _LOOSE_FLAGS.get(written.lower()) or (written.lower() if written.lower() in _FLAGS else None)
    raise Unfit(f"'{written}' is neither true nor false", f"write {meant or 'true or false'}")


def size_in_words(size: int) -> str:
    """Return a size as it is written in settings: `8MiB`, `64KiB`, `1000`."""
    for unit, length in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= length and size % length == 0:
            return f"{size // length}{unit}"
    return str(size)


def in_words(seconds: float) -> str:
    """Return a duration as it is written in settings: `1h30m`, `15s`, `0.5s`."""
    if seconds <= 0:
        return "0s"
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            parts.append(f"{int(seconds // length)}{unit}")
            seconds %= length
    return "".join(parts) + (f"{seconds:g}s" if seconds or not parts else "")
