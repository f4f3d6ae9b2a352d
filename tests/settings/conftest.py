"""Settings files written into a scratch directory, and a compiler of rules that takes everything."""

import textwrap
from pathlib import Path

import pytest

from monitor.settings import examine, load_settings

CANARY = "canary-hunter2"
ENVIRON = {
    "HOME": "/home/desk",
    "SLACK_WEBHOOK_URL": f"https://hooks.slack.com/services/T0/B0/{CANARY}",
    "SECRET": CANARY,
}


@pytest.fixture
def environ():
    return dict(ENVIRON)


@pytest.fixture
def canary():
    return CANARY


class Desk:
    """A directory of settings files."""

    def __init__(self, directory: Path, environ: dict[str, str]) -> None:
        self.directory = directory
        self.environ = environ

    def write(self, text: str, name: str = "monitor.yaml") -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def load(self, text: str, checker=lambda rules: None):
        return load_settings(self.write(text), environ=self.environ, rule_checker=checker)

    def examine(self, text: str, checker=lambda rules: None):
        return examine(self.write(text), environ=self.environ, rule_checker=checker)

    def said(self, text: str, checker=lambda rules: None) -> list[str]:
        """Every problem without the directory's name."""
        examined = self.examine(text, checker)
        return [str(one).removeprefix(f"{self.directory}/") for one in (*examined.errors, *examined.warnings)]


@pytest.fixture
def desk(tmp_path, environ):
    return Desk(tmp_path, environ)
