"""A rule's text to its tree, by recursive descent; what cannot be meant is refused with column and mend.

rule   = and { "OR" and }
and    = unary { "AND" unary | ["AND"] "NOT" unary | "-" unary }
unary  = ["NOT" | "-"] except
except = near { "EXCEPT" near }
near   = group { ("NEAR" | "BEFORE") ["/" n] group }
group  = atom { atom }
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitor.errors import RuleError
from monitor.rules.atoms import fail
from monitor.rules.lexer import Lexer, RuleToken
from monitor.rules.syntax import (
    FIELDS,
    And,
    AtLeast,
    Except,
    Group,
    InField,
    Meta,
    Near,
    Node,
    Not,
    Or,
    walk,
)

MAX_DEPTH = 40
MAX_ATOMS = 2000
MAX_GROUP = 20  # operands of one natural phrase


def parse(text: str) -> Node:
    """Return the tree of a rule. Raises RuleError with the column and a mend."""
    return _Parser(text).rule()


def _bounded(tokens: Iterable[RuleToken]) -> Iterator[RuleToken]:
    """Read on only as long as the rule may still be one: a word takes time to read, and 5,000 fit into the text."""
    atoms = 0
    for token in tokens:
        atoms += token.kind == "ATOM"
        if atoms > MAX_ATOMS:
            raise fail(f"a rule may have {MAX_ATOMS:,} terms", token.start, "split it into several rules")
        yield token


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_bounded(Lexer(text).tokens()))
        self.at = 0
        self.depth = 0

    def rule(self) -> Node:
        if self.here().kind == "END":
            raise fail("the rule is empty", 0, "write at least one word")
        node = self._or()
        if self.here().kind == ")":
            raise fail("this bracket closes nothing", self.here().start, "remove it, or open one before")
        _require_something_positive(node)
        return node

    def here(self) -> RuleToken:
        return self.tokens[self.at]

    def _take(self) -> RuleToken:
        token = self.here()
        self.at += 1
        return token

    def _slice(self, start: int) -> str:
        """The rule's text from index `start` to the end of the last token taken."""
        return self.text[start : self.tokens[self.at - 1].end]

    def _or(self) -> Node:
        start = self.here().start
        operands = [self._and()]
        while self.here().kind == "OR":
            operator = self._take()
            self._expect_operand(operator)
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else Or(self._slice(start), start + 1, tuple(operands))

    def _and(self) -> Node:
        start = self.here().start
        operands = [self._unary()]
        while self.here().kind in ("AND", "NOT"):
            if self.here().kind == "AND":
                self._expect_operand(self._take())
            operands.append(self._unary())
        return operands[0] if len(operands) == 1 else And(self._slice(start), start + 1, tuple(operands))

    def _unary(self) -> Node:
        if self.here().kind != "NOT":
            return self._except()
        operator = self._take()
        self._expect_operand(operator)
        if self.here().kind == "NOT":
            raise fail("NOT NOT cancels itself", self.here().start, "leave out both")
        operand = self._except()
        return Not(self._slice(operator.start), operator.start + 1, operand)

    def _except(self) -> Node:
        start = self.here().start
        node = self._near()
        while self.here().kind == "EXCEPT":
            operator = self._take()
            self._expect_operand(operator)
            right = self._near()
            _require_occurrences(node, "EXCEPT")
            _require_occurrences(right, "EXCEPT")
            node = Except(self._slice(start), start + 1, node, right)
        return node

    def _near(self) -> Node:
        start = self.here().start
        node = self._group()
        while self.here().kind in ("NEAR", "BEFORE"):
            operator = self._take()
            self._expect_operand(operator)
            right = self._group()
            _require_occurrences(node, "a phrase or NEAR", fields=False)
            _require_occurrences(right, "a phrase or NEAR", fields=False)
            node = Near(self._slice(start), start + 1, node, right, operator.number, operator.kind == "BEFORE")
        return node

    def _group(self) -> Node:
        start = self.here().start
        operands = [self._operand()]
        while self.here().kind in ("ATOM", "(", "FIELD", "ATLEAST"):
            operands.append(self._operand())
        if len(operands) == 1:
            return operands[0]
        if len(operands) > MAX_GROUP:
            raise fail(
                f"a natural phrase may have {MAX_GROUP} words",
                operands[MAX_GROUP].column - 1,
                "put AND or OR between them",
            )
        self._check_group(operands)
        return Group(self._slice(start), start + 1, tuple(operands))

    def _check_group(self, operands: list[Node]) -> None:
        for at, operand in enumerate(operands):
            where = operand.column - 1
            if isinstance(operand, InField):
                rest = self._slice(where).partition(":")[2].strip()
                mend = (
                    f"write {operand.term.partition(':')[0]}:({rest})"
                    if at == 0
                    else f"write AND before {operand.term}"
                )
                raise fail(f"`{operand.term}` holds only its own word, not its neighbours", where, mend)
            if isinstance(operand, Meta | AtLeast):
                raise fail(f"`{operand.term}` is no word of a phrase", where, "write AND between it and the words")
            _require_occurrences(operand, "a phrase or NEAR", fields=False)

    def _operand(self) -> Node:
        token = self.here()
        match token.kind:
            case "ATOM":
                self.at += 1
                assert token.node is not None
                return token.node
            case "(":
                return self._brackets()
            case "FIELD":
                return self._in_field()
            case "ATLEAST":
                self.at += 1
                self._expect_operand(token)
                operand = self._nested()
                _require_occurrences(operand, "ATLEAST")
                return AtLeast(self._slice(token.start), token.start + 1, token.number, operand)
            case ")":
                raise fail("this bracket closes nothing", token.start, "remove it, or open one before")
            case "END":
                raise fail("something is missing at the end", token.start, "write a word")
            case _:
                name = self.text[token.start : token.end]
                raise fail(
                    f"{name} needs something before it",
                    token.start,
                    f'write a word before it; quote "{name}" to look for it',
                )

    def _nested(self) -> Node:
        """An operand one level deeper, so that no chain of fields, counts or brackets exhausts the stack."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise fail(f"more than {MAX_DEPTH} levels deep", self.here().start, "take out brackets, or split the rule")
        node = self._operand()
        self.depth -= 1
        return node

    def _brackets(self) -> Node:
        opening = self._take()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise fail(f"more than {MAX_DEPTH} levels deep", opening.start, "take out brackets, or split the rule")
        if self.here().kind == ")":
            raise fail("nothing between these brackets", opening.start, "write a word inside, or remove them")
        node = self._or()
        if self.here().kind != ")":
            raise fail("this bracket is never closed", opening.start, "add the closing bracket")
        self.at += 1
        self.depth -= 1
        return node

    def _in_field(self) -> Node:
        token = self._take()
        name = token.name
        if self.here().kind not in ("ATOM", "(", "ATLEAST"):
            raise fail(f"{name}: needs something to look for", token.start, f"write {name}:word or {name}:( … )")
        operand = self._nested()
        _refuse_fields(operand, name)
        return InField(self._slice(token.start), token.start + 1, FIELDS[name], operand)

    def _expect_operand(self, operator: RuleToken) -> None:
        name = self.text[operator.start : operator.end]
        if self.here().kind == "END":
            raise fail(
                f"{name} needs something after it",
                operator.start,
                f'write a word after it; quote "{name}" to look for it',
            )
        if self.here().kind in ("AND", "OR", "NEAR", "BEFORE", "EXCEPT", ")"):
            raise fail(
                f"{name} needs something after it", operator.start, f"write a word between {name} and what follows"
            )


def _require_occurrences(node: Node, where: str, *, fields: bool = True) -> None:
    """Refuse what is found nowhere in particular: AND, NOT, counts and facts have no place in a text."""
    match node:
        case And():
            raise _misplaced("AND", node, where)
        case Not():
            raise _misplaced("NOT", node, where)
        case AtLeast():
            raise _misplaced("ATLEAST", node, where)
        case Meta():
            raise _misplaced(f"{node.name}:", node, where)
        case InField():
            if not fields:
                raise fail(
                    f"`{node.term}` cannot stand inside {where}",
                    node.column - 1,
                    f"write {node.term.partition(':')[0]}:( … ) around all of it",
                )
            _require_occurrences(node.operand, where)
        case Or() | Group():
            for operand in node.operands:
                _require_occurrences(operand, where, fields=fields)
        case _:
            return


def _misplaced(what: str, node: Node, where: str) -> RuleError:
    return fail(
        f"{what} cannot stand inside {where}",
        node.column - 1,
        f"write it outside, joined by AND: `… AND {node.term}`"[:200],
    )


def _refuse_fields(node: Node, outer: str) -> None:
    for inner in walk(node):
        if isinstance(inner, InField | Meta):
            raise fail(
                f"`{inner.term}` cannot stand inside {outer}:", inner.column - 1, "write it outside, joined by AND"
            )


def _require_something_positive(node: Node) -> None:
    match node:
        case Not():
            raise fail(
                "a rule must contain at least one thing to look for", node.column - 1, "add a word that must be there"
            )
        case And():
            if all(isinstance(operand, Not) for operand in node.operands):
                _require_something_positive(node.operands[0])
            for operand in node.operands:
                if not isinstance(operand, Not):
                    _require_something_positive(operand)
        case Or():
            for operand in node.operands:
                _require_something_positive(operand)
        case InField():
            _require_something_positive(node.operand)
        case _:
            return
