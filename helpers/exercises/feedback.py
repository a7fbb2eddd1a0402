"""What a check tells the learner: one line that begins with ✓, ✗ or ○ and says the same in words.

The text is a function of the answer alone, so that a saved notebook and a fresh run show the same.
"""

import contextlib
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Status = Literal["correct", "wrong", "not attempted"]
WORDS: dict[Status, str] = {"correct": "✓ {}: correct.", "wrong": "✗ {}: not yet.", "not attempted": "○ {}: not attempted yet."}


class _InOrder(reprlib.Repr):
    """reprlib sorts a dictionary's keys; a learner must see it in the order that the function was given."""

    def repr_dict(self, x: dict, level: int) -> str:
        if level <= 0 and x:
            return "{...}"
        items = [f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}" for key, value in [*x.items()][: self.maxdict]]
        return "{" + ", ".join(items + ["..."] * (len(x) > self.maxdict)) + "}"


_SHORT = _InOrder()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = 8


@dataclass(frozen=True)
class Feedback:
    """A verdict on one answer: its status, a sentence or more of Markdown, and what it is about ("Exercise 1.3")."""

    status: Status
    text: str = ""
    label: str = "Your answer"

    @property
    def passed(self) -> bool:
        """True where the answer is right."""
        return self.status == "correct"

    def about(self, label: str) -> "Feedback":
        """The same verdict, saying which exercise it is about."""
        return replace(self, label=label)

    def __str__(self) -> str:
        return f"{WORDS[self.status].format(self.label)} {self.text}".rstrip()

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        mark, verdict = WORDS[self.status].format(self.label).split(": ")
        return f"{mark}: **{verdict}** {self.text}".rstrip()


@dataclass(frozen=True)
class Note:
    """A piece of Markdown for the learner: a hint, a solution, a table."""

    markdown: str

    def __str__(self) -> str:
        return self.markdown

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return self.markdown


def correct(text: str = "") -> Feedback:
    """The answer is right; the text says why."""
    return Feedback("correct", text)


def wrong(text: str) -> Feedback:
    """The answer is not right; the text says what to look at."""
    return Feedback("wrong", text)


def not_attempted(text: str = "") -> Feedback:
    """The stub is still there; the text says what is asked for."""
    return Feedback("not attempted", text)


def is_unattempted(answer: object) -> bool:
    """True for `...`, None and empty text, and for a list, tuple or dict in which a `...` is left."""
    if answer is None or answer is ... or answer is NotImplemented:
        return True
    if isinstance(answer, str):
        return not answer.strip(" .\n")
    parts = answer.values() if isinstance(answer, Mapping) else answer if isinstance(answer, list | tuple) else ()
    return any(part is ... for part in parts)


def show(value: object) -> str:
    """A value as short text that is the same in every run: no memory addresses, no NumPy type names, at most ~80 characters."""
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        with contextlib.suppress(Exception):  # whatever object a learner passes, showing it must not fail
            value = value.item()
    return re.sub(r" at 0x[0-9a-fA-F]+", "", _SHORT.repr(value))
