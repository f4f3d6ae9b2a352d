"""Why a rule fires on a text or does not: each part with what it found, and the nearest miss in words.

Rule: says only what the exact check says; the same plans decide here and in the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.model import Match
from monitor.rules.compiling import Compiler
from monitor.rules.engine import Engine
from monitor.rules.forms import read_rule
from monitor.rules.misses import nearest_miss
from monitor.rules.sightings import RuleText, Sightings
from monitor.rules.syntax import Group, InField, Node, Not, children
from monitor.text.languages import base_language


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a rule on one text."""

    term: str  # as written
    column: int  # in the rule, from 1
    holds: bool
    depth: int  # 0 for the whole rule
    matches: tuple[Match, ...] = ()
    note: str | None = None  # why it does not hold, or what it is not asked for


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a rule makes of a text."""

    fires: bool
    matches: tuple[Match, ...]  # what an alert would show
    occurrences: int
    parts: tuple[Part, ...]  # parents before their children
    misses: tuple[str, ...]  # the nearest misses, in words; empty if it fires


def explain(rule: str | Mapping[str, object], entry: RuleText) -> Explanation:
    """Say why `rule` fires on `entry` or does not. Raises RuleError."""
    node = read_rule(rule)
    engine = Engine([node], base_language(entry.language))
    seen = engine.see(entry)
    plan = engine.plans[0]
    fires = plan.holds(seen)
    matches, occurrences = plan.found(seen) if fires else ((), 0)
    parts = tuple(_parts(node, engine.compiler, seen, None, 0))
    misses = () if fires else tuple(dict.fromkeys(part.note for part in parts if part.note and not part.holds))
    return Explanation(fires, matches, occurrences, parts, misses)


def _parts(
    node: Node, compiler: Compiler, seen: Sightings, field: str | None, depth: int, *, excluded: bool = False
) -> Iterator[Part]:
    plan = compiler.plan(node, field)
    holds = plan.holds(seen)
    found = plan.found(seen)[0] if holds and not isinstance(node, Not) else ()
    below = tuple(_kept(node, compiler))
    note = None if holds or excluded else _note(node, compiler, seen, field)
    yield Part(node.term, node.column, holds, depth, found, note)
    field = node.name if isinstance(node, InField) else field
    for child in below:
        yield from _parts(child, compiler, seen, field, depth + 1, excluded=excluded or isinstance(node, Not))


def _kept(node: Node, compiler: Compiler) -> Iterator[Node]:
    """The parts of a node that are asked for: a natural phrase drops its stop words."""
    kept = compiler.kept(node) if isinstance(node, Group) else children(node)
    return iter(kept)


def _note(node: Node, compiler: Compiler, seen: Sightings, field: str | None) -> str | None:
    if isinstance(node, Not):
        found = compiler.plan(node.operand, field).matches(seen)
        where = f": {found[0].text!r} in the {found[0].field}" if found else ""
        return f"`{node.operand.term}` must not be there, but is{where}"
    return nearest_miss(node, compiler, seen, field)
