"""The chaos run, scaled down: kill -9 everywhere, and every id accounted for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "chaos_bus.py"


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="valkey"),
        pytest.param(["--no-persistence", "--relays", "2"], id="valkey without persistence, two relays"),
        pytest.param(["--program", "redis-server"], id="redis", marks=pytest.mark.system_redis),
    ],
)
def test_nothing_is_lost_repeated_or_out_of_order(options):
    if "redis-server" in options and not shutil.which("redis-server"):
        pytest.skip("no redis-server on the PATH")
    run = subprocess.run(
        [sys.executable, SCRIPT, "--deltas", "900", "--rate", "300", "--kills", "6", *options],
        capture_output=True,
        text=True,
        timeout=140,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert "exact" in run.stdout
