"""Rules as settings write them: a text, or any/all/none with lists of texts for people who want no operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.errors import RuleError
from monitor.rules.parser import parse
from monitor.rules.syntax import And, Node, Not, Or

FORMS = ("any", "all", "none")


def read_rule(rule: str | Mapping[str, object]) -> Node:
    """Return the tree of a rule's text or form. Raises RuleError; of a form, its column counts within the item."""
    return parse(rule) if isinstance(rule, str) else _form(rule)


def _form(form: Mapping[str, object]) -> Node:
    for key in form:
        if key not in FORMS:
            raise RuleError(f"`{key}` says nothing in a rule", column=1, mend="use any, all and none")
    parts: list[Node] = []
    if "all" in form:
        parts += _items("all", form["all"])
    if "any" in form:
        choices = _items("any", form["any"])
        parts.append(choices[0] if len(choices) == 1 else Or(_written(choices, " OR "), 1, tuple(choices)))
    if not parts:
        mend = "add any: or all: with what must be there"
        raise RuleError("a rule must contain at least one thing to look for", column=1, mend=mend)
    if "none" in form:
        parts += [Not(f"NOT ({item.term})", 1, item) for item in _items("none", form["none"])]
    return parts[0] if len(parts) == 1 else And(_written(parts, " AND "), 1, tuple(parts))


def _items(key: str, value: object) -> list[Node]:
    values = [value] if isinstance(value, str | Mapping) else value
    if not isinstance(values, Sequence) or not values:
        raise RuleError(f"`{key}` needs a list of texts", column=1, mend=f"write {key}: [suspended, halted]")
    nodes = []
    for at, item in enumerate(values):
        if not isinstance(item, str | Mapping):
            raise RuleError(
                f"`{key}` holds something that is no text", column=1, mend='put it in quotation marks: "2016"'
            )
        try:
            nodes.append(read_rule(item))
        except RuleError as error:
            where = f"{key}[{at}]: {error.message}"
            raise RuleError(where, column=error.column, mend=error.mend) from error
    return nodes


def _written(nodes: Sequence[Node], between: str) -> str:
    return between.join(f"({node.term})" if " " in node.term else node.term for node in nodes)
