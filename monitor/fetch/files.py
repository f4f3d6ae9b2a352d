"""A local file as a source: read whole, its modification time as Last-Modified, unchanged by stat or by hash.

Rule: the operator names files, a server never does (`links` refuses `file:` redirects).
"""

from __future__ import annotations

import mimetypes
import os
import stat
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import xxhash

from monitor.fetch.request import FetchOutcome, FetchRequest, Fresh, NotModified, failed
from monitor.model import Document

# A file changed twice within one tick of the file system's clock has the same stat both times; its stamp is trusted
# only when it is older than the coarsest tick in use (2 s on FAT).
_SETTLED_NS = 2_000_000_000


def file_path(url: str) -> Path | None:
    """Return the path a source's URL names, or None when it is not a file: a `file:` URL or anything without a scheme."""
    if url.startswith("file:"):
        parts = urlsplit(url)
        return Path(unquote(parts.path)) if parts.netloc in ("", "localhost") else None
    return None if "://" in url else Path(url).expanduser()


def read_file(path: Path, request: FetchRequest, now: datetime) -> FetchOutcome:
    """Return the file's bytes unless they are those of the last time. Blocks; no error is raised."""
    try:
        # O_NONBLOCK: a FIFO in place of the file must not hang the poll.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            return failed("not_a_file", f"{path} is not a regular file")
        with os.fdopen(descriptor, "rb") as file:
            etag = f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'
            settled = now.timestamp() * 1e9 - status.st_mtime_ns > _SETTLED_NS
            if etag == request.etag and settled:
                return NotModified(etag=etag)
            body = file.read(request.limits.decoded_bytes + 1)
    except OSError as error:
        return failed("file", f"{path} cannot be read: {error.strerror or error}")
    if len(body) > request.limits.decoded_bytes:
        return failed("too_large", f"{path} is larger than {request.limits.decoded_bytes} bytes")
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    stamp = format_datetime(modified, usegmt=True)
    kept = etag if settled else None
    digest = xxhash.xxh3_128_hexdigest(body)
    if digest == request.body_hash:
        return NotModified(etag=kept, last_modified=stamp)
    document = Document(
        body=body,
        seen_at=now,
        url=path.absolute().as_uri(),
        content_type=mimetypes.guess_type(path.name)[0],
        modified_at=modified,
    )
    return Fresh(document, etag=kept, last_modified=stamp, body_hash=digest)
