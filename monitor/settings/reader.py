"""One YAML file's text to a tree with places, or every reason why not.

Rule: plain data only. Tags, merge keys, duplicate keys, keys that are no text and alias bombs are errors with a place;
nothing is constructed from a tag and nothing is typed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from monitor.settings.problems import Place, Problems
from monitor.settings.syntax import blanked, syntax_problem
from monitor.settings.tree import Mapping, Node, Pair, Scalar, Sequence, lines_of

MAX_BYTES = 4 * 1024 * 1024  # 10,000 sources of five lines; beyond it is no settings file
MAX_DEPTH = 32
MAX_ALIASED_NODES = 10_000
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # YAML 1.2 §5.1
_LEADING_TAB = re.compile(r"^ *\t[ \t]*(?=[^\s#])")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})  # YAML 1.2 §10.3.2
MAX_SYNTAX_ERRORS = 20
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Unreadable(Exception):
    """The rest of the file cannot be read; the problem is already noted."""


def read_tree(text: str, file: str, problems: Problems) -> Mapping | None:
    """Return the tree of a settings file's text, or None; what is wrong goes to `problems`.

    After a mistake in the syntax the block it stands in is left out and reading goes on, so that all of them are told.
    """
    if not _characters_are_fit(text, file, problems):
        return None
    lines = lines_of(text)
    for attempt in range(MAX_SYNTAX_ERRORS):
        builder = _Builder(iter(()), text if not attempt else "\n".join(lines), file, problems)
        try:
            builder.events = yaml.parse(builder.text, Loader=_Loader)
            tree = builder.document()
        except _Unreadable:
            break
        except yaml.YAMLError as wrong:
            problem = syntax_problem(wrong, lines, file)
            problems.found[problem] = None
            lines = blanked(lines, problem.place.line)
        else:
            return None if attempt else tree
    return None


def _characters_are_fit(text: str, file: str, problems: Problems) -> bool:
    before = len(problems.found)
    for number, line in enumerate(lines_of(text), 1):
        for found in _NOT_ALLOWED.finditer(line):
            name = f"U+{ord(found.group()):04X}"
            problems.error(
                Place(file, number, found.start() + 1), f"the character {name} cannot stand here", "remove it"
            )
        if tab := _LEADING_TAB.match(line):
            column = tab.group().index("\t") + 1
            problems.error(Place(file, number, column), "a tab in the indentation", "indent with spaces")
    return len(problems.found) == before


@dataclass(slots=True)
class _Builder:
    events: Iterator[yaml.Event]
    text: str
    file: str
    problems: Problems
    anchors: dict[str, tuple[Node, int] | None] = field(default_factory=dict)  # None while the node is being read
    aliased: int = 0

    def document(self) -> Mapping | None:
        next(self.events)  # the stream's start
        first = next(self.events)
        if isinstance(first, yaml.StreamEndEvent):
            return Mapping(Place(self.file, 1, 1))
        root, _ = self._node(next(self.events), 0)
        next(self.events)  # the document's end
        following = next(self.events)
        if not isinstance(following, yaml.StreamEndEvent):
            self.problems.error(self._place(following), "a second document starts here", "keep one document a file")
        if isinstance(root, Scalar) and root.text is None:
            return Mapping(root.place)
        if not isinstance(root, Mapping):
            kind = "a list" if isinstance(root, Sequence) else "text"
            self.problems.error(root.place, f"settings are keys and values, not {kind}", "start with `version: 1`")
            return None
        return root

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None  # parsers give every event its marks
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _node(self, event: yaml.Event, depth: int) -> tuple[Node, int]:
        if depth > MAX_DEPTH:
            self.problems.error(self._place(event), f"nested more than {MAX_DEPTH} levels deep", "flatten it")
            raise _Unreadable
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        tagged = self._refuse_tag(event)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self.anchors[anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            read: tuple[Node, int] = (self._scalar(event, broken=tagged), 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            read = self._sequence(event, depth)
        else:
            read = self._mapping(event, depth)
        if anchor is not None:
            self.anchors[anchor] = read
        return read

    def _refuse_tag(self, event: yaml.Event) -> bool:
        tag = getattr(event, "tag", None)
        if tag is not None:
            said = tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.error(self._place(event), f"the tag {said} is not taken", "write the plain value")
        return tag is not None

    def _scalar(self, event: yaml.ScalarEvent, *, broken: bool) -> Scalar:
        assert event.start_mark is not None
        assert event.end_mark is not None
        raw = self.text[event.start_mark.index : event.end_mark.index]
        null = not event.style and event.value in _NULLS
        return Scalar(None if null else event.value, self._place(event), raw, broken=broken)

    def _alias(self, event: yaml.AliasEvent) -> tuple[Node, int]:
        known = self.anchors.get(str(event.anchor))
        if known is None:
            defined = event.anchor in self.anchors
            said = f"*{event.anchor} refers to itself" if defined else f"*{event.anchor} is not defined above"
            mend = "write the value out" if defined else f"define &{event.anchor} first, or quote text starting with *"
            self.problems.error(self._place(event), said, mend)
            raise _Unreadable
        self.aliased += known[1]
        if self.aliased > MAX_ALIASED_NODES:
            said = f"aliases stand for more than {MAX_ALIASED_NODES} values"
            self.problems.error(self._place(event), said, "write the values out")
            raise _Unreadable
        return known

    def _sequence(self, event: yaml.Event, depth: int) -> tuple[Sequence, int]:
        items: list[Node] = []
        weight = 1
        while not isinstance(following := next(self.events), yaml.SequenceEndEvent):
            item, its_weight = self._node(following, depth + 1)
            items.append(item)
            weight += its_weight
        return Sequence(tuple(items), self._place(event)), weight

    def _mapping(self, event: yaml.Event, depth: int) -> tuple[Mapping, int]:
        pairs: dict[str, Pair] = {}
        weight = 1
        while not isinstance(following := next(self.events), yaml.MappingEndEvent):
            key_place = self._place(following)
            key, _ = self._node(following, depth + 1)
            value, its_weight = self._node(next(self.events), depth + 1)
            weight += 1 + its_weight
            self._keep(pairs, key, key_place, value)
        return Mapping(self._place(event), pairs), weight

    def _keep(self, pairs: dict[str, Pair], key: Node, place: Place, value: Node) -> None:
        name = key.text if isinstance(key, Scalar) else None
        if name is None:
            template = isinstance(key, Mapping)  # {{ name }} is a mapping as the key of another
            mend = "variables are written ${NAME}" if template else "put text starting with { or [ in quotes"
            self.problems.error(place, "a key must be text", mend)
        elif name == "<<":
            self.problems.error(place, "merge keys (<<) are not taken", "put what sources share under `defaults`")
        elif name in pairs:
            said = f"duplicate key '{name}' (first at line {pairs[name].key_place.line})"
            self.problems.error(place, said, "keep one of the two")
        else:
            pairs[name] = Pair(place, value)
