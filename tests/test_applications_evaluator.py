"""The evaluator: what Python says of programs in its language, and a clear refusal, soon, of everything else."""

import ast
import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import world
from helpers.applications import Limits, evaluate_program, evaluator, passes

PROGRAMS = {
    "x = 3; print(x + 4)": "7",
    "a = 6\nb = a * 5\nprint(b - 31)": "-1",
    "print(2 - 3 * 4)": "-10",
    "print((2 - 3) * 4)": "-4",
    "print(-7 // 2, -7 % 3, 7 // -2, - -1)": "-4 2 -4 1",
    "print('cat' + \"dog\")": "catdog",
    "print('ab' * 3, 2 * 'c', 'd' * -1, sep)": None,
    "print('ab' * 3, 2 * 'c', 'd' * -1)": "ababab cc ",
    "print(len('plum') + 1)": "5",
    "print(1 if 2 < 3 else 4 // 0)": "1",  # the other branch is not computed
    "print(1 < 2 < 3, 3 > 2 > 2, 1 == 'a', 'a' <= 'b', True != False)": "True False False True True",
    "x = 1; x = x + x; x = x + x; print(x)": "4",
    "": "",
    "# nothing but a remark": "",
    "print()": "",
    "print(1); print(); print('')": "1\n\n",
    "print(0x1f + 0b11 + 1_0)": "44",
    f"print({2**63 - 1})": str(2**63 - 1),
    f"print('{'a' * 500}' + '{'b' * 500}')": "a" * 500 + "b" * 500,
}


@pytest.mark.parametrize("source", PROGRAMS)
def test_programs_by_hand(source):
    if PROGRAMS[source] is None:
        with pytest.raises(ValueError, match="sep is used before it has a value"):
            evaluate_program(source)
    else:
        assert evaluate_program(source) == PROGRAMS[source]


def test_every_program_of_the_world_prints_what_it_says():
    for text in world.sample(1500, seed=1, kind="program"):
        source, printed = text.split("\t")
        assert evaluate_program(source) == printed == world.run_program(source)


def test_passes():
    assert passes("print(3)", "3")
    assert not passes("print(3)", "4") and not passes("print(3", "3") and not passes("import os", "")


# Python itself as the oracle: programs made of the language's own pieces, run by both

numbers = st.integers(0, 30).map(str)
texts = st.sampled_from(["''", "'a'", "'cat'", '"b c"'])
names = st.sampled_from(["x", "y"])


def combined(inner):
    arithmetic = st.tuples(inner, st.sampled_from("+ - * // % < <= == !=".split()), inner).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    )
    return st.one_of(
        arithmetic,
        inner.map(lambda a: f"(-{a})"),
        inner.map(lambda a: f"len({a})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} < {t[1]} >= {t[2]})"),
    )


expressions = st.recursive(
    st.one_of(numbers, numbers, texts, names, st.sampled_from(["True", "False"])), combined, max_leaves=7
)
lines = st.one_of(
    st.tuples(names, expressions).map(" = ".join), st.lists(expressions, max_size=2).map(lambda e: f"print({', '.join(e)})")
)


def python_prints(source: str) -> str:
    """What Python prints; for programs that a strategy above has made, and no others."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(source, "made here", "exec"), {"__builtins__": {"print": print, "len": len}})
    return out.getvalue().removesuffix("\n")


@settings(max_examples=400, deadline=None)
@given(st.lists(lines, min_size=1, max_size=4).map("\n".join))
def test_what_the_evaluator_prints_python_prints(source):
    program = "x = 3\ny = 'dog'\n" + source
    try:
        printed = evaluate_program(program)
    except ValueError as error:
        # Python objects too, or the evaluator is stricter on purpose: no truth values in arithmetic, nothing huge.
        if not any(word in str(error) for word in ("bool", "limit")):
            with pytest.raises((TypeError, ZeroDivisionError)):
                python_prints(program)
    else:
        assert printed == python_prints(program)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*"x y print len ( ) [ ] { } = == + - * ** // % : , ; . ' \" if else for in lambda 1 0 @ \n".split(" "), "\n", " "]
        ),
        max_size=40,
    )
)
def test_any_text_gives_a_result_or_a_value_error(pieces):
    with contextlib.suppress(ValueError):
        assert isinstance(evaluate_program("".join(pieces)), str)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_characters_give_a_result_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert isinstance(evaluate_program(text), str)


# What must be refused. Program: part of the message.

FORBIDDEN = {
    "attribute": ("print((1).real)", "Attribute '(1).real' is not allowed"),
    "attribute of a string": ("print(''.__class__.__mro__)", "Attribute"),
    "format method": ("print('{0.__class__}'.format(1))", "not allowed"),
    "import": ("import os", "Import 'import os' is not allowed"),
    "import from": ("from os import system", "ImportFrom"),
    "__import__": ("print(__import__('os'))", "Call \"__import__('os')\" is not allowed"),
    "a name with underscores": ("print(__builtins__)", "Name '__builtins__' is not allowed"),
    "setting __builtins__": ("__builtins__ = 3", "Name '__builtins__'"),
    "setting print": ("print = 3", "Name 'print'"),
    "setting len": ("len = 3", "Name 'len'"),
    "print as a value": ("x = print", "Name 'print'"),
    "print in an expression": ("x = print(1)", "Call 'print(1)'"),
    "print in print": ("print(print(1))", "Call 'print(1)'"),
    "eval": ("print(eval('1'))", "Call \"eval('1')\""),
    "exec": ("exec('1')", "Expr \"exec('1')\""),
    "open": ("open('x', 'w')", "Expr"),
    "getattr": ("print(getattr(1, 'real'))", "Call"),
    "call of a call": ("print(len('a')('b'))", "Call"),
    "len of two": ("print(len('a', 'b'))", "Call"),
    "len by keyword": ("print(len(obj='a'))", "Call"),
    "print to a file": ("print('a', file=x)", "Expr"),
    "starred": ("print(*'abc')", "Starred"),
    "an expression alone": ("1 + 1", "Expr '1 + 1'"),
    "lambda": ("x = lambda: 1", "Lambda"),
    "def": ("def f(): pass", "FunctionDef"),
    "class": ("class A: pass", "ClassDef"),
    "while": ("while True: x = 1", "While"),
    "for": ("for x in 'abc': print(x)", "For"),
    "with": ("with x: print(1)", "With"),
    "try": ("try: print(1)\nexcept: print(2)", "Try"),
    "del": ("x = 1; del x", "Delete"),
    "global": ("global x", "Global"),
    "assert": ("assert 1", "Assert"),
    "raise": ("raise x", "Raise"),
    "match": ("match 1:\n case 1: print(1)", "Match"),
    "comprehension": ("x = [i for i in x]", "ListComp"),
    "comprehension bomb": ("print([[[i for i in x] for x in y] for y in z])", "ListComp"),
    "generator": ("print(len(i for i in x))", "GeneratorExp"),
    "set and dict": ("x = {1: {2}}", "Dict"),
    "list": ("x = [1]", "List"),
    "tuple": ("x = 1, 2", "Tuple"),
    "unpacking": ("x, y = 'ab'", "Assign"),
    "two targets": ("x = y = 1", "Assign"),
    "annotated": ("x: int = 1", "AnnAssign"),
    "augmented": ("x = 1; x += 1", "AugAssign"),
    "item": ("print('abc'[0])", "Subscript"),
    "slice": ("print('abc'[::-1])", "Subscript"),
    "walrus": ("print((x := 1))", "NamedExpr"),
    "await": ("print(await x)", "Await"),
    "yield": ("x = yield 1", "Yield"),
    "f-string": ("print(f'{1}')", "JoinedStr"),
    "f-string with a width": ("print(f'{1:1000000000}')", "JoinedStr"),
    "bytes": ("print(b'a')", "Constant \"b'a'\""),
    "float": ("print(1.5)", "Constant '1.5'"),
    "float overflow": ("print(1e999)", "Constant"),
    "complex": ("print(1j)", "Constant"),
    "None": ("print(None)", "Constant"),
    "ellipsis": ("print(...)", "Constant"),
    "power": ("print(9 ** 9 ** 9)", "Pow"),
    "shift": ("print(1 << 100000000)", "LShift"),
    "division": ("print(1 / 2)", "Div is not allowed"),
    "matrix product": ("print(1 @ 2)", "MatMult"),
    "bits": ("print(1 | 2 & ~3)", "is not allowed"),
    "and": ("print(1 and 2)", "BoolOp"),
    "not": ("print(not 1)", "Not"),
    "in": ("print('a' in 'abc')", "In"),
    "is": ("print(1 is 1)", "Is"),
    "hidden in a branch that is not taken": ("print(1 if True else __import__('os'))", "Call"),
    "hidden after an error": ("print(1 // 0); import os", "Import"),
    "name without a value": ("print(x)", "x is used before it has a value"),
    "division by zero": ("print(1 // 0)", "division by zero"),
    "remainder by zero": ("print(1 % 0)", "division by zero"),
    "percent formatting": ("print('%1000000000d' % 5)", "cannot apply Mod to str and int"),
    "text minus text": ("print('a' - 'b')", "cannot apply Sub"),
    "text plus number": ("print('a' + 1)", "cannot apply Add to str and int"),
    "text times text": ("print('a' * 'b')", "cannot apply Mult"),
    "truth in arithmetic": ("print(True + 1)", "cannot apply Add to bool and int"),
    "minus text": ("print(-'a')", "cannot apply Sub"),
    "order of text and number": ("print('a' < 1)", "cannot order str and int"),
    "length of a number": ("print(len(3))", "len needs a string, got int"),
    "number too large": (f"print({2**63})", "number is too large"),
    "number too small": (f"print(-{2**63 - 1} - 1)", "number is too large"),
    "product too large": ("x = 4000000000; print(x * x)", "number is too large"),
    "squares of squares": ("x = 10;" + "x = x * x;" * 60 + "print(x)", "number is too large"),
    "text too long": ("x = 'a' * 1001", "a string would have 1001 characters"),
    "string bomb": ("x = 'a' * 9000000000000000", "a string would have"),
    "string bomb the other way": ("x = 9000000000000000 * 'a'", "a string would have"),
    "doubled strings": ("x = 'a';" + "x = x + x;" * 60, "a string would have 1024 characters"),
    "multiplied strings": ("x = 'a';" + "x = x * 9;" * 60, "a string would have"),
    "prints too much": ("x = 'a' * 600; print(x); print(x)", "prints more than 1000"),
    "prints too much on one line": ("x = 'a' * 600; print(x, x)", "prints more than 1000"),
    "prints many empty lines": ("print();" * 1 + "print()\n" * 240, None),
    "too long": ("#" * 2001, "2001 characters; the limit is 2000"),
    "far too long": ("x = 1;" * 10**6, "the limit is 2000"),
    "enormous literal": ("x = " + "9" * 10**7, "the limit is 2000"),
    "large literal": ("x = " + "9" * 1900, "number is too large"),
    "large hexadecimal literal": ("x = 0x" + "f" * 1900, "number is too large"),
    "too many steps": ("print(1" + ",1" * 600 + ")", "more than 500 steps"),
    "51 deep": ("print(" + "-" * 51 + "1)", "nested more than 50 deep"),
    "a long sum": ("print(1" + "+1" * 500 + ")", "nested more than 50 deep"),
    "deep brackets": ("x = " + "(" * 900 + ")" * 900, "not a program"),
    "brackets left open": ("(" * 1990, "not a program"),
    "deep minus": ("x = " + "-" * 1990 + "1", None),
    "deep not": ("x = " + "not " * 480 + "1", None),
    "deep lambda": ("x = " + "lambda:" * 280 + "1", None),
    "deep if": ("x = " + "1 if 1 else " * 160 + "1", None),
    "deep blocks": ("".join(" " * i + "if 1:\n" for i in range(55)) + " " * 55 + "x=1", None),
    "deep f-string": ("x = " + "f'{" * 100 + "1" + "}'" * 100, None),
    "deep attributes": ("print(x" + ".a" * 900 + ")", "not"),
    "deep calls": ("print(" + "len(" * 150 + "'a'" + ")" * 150 + ")", "nested more than 50 deep"),
    "long chain of comparisons": ("print(1" + "<1" * 900 + ")", None),
    "no Python": ("print(", "not a program"),
    "English": ("Sure! Here is the program:", "not a program"),
    "indented": ("  x = 1", "not a program"),
    "null byte": ("x = 1\0", "the character '\\x00' is not allowed"),
    "tab": ("x =\t1", "the character '\\t' is not allowed"),
    "form feed": ("x = 1\f", "the character '\\x0c'"),
    "backslash": ("print('\\x41')", "the character '\\\\' is not allowed"),
    "surrogate": ("print('\ud800')", "the character '\\ud800'"),
    "full-width letters": ("\uff50rint(1)", "the character '\\uff50'"),  # Python reads it as print
    "look-alike letter": ("l\u0435n = 1", "the character '\\u0435'"),
    "text from right to left": ("x = 1 # \u202e", "the character '\\u202e'"),
    "wide digit": ("print(\u0661)", "the character '\\u0661'"),
    "escape": ("x = '\x1b[2J'", "the character '\\x1b'"),
    "bytes as source": (b"print(1)", "expected a program as str, got bytes"),
    "no source": (None, "got NoneType"),
}
FINE = {"prints many empty lines", "long chain of comparisons"}  # harmless as they are: at most 1000 characters, stops at once


@pytest.mark.parametrize("name", FORBIDDEN)
def test_is_refused_with_a_reason(name):
    source, message = FORBIDDEN[name]
    if name in FINE:
        assert len(evaluate_program(source)) <= Limits().text
        return
    with pytest.raises(ValueError) as raised:
        evaluate_program(source)
    assert type(raised.value) is ValueError and len(str(raised.value)) < 500
    assert message is None or message in str(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of this kind")
def test_refusals_take_neither_memory_nor_time():
    # In a process that gets 64 MiB more than it has after its imports, and 20 s of processor time for all of them.
    script = """
import sys, resource
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from test_applications_evaluator import FORBIDDEN, FINE, evaluate_program
pages = int(open("/proc/self/statm").read().split()[0]) if sys.platform == "linux" else 0
if pages:
    size = pages * resource.getpagesize() + 64 * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
resource.setrlimit(resource.RLIMIT_CPU, (used + 20, used + 20))
refused = 0
for name, (source, _) in FORBIDDEN.items():
    try:
        evaluate_program(source)
    except ValueError:
        refused += 1
print(refused, len(FORBIDDEN) - len(FINE))
"""
    here = Path(__file__).resolve().parent
    done = subprocess.run(
        [sys.executable, "-c", script, str(here.parent), str(here)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    refused, all_ = done.stdout.split()
    assert refused == all_


def test_the_evaluator_has_nothing_to_execute_with():
    tree = ast.parse(Path(evaluator.__file__).read_text(encoding="utf-8"))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not (named | used) & {"eval", "exec", "compile", "__import__", "import_module", "getattr", "globals", "literal_eval"}


def test_limits_can_be_set():
    assert evaluate_program("print('a' * 2000)", Limits(text=3000)) == "a" * 2000
    for source, limits in [
        ("x = 1", Limits(source=4)),
        ("print(1 + 1)", Limits(depth=1)),
        ("print(1 + 1)", Limits(steps=2)),
        ("print(99 + 1)", Limits(integer=100)),
        ("print(12)", Limits(text=1)),
    ]:
        with pytest.raises(ValueError, match=r"limit|more than|large"):
            evaluate_program(source, limits)


def test_a_depth_that_is_allowed_is_computed():
    assert evaluate_program("print(" + "-" * 49 + "1)") == "-1"


def test_programs_share_nothing():
    evaluate_program("x = 1")
    with pytest.raises(ValueError, match="x is used before"):
        evaluate_program("print(x)")
