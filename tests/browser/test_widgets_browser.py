"""The widgets and the quiz in a real JupyterLab: keys, mouse, both themes, and Python's numbers beside what is shown."""

import base64
import io

import nbformat
import numpy as np
import pytest
from matplotlib.image import imread
from playwright.sync_api import Locator, expect

from helpers.notebooks import clean, execute

pytestmark = pytest.mark.timeout(180)

SETUP = """
import numpy as np
from helpers.exercises.model import Option, Quiz
from helpers.exercises.quizzes import QuizWidget
from helpers.probability import LanguageModel
from helpers.widgets import GuessingGame, TypeAhead

HTML = "<img src=x onerror=alert(1)>"

class Words(LanguageModel):
    vocab = ["<unk>", "</s>", "the", "cat", "sat", "on", HTML, "mat", "dog", "log", "a", "ran"]
    def __init__(self, order):
        self.order = order
    def encode_context(self, tokens):
        return [self.vocab.index(token if token in self.vocab else "<unk>") for token in tokens]
    def next_log_probs(self, context):
        weights = np.random.default_rng([self.order, *list(context)[len(context) - self.order + 1 :]]).random(12) ** 3
        weights[6] = 2.0  # what looks like HTML is always first
        return np.log(weights / weights.sum())
    def matched_order(self, ids):
        return min(2, self.order, 1 + len(ids))

text = "\\nab ba\\nabba <b> ab\\n"
"""
GAMES = ["first = GuessingGame(text, 8, start=0); first", "second = GuessingGame(text, 3, start=0); second", "first"]
AHEAD = ["ahead = TypeAhead({n: Words(n) for n in (1, 2, 3)}, text='the cat'); ahead"]
QUIZ = [
    "told = []\noptions = (Option('no', 'It is.'), Option('yes', 'Tokens are text.', right=True))\n"
    "QuizWidget([Quiz('1.q1', 'Is `<b>` text?', options)], lambda *each: told.append(each))"
]
START = "code => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute({code}); }"


def notebook(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (SETUP, *sources)])


def ranks_shown(game: Locator) -> list[int]:
    return [int(rank) for rank in game.locator(".lm-cell:not(.lm-next) sub").all_inner_texts()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_guessing_game_by_keyboard_and_mouse(open_notebook, low_contrast, dark):
    lab = open_notebook(notebook(*GAMES), windowing="none", dark=dark, viewport=(1280, 1600))
    lab.run_all()
    expect(lab.widgets).to_have_count(3)
    first, second, again = (lab.widgets.nth(i) for i in range(3))
    assert lab.page.locator(".jp-OutputArea-output img").count() == 0  # the live view, not the picture

    first.locator(".lm-board").click()
    n_cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    for key in [
        "Enter",
        "b",
        "a",
        "b",
        "Space",
        "a",
        "z",
    ]:  # newline; b is wrong; a; b; space; a is wrong; z is no character here
        lab.page.keyboard.press(key)
    expect(first.locator(".lm-message")).to_contain_text("not in this game's alphabet")
    assert lab.python("first.ranks") == [1, 2, 1, 1] == ranks_shown(first)
    assert first.locator(".lm-cell:not(.lm-next) > span").all_inner_texts() == ["↵", "a", "b", "␣"]
    assert first.locator(".lm-tried").all_inner_texts() == ["a"]
    assert (
        lab.page.locator(".jp-Notebook .jp-Cell").count() == n_cells
    )  # "a" and "b" are shortcuts of the notebook, and did not reach it
    assert ranks_shown(again) == [1, 2, 1, 1]  # the same game shown twice goes on in both places

    assert lab.python("second.ranks") == []  # a second game is its own
    for name in ("a", "newline", "b"):
        second.get_by_role("button", name=name, exact=True).click()
    expect(second.locator(".lm-message")).to_contain_text("Not “b”")
    second.get_by_role("button", name="Reveal it").click()
    expect(second.locator(".lm-message")).to_contain_text("It was “a”")
    lab.page.keyboard.press("Enter")  # the button that was clicked has the focus: Enter presses it again
    expect(second.locator(".lm-message")).to_contain_text("All guessed")
    assert lab.python("second.ranks") == ranks_shown(second)
    assert second.locator(".lm-result").inner_text() == lab.python("repr(second.result())")
    assert lab.python("first.ranks") == [1, 2, 1, 1]

    keys = first.locator(".lm-key")
    keys.first.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(keys.nth(1)).to_be_focused()
    for widget in (first, second):
        assert low_contrast(widget) == []


def one_decimal(p: float) -> str:
    """How the widget is to show a probability: never as zero what is not."""
    return "< 0.1 %" if 0 < p < 0.0005 else f"{100 * p:.1f} %"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_type_ahead_by_keyboard_and_mouse(open_notebook, low_contrast, dark):
    lab = open_notebook(notebook(*AHEAD, *QUIZ), windowing="none", dark=dark, viewport=(1280, 1400))
    lab.run_all()
    widget = lab.widgets.first
    box, rows = widget.locator("textarea"), widget.locator(".lm-suggestion")
    expect(rows).to_have_count(10)

    def same_as_python() -> None:
        expect(widget).not_to_have_class("lm-widget lm-stale")
        shown = list(
            zip(widget.locator(".lm-token").all_inner_texts(), widget.locator(".lm-percent").all_inner_texts(), strict=True)
        )
        log_probs = "ahead.model.next_log_probs(ahead.context_ids())"
        p = np.exp(lab.python(f"{log_probs}.tolist()"))
        vocab = lab.python("list(ahead.model.vocab)")
        best = np.argsort(-p, kind="stable")[:10]
        assert shown == [(vocab[i].replace(" ", "␣"), one_decimal(p[i])) for i in best]
        assert one_decimal(1 - p[best].sum()) in widget.locator(".lm-rest").inner_text()

    same_as_python()
    assert rows.first.locator(".lm-token").inner_text() == "<img␣src=x␣onerror=alert(1)>"
    assert widget.locator("img").count() == 0  # text stays text

    box.click()
    lab.page.keyboard.press("End")
    lab.page.keyboard.type(" zebra")
    expect(widget.locator(".lm-chip").last).to_have_text("<unk>")
    assert lab.python("ahead.text") == "the cat zebra"
    same_as_python()

    token = widget.locator(".lm-token").nth(1).inner_text()  # by mouse
    rows.nth(1).click()
    expect(box).to_have_value(f"the cat zebra {token} ")
    expect(widget.locator(".lm-chip").last).to_have_text(token)
    expect(box).to_be_focused()  # typing goes on
    same_as_python()

    lab.page.keyboard.press("ArrowDown")  # by keyboard: into the list, then a number, then Enter
    expect(rows.first).to_be_focused()
    first = next(
        i for i, row in enumerate(lab.python("ahead.frame['suggestions']")) if row["append"] not in ("", "\n") and i > 1
    )
    token = widget.locator(".lm-token").nth(first).inner_text()
    lab.page.keyboard.press(str((first + 1) % 10))
    expect(widget.locator(".lm-chip").last).to_have_text(token)
    same_as_python()
    before = box.input_value()
    lab.page.keyboard.press("Enter")  # the first row still has the focus
    expect(box).to_have_value(before + "<img src=x onerror=alert(1)> ")
    lab.page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()

    widget.get_by_role("slider").focus()
    lab.page.keyboard.press("ArrowLeft")
    expect(widget.locator(".lm-note")).to_contain_text("Order 2 sees the last token")
    assert lab.python("ahead.order") == 2 and widget.locator(".lm-order").inner_text() == "2"
    same_as_python()
    assert low_contrast(widget) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_quiz_by_mouse_and_keyboard(open_notebook, low_contrast, dark):
    lab = open_notebook(notebook(*QUIZ), windowing="none", dark=dark)
    lab.run_all()
    quiz = lab.widgets.first
    expect(quiz.locator("legend")).to_have_text("Question 1.q1: Is <b> text?")
    quiz.get_by_label("a: no").click()
    expect(quiz.locator(".lm-explanation")).to_have_text("✗ Question 1.q1: not yet. It is.")
    lab.page.keyboard.press("ArrowDown")  # not to the next cell, as with ipywidgets' own radio buttons
    expect(quiz.locator(".lm-explanation")).to_have_text("✓ Question 1.q1: correct. Tokens are text.")
    expect(quiz.get_by_label("b: yes")).to_be_checked()
    assert lab.python("told") == [["1.q1", False], ["1.q1", True]]
    assert low_contrast(quiz) == []


def test_saved_notebook_shows_pictures_until_it_is_run(open_notebook, tmp_path):
    path = tmp_path / "saved.ipynb"
    nbformat.write(notebook(GAMES[0], AHEAD[0], QUIZ[0]), path)
    executed, _ = execute(path)
    nbformat.write(clean(executed), path)
    lab = open_notebook(path, windowing="none")
    pictures = lab.page.locator(".jp-OutputArea-output img")
    expect(pictures).to_have_count(2)
    expect(lab.page.locator(".jp-RenderedMarkdown", has_text="Question 1.q1")).to_have_count(1)
    sizes = [picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") for picture in pictures.all()]
    assert all(width == 800 and 100 < height < 900 for width, height in sizes)
    png = next(
        output.data["image/png"]
        for cell in lab.code_cells()
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    )
    assert imread(io.BytesIO(base64.b64decode(png))).std() > 0.05  # something is drawn
    assert lab.widgets.count() == 0
    lab.run_all()
    expect(lab.widgets).to_have_count(3)
    expect(pictures).to_have_count(0)


def test_a_busy_kernel_is_said(open_notebook):
    lab = open_notebook(notebook(GAMES[0]), windowing="none")
    lab.run_all()
    lab.page.evaluate(START, "import time; time.sleep(5)")  # as a cell that runs for a while
    lab.widgets.first.locator(".lm-board").click()
    lab.page.keyboard.press("Enter")
    expect(lab.widgets.first.locator(".lm-waiting")).to_contain_text("busy or has stopped", timeout=4000)
    expect(lab.widgets.first.locator(".lm-message")).to_contain_text("right, at guess 1", timeout=8000)
    assert lab.widgets.first.locator(".lm-waiting").inner_text() == ""
