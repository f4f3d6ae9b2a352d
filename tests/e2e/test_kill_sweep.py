"""The daemon killed at chosen system calls; `benchmarks/kill_sweep.py` does it at very many."""

import asyncio
import shutil
import subprocess

import pytest

from benchmarks.kill_sweep import is_bad, run_point

# While the first page is stored, while the first changes are, on the way to the server, and in the middle of the story.
POINTS = (("disk", 60), ("disk", 130), ("wire", 70), ("wire", 100))


def can_trace():
    return (
        shutil.which("strace")
        and not subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode
    )


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(not can_trace(), reason="needs strace, and to be allowed to trace")
async def test_a_daemon_killed_in_the_midst_of_a_write_or_a_send_loses_nothing_and_repeats_nothing():
    room = asyncio.Semaphore(2)

    async def one(calls, when):
        async with room:
            return await run_point(calls, when)

    results = await asyncio.gather(*(one(*point) for point in POINTS))
    assert [result for result in results if is_bad(result)] == []
