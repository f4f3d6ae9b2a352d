"""A file is a source like any other."""

import os
from datetime import UTC, datetime

import pytest

from monitor.fetch import FetchLimits, FetchRequest, Fresh, NotModified
from monitor.fetch.fetcher import Fetcher

THEN = datetime(2016, 12, 15, 13, 47, tzinfo=UTC)


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "live blog.txt"
    path.write_bytes(b"3:47 pm")
    os.utime(path, (THEN.timestamp(), THEN.timestamp()))
    return path


@pytest.fixture
async def files():
    async with Fetcher() as fetcher:
        yield fetcher


@pytest.mark.parametrize("form", ["path", "uri"])
async def test_a_path_and_a_file_url_are_read(page, files, form):
    outcome = await files.fetch(FetchRequest(str(page) if form == "path" else page.as_uri()))
    assert outcome.document.body == b"3:47 pm"
    assert outcome.document.modified_at == THEN
    assert outcome.document.content_type == "text/plain"
    assert outcome.document.url == page.as_uri()
    assert outcome.last_modified == "Thu, 15 Dec 2016 13:47:00 GMT"


async def test_an_untouched_file_is_not_modified_without_being_read(page, files):
    first = await files.fetch(FetchRequest(str(page)))
    page.chmod(0o600)
    assert isinstance(await files.fetch(FetchRequest(str(page), etag=first.etag)), NotModified)


async def test_a_touched_file_with_the_same_bytes_is_not_modified(page, files):
    first = await files.fetch(FetchRequest(str(page)))
    os.utime(page, (THEN.timestamp() + 60, THEN.timestamp() + 60))
    second = await files.fetch(FetchRequest(str(page), etag=first.etag, body_hash=first.body_hash))
    assert isinstance(second, NotModified)
    assert second.etag not in (None, first.etag)


async def test_a_file_changed_twice_within_one_tick_is_seen(page, files):
    page.write_bytes(b"3:48 pm")
    stamp = page.stat().st_mtime_ns
    first = await files.fetch(FetchRequest(str(page)))
    page.write_bytes(b"3:49 pm")
    os.utime(page, ns=(stamp, stamp))
    second = await files.fetch(FetchRequest(str(page), etag=first.etag, body_hash=first.body_hash))
    assert isinstance(second, Fresh)
    assert second.document.body == b"3:49 pm"


async def test_a_file_replaced_by_another_is_seen(page, files, tmp_path):
    first = await files.fetch(FetchRequest(str(page)))
    other = tmp_path / "other"
    other.write_bytes(b"3:48 pm")
    os.utime(other, (THEN.timestamp(), THEN.timestamp()))
    os.replace(other, page)
    assert isinstance(await files.fetch(FetchRequest(str(page), etag=first.etag, body_hash=first.body_hash)), Fresh)


@pytest.mark.timeout(5)
async def test_what_is_no_file_is_told_and_never_waited_for(files, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    codes = [
        (await files.fetch(FetchRequest(str(path)))).verdict.code
        for path in (tmp_path / "nothing", tmp_path, tmp_path / "fifo", "/dev/zero")
    ]
    assert codes == ["file", "not_a_file", "not_a_file", "not_a_file"]


async def test_a_file_larger_than_the_limit_is_refused(page, files):
    outcome = await files.fetch(FetchRequest(str(page), limits=FetchLimits(decoded_bytes=3)))
    assert outcome.verdict.code == "too_large"


async def test_a_file_url_of_another_host_is_not_a_file(files):
    assert (await files.fetch(FetchRequest("file://fileserver/share/x"))).verdict.code == "refused_url"
