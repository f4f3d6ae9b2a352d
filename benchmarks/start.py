"""How long the command line takes to answer: `monitor --help`, a bare interpreter and a bare click beside it.

    python benchmarks/start.py [--runs 15]

Medians, interleaved, so that all meet the same machine. The limit for `monitor --help` and for completing a command's name
is 250 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

LIMIT_MS = 250.0
PYTHON = sys.executable
RUNS = {
    "python -c pass": ([PYTHON, "-c", "pass"], {}),
    "python -c 'import click'": ([PYTHON, "-c", "import click"], {}),
    "monitor --help": ([PYTHON, "-m", "monitor", "--help"], {}),
    "monitor st<TAB>": (
        [PYTHON, "-m", "monitor"],
        {"COMP_WORDS": "monitor st", "COMP_CWORD": "1", "_MONITOR_COMPLETE": "bash_complete"},
    ),
    "monitor status --help": ([PYTHON, "-m", "monitor", "status", "--help"], {}),
    "monitor check --offline": ([PYTHON, "-m", "monitor", "check", "--offline"], {}),
}


def main() -> int:
    """Print the table; exit 1 where the limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    taken: dict[str, list[float]] = {name: [] for name in RUNS}
    for _ in range(runs):
        for name, (command, extra) in RUNS.items():
            began = time.perf_counter()
            subprocess.run(command, env={**os.environ, **extra}, stdout=subprocess.DEVNULL, check=False)
            taken[name].append(1000 * (time.perf_counter() - began))
    base = statistics.median(taken["python -c pass"])
    print(f"{'':<28}{'median ms':>10}{'worst ms':>10}{'× python':>10}")
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"{name:<28}{middle:>10.0f}{max(times):>10.0f}{middle / base:>10.1f}")
    worst = max(statistics.median(taken[name]) for name in ("monitor --help", "monitor st<TAB>"))
    print(f"limit for help and completion: {LIMIT_MS:.0f} ms; {'kept' if worst <= LIMIT_MS else 'BROKEN'}")
    return 0 if worst <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
