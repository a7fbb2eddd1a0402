"""The prompt lab in a real JupyterLab: Python's numbers, by keyboard and mouse, in both themes."""

from importlib.resources import files

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

pytestmark = pytest.mark.timeout(180)

SETUP = """
import numpy as np
from helpers.adapting import label_log_probs
from helpers.probability import LanguageModel
from helpers.sampling import normalise
from helpers.widgets import PromptLab

HTML = "<b>x</b>"
VOCAB = ["<unk>", "yes", "no", ":", ";", "goose", "ball", "frog", HTML, "cow"]

class Words(LanguageModel):
    vocab = VOCAB
    def __init__(self, order):
        self.order = order
    def next_log_probs(self, context):
        weights = np.random.default_rng([self.order, *list(context)[-self.order :]]).random(10) ** 3
        return np.log(weights / weights.sum())

def encode(text):
    text = text.replace(":", " : ").replace(";", " ; ")
    if "zebra" in text:
        raise ValueError("there is no zebra here")
    return [VOCAB.index(word if word in VOCAB else "<unk>") for word in text.split()]

shots = [{"word": word, "label": label} for word, label in [("goose", "no"), ("ball", "yes"), ("frog", "no"), (HTML, "yes")]]
questions = [{"word": "cow", "label": "no"}, {"word": HTML, "label": "yes"}]
models = {"short": Words(2), "long": Words(9)}
wide = PromptLab(models, encode, ["{word}: {label}", "is {word} " + HTML + ": {label}"], shots, questions, ["yes", "no"],
                 between="; ", stop=[";"], content_free={"word": "it"}, max_new_tokens=6)

def shares(name):
    return [f"{100 * p:.1f} %" for p in np.exp(normalise(label_log_probs(models[name], encode, wide.prompt, ["yes", "no"])))]
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_prompt_by_keyboard_and_mouse(open_notebook, low_contrast, dark):
    cells = [new_code_cell(SETUP), new_code_cell("wide")]
    lab = open_notebook(new_notebook(cells=cells), windowing="none", dark=dark, viewport=(1280, 1700))
    lab.run_all()
    widget, keys = lab.widgets.first, lab.page.keyboard
    prompt, box = widget.locator(".lm-prompt"), widget.locator("textarea")
    columns, cells = widget.locator(".lm-panel"), widget.locator("tbody button")
    here = widget.locator("[aria-current=true]")

    def same_as_python(text: str, n_shots: int) -> None:
        expect(prompt).to_contain_text(text)
        expect(widget).not_to_have_class("lm-widget lm-wide lm-stale")
        assert lab.python("wide.choice.n_shots") == n_shots
        expect(here).to_have_count(2)  # one for each model
        for i, name in enumerate(("short", "long")):
            shown = columns.nth(i).locator(".lm-percent").all_inner_texts()
            assert shown == lab.python(f"shares({name!r})")
            truth = lab.python("['yes', 'no'].index(wide.reader.truth(wide.choice))")
            assert here.nth(i).inner_text().strip() == shown[truth]
            labels = columns.nth(i).locator(".lm-token").all_inner_texts()
            assert labels == (["✓ yes", "no"] if truth == 0 else ["yes", "✓ no"])

    same_as_python("cow:", 0)
    expect(cells).to_have_count(2 * 2 * 5)
    assert widget.locator("b", has_text="x").count() == 0, "what looks like HTML is text"

    cells.nth(3).click()  # by mouse: the first template, 3 shots
    same_as_python("goose: no; ball: yes; frog: no; cow:", 3)
    expect(cells.nth(3)).to_be_focused()
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("ArrowRight")
    expect(cells.nth(14)).to_be_focused()
    keys.press("Enter")  # by keyboard: the second template, 4 shots
    same_as_python("is cow <b>x</b>:", 4)
    expect(cells.nth(14)).to_be_focused()
    expect(box).to_have_value("is {word} <b>x</b>: {label}")
    expect(widget.get_by_label("Template", exact=True)).to_have_value("1")

    slider = widget.get_by_label("shots", exact=True)
    slider.focus()
    keys.press("Home")
    keys.press("ArrowRight")
    same_as_python("is goose <b>x</b>: no; is cow <b>x</b>:", 1)
    widget.get_by_label("Question").select_option("1")
    same_as_python("is <b>x</b> <b>x</b>:", 1)
    widget.get_by_role("button", name="Shuffle").click()
    expect(widget.get_by_label("Order of the shots")).to_have_value("1")
    same_as_python("is <b>x</b> <b>x</b>:", 1)

    box.fill("{word")  # a template that cannot be read: the last good view stays
    expect(widget.get_by_role("alert").first).to_contain_text("cannot be read")
    expect(prompt).to_contain_text("is <b>x</b> <b>x</b>:")
    assert low_contrast(widget) == []
    box.fill("{word} zebra {label}")
    expect(widget.get_by_role("alert").first).to_have_text("there is no zebra here")
    box.fill("")
    box.press_sequentially("{word} {label}", delay=30)
    same_as_python("<b>x</b>␣", 1)
    expect(box).to_have_value("{word} {label}")
    expect(widget.get_by_role("alert").first).to_be_hidden()
    expect(cells).to_have_count(3 * 2 * 5)
    expect(widget.get_by_label("Template", exact=True)).to_have_value("-1")

    widget.locator("summary").click()
    assert widget.locator(".lm-chip").all_inner_texts() == lab.python("wide.frame['tokens']")
    widget.get_by_role("button", name="calibrate").click()
    expect(columns.first.locator(".lm-percent").first).to_contain_text("→")
    button = widget.get_by_role("button", name="Write an answer")
    for seed in ("0", "1"):
        button.click()
        expect(widget).not_to_have_class("lm-widget lm-wide lm-stale")
        expect(widget.get_by_label("Seed of the answer")).to_have_value(seed)
        assert lab.python("[wide.choice.seed, wide.choice.sampled]") == [int(seed), True]
        expect(columns.first.locator(".lm-wrote")).to_have_text(lab.python("wide.frame['answers'][0]['text']"))
    assert low_contrast(widget) == []
    lab.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = lab.page.evaluate("axe.run(document.querySelector('.jp-OutputArea-output .lm-widget'))")
    assert len(found["passes"]) > 10
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_it_fits_a_narrow_page_and_two_views_agree(open_notebook):
    cells = [new_code_cell(SETUP), new_code_cell("wide"), new_code_cell("wide")]
    lab = open_notebook(new_notebook(cells=cells), windowing="none", viewport=(620, 2400))
    lab.run_all()
    first, second = lab.widgets.nth(0), lab.widgets.nth(1)
    expect(second.locator("tbody button")).to_have_count(20)
    assert first.evaluate("root => root.scrollWidth <= root.clientWidth")
    second.locator("tbody button").nth(2).click()
    for view in (first, second):
        expect(view.locator("output").first).to_have_text("2 of 4")
        expect(view.locator("[aria-current=true]").first).to_have_accessible_name(
            "{word}: {label}, 2 shots, short: " + lab.python("shares('short')[1]")
        )
        expect(view).not_to_have_class("lm-widget lm-wide lm-stale")


def test_a_busy_kernel_is_said_and_what_is_chosen_meanwhile_counts(open_notebook):
    cells = [new_code_cell(SETUP), new_code_cell("wide")]
    lab = open_notebook(new_notebook(cells=cells), windowing="none", viewport=(1280, 1700))
    lab.run_all()
    widget = lab.widgets.first
    expect(widget.locator("tbody button")).to_have_count(20)
    busy = "() => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute("
    lab.page.evaluate(busy + "{code: 'import time; time.sleep(4)'}); }")
    widget.locator("tbody button").nth(2).click()
    expect(widget.locator(".lm-waiting").last).to_contain_text("busy or has stopped", timeout=4000)
    widget.get_by_label("Question").select_option("1")
    expect(widget).to_have_class("lm-widget lm-wide", timeout=10_000)
    assert lab.python("[wide.choice.n_shots, wide.choice.question]") == [2, 1]
    assert widget.locator(".lm-waiting").last.inner_text() == ""
