"""The house rules hold: layering, types, lint, and the size of files and functions."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "monitor").rglob("*.py"))
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=240)


@pytest.mark.timeout(300)
def test_rooms_import_only_what_is_to_their_right():
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.timeout(300)
def test_types_hold_under_mypy_strict():
    done = run("mypy")
    assert done.returncode == 0, done.stdout[-4000:]


def test_lint_is_clean():
    done = run("ruff", "check", ".")
    assert done.returncode == 0, done.stdout[-4000:]


def test_format_is_the_formatters():
    done = run("ruff", "format", "--check", "monitor")
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_outgrows_its_purpose(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE_LINES, f"{path} has {lines} lines; split it by purpose"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_outgrows_one_screen(path):
    long = [
        f"{node.name} {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert not long, f"{path}: {long}"
