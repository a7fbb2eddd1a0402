"""The exercise framework, and every exercise and quiz question that is registered."""

import decimal
import inspect
import json
import math
import os
import threading
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import exercises, paths
from helpers.exercises import EXERCISES, QUIZZES, functions
from helpers.exercises.choices import Choice, Explanation, MultiChoice, Reasoned, to_letters
from helpers.exercises.feedback import Feedback, show
from helpers.exercises.functions import Case, Function, Raises
from helpers.exercises.model import LETTERS, Exercise, Option, Quiz
from helpers.exercises.quizzes import QuizWidget
from helpers.exercises.record import Record, default_path
from helpers.exercises.session import Session, UnknownId, registry
from helpers.exercises.values import Between, Exactly, Number, Several, same, to_number


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Every test writes its progress into a folder of its own."""
    monkeypatch.setenv("LM_COURSE_CACHE", str(tmp_path))
    return tmp_path


# ---- every exercise and question of the course


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_solution_passes_and_each_wrong_answer_gets_its_own_feedback(exercise):
    assert exercises.check(exercise.id, exercise.answer).status == "correct"
    for answer, fragment in exercise.wrong_answers:
        feedback = exercises.check(exercise.id, answer)
        assert feedback.status == "wrong", f"{answer!r} should fail"
        assert fragment and fragment in feedback.text


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_stubs_are_not_attempted(exercise):
    def raises(*args):
        raise NotImplementedError

    stubs = [..., None, ""]
    if inspect.isfunction(exercise.answer):
        stubs += [lambda *args: ..., lambda *args: None, raises]
    for stub in stubs:
        assert exercises.check(exercise.id, stub).status == "not attempted"
    assert not default_path().exists()  # looking at a stub is not a try


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_hints_and_solution_are_there(exercise):
    assert len(exercise.hints) >= 1 and all(len(hint) > 10 for hint in exercise.hints)
    assert len(exercises.show_solution(exercise.id).markdown) > 80


@pytest.mark.parametrize("quiz", QUIZZES.values(), ids=QUIZZES)
def test_every_option_is_explained_and_one_is_right(quiz):
    verdicts = [exercises.quiz(quiz.id, letter) for letter in LETTERS[: len(quiz.options)]]
    assert [verdict.status for verdict in verdicts].count("correct") == 1
    assert all(len(verdict.text) > 15 for verdict in verdicts)
    assert len({option.text for option in quiz.options}) == len(quiz.options)
    assert not any(option.why in quiz.markdown for option in quiz.options)
    assert "$" not in quiz.markdown + "".join(option.why for option in quiz.options)  # the widget sets no LaTeX


def test_the_right_option_moves_about():
    places = Counter(next(i for i, option in enumerate(quiz.options) if option.right) for quiz in QUIZZES.values())
    assert len(places) >= min(3, len(QUIZZES))
    if len(QUIZZES) >= 5:
        assert max(places.values()) <= len(QUIZZES) * 0.6


def test_ids_run_without_gaps():
    for items, mark in ((EXERCISES, ""), (QUIZZES, "q")):
        for notebook in {item.notebook for item in items.values()}:
            ids = [id for id, item in items.items() if item.notebook == notebook]
            assert ids == [f"{notebook}.{mark}{i}" for i in range(1, len(ids) + 1)]


# ---- reading numbers


@pytest.mark.parametrize(
    "answer",
    [0.25, Fraction(1, 4), "1/4", " 0.25 ", "2.5e-1", np.float32(0.25), np.array(0.25), decimal.Decimal("0.25")],
)
def test_numbers_are_read_in_every_form(answer):
    assert to_number(answer) == Fraction(1, 4)
    assert Number(Fraction(1, 4))(answer).passed


@pytest.mark.parametrize("answer", [True, np.True_, "a quarter", "1/0", [0.25], np.array([0.25]), 1j, object()])
def test_what_is_no_number_is_said_to_be_none(answer):
    assert to_number(answer) is None
    assert "one number" in Number(1)(answer).text


def test_a_known_mistake_gets_its_own_words_and_an_unknown_one_a_direction():
    grade = Number(1, tolerance=0.01, wrong={0.693: "That is in nats."})
    assert grade(0.69314).text == "That is in nats."
    assert "too large" in grade(3).text and "too small" in grade(0.5).text
    assert "nan" in grade(math.nan).text and "too large" in grade(math.inf).text


def test_tolerance_is_inclusive_and_zero_asks_for_the_exact_fraction():
    assert Number(2, tolerance=0.05)(1.95).passed and not Number(2, tolerance=0.05)(1.949).passed
    assert Number(Fraction(1, 3), tolerance=0)("1/3").passed and not Number(Fraction(1, 3), tolerance=0)(1 / 3).passed
    assert "right value; give it as an exact fraction" in Number(Fraction(1, 3), tolerance=0)(1 / 3).text
    assert "exact fraction is asked for" in Number(Fraction(1, 3), tolerance=0)(0.34).text
    assert Number(Fraction(1, 3), tolerance=0, wrong={Fraction(3, 5): "Upside down."})(0.6).text == "Upside down."
    assert "more digits." in Number(2, tolerance=1e-6)(2.0001).text
    assert Number(0)(0).passed and not Number(0)(1e-6).passed


def test_a_listed_mistake_within_the_tolerance_is_refused():
    with pytest.raises(ValueError, match="reduce the tolerance"):
        Number(1, tolerance=0.5, wrong={0.693: "nats"})


def test_between_says_on_which_side():
    grade = Between(1.5, 1.6, below="Did you count </s>?", above="Is it in nats?")
    assert grade(1.5).passed and grade("1.6").passed
    assert "</s>" in grade(1.4).text and "nats" in grade(1.7).text and not grade("x").passed


def test_exactly_names_the_first_difference():
    grade = Exactly(["a", "b"], wrong=[(["b", "a"], "Sort them.")])
    assert grade(["a", "b"]).passed and grade(["b", "a"]).text == "Sort them."
    assert "3 elements" in grade(["a", "b", "c"]).text and "list is asked for" in grade({"a"}).text


def test_several_grades_each_part_by_name():
    grade = Several({"p": Number(0.5), "q": Number(2, wrong={1: "q is twice p."})})
    assert grade({"p": 0.5, "q": 2}).passed and grade((0.5, 2)).passed
    assert "1 of 2 right" in grade((0.5, 1)).text and "q is twice p" in grade((0.5, 1)).text
    assert grade({"p": 0.5, "q": ...}).status == "not attempted"
    assert "2 answers" in grade(0.5).text


@given(st.recursive(st.floats(allow_nan=True) | st.integers() | st.text(max_size=3), lambda parts: st.lists(parts, max_size=3)))
def test_same_is_reflexive(value):
    assert same(value, value)


def test_same_compares_arrays_with_lists_and_kinds_strictly():
    assert same(np.array([[1, 2]]), [[1.0, 2.0]]) and same({"a": 1}, {"a": 1 + 1e-12}) and same((1, 2), [1, 2])
    assert not same([1, 2], [1]) and not same("1", 1) and not same({"a": 1}, {"b": 1}) and not same({1}, [1])


# ---- functions


def prob(counts):
    return sum(counts) / len(counts)


CASES = (Case(([1, 2],), 1.5), Case(([],), Raises(ValueError), say="An empty list has no mean."))


def test_a_learners_exception_is_reported_with_the_call_and_never_raised():
    feedback = Function((Case(([],), 0),))(prob)
    assert "`prob([])` raised `ZeroDivisionError: division by zero`" in feedback.text and "`0`" in feedback.text


def test_expected_exceptions_count():
    def careful(counts):
        if not counts:
            raise ValueError("no counts")
        return prob(counts)

    assert Function(CASES)(careful).passed
    assert "should raise `ValueError`. An empty list" in Function(CASES)(prob).text


def test_first_failing_input_is_shown_with_both_results():
    text = Function((Case((2,), 4), Case((3,), 9)))(lambda x: x + 2).text
    assert "`<lambda>(3)` gave `5`; it should give `9`" in text


def test_a_mistake_is_recognised_by_its_results():
    grade = Function((Case((2,), 4), Case((3,), 9)), mistakes=((lambda x: x * 2, "That doubles; square it."),))
    assert grade(lambda x: x + x).text == "That doubles; square it."
    assert "it should give" in grade(lambda x: x + 2).text


def test_a_function_that_changes_its_arguments_spoils_nothing():
    grade = Function((Case(([3, 1],), [1, 3]),))
    for _ in range(2):
        assert grade(lambda xs: xs.sort() or xs).passed
    assert grade.cases[0].args == ([3, 1],)


def test_forgotten_return_is_named():
    def forgot(x):
        y = x * x  # noqa: F841

    def half(x):
        if x > 2:
            return x * x

    def stub(x):
        """Square x."""
        ...

    grade = Function((Case((2,), 4), Case((3,), 9)))
    assert grade(forgot).status == "not attempted" and "return" in grade(forgot).text
    assert grade(half).status == "wrong" and "end with `return`" in grade(half).text
    assert grade(stub) == Feedback("not attempted")
    assert "without calling" in grade(9).text


# ---- choices and free text

OPTIONS = {"a": ("Longer.", "No: shorter."), "b": ("Shorter.", "Yes, it stops sooner."), "c": ("The same.", "No, it changes.")}


def test_choice_answers_with_the_options_own_words():
    grade = Choice(OPTIONS, right="b")
    assert grade("B").passed and grade("b").text == "Yes, it stops sooner." and grade(" a ").text == "No: shorter."
    for answer in ("d", "ab", "a, b", 3, ["a", "b"], ""):
        assert "Choose one of" in grade(answer).text
    assert "- **a**: Longer." in grade.prompt and "No: shorter." not in grade.prompt


def test_multichoice_names_the_extra_one_and_counts_the_missing():
    grade = MultiChoice(OPTIONS, right=("a", "b"))
    assert grade("a, b").passed and grade({"b", "a"}).passed and grade("b a").passed
    assert "**c** does not hold" in grade("a, c").text and "1 more does" in grade("a").text and "Choose some" in grade("x").text


def test_reasoned_tells_a_right_statement_with_a_wrong_reason():
    reasons = {"x": ("Because it pays once.", "Yes."), "y": ("By chance.", "Nothing here is random.")}
    grade = Reasoned(Choice(OPTIONS, right="b"), Choice(reasons, right="x"))
    assert grade(("b", "x")).passed and grade(("a", "x")).text == "No: shorter."
    assert "the reason is another. Nothing here is random." in grade(("b", "y")).text and "two letters" in grade("b").text
    assert "- **c**" in grade.prompt and "- **y**" in grade.prompt


def test_explanation_catches_empty_answers_and_gives_the_checklist():
    grade = Explanation({"the sums": ["sum*"], "the end token": ["</s>", "end token"]}, nudge="What must add up?", need=1)
    passing = grade("Because then the probabilities of all sentences are summing to one")
    assert passing.passed and "the sums (you mention it)" in passing.text and "the end token (not found" in passing.text
    assert "2 words" in grade("It sums").text
    assert (
        "What must add up?" in grade("I do not know but here are quite a few words").text and "text in quotes" in grade(3).text
    )
    assert "the end token (you mention it)" in grade("We put </s> behind each and every one of them").text


@pytest.mark.parametrize("make", [lambda: Choice(OPTIONS, right="z"), lambda: MultiChoice(OPTIONS, right=())])
def test_choices_without_a_right_option_are_refused(make):
    with pytest.raises(ValueError, match="right option"):
        make()


# ---- feedback and session


def exercise(**changes) -> Exercise:
    parts = {
        "id": "7.1",
        "title": "Two",
        "kind": "by hand",
        "grade": Number(2, wrong={3: "One too many."}),
        "hints": ("Add one and one.", "It is even."),
        "solution": "One and one.",
        "answer": 2,
        "wrong_answers": ((3, "One too many"),),
    }
    return Exercise(**parts | changes)


QUESTION = Quiz("7.q1", "Is `<b>` text?", (Option("no", "It looks like HTML."), Option("yes", "Tokens are text.", right=True)))


@pytest.fixture
def session():
    return Session(registry([exercise(), exercise(id="7.2")]), registry([QUESTION]))


def test_feedback_says_in_words_what_the_mark_says(session):
    assert repr(session.check("7.1", 2)) == "✓ Exercise 7.1: correct."
    assert repr(session.check("7.1", 3)) == "✗ Exercise 7.1: not yet. One too many."
    assert repr(session.check("7.1")) == '○ Exercise 7.1: not attempted yet. `hint("7.1")` helps you begin.'
    assert session.check("7.1", 3)._repr_markdown_() == "✗ Exercise 7.1: **not yet.** One too many."
    assert exercise(starred=True).name == "Exercise 7.1*"


@pytest.mark.parametrize("answer", [..., None, "", " ...", [1, ...], (..., 2), {"p": ...}, NotImplemented])
def test_what_still_has_a_gap_is_not_attempted(session, answer):
    assert session.check("7.1", answer).status == "not attempted"


def test_feedback_does_not_depend_on_what_came_before(session):
    before = [repr(session.check("7.1", answer)) for answer in (3, 2, 3, ...)]
    session.hint("7.1")
    assert [repr(session.check("7.1", answer)) for answer in (3, 2, 3, ...)] == before


def test_an_answer_that_cannot_be_compared_is_feedback_not_an_error(session):
    class Odd:
        def item(self):
            raise RuntimeError("odd")

        ndim = 0

        def __repr__(self):
            return "Odd()"

    class Worse:
        def __repr__(self):
            raise RuntimeError("no repr")

    for answer in (Odd(), Worse(), object()):
        feedback = session.check("7.1", answer)
        assert feedback.status == "wrong" and "0x" not in repr(feedback)


def test_hints_come_one_at_a_time_and_end(session):
    first, second, third = (session.hint("7.1").markdown for _ in range(3))
    assert "Hint 1 of 2" in first and "Add one" in first and "even" not in first
    assert "Hint 2 of 2" in second and "last one" in second
    assert "no more hints" in third and "Add one" in third and "show_solution" in third
    assert "Hint 1 of 2" in session.hint("7.2").markdown


@pytest.mark.parametrize("id, near", [("7.11", "'7.1'"), ("7.9", "'7.2'"), ("x", "'7.1'"), (7.1, 'write "7.1", in quotes')])
def test_unknown_ids_name_the_nearest(session, id, near):
    for call in (session.check, session.hint, session.show_solution):
        with pytest.raises(UnknownId, match=near):
            call(id)


def test_unknown_questions_name_the_nearest(session):
    with pytest.raises(UnknownId, match=r"7\.q1"):
        session.quiz("7.q2")


@pytest.mark.parametrize(
    "value", [object(), lambda x: x, [object()] * 20, "x" * 1000, np.arange(10000), np.float64(0.5), {1: object()}]
)
def test_shown_values_are_short_and_the_same_in_every_run(value):
    assert len(show(value)) < 300 and "0x" not in show(value) and "np." not in show(value)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"id": "1"}, "id"),
        ({"id": "10.1"}, "id"),
        ({"kind": "guess"}, "kind"),
        ({"hints": ()}, "hints"),
        ({"hints": "one"}, "hints"),
        ({"solution": ""}, "solution"),
        ({"wrong_answers": ()}, "wrong_answers"),
    ],
)
def test_incomplete_exercises_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        exercise(**changes)


def test_incomplete_questions_and_ids_used_twice_are_refused():
    yes, no = Option("yes", "Because.", right=True), Option("no", "Not so.")
    for options in ((yes,), (yes, yes), (no, no), (yes, Option("no", ""))):
        with pytest.raises(ValueError, match=r"question 1\.q1"):
            Quiz("1.q1", "Is it?", options)
    with pytest.raises(ValueError, match="id"):
        Quiz("1.1", "Is it?", (yes, no))
    with pytest.raises(ValueError, match="used twice"):
        registry([exercise(), exercise()])


# ---- progress


def test_progress_survives_a_restart(session, cache):
    session.check("7.1", 3), session.check("7.1", 2), session.check("7.2", 3), session.quiz("7.q1", "b")
    later = Session(registry([exercise(), exercise(id="7.2")]), registry([QUESTION]))
    assert "| 07 | 1 of 2 | 7.2 | – | 1 of 1 |" in later.progress().markdown
    entries = json.loads((cache / "progress.json").read_text(encoding="utf-8"))["entries"]
    assert entries["7.1"] == {"tries": 2, "solved": True}


def test_what_was_solved_stays_solved(cache):
    record = Record()
    record.add("1.1", True)
    record.add("1.1", False)
    assert Record().entries()["1.1"] == {"tries": 2, "solved": True}
    assert [path.name for path in cache.iterdir()] == ["progress.json"]  # nothing temporary is left


def test_two_kernels_do_not_overwrite_each_other():
    first, second = Record(), Record()
    first.add("1.1", True)
    second.add("2.1", True)
    first.add("1.2", False)
    assert Record().entries().keys() == {"1.1", "1.2", "2.1"}


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"version": 2, "entries": {}}', '{"version": 1, "entries": {"1.1": 3}}', b"\xff\xfe"]
)
def test_a_damaged_file_is_kept_aside_and_said(session, cache, damage):
    data = damage if isinstance(damage, bytes) else damage.encode()
    (cache / "progress.json").write_bytes(data)
    with pytest.warns(UserWarning, match=r"kept as progress\.damaged-1\.json"):
        assert session.check("7.1", 2).passed
    assert (cache / "progress.damaged-1.json").read_bytes() == data
    assert Record().entries()["7.1"]["solved"]


def test_an_unwritable_folder_costs_a_warning_only(monkeypatch, cache):
    monkeypatch.setenv("LM_COURSE_CACHE", str(cache / "file" / "below"))
    (cache / "file").write_text("not a folder")
    record = Record()
    with pytest.warns(UserWarning, match="could not be") as warned:
        record.add("1.1", True)
    assert any("could not be saved" in str(warning.message) for warning in warned)
    with pytest.warns(UserWarning):
        record.add("1.1", False)
    with pytest.warns(UserWarning):
        assert record.entries()["1.1"]["solved"]
    monkeypatch.setenv("LM_COURSE_CACHE", str(cache / "elsewhere"))
    record.add("1.2", False)  # writable again: what waited is saved too
    assert Record().entries().keys() == {"1.1", "1.2"}


@pytest.mark.skipif(os.name == "nt", reason="folders have no such permission on Windows")
def test_a_failed_write_leaves_the_old_file(monkeypatch, cache):
    Record().add("1.1", True)
    before = (cache / "progress.json").read_bytes()

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.warns(UserWarning, match="Permission denied"):
        Record().add("1.2", True)
    assert (cache / "progress.json").read_bytes() == before and len(list(cache.iterdir())) == 1


def test_readers_never_see_half_a_file(cache):
    Record().add("1.1", True)
    stop, broken = threading.Event(), []

    def read():
        while not stop.is_set():
            try:
                json.loads((cache / "progress.json").read_text(encoding="utf-8"))
            except ValueError as error:
                broken.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    record = Record()
    for i in range(100):
        record.add(f"2.{i}", True)
    stop.set()
    reader.join()
    assert not broken


def test_the_cache_folder_is_the_courses_own_unless_told(monkeypatch):
    monkeypatch.delenv("LM_COURSE_CACHE")
    assert default_path() == paths.CACHE / "progress.json"


# ---- the quiz widget


def test_choosing_shows_the_explanation_and_tells():
    told = []
    widget = QuizWidget([QUESTION], lambda id, solved: told.append((id, solved)))
    assert widget.state["questions"][0]["chosen"] is None and "Tokens are text" not in str(widget.state)
    for content in ({"type": "choose", "id": "7.q1", "index": 9}, {"type": "choose", "id": "7.q9", "index": 0}, {}, None):
        widget._receive(content)
    assert told == []
    widget.choose("7.q1", 0)
    assert widget.state["questions"][0]["verdict"] == "✗ Question 7.q1: **not yet.** It looks like HTML."
    widget._handle_custom_msg({"type": "choose", "id": "7.q1", "index": 1}, [])
    assert widget.state["questions"][0]["chosen"] == 1 and told == [("7.q1", False), ("7.q1", True)]


def test_static_text_of_a_quiz_gives_nothing_away(session):
    bundle, _ = session.quiz("7")._repr_mimebundle_()
    assert bundle["text/plain"] == "QuizWidget(7.q1)"
    assert "- **b**: yes" in bundle["text/markdown"] and "Tokens are text" not in bundle["text/markdown"]
    assert session.quiz("7.q1")._repr_mimebundle_()[0]["text/markdown"] == bundle["text/markdown"]


def test_a_letter_answers_without_the_widget(session):
    assert session.quiz("7.q1", "B").passed and session.quiz("7.q1", "a").status == "wrong"
    assert "one of the letters a, b" in session.quiz("7.q1", "z").text


def test_a_function_that_never_ends_is_stopped_and_said_so(monkeypatch):
    monkeypatch.setattr(functions, "LIMIT", 0.2)

    def endless(x):
        while True:
            try:
                x += 1
            except Exception:
                continue

    feedback = Function([Case((1,), 2), Case((2,), 3)])(endless)
    assert feedback.status == "wrong" and "`endless(1)` was stopped after 0.2 seconds" in feedback.text


def test_a_dictionary_is_shown_in_its_own_order():
    assert show({"yes": 1, "no": 2, "abc": 3}) == "{'yes': 1, 'no': 2, 'abc': 3}"


def test_letters_may_stand_together():
    assert to_letters("ac") == to_letters("a, c") == to_letters(["a", "c"]) == {"a", "c"}


def test_a_statement_and_its_reason_may_be_one_text():
    statement, reason = (
        Choice({"a": ("A", "no"), "b": ("B", "yes")}, right="b"),
        Choice({"y": ("Y", "so"), "z": ("Z", "no")}, right="y"),
    )
    grade = Reasoned(statement, reason)
    assert grade(("b", "y")).passed and grade("b, y").passed and grade("by").passed
    assert not grade("b").passed and not grade("bz").passed
