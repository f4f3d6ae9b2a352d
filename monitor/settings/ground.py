"""What the checks of meaning stand on: settings, where each of them is written, and the list of problems.

Rule: a check names a setting by its path; this turns the path into a place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from monitor.settings.addresses import inward
from monitor.settings.model import Settings
from monitor.settings.problems import Place, Problems
from monitor.settings.tree import Mapping, Path, Scalar, find, is_null, scalars

_NAMED = 8  # so many names are listed where none comes near


@dataclass(frozen=True, slots=True)
class Ground:
    """Settings and the trees they were built from."""

    settings: Settings
    tree: Mapping  # with defaults, secrets and variables put in
    written: Mapping  # as in the file
    problems: Problems

    def error(self, path: Path, message: str, mend: str) -> None:
        """Note an error at the value of the setting at `path`."""
        self.problems.error(self.place(path), message, mend)

    def warning(self, path: Path, message: str, mend: str) -> None:
        """Note a warning at the value of the setting at `path`."""
        self.problems.warning(self.place(path), message, mend)

    def place(self, path: Path) -> Place:
        """Return where the value at `path` stands, or the key it would stand under."""
        node, place = find(self.tree, path)
        return node.place if isinstance(node, Scalar) or self.stands(path) else place

    def stands(self, path: Path, tree: Mapping | None = None) -> bool:
        """Tell whether there is a value at `path` in the file or put in from the defaults."""
        above = find(tree or self.tree, path[:-1])[0]
        if isinstance(above, Mapping):
            return path[-1] in above.pairs
        return not isinstance(above, Scalar) and isinstance(path[-1], int) and path[-1] < len(above.items)

    def broken(self, path: Path) -> bool:
        """Tell whether the text at `path` lacks a variable or file, which is noted already."""
        node = find(self.tree, path)[0]
        return isinstance(node, Scalar) and node.broken

    def shown(self, path: Path) -> str:
        """Return the text at `path` as it may be quoted: as in the file where a variable stands in it."""
        node = find(self.tree, path)[0]
        return "" if not isinstance(node, Scalar) else node.raw if node.varied else node.text or ""

    def known(self, section: str) -> Collection[str]:
        """Return the names in a section, those of parts with errors included."""
        pair = self.tree.pairs.get(section)
        return pair.value.pairs.keys() if pair and isinstance(pair.value, Mapping) else ()

    def names(self, path: Path, names: Iterable[str], section: str) -> None:
        """Note each of `names` that is not in `section`; a section that is none, which is noted, may have held it."""
        written = self.written.pairs.get(section)
        if written is not None and not isinstance(written.value, Mapping) and not is_null(written.value):
            return
        known = self.known(section)
        for index, name in enumerate(names):
            if name not in known:
                at = (*path, index)
                self.error(at, f"there is no {section[:-1]} '{self.shown(at)}'", meant(name, known, section))

    def address(self, path: Path, url: str, *, allow_private: bool) -> None:
        """Note a URL that points at this machine or a private network without leave."""
        why = None if allow_private else inward(url)
        if why is not None:
            self.error(path, f"the address points inward: {why}", "say allow_private: true if that is meant")

    def in_the_open(self, path: Path) -> Iterator[Scalar]:
        """Yield the texts at `path` that stand in the settings file itself, not in a variable or another file."""
        if self.stands(path, self.written):
            for scalar in scalars(find(self.written, path)[0]):
                if scalar.text and "${" not in scalar.text:
                    yield scalar


def meant(name: str, known: Collection[str], section: str) -> str:
    """Return a mend for a name that is not known."""
    near = get_close_matches(name, known, 1, 0.5)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"there are {', '.join(islice(known, _NAMED))}" if known else f"add it under {section}"
