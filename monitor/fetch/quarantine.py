"""Documents that broke a parser, kept for who mends it.

Rule: bounded in bytes, oldest dropped first; names hold nothing of the document. Trouble with the disk is no trouble of the
poll.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

MAX_BYTES = 20 << 20


def keep(directory: Path, source_id: str, digest: str, body: bytes) -> None:
    """Write `body` as `<source>-<digest>` unless it is there, and drop the oldest beyond `MAX_BYTES`. Blocks."""
    with contextlib.suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() and c.isascii() else "-" for c in source_id)[:80]
        path = directory / f"{name}-{digest}"
        if not path.exists() and len(body) <= MAX_BYTES:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                file.write(body)
        _prune(directory)


def _prune(directory: Path) -> None:
    kept = sorted(
        ((file.stat().st_mtime_ns, file.stat().st_size, file) for file in directory.iterdir() if file.is_file()),
        reverse=True,
    )
    room = MAX_BYTES
    for _, size, file in kept:
        room -= size
        if room < 0:
            file.unlink(missing_ok=True)
