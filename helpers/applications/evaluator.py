"""Programs that a model wrote, run without running them: a walk over the syntax tree that can touch nothing.

A model may write anything, so its text is never handed to Python to be executed. Python's parser makes a tree of it; a tree
with anything in it that is not on a short list is refused, before a step is taken; and the rest is computed here, on integers,
strings and truth values only, each bounded. There is no loop and no function to define, so every program ends. What it prints,
Python would print; `helpers.world.run_program`, for the world's own programs only, reads a part of the language. Introduced in
`08_adapting_and_applications.ipynb`.
"""

import ast
import operator
import string
import warnings
from collections.abc import Callable
from dataclasses import dataclass

Value = int | str | bool

LANGUAGE = (
    "name = expression and print(expression, ...), with integers, strings, True, False, names, + - * // %, comparisons, "
    "a if b else c, and len(text)"
)


@dataclass(frozen=True)
class Limits:
    """How large a program and its values may be; more is an error, not a wait."""

    source: int = 2000  # characters
    depth: int = 50  # of expressions in expressions
    steps: int = 500  # operations, of all lines
    integer: int = 2**63  # no value as far from 0 as this
    text: int = 1000  # characters of a string, and of all that is printed


# Printable ASCII without the backslash: no escapes, no look-alike letters, no invisible ones, no null bytes.
_CHARACTERS = frozenset(string.printable) - frozenset("\\\t\r\v\f")
_ARITHMETIC: dict[type, Callable] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}  # fmt: skip
_EQUALITY: dict[type, Callable] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
_ORDER: dict[type, Callable] = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
_ALLOWED = (
    ast.Assign, ast.BinOp, ast.Compare, ast.Constant, ast.Expr, ast.IfExp, ast.Load, ast.Module, ast.Name, ast.Store,
    ast.UnaryOp, ast.USub, *_ARITHMETIC, *_EQUALITY, *_ORDER,
)  # fmt: skip


def evaluate_program(source: str, limits: Limits | None = None) -> str:
    """What a program prints, lines joined by newlines: `evaluate_program("x = 3; print(x + 4)") == "7"`.

    Raises ValueError that names the reason for everything else: what Python cannot read, what is not in the language above, a
    name without a value, a wrong type, a division by zero, and whatever goes beyond the limits.
    """
    limits = limits or Limits()
    tree = _parse(source, limits)
    _check(tree, source, limits)
    return _Run(limits).lines(tree.body)


def passes(source: str, printed: str) -> bool:
    """Whether a program is one that the evaluator takes, and prints exactly this."""
    try:
        return evaluate_program(source) == printed
    except ValueError:
        return False


def _parse(source: str, limits: Limits) -> ast.Module:
    if not isinstance(source, str):
        raise ValueError(f"expected a program as str, got {type(source).__name__}")
    if len(source) > limits.source:  # before the parser, whose time and memory grow with it
        raise ValueError(f"the program has {len(source)} characters; the limit is {limits.source}")
    if strange := set(source) - _CHARACTERS:
        raise ValueError(f"the character {min(strange)!a} is not allowed; write printable ASCII without backslashes")
    try:
        with warnings.catch_warnings():  # of text like `1if 2else 3`
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: too deep for the parser
        reason = str(error) or "it is nested too deep"
        raise ValueError(f"not a program: {reason}; expected something like 'x = 3; print(x + 4)'") from None


def _check(tree: ast.Module, source: str, limits: Limits) -> None:
    """Refuse the tree unless all of it, reached or not, is in the language. No recursion: a tree may be deep."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > limits.depth + 1:  # a module and its lines stand above the first expression
            raise ValueError(f"the program is nested more than {limits.depth} deep")
        if not _is_allowed(node):
            raise ValueError(f"{_shown(node, source)} is not allowed; write {LANGUAGE}")
        if isinstance(node, ast.Expr):
            node = node.value  # the print: it has no value, so nowhere else
        children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
        waiting += [(child, depth + 1) for child in children]


def _is_allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, str, bool)
    if isinstance(node, ast.Name):
        return not node.id.startswith("_") and node.id not in ("print", "len")
    if isinstance(node, ast.Assign):
        return len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    if isinstance(node, ast.Expr):
        return _calls(node.value, "print")
    if isinstance(node, ast.Call):
        return _calls(node, "len") and len(node.args) == 1
    return isinstance(node, _ALLOWED)


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and not node.keywords


def _shown(node: ast.AST, source: str) -> str:
    """A piece of the program for an error message, cut short; operators have no place of their own in it."""
    text = ast.get_source_segment(source, node) if hasattr(node, "lineno") else None
    return f"{type(node).__name__} {text[:40]!r}" if text else type(node).__name__


class _Run:
    """One run of a checked tree: its names, its steps so far, and what was printed."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.names: dict[str, Value] = {}
        self.steps = 0

    def lines(self, body: list[ast.stmt]) -> str:
        printed, size = [], 0
        for line in body:
            if isinstance(line, ast.Assign):
                self.names[line.targets[0].id] = self.value(line.value)
                continue
            printed.append(" ".join(str(self.value(argument)) for argument in line.value.args))
            size += len(printed[-1]) + 1
            if size > self.limits.text + 1:
                raise ValueError(f"the program prints more than {self.limits.text} characters")
        return "\n".join(printed)

    def value(self, node: ast.expr) -> Value:
        self.steps += 1
        if self.steps > self.limits.steps:
            raise ValueError(f"the program takes more than {self.limits.steps} steps")
        match node:
            case ast.Constant(value=value):
                return self.bounded(value)
            case ast.Name(id=name):
                if name not in self.names:
                    raise ValueError(f"{name} is used before it has a value")
                return self.names[name]
            case ast.IfExp(test=test, body=then, orelse=otherwise):
                return self.value(then if self.value(test) else otherwise)
            case ast.UnaryOp(operand=operand):
                return self.arithmetic(0, ast.Sub, self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self.arithmetic(self.value(left), type(op), self.value(right))
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self.compared(left, ops, others)
            case ast.Call(args=[text]):
                return self.length(self.value(text))
        raise AssertionError(f"{type(node).__name__} got through the check")

    def arithmetic(self, left: Value, op: type[ast.operator], right: Value) -> Value:
        kinds = {type(left), type(right)}
        if kinds == {int}:
            if op in (ast.FloorDiv, ast.Mod) and right == 0:
                raise ValueError("division by zero")
        elif not ((op is ast.Add and kinds == {str}) or (op is ast.Mult and kinds == {int, str})):
            raise ValueError(f"cannot apply {op.__name__} to {type(left).__name__} and {type(right).__name__}")
        if kinds == {int, str}:  # before a long string is made
            text, times = (left, right) if isinstance(left, str) else (right, left)
            self.check_length(len(text) * times)
        return self.bounded(_ARITHMETIC[op](left, right))

    def compared(self, left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr]) -> bool:
        value = self.value(left)
        for op, other in zip(ops, others, strict=True):
            following = self.value(other)
            if type(op) in _ORDER and {type(value), type(following)} not in ({int}, {str}):
                raise ValueError(f"cannot order {type(value).__name__} and {type(following).__name__}")
            if not (_ORDER | _EQUALITY)[type(op)](value, following):
                return False  # as in Python, the rest of a chain is not looked at
            value = following
        return True

    def length(self, value: Value) -> int:
        if not isinstance(value, str):
            raise ValueError(f"len needs a string, got {type(value).__name__}")
        return len(value)

    def bounded(self, value: Value) -> Value:
        if isinstance(value, str):
            self.check_length(len(value))
        elif abs(value) >= self.limits.integer:
            raise ValueError(f"a number is too large; the limit is {self.limits.integer}")
        return value

    def check_length(self, length: int) -> None:
        if length > self.limits.text:
            raise ValueError(f"a string would have {length} characters; the limit is {self.limits.text}")
