"""Rules that can never fire because they forbid what they ask for.

Rule: a warning is a proof, not a guess: what a rule needs and what it forbids are compared as the same part of a rule.
"""

from __future__ import annotations

from monitor.rules.syntax import And, AtLeast, Except, Group, InField, Near, Node, Not, Or


def contradiction(rule: Node) -> Node | None:
    """Return the part of a rule that it needs and forbids at once, or None; of alternatives every one must have one."""
    if isinstance(rule, Or):
        found = [contradiction(operand) for operand in rule.operands]
        return found[0] if all(found) else None
    if not isinstance(rule, And):
        return None
    needed = _needed(rule)
    return next((part for part in _forbidden(rule) if part in needed), None)


def _needed(node: Node) -> frozenset[Node]:
    """Return the parts that must all be found where `node` holds."""
    match node:
        case And() | Group():
            return frozenset({node}).union(*map(_needed, node.operands))
        case Or():
            return frozenset({node}) | frozenset.intersection(*map(_needed, node.operands))
        case Near():
            return frozenset({node}) | _needed(node.left) | _needed(node.right)
        case Except():
            return frozenset({node}) | _needed(node.left)
        case AtLeast() | InField():
            return frozenset({node}) | _needed(node.operand)
        case Not():
            return frozenset()
        case _:
            return frozenset({node})


def _forbidden(node: And) -> tuple[Node, ...]:
    """Return the parts none of which may be found where `node` holds, in the order of the rule."""
    found: list[Node] = []
    for operand in node.operands:
        if isinstance(operand, And):
            found += _forbidden(operand)
        elif isinstance(operand, Not):
            found += operand.operand.operands if isinstance(operand.operand, Or) else (operand.operand,)
    return tuple(found)
