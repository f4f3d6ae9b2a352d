"""Which settings file is meant.

Rule: what is asked for by name must be there; the usual places are tried in order and the first that exists is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitor.errors import SettingsError

_NAME = Path("monitor") / "monitor.yaml"
ENVIRONMENT_VARIABLE = "MONITOR_CONFIG"


def find_settings_file(explicit: Path | str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """Return the settings file: `explicit`, else $MONITOR_CONFIG, else the first of the usual places.

    The places are config/monitor.yaml and monitor.yaml in `cwd`, then the XDG directories, then /etc. Raises SettingsError that
    names what was looked for.
    """
    asked = explicit or environ.get(ENVIRONMENT_VARIABLE)
    if asked:
        path = Path(asked)
        if not (cwd / path).is_file():
            by = "" if explicit else f" (named by ${ENVIRONMENT_VARIABLE})"
            said = f"{path}:1:1: error: there is no such settings file{by} — start one with `monitor init`"
            raise SettingsError((said,), resource=str(path))
        return path
    places = usual_places(environ)
    for place in places:
        if (cwd / place).is_file():
            return place
    looked = ", ".join(str(place) for place in places)
    said = f"error: no settings file: looked for {looked} — start one with `monitor init`, or name one with -c"
    raise SettingsError((said,))


def usual_places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where a settings file is looked for, first to last (XDG Base Directory Specification for the middle)."""
    home = Path(environ.get("HOME") or "/")
    own = Path(environ["XDG_CONFIG_HOME"]) if environ.get("XDG_CONFIG_HOME", "").startswith("/") else home / ".config"
    shared = [Path(part) for part in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if part.startswith("/")]
    directories = (own, *shared, Path("/etc"))
    return (Path("config/monitor.yaml"), Path("monitor.yaml"), *(directory / _NAME for directory in directories))
