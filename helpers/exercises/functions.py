"""Grading of functions: call the learner's function on each case, and compare with what should come back."""

import copy
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from helpers.exercises.feedback import Feedback, correct, not_attempted, show, wrong
from helpers.exercises.values import same

LIMIT = 3  # seconds that one call may take


@dataclass(frozen=True)
class Raises:
    """What is expected of a case in which the function must refuse: `Case((-1,), Raises(ValueError))`."""

    error: type[Exception]


@dataclass(frozen=True)
class Case:
    """One call: its arguments, what must come back (or `Raises`), and what to say to a function that gets it wrong."""

    args: tuple
    expected: object
    say: str = ""


@dataclass(frozen=True)
class Function:
    """A function that is right on every case, with numbers within `tolerance` (relative above 1).

    `mistakes` are wrong implementations, each with what to say to a learner whose function gives the same results as it.
    Arguments are copied for every call, so a function that changes its arguments spoils nothing.
    """

    cases: Sequence[Case]
    tolerance: float = 1e-9
    mistakes: Sequence[tuple[Callable, str]] = ()
    why: str = ""

    def __call__(self, answer: object) -> Feedback:
        if not callable(answer):
            return wrong(f"Give the function itself, without calling it; you gave `{show(answer)}`.")
        results = []
        for case in self.cases:
            results.append(_call(answer, case.args))
            if isinstance(results[-1], _Raised) and isinstance(results[-1].error, _Endless):
                return wrong(_describe(answer, case, results[-1]))
        if all(_is_stub(result) for result in results):
            none = all(result is None for result in results) and not _is_empty(answer)
            return not_attempted("Your function returned `None`; does it end with `return`?" if none else "")
        failed = [i for i, case in enumerate(self.cases) if not self._agrees(results[i], case.expected)]
        if not failed:
            return correct(self.why)
        for mistaken, text in self.mistakes:
            if all(
                same(_key(result), _key(_call(mistaken, case.args))) for result, case in zip(results, self.cases, strict=True)
            ):
                return wrong(text)
        return wrong(_describe(answer, self.cases[failed[0]], results[failed[0]]))

    def _agrees(self, result: object, expected: object) -> bool:
        if isinstance(expected, Raises):
            return isinstance(result, _Raised) and isinstance(result.error, expected.error)
        return not isinstance(result, _Raised) and same(result, expected, self.tolerance)


@dataclass(frozen=True)
class _Raised:
    """The exception that a call ended with."""

    error: Exception


class _Endless(Exception):
    """What is reported of a function that was stopped."""


class _TooLong(BaseException):
    """Raised inside a function that does not end; no `except Exception` of the learner's can swallow it."""


def _call(function: Callable, args: tuple) -> object:
    """What the function returns for a copy of these arguments, or `_Raised`; after LIMIT seconds it is stopped."""
    deadline = time.monotonic() + LIMIT

    def watch(frame: FrameType, event: str, arg: object) -> Callable:
        if time.monotonic() > deadline:
            raise _TooLong
        return watch

    tracing = sys.gettrace()
    sys.settrace(watch)
    try:
        return function(*copy.deepcopy(args))
    except _TooLong:
        return _Raised(_Endless())
    except Exception as error:  # whatever a learner's function raises is reported to the learner, never raised at them
        return _Raised(error)
    finally:
        sys.settrace(tracing)


def _key(result: object) -> object:
    """What two results are compared by: an exception counts as its type."""
    return ("raised", type(result.error).__name__) if isinstance(result, _Raised) else result


def _is_stub(result: object) -> bool:
    return result is None or result is ... or (isinstance(result, _Raised) and isinstance(result.error, NotImplementedError))


def _is_empty(function: Callable) -> bool:
    """True for a function whose body is only `...`, `pass` or a docstring."""
    code = getattr(function, "__code__", None)
    return code is not None and not code.co_names and not code.co_varnames[code.co_argcount :] and len(code.co_code) <= 8


def _describe(function: Callable, case: Case, result: object) -> str:
    name = getattr(function, "__name__", "your function")
    call = f"`{name}({', '.join(show(arg) for arg in case.args)})`"
    if isinstance(result, _Raised) and isinstance(result.error, _Endless):
        happened = f"{call} was stopped after {LIMIT} seconds (does its loop ever end?)"
    elif isinstance(result, _Raised):
        happened = f"{call} raised `{type(result.error).__name__}: {show_error(result.error)}`"
    else:
        happened = f"{call} gave `{show(result)}`"
    if isinstance(case.expected, Raises):
        expected = f"it should raise `{case.expected.error.__name__}`"
    else:
        expected = f"it should give `{show(case.expected)}`"
    forgot = " Does every path of your function end with `return`?" if result is None else ""
    return f"{happened}; {expected}.{forgot} {case.say}".rstrip()


def show_error(error: Exception) -> str:
    """An exception's message on one line, cut to 120 characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= 120 else text[:117] + "..."
