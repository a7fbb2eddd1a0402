"""Documents of kind "program": a small program on one line, a tab and what it prints.

    x = 3; y = x + 4; print(y)    7

and documents of kind "task": what a program is to do, in English, a tab and one of the programs that do it.

    Begin with 3, add 4, and print what comes out.    x = 3; print(x + 4)

The programs are Python, but are never run as such: `run_program` reads the few forms that the world writes and refuses
everything else. Used in `08_adapting_and_applications.ipynb`.
"""

import ast

from .engine import Distribution, Form

_DIGITS = [str(digit) for digit in range(10)]
_WORDS = "cat dog cup key map box ring bell kite lamp horse plum".split()

POOLS = {"digit": _DIGITS, "few": ["2", "3"], "op": ["+", "-", "*"], "string": _WORDS}

MACROS = {
    "one": "x = {a:digit} ; print( x {op:op} {b:digit} ) \t {v:value1(a, op, b)}",
    "two": """a = {a:digit} ; b = a {op:op} {b:digit} ; [print( b ) \t {v:value1(a, op, b)}|
        c = b {op2:op} {c:digit} ; print( c ) \t {v:value2(a, op, b, op2, c)}]""",
    "order": "print( {a:digit} {op:op} {b:digit} {op2:op} {c:digit} ) \t {v:value3(a, op, b, op2, c)}",
    "text": """s = " {s:string} " ; [print( len( s ) ) \t {v:length(s)}|t = " {t:string} " ; print( s + t ) \t {v:joined(s, t)}|
        n = {n:few} ; print( s * n ) \t {v:repeated(s, n)}]""",
}
PROGRAM = "[@one|2%@two|@order|@text]"

FORMS: dict[str, Form] = {
    "said": {"+": "plus", "-": "minus", "*": "times"}.__getitem__,
    "told": {"+": "add", "-": "subtract", "*": "multiply by"}.__getitem__,
}
TASK_MACROS = {
    "say_one": """Compute {a:digit} {op.said:op} {b:digit} . \t [print( {a} {op} {b} )|x = {a} ; print( x {op} {b} )]""",
    "say_two": """Begin with {a:digit} , {op.told:op} {b:digit} , [and print what comes out . \t
        [x = {a} ; print( x {op} {b} )|a = {a} ; b = a {op} {b} ; print( b )]|
        then {op2.told:op} {c:digit} , and print what comes out . \t
        [a = {a} ; b = a {op} {b} ; c = b {op2} {c} ; print( c )|x = {a} ; x = x {op} {b} ; print( x {op2} {c} )]]""",
    "say_text": """[Print the length of " {s:string} " . \t [print( len( " {s} " ) )|s = " {s} " ; print( len( s ) )]|
        Repeat " {s:string} " {n:few} times . \t [print( " {s} " * {n} )|s = " {s} " ; n = {n} ; print( s * n )]|
        Join " {s:string} " and " {t:string} " . \t [print( " {s} " + " {t} " )|
        s = " {s} " ; t = " {t} " ; print( s + t )]]""",
}
TASK = "[@say_one|3%@say_two|2%@say_text]"


def run_program(source: str) -> str:
    """What a program of the world prints; ValueError for any form that the world does not write."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a program: {error}; expected something like 'x = 3; print(x + 4)'") from None
    names: dict[str, int | str] = {}
    printed = []
    for line in body:
        if isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name):
            names[line.targets[0].id] = _value(line.value, names)
        elif isinstance(line, ast.Expr) and _calls(line.value, "print"):
            printed.append(str(_value(line.value.args[0], names)))
        else:
            raise ValueError(f"{ast.unparse(line)!r} is not allowed; write name = expression or print(expression)")
    return "\n".join(printed)


def _calls(node: ast.expr, name: str) -> bool:
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    return named and len(node.args) == 1 and not node.keywords


def _value(node: ast.expr, names: dict[str, int | str]) -> int | str:
    if isinstance(node, ast.Constant) and type(node.value) in (int, str):
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise ValueError(f"{node.id} is used before it has a value")
        return names[node.id]
    if _calls(node, "len") and isinstance(text := _value(node.args[0], names), str):
        return len(text)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and type(value := _value(node.operand, names)) is int:
        return -value
    if isinstance(node, ast.BinOp):
        return _combine(_value(node.left, names), type(node.op), _value(node.right, names))
    raise ValueError(f"{ast.unparse(node)!r} is not allowed; use integers, strings, names, + - * and len(...)")


def _combine(left: int | str, op: type, right: int | str) -> int | str:
    numbers = type(left) is int and type(right) is int
    if op is ast.Add and type(left) is type(right):
        _check_size(abs(left + right) if numbers else len(left) + len(right), "sum")
        return left + right
    if op is ast.Sub and numbers:
        return left - right
    if op is ast.Mult and not (type(left) is str and type(right) is str):
        _check_size(abs(left * right) if numbers else _length_of_product(left, right), "product")
        return left * right
    raise ValueError(f"cannot apply {op.__name__} to {type(left).__name__} and {type(right).__name__}")


def _length_of_product(left: int | str, right: int | str) -> int:
    return len(left) * right if isinstance(left, str) else left * len(right)


def _check_size(size: int, name: str) -> None:
    """A model may write anything; a program that would fill the memory is refused."""
    if size > 10**6:
        raise ValueError(f"the value of a {name} is too large ({size}); the limit is a million")


def _printed(source: str) -> list[tuple[int, str]]:
    return [(1, run_program(source))]


DISTS: dict[str, Distribution] = {
    "value1": lambda a, op, b: _printed(f"print({a} {op} {b})"),
    "value2": lambda a, op, b, op2, c: _printed(f"print(({a} {op} {b}) {op2} {c})"),
    "value3": lambda a, op, b, op2, c: _printed(f"print({a} {op} {b} {op2} {c})"),
    "length": lambda s: _printed(f'print(len("{s}"))'),
    "joined": lambda s, t: _printed(f'print("{s}" + "{t}")'),
    "repeated": lambda s, n: _printed(f'print("{s}" * {n})'),
}
