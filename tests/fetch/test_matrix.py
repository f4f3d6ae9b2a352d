"""Every way a server can lie, stall, flood or break off ends in its verdict, in time and in bounded memory."""

import time

import pytest

from tests.fetch import hostile

ROWS = hostile.rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_each_row_ends_in_its_verdict_within_its_time(row, server, ask):
    server.routes[hostile.path_of(row)] = row.answer
    began = time.monotonic()
    outcome = await ask(hostile.path_of(row), etag='"same"' if row.validators else None)
    took = time.monotonic() - began
    assert hostile.ended(outcome) in row.code.split("|"), outcome
    assert took < row.seconds + 1.0, f"{took:.1f} s"  # a second for a machine with other work
