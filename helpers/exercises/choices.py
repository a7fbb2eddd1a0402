"""Grading of choices and explanations: pick a statement, several, or one with its reason; or write it in your own words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from helpers.exercises.feedback import Feedback, correct, show, wrong


def listed(options: Mapping[str, str]) -> str:
    """Options as a Markdown list, one letter a line."""
    return "\n".join(f"- **{letter}**: {text}" for letter, text in options.items())


def to_letters(answer: object) -> set[str]:
    """The letters that an answer names: "b", "B", "ac", "a, c", ["a", "c"] or {"a", "c"}."""
    parts = re.findall(r"\w", answer) if isinstance(answer, str) else [str(part).strip() for part in _iterate(answer)]
    return {part.lower() for part in parts}


def _iterate(answer: object) -> Sequence:
    return list(answer) if isinstance(answer, list | tuple | set | frozenset) else [answer]


@dataclass(frozen=True)
class Choice:
    """One statement out of several: `options` maps a letter to (statement, what to say to those who choose it).

    Statements are listed in the feedback to the stub, so the notebook need not repeat them.
    """

    options: Mapping[str, tuple[str, str]]
    right: str

    def __post_init__(self) -> None:
        if self.right not in self.options:
            raise ValueError(f"the right option {self.right!r} is not one of {sorted(self.options)}")

    @property
    def prompt(self) -> str:
        """What a learner chooses from, as Markdown."""
        return "Answer with one letter, in quotes:\n\n" + listed({letter: text for letter, (text, _) in self.options.items()})

    def __call__(self, answer: object) -> Feedback:
        letters = to_letters(answer)
        if len(letters) != 1 or not letters <= set(self.options):
            return wrong(f"Choose one of {', '.join(map(repr, self.options))}; you gave `{show(answer)}`.")
        (letter,) = letters
        return (correct if letter == self.right else wrong)(self.options[letter][1])


@dataclass(frozen=True)
class MultiChoice:
    """All statements that hold: `options` maps a letter to (statement, why it holds or does not); `right` names those."""

    options: Mapping[str, tuple[str, str]]
    right: Sequence[str]

    def __post_init__(self) -> None:
        if not self.right or not set(self.right) <= set(self.options):
            raise ValueError(f"the right options {list(self.right)} must be some of {sorted(self.options)}")

    @property
    def prompt(self) -> str:
        """What a learner chooses from, as Markdown."""
        statements = {letter: text for letter, (text, _) in self.options.items()}
        return 'Answer with the letters of all that hold, as in `"a, c"`:\n\n' + listed(statements)

    def __call__(self, answer: object) -> Feedback:
        letters = to_letters(answer)
        if not letters or not letters <= set(self.options):
            return wrong(f"Choose some of {', '.join(map(repr, self.options))}; you gave `{show(answer)}`.")
        if extra := sorted(letters - set(self.right)):
            return wrong(f"**{extra[0]}** does not hold. {self.options[extra[0]][1]}")
        if missing := len(set(self.right) - letters):
            return wrong(f"What you chose holds, but {missing} more {'does' if missing == 1 else 'do'}.")
        return correct(" ".join(f"**{letter}**: {self.options[letter][1]}" for letter in sorted(self.right)))


@dataclass(frozen=True)
class Reasoned:
    """A statement and the reason for it: the learner answers with both letters, as in `("b", "y")`."""

    statement: Choice
    reason: Choice

    @property
    def prompt(self) -> str:
        """What a learner chooses from, as Markdown."""
        statements, reasons = ({k: v for k, (v, _) in part.options.items()} for part in (self.statement, self.reason))
        example = f'`("{next(iter(statements))}", "{next(iter(reasons))}")`'
        return (
            f"Answer with a statement and its reason, as in {example}:\n\n{listed(statements)}\n\nbecause\n\n{listed(reasons)}"
        )

    def __call__(self, answer: object) -> Feedback:
        if isinstance(answer, str):  # "b, y" or "by"
            answer = re.findall(r"\w", answer)
        if not isinstance(answer, list | tuple) or len(answer) != 2:
            return wrong(f"Give two letters, the statement's and the reason's; you gave `{show(answer)}`.")
        first = self.statement(answer[0])
        if not first.passed:
            return first
        second = self.reason(answer[1])
        return second if second.passed else wrong(f"The statement is right; the reason is another. {second.text}")


@dataclass(frozen=True)
class Explanation:
    """Free text, which the learner judges: `points` maps each key point to words that usually appear where it is made.

    A word search cannot read; it only catches an answer that says nothing (fewer than `min_words` words, or fewer than `need`
    points touched; `nudge` is said to those). So the feedback to a passing answer is the checklist, for the learner to compare
    with. End a word with `*` to match its endings too.
    """

    points: Mapping[str, Sequence[str]]
    nudge: str
    need: int = 1
    min_words: int = 8

    prompt = "Answer in your own words, in quotes: two or three sentences."

    def __call__(self, answer: object) -> Feedback:
        if not isinstance(answer, str):
            return wrong(f"Answer with text in quotes; you gave `{show(answer)}`.")
        n_words = len(answer.split())
        if n_words < self.min_words:
            return wrong(f"That is {n_words} word{'' if n_words == 1 else 's'}; explain it in at least {self.min_words}.")
        touched = {point: any(_mentions(answer, word) for word in words) for point, words in self.points.items()}
        if sum(touched.values()) < self.need:
            return wrong(f"Your text seems to leave out the main thing. {self.nudge}")
        rows = [f"- {point} ({'you mention it' if found else 'not found in your text'})" for point, found in touched.items()]
        return correct("Now judge it yourself. A full answer makes these points:\n\n" + "\n".join(rows))


def _mentions(text: str, word: str) -> bool:
    pattern = re.escape(word.rstrip("*")) + ("" if word.endswith("*") else r"\b")
    return re.search(r"\b" + pattern if word[0].isalnum() else re.escape(word), text, re.IGNORECASE) is not None
