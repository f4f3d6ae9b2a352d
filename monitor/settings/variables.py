"""`${VAR}` and `${VAR:-default}` in values, and secrets that are kept in files.

Rule: values only and only after parsing, so no variable can change the structure of the settings; a variable without a
value is an error with its place, and what a variable or a file holds is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Environment
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from monitor.settings.problems import Place, Problems
from monitor.settings.tree import Mapping, Node, Pair, Scalar, Sequence

_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_BARE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_FILE_SUFFIX = "_file"
MAX_SECRET_BYTES = 64 * 1024
LOOKED_AT = frozenset({"redis", "store", "state_dir", "prefix"})  # where everything is: no command works without


@dataclass(slots=True)
class Expander:
    """Puts values for variables; shared nodes (aliases) are done once."""

    environ: Environment[str, str]
    problems: Problems
    looked_at: bool = False  # what is being expanded is needed by every command, also by those that only look

    def expand_root(self, tree: Mapping) -> Mapping:
        """Return the whole tree with every variable replaced."""
        pairs = {}
        for key, pair in tree.pairs.items():
            self.looked_at = key in LOOKED_AT
            pairs[key] = Pair(pair.key_place, self.expand(pair.value))
        return Mapping(tree.place, pairs)

    def expand(self, node: Node) -> Node:
        """Return `node` with every variable replaced, and note every one that has no value."""
        if isinstance(node, Scalar):
            return self._scalar(node)
        if isinstance(node, Sequence):
            return replace(node, items=tuple(self.expand(item) for item in node.items))
        return Mapping(
            node.place, {key: Pair(pair.key_place, self.expand(pair.value)) for key, pair in node.pairs.items()}
        )

    def _scalar(self, node: Scalar) -> Scalar:
        if node.text is None or "${" not in node.text:
            return replace(node, broken=True) if self._is_bare(node) else node
        before = len(self.problems.found)
        text = _VARIABLE.sub(lambda found: self._value(found, node), node.text)
        return replace(node, text=text, varied=True, broken=len(self.problems.found) > before)

    def _is_bare(self, node: Scalar) -> bool:
        """Note and tell `$NAME`, which is not put in; a cashtag such as $TSLA in a rule is none."""
        name = (node.text or "")[1:]
        bare = bool(_BARE.fullmatch(node.text or "")) and (name in self.environ or "_" in name)
        if bare:
            self.problems.error(node.place, f"${name} is not replaced: it has no braces", f"write ${{{name}}}")
        return bare

    def _value(self, found: re.Match[str], node: Scalar) -> str:
        if found.group().startswith("$$"):
            return "${"
        place = node.place_of(found.start())
        name = _NAME.fullmatch(found[1])
        if name is None or not found.group().endswith("}"):
            self.problems.error(place, f"'{found.group()}' is not a variable", "write ${NAME}, or $${ for a plain ${")
            return ""
        value = self.environ.get(name[1])
        if name[2] is not None:
            return value or name[2]
        if value is None:
            said = f"the environment variable {name[1]} is not set"
            self.problems.error(place, said, self._unset_mend(name[1]), absent=not self.looked_at)
        return value or ""

    def _unset_mend(self, name: str) -> str:
        near = get_close_matches(name, self.environ, 1, 0.8)
        return f"did you mean {near[0]}?" if near else f"set it, or write ${{{name}:-default}}"


@dataclass(slots=True)
class SecretFiles:
    """Reads the files that `*_file` keys name."""

    environ: Environment[str, str]
    problems: Problems
    read: list[Path]

    def put(self, node: Mapping, secret_keys: frozenset[str], *, looked_at: bool = False) -> Mapping:
        """Return `node` with each `KEY_file` of a secret KEY replaced by KEY and the file's text.

        `looked_at`: every command needs it, also those that only look.
        """
        pairs: dict[str, Pair] = {}
        for key, pair in node.pairs.items():
            name = key.removesuffix(_FILE_SUFFIX)
            if not key.endswith(_FILE_SUFFIX) or name not in secret_keys:
                pairs[key] = pair
            elif name in node.pairs:
                self.problems.error(pair.key_place, f"'{name}' and '{key}' are both given", "keep one of the two")
            else:
                pairs[name] = Pair(pair.key_place, self._secret(pair.value, absent=not looked_at))
        return Mapping(node.place, pairs)

    def _secret(self, node: Node, *, absent: bool) -> Scalar:
        if not isinstance(node, Scalar) or not node.text:
            self.problems.error(node.place, "the name of a file was expected", "write its path")
            return Scalar("", node.place, broken=True)
        path = self._locate(node.text, node.place)
        try:
            content = path.read_bytes()
        except OSError as wrong:
            why = (wrong.strerror or "it cannot be read").lower()
            said = f"the file {path} cannot be read: {why}"
            self.problems.error(node.place, said, "name a file that holds the secret", absent=absent)
            return replace(node, broken=True)
        return self._content(content, path, node)

    def _content(self, content: bytes, path: Path, node: Scalar) -> Scalar:
        self.read.append(path)
        try:
            text = content.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            text = ""
        if not text or len(content) > MAX_SECRET_BYTES:
            said = "is empty" if not content.strip() else "holds no secret that could be used"
            self.problems.error(node.place, f"the file {path} {said}", "write the secret into it as one line of UTF-8")
            return replace(node, broken=True)
        if path.stat().st_mode & 0o077 and not self._is_credential(path):
            self.problems.warning(node.place, f"other users can read {path}", f"chmod 600 {path}")
        return replace(node, text=text, varied=True)

    def _locate(self, name: str, place: Place) -> Path:
        """Return the file: a bare name is looked for in $CREDENTIALS_DIRECTORY (systemd.exec(5)) first."""
        directory = self.environ.get("CREDENTIALS_DIRECTORY")
        if directory and "/" not in name and (Path(directory) / name).is_file():
            return Path(directory) / name
        return Path(place.file).parent / Path(name).expanduser()

    def _is_credential(self, path: Path) -> bool:
        directory = self.environ.get("CREDENTIALS_DIRECTORY")
        return bool(directory) and path.is_relative_to(Path(directory or "/"))
