"""Every document a publisher can send as a good answer ends in its verdict, capped, and opens and asks for nothing."""

import sys

import pytest

from monitor.fetch import ParseWorker, ParseWorkerSettings
from tests.sources import hostile

ROWS = hostile.rows()
REACHED: list[str] = []
WATCHING: list[bool] = []


def watch(event, arguments):
    if WATCHING and (
        event.startswith(("socket.", "urllib.", "subprocess.")) or (event == "open" and "passwd" in str(arguments[0]))
    ):
        REACHED.append(event)


sys.addaudithook(watch)


@pytest.mark.parametrize("row", [row for row in ROWS if not row.killed], ids=lambda row: row.name)
def test_each_document_ends_in_its_verdict_and_reaches_for_nothing(row, reading):
    REACHED.clear()
    WATCHING.append(True)
    try:
        found = reading(hostile.body_of(row), **{name: getattr(row.options, name) for name in ("kind", "select")})
    finally:
        WATCHING.clear()
    assert f"{found.verdict.kind.value} {found.verdict.code}".strip() == row.ends, found.verdict
    assert row.check is None or row.check(found.snapshot)
    assert not REACHED


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if row.killed], ids=lambda row: row.name)
async def test_what_no_scan_tells_ends_with_the_parsers_process(row, document):
    async with ParseWorker(ParseWorkerSettings(deadline=1.0, cpu_seconds=1)) as worker:
        found = await worker.read("hostile", document(hostile.body_of(row)), row.options)
    assert f"{found.verdict.kind.value} {found.verdict.code}" == row.ends, found.verdict
