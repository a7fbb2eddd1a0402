"""What an exercise and a quiz question are. How to write one: the docstrings below, and `n01.py`."""

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from helpers.exercises.feedback import Feedback

Kind = Literal["by hand", "implement", "experiment", "explain"]
LETTERS = "abcdefgh"


@dataclass(frozen=True)
class Exercise:
    """One exercise: how an answer is graded, its hints from vague to plain, its worked solution, and the mistakes it knows.

    `grade` is one of the graders (Number, Function, Choice …) or any function from an answer to a Feedback. `answer` is what
    the solution comes to, and passes. `wrong_answers` pairs answers that must fail with a fragment of what is said to them. The
    task itself stands in the notebook; options to choose from stand here. Raises ValueError where a part is missing.
    """

    id: str
    title: str
    kind: Kind
    grade: Callable[[object], Feedback]
    hints: Sequence[str]
    solution: str
    answer: object
    wrong_answers: Sequence[tuple[object, str]]
    starred: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9]\.[1-9]\d?", self.id):
            raise ValueError(f"an exercise's id is its notebook and its number, such as '2.4'; got {self.id!r}")
        if self.kind not in get_args(Kind):
            raise ValueError(f"exercise {self.id}: its kind is one of {get_args(Kind)}, not {self.kind!r}")
        for part in ("title", "hints", "solution", "wrong_answers"):
            if not getattr(self, part) or (part == "hints" and isinstance(self.hints, str)):
                raise ValueError(f"exercise {self.id} needs {part}")

    @property
    def notebook(self) -> str:
        """The number of the notebook it belongs to, as text."""
        return self.id.split(".")[0]

    @property
    def name(self) -> str:
        """How feedback calls it: "Exercise 1.3"."""
        return f"Exercise {self.id}{'*' if self.starred else ''}"

    @property
    def prompt(self) -> str:
        """What there is to choose from, for kinds of answer that choose."""
        return getattr(self.grade, "prompt", "")

    @property
    def worked_solution(self) -> str:
        """The solution as Markdown; where the answer is a function, its source is part of it."""
        if not inspect.isfunction(self.answer):
            return self.solution.strip()
        return f"{self.solution.strip()}\n\n```python\n{inspect.getsource(self.answer).strip()}\n```"


@dataclass(frozen=True)
class Option:
    """One option of a quiz question, and what is said to those who choose it; both may hold `code` and **bold**."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Quiz:
    """One question with two or more options, exactly one of them right and every one explained.

    Texts may hold `code` and **bold**, and no LaTeX: write formulas in Unicode (p², −log₂ p, Σ). Options are shown in the
    order given, so vary where the right one stands.
    """

    id: str
    question: str
    options: Sequence[Option]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9]\.q[1-9]\d?", self.id):
            raise ValueError(f"a question's id is its notebook, '.q' and its number, such as '2.q4'; got {self.id!r}")
        if not 2 <= len(self.options) <= len(LETTERS) or sum(option.right for option in self.options) != 1:
            raise ValueError(f"question {self.id} needs 2 to {len(LETTERS)} options of which exactly one is right")
        if not self.question or not all(option.text and option.why for option in self.options):
            raise ValueError(f"question {self.id}: the question, each option and each explanation need text")

    @property
    def notebook(self) -> str:
        """The number of the notebook it belongs to, as text."""
        return self.id.split(".")[0]

    @property
    def name(self) -> str:
        """How feedback calls it: "Question 1.q2"."""
        return f"Question {self.id}"

    @property
    def markdown(self) -> str:
        """The question with its options, nothing given away."""
        options = "\n".join(f"- **{letter}**: {option.text}" for letter, option in zip(LETTERS, self.options, strict=False))
        return f"**{self.name}**: {self.question}\n\n{options}"

    def grade(self, answer: object) -> Feedback:
        """The explanation of the option with this letter ("a", "b", …)."""
        letters = LETTERS[: len(self.options)]
        letter = answer.strip().lower() if isinstance(answer, str) else ""
        if letter not in letters or len(letter) != 1:
            return Feedback("not attempted", f"Answer with one of the letters {', '.join(letters)}.", self.name)
        option = self.options[letters.index(letter)]
        return Feedback("correct" if option.right else "wrong", option.why, self.name)
