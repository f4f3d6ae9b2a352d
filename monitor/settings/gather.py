"""The settings file and the files it includes, as one tree.

Rule: a file is read once and whole; what two files both say is an error, never a silent winner.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping as Environment
from dataclasses import dataclass, field
from pathlib import Path

from monitor.settings.problems import Place, Problems
from monitor.settings.reader import MAX_BYTES, read_tree
from monitor.settings.tree import Mapping, Node, Pair, Scalar, Sequence, lines_of
from monitor.settings.variables import Expander

_UNITED = ("sources", "rules", "receivers")  # sections that several files may each hold a part of
_MAX_FILES = 1000


@dataclass(slots=True)
class Gathered:
    """What was read so far."""

    environ: Environment[str, str]
    problems: Problems
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    files: list[Path] = field(
        default_factory=list
    )  # in reading order, the main file first; directories of patterns too
    open: list[Path] = field(default_factory=list)  # files whose includes are being read, to see a cycle

    def read(self, path: Path, asked_at: Place | None = None) -> Mapping | None:
        """Return the tree of `path` with its includes united, or None where it cannot be read."""
        name = str(path)
        text = self._text(path, asked_at)
        if text is None:
            return None
        self.lines[name] = lines_of(text)
        tree = read_tree(text, name, self.problems)
        if tree is not None and not tree.pairs and asked_at is None:
            # A disk that is full and an editor that is not done leave an empty file: it must not end all watching.
            self.problems.error(Place(name, 1, 1), "the file is empty", "start one with `monitor init`, or restore it")
        return None if tree is None else self._with_includes(tree, path)

    def _text(self, path: Path, asked_at: Place | None) -> str | None:
        place = asked_at or Place(str(path), 1, 1)
        try:
            content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
        except OSError as wrong:
            why = (wrong.strerror or "it cannot be read").lower()
            mend = "check its name" if asked_at else "check its name, or start one with `monitor init`"
            self.problems.error(place, f"{path} cannot be read: {why}", mend)
            return None
        self.files.append(path)
        if content is None:
            said = f"{path} is larger than {MAX_BYTES // 2**20} MiB"
            self.problems.error(place, said, "split it, or move texts that are no settings out of it")
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            at = _place_of_byte(content, wrong.start, str(path))
            said = f"byte 0x{content[wrong.start]:02x} is not UTF-8"
            self.problems.error(at, said, "save the file as UTF-8")
            return None

    def _with_includes(self, tree: Mapping, path: Path) -> Mapping:
        include = tree.pairs.pop("include", None)
        if include is None:
            return tree
        self.open.append(path.resolve())
        for node in _patterns(Expander(self.environ, self.problems).expand(include.value)):
            if isinstance(node, Scalar) and node.broken:
                continue
            if isinstance(node, Scalar) and node.text:
                self._include(tree, node, path)
            else:
                self.problems.error(node.place, "the name of a file was expected", "write include: conf.d/*.yaml")
        self.open.pop()
        return tree

    def _include(self, tree: Mapping, node: Scalar, path: Path) -> None:
        pattern = str(path.parent / (node.text or ""))
        if glob.has_magic(pattern):  # a file that comes into the directory later changes the settings too
            self.files.append(next(parent for parent in Path(pattern).parents if not glob.has_magic(str(parent))))
        names = sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]  # noqa: PTH207 - the pattern may be absolute
        for name in names:
            included = Path(name)
            if included.resolve() in self.open:
                self.problems.error(
                    node.place, f"{included} includes itself", "take the include out of one of the files"
                )
            elif len(self.files) >= _MAX_FILES:
                self.problems.error(node.place, f"more than {_MAX_FILES} files are included", "include fewer")
                return
            elif (other := self.read(included, node.place)) is not None:
                self._unite(tree, other)

    def _unite(self, tree: Mapping, other: Mapping) -> None:
        for key, pair in other.pairs.items():
            known = tree.pairs.get(key)
            if known is None:
                tree.pairs[key] = pair
            elif key in _UNITED and isinstance(known.value, Mapping) and isinstance(pair.value, Mapping):
                self._unite_section(known.value, pair.value)
            elif key != "version":
                said = f"duplicate key '{key}' (first at {known.key_place})"
                self.problems.error(pair.key_place, said, "say it in one file only")

    def _unite_section(self, section: Mapping, other: Mapping) -> None:
        for key, pair in other.pairs.items():
            if key in section.pairs:
                said = f"duplicate key '{key}' (first at {section.pairs[key].key_place})"
                self.problems.error(pair.key_place, said, "give it another name, or take one of the two out")
            else:
                section.pairs[key] = Pair(pair.key_place, pair.value)


def _patterns(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else (node,)


def _place_of_byte(content: bytes, offset: int, file: str) -> Place:
    before = content[:offset].decode("utf-8", "replace")
    lines = lines_of(before)
    return Place(file, len(lines), len(lines[-1]) + 1)
