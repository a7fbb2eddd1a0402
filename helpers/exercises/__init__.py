"""Exercises and quizzes: check an answer, ask for a hint, see the solution, test yourself, see how far you are.

    check("1.3", answer)     ✓, ✗ or ○, and why          quiz("1")       the questions of notebook 1
    hint("1.3")              the next hint               quiz("1.q2")    one of them
    show_solution("1.3")     the worked solution         progress()      what you have solved so far

One module a notebook holds the exercises (`n01` …); `model` says what an exercise is, `values`, `functions` and `choices`
hold the graders.
"""

from helpers.exercises import n01, n02, n03, n04, n05, n06, n07, n08, n09
from helpers.exercises.model import Exercise, Quiz
from helpers.exercises.session import Session, registry

NOTEBOOKS = (n01, n02, n03, n04, n05, n06, n07, n08, n09)

EXERCISES: dict[str, Exercise] = registry(exercise for module in NOTEBOOKS for exercise in module.EXERCISES)
QUIZZES: dict[str, Quiz] = registry(question for module in NOTEBOOKS for question in module.QUIZZES)

_session = Session(EXERCISES, QUIZZES)
check = _session.check
hint = _session.hint
show_solution = _session.show_solution
quiz = _session.quiz
progress = _session.progress

__all__ = ["EXERCISES", "QUIZZES", "check", "hint", "progress", "quiz", "show_solution"]
