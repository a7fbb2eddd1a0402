"""Grading of values: one number, a number in a range, exactly this object, and several named answers at once."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np

from helpers.exercises.feedback import Feedback, correct, is_unattempted, not_attempted, show, wrong

Grade = Callable[[object], Feedback]
Real = int | float | Fraction


def to_number(answer: object) -> Real | None:
    """Read an answer as a number: int, float, Fraction, Decimal, a NumPy or torch scalar, or text like "1/2"; else None."""
    if isinstance(answer, bool | np.bool_):
        return None
    if isinstance(answer, str):
        try:
            return Fraction(answer.strip().replace("−", "-").replace(" ", ""))
        except (ValueError, ZeroDivisionError):
            return None
    if isinstance(answer, int | Fraction):
        return Fraction(answer)
    if isinstance(answer, Decimal):
        return Fraction(answer) if answer.is_finite() else float(answer)
    if isinstance(answer, float):
        return float(answer)
    if hasattr(answer, "item") and getattr(answer, "ndim", None) == 0:
        return to_number(answer.item())
    return None


def close(a: Real, b: Real, tolerance: float) -> bool:
    """True where two numbers differ by at most the tolerance; 0 asks for the exact rational number."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return a == b
    if tolerance == 0:
        return Fraction(a) == Fraction(b)
    return abs(a - b) <= tolerance * (1 + 1e-9)  # 1.95 is within 0.05 of 2, though 2 − 1.95 > 0.05 in floating point


@dataclass(frozen=True)
class Number:
    """One number, within ± `tolerance` (0.1 % of the expected value unless told; 0: exactly, as a Fraction).

    `wrong` gives the numbers that particular mistakes lead to, and what to say to each: `{0.693: "That is in nats."}`.
    """

    expected: Real
    tolerance: float | None = None
    wrong: Mapping[Real, str] = field(default_factory=dict)
    why: str = ""

    def __post_init__(self) -> None:
        for value in self.wrong:
            if close(to_number(value), self.expected, self._tolerance):
                raise ValueError(
                    f"the wrong answer {value} is within the tolerance of the expected {self.expected}; reduce the tolerance"
                )

    @property
    def _tolerance(self) -> float:
        return max(abs(self.expected) * 1e-3, 1e-9) if self.tolerance is None else self.tolerance

    def __call__(self, answer: object) -> Feedback:
        number = to_number(answer)
        if number is None:
            return wrong(f"Give one number, such as `0.25` or `Fraction(1, 4)`; you gave `{show(answer)}`.")
        if math.isnan(number):
            return wrong("Your answer is `nan`, not a number: somewhere 0/0 or ∞ − ∞ was computed.")
        if close(number, self.expected, self._tolerance):
            return correct(self.why)
        for value, text in self.wrong.items():
            if close(number, to_number(value), max(self._tolerance, 1e-9)):  # a mistake is known by its size, also in floats
                return wrong(text)
        if close(number, self.expected, 1e-9):
            return wrong(
                f"`{show(answer)}` is the right value; give it as an exact fraction, such as `Fraction(1, 4)` or `'1/4'`."
            )
        exact = " An exact fraction is asked for." if self._tolerance == 0 and isinstance(number, float) else ""
        if close(number, self.expected, max(abs(self.expected) * 1e-3, 1e-9)):
            return wrong(f"`{show(answer)}` is close.{exact or ' Give more digits.'}")
        return wrong(f"`{show(answer)}` is too {'large' if number > self.expected else 'small'}.{exact}")


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`, both included: for experiments whose result differs a little between machines."""

    low: float
    high: float
    below: str = ""
    above: str = ""
    why: str = ""

    def __call__(self, answer: object) -> Feedback:
        number = to_number(answer)
        if number is None or math.isnan(number):
            return wrong(f"Give one number; you gave `{show(answer)}`.")
        if number < self.low:
            return wrong(f"`{show(answer)}` is smaller than it should be. {self.below}".rstrip())
        if number > self.high:
            return wrong(f"`{show(answer)}` is larger than it should be. {self.above}".rstrip())
        return correct(self.why)


@dataclass(frozen=True)
class Exactly:
    """A value of any kind (text, list, set, dict, array) equal to the expected one; numbers inside it within `tolerance`.

    `wrong` is a list of pairs (wrong value, what to say to it).
    """

    expected: object
    tolerance: float = 1e-9
    wrong: Sequence[tuple[object, str]] = ()
    why: str = ""

    def __call__(self, answer: object) -> Feedback:
        if same(answer, self.expected, self.tolerance):
            return correct(self.why)
        for value, text in self.wrong:
            if same(answer, value, self.tolerance):
                return wrong(text)
        return wrong(f"`{show(answer)}` is not it.{_difference(answer, self.expected)}")


@dataclass(frozen=True)
class Several:
    """Several answers at once, each with its own grade: the learner gives a dict with the same names, or a tuple in order."""

    parts: Mapping[str, Grade]
    why: str = ""

    def __call__(self, answer: object) -> Feedback:
        names = list(self.parts)
        if isinstance(answer, list | tuple) and len(answer) == len(names):
            answer = dict(zip(names, answer, strict=True))
        if not isinstance(answer, Mapping) or set(answer) != set(names):
            return wrong(f"Give {len(names)} answers, in this order: {', '.join(names)}; you gave `{show(answer)}`.")
        if any(is_unattempted(value) for value in answer.values()):
            return not_attempted()
        verdicts = {name: grade(answer[name]) for name, grade in self.parts.items()}
        failed = {name: verdict for name, verdict in verdicts.items() if not verdict.passed}
        if not failed:
            return correct(self.why)
        right = f"{len(names) - len(failed)} of {len(names)} right."
        return wrong(" ".join([right, *(f"**{name}**: {verdict.text}" for name, verdict in failed.items())]))


def same(a: object, b: object, tolerance: float = 1e-9) -> bool:
    """True where two values agree: numbers within the tolerance (relative above 1), the rest part by part."""
    x, y = to_number(a), to_number(b)
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and str(a) == str(b)
    if x is not None and y is not None:
        if math.isnan(x) or math.isnan(y):
            return math.isnan(x) and math.isnan(y)
        return close(x, y, tolerance * max(1, abs(y)) if math.isfinite(y) else 0)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key], tolerance) for key in b)
    if hasattr(a, "__array__") or hasattr(b, "__array__"):
        a, b = _listed(a), _listed(b)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and bool(a == b)


def _listed(value: object) -> object:
    """Arrays and tensors as nested lists, so that they compare with lists."""
    return np.asarray(value).tolist() if hasattr(value, "__array__") else value


def _difference(answer: object, expected: object) -> str:
    """The first thing to look at where two values differ, without giving the answer away."""
    if type(answer) is not type(expected):
        return f" A {type(expected).__name__} is asked for; this is a {type(answer).__name__}."
    if hasattr(expected, "__len__") and len(answer) != len(expected):
        return f" It has {len(answer)} elements, and {len(expected)} are asked for."
    return ""
