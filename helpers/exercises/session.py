"""Check, hint, show_solution, quiz and progress over one set of exercises and questions."""

import difflib
from collections.abc import Iterable, Mapping

from helpers.exercises.feedback import Feedback, Note, is_unattempted, not_attempted, show, wrong
from helpers.exercises.functions import show_error
from helpers.exercises.model import Exercise, Quiz
from helpers.exercises.quizzes import QuizWidget
from helpers.exercises.record import Record


class UnknownId(LookupError):
    """There is no exercise or question with this id."""


class Session:
    """What a learner talks to. Feedback depends on the answer only; hints count up and the record fills as you go."""

    def __init__(self, exercises: Mapping[str, Exercise], quizzes: Mapping[str, Quiz], record: Record | None = None):
        self._exercises, self._quizzes = exercises, quizzes
        self._record = record or Record()
        self._hints_shown: dict[str, int] = {}

    def check(self, id: str, answer: object = ...) -> Feedback:
        """Say whether an answer is right, and if not, what to look at.

        `...` (the stub) is reported as not attempted. Nothing that an answer does raises an error here; an unknown id raises
        UnknownId with the nearest ones.
        """
        exercise = _find(id, self._exercises, "exercise")
        feedback = not_attempted() if is_unattempted(answer) else _grade_safely(exercise, answer)
        if feedback.status == "not attempted":
            text = " ".join(part for part in (feedback.text, exercise.prompt) if part)
            return not_attempted(text or f'`hint("{id}")` helps you begin.').about(exercise.name)
        self._record.add(id, feedback.passed)
        return feedback.about(exercise.name)

    def hint(self, id: str) -> Note:
        """Show the next hint; call it again for the one after."""
        exercise = _find(id, self._exercises, "exercise")
        shown, total = self._hints_shown.get(id, 0), len(exercise.hints)
        self._hints_shown[id] = shown + 1
        if shown >= total:
            every = "\n".join(f"{i}. {text}" for i, text in enumerate(exercise.hints, 1))
            return Note(
                f'There are no more hints for exercise {id}. All {total}:\n\n{every}\n\n`show_solution("{id}")` shows the way.'
            )
        last = " (This was the last one.)" if shown + 1 == total else ""
        return Note(f"**Hint {shown + 1} of {total}** for exercise {id}: {exercise.hints[shown]}{last}")

    def show_solution(self, id: str) -> Note:
        """Show the worked solution. Try first: what you have worked for stays with you."""
        exercise = _find(id, self._exercises, "exercise")
        return Note(f"**Solution to exercise {id}, {exercise.title}**\n\n{exercise.worked_solution}")

    def quiz(self, id: str, answer: str | None = None) -> QuizWidget | Feedback:
        """Show a notebook's questions ("1") or one of them ("1.q2"); with a letter, answer that one without the widget."""
        if id in {quiz.notebook for quiz in self._quizzes.values()} and answer is None:
            questions = [quiz for quiz in self._quizzes.values() if quiz.notebook == id]
        else:
            questions = [_find(id, self._quizzes, "question")]
        if answer is None:
            return QuizWidget(questions, self._record.add)
        feedback = questions[0].grade(answer)
        if feedback.status != "not attempted":
            self._record.add(id, feedback.passed)
        return feedback

    def progress(self) -> Note:
        """Show, notebook by notebook, what you have solved, what you have tried, and what is open."""
        entries = self._record.entries()
        rows = [
            self._row(notebook, entries) for notebook in sorted({exercise.notebook for exercise in self._exercises.values()})
        ]
        head = "| notebook | exercises solved | tried | open | questions right |\n|---|---|---|---|---|"
        return Note("\n".join([head, *rows]))

    def _row(self, notebook: str, entries: Mapping[str, Mapping]) -> str:
        solved, tried, still_open = [], [], []
        exercises = _of(notebook, self._exercises)
        for id in exercises:
            (solved if entries.get(id, {}).get("solved") else tried if id in entries else still_open).append(id)
        questions = _of(notebook, self._quizzes)
        right = sum(bool(entries.get(id, {}).get("solved")) for id in questions)
        cells = [
            f"{len(solved)} of {len(exercises)}",
            ", ".join(tried) or "–",
            ", ".join(still_open) or "–",
            f"{right} of {len(questions)}",
        ]
        return f"| {notebook.zfill(2)} | {' | '.join(cells)} |"


def _of(notebook: str, items: Mapping[str, Exercise | Quiz]) -> list[str]:
    return [id for id, item in items.items() if item.notebook == notebook]


def _grade_safely(exercise: Exercise, answer: object) -> Feedback:
    """Grade; an answer of a kind that the grader cannot handle becomes feedback too."""
    try:
        return exercise.grade(answer)
    except Exception as error:  # an answer can be any object, also one whose comparison raises
        return wrong(
            f"`{show(answer)}` could not be checked ({type(error).__name__}: {show_error(error)}). Is it of the kind asked for?"
        )


def _find(id: object, items: Mapping[str, Exercise | Quiz], what: str) -> Exercise | Quiz:
    if isinstance(id, str) and id in items:
        return items[id]
    if not isinstance(id, str):
        raise UnknownId(f'ids are text: write "{id}", in quotes')
    near = difflib.get_close_matches(id, items, n=3, cutoff=0.5) or _of(id.split(".")[0], items) or list(items)
    raise UnknownId(f"there is no {what} {id!r}; did you mean {', '.join(map(repr, near[:8]))}?")


def registry(items: Iterable[Exercise | Quiz]) -> dict:
    """Items by id, in order; raises ValueError where an id is used twice."""
    found: dict[str, Exercise | Quiz] = {}
    for item in items:
        if item.id in found:
            raise ValueError(f"the id {item.id!r} is used twice")
        found[item.id] = item
    return found
