"""Next tokens of several models in a real JupyterLab: Python's numbers, by keyboard and mouse, in both themes."""

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

pytestmark = pytest.mark.timeout(180)

SETUP = """
import numpy as np
from helpers.probability import LanguageModel
from helpers.widgets import NextTokens

HTML = "<img src=x onerror=alert(1)>"

class Words(LanguageModel):
    vocab = ["<unk>", "</s>", "the", "cat", "sat", "on", HTML, "mat", "dog", "log", "a", "ran"]
    def __init__(self, order):
        self.order = order
    def next_log_probs(self, context):
        weights = np.random.default_rng([self.order, *list(context)[-self.order :]]).random(12) ** 3
        weights[6] = 2.0  # what looks like HTML is always first
        return np.log(weights / weights.sum())

def encode(text):
    return [Words.vocab.index(word if word in Words.vocab else "<unk>") for word in text.split()]

def picky(text):
    if "zebra" in text:
        raise ValueError("there is no zebra here")
    return encode(text)

def truth(text):
    return {"cat": 0.5, "dog": 0.25, "mat": 0.25} if len(encode(text)) % 2 else {"sat": 0.75, "ran": 0.25}

models = {"one": Words(1), "two": Words(2)}
wide = NextTokens(models, {"one": encode, "two": picky}, "the cat", truth=truth)
"""


def one_decimal(p: float) -> str:
    return "< 0.1 %" if 0 < p < 0.0005 else f"{100 * p:.1f} %"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_columns_by_keyboard_and_mouse(open_notebook, low_contrast, dark):
    cells = [new_code_cell(SETUP), new_code_cell("wide")]
    lab = open_notebook(new_notebook(cells=cells), windowing="none", dark=dark, viewport=(1280, 1400))
    lab.run_all()
    widget = lab.widgets.first
    box, columns = widget.locator("textarea"), widget.locator(".lm-panel")
    rows = [columns.nth(i).locator(".lm-suggestion") for i in range(3)]
    expect(columns).to_have_count(3)
    compared = widget.locator(".lm-status")

    def same_as_python(text: str) -> None:
        expect(box).to_have_value(text)
        expect(widget).not_to_have_class("lm-widget lm-wide lm-stale")
        assert lab.python("wide.text") == text
        for i, name in enumerate(("one", "two")):
            p = np.exp(lab.python(f"models[{name!r}].next_log_probs(encode(wide.text)).tolist()"))
            vocab, best = lab.python("Words.vocab"), np.argsort(-p, kind="stable")[:8]
            shown = zip(
                columns.nth(i).locator(".lm-token").all_inner_texts(),
                columns.nth(i).locator(".lm-percent").all_inner_texts(),
                strict=True,
            )
            assert list(shown) == [(vocab[j].replace(" ", "␣"), one_decimal(p[j])) for j in best]
            assert f"entropy {-(p * np.log2(p)).sum():.2f} bits" in columns.nth(i).inner_text()
            truth = lab.python("truth(wide.text)")
            kl = sum(q * np.log2(q / p[vocab.index(token)]) for token, q in truth.items())
            assert f"KL(exact ‖ this) {kl:.2f} bits" in columns.nth(i).inner_text()
        assert columns.nth(2).locator(".lm-token").all_inner_texts() == list(truth)

    same_as_python("the cat")
    assert widget.locator("img").count() == 0 and rows[0].first.locator(".lm-token").inner_text().startswith("<img␣")
    widths = widget.locator(".lm-bar").evaluate_all("all => all.map(bar => parseFloat(bar.style.width))")
    assert max(widths) == 100 and sum(width == 100 for width in widths) == 1  # one scale for all columns

    rows[2].nth(0).hover()  # what every model gives the true token
    assert compared.inner_text() == lab.python("wide.frame['lines']['sat']") and compared.inner_text().endswith("exact 75.0 %")
    assert set(widget.locator(".lm-same .lm-token").all_inner_texts()) == {"sat"}

    box.click()
    rows[2].nth(0).click()  # by mouse
    same_as_python("the cat sat ")
    expect(box).to_be_focused()  # typing goes on
    lab.page.keyboard.press("ArrowDown")  # by keyboard: into the first column, across, a number
    expect(rows[0].first).to_be_focused()
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("ArrowRight")
    expect(rows[2].first).to_be_focused()
    lab.page.keyboard.press("2")
    same_as_python("the cat sat dog ")
    expect(rows[2].first).to_be_focused()
    lab.page.keyboard.press("ArrowDown")
    expect(rows[2].nth(1)).to_be_focused()
    assert compared.inner_text() == lab.python("wide.frame['lines']['ran']")
    lab.page.keyboard.press("Enter")
    same_as_python("the cat sat dog ran ")
    lab.page.keyboard.press("ArrowLeft")
    expect(rows[1].nth(1)).to_be_focused()
    lab.page.keyboard.press("ArrowUp")
    lab.page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    assert low_contrast(widget) == []

    box.fill("the zebra")  # one model cannot read it, the others go on
    expect(columns.nth(1).locator(".lm-waiting")).to_have_text("two cannot read this text: there is no zebra here")
    expect(rows[1]).to_have_count(0)
    expect(rows[0]).to_have_count(8)
    lab.page.keyboard.press("ArrowDown")
    lab.page.keyboard.press("ArrowRight")  # an empty column has nothing to focus
    expect(rows[0].first).to_be_focused()


def test_columns_wrap_on_a_narrow_page(open_notebook):
    setup = [new_code_cell(SETUP), new_code_cell("wide")]
    places = []
    for width in (1500, 620):
        lab = open_notebook(new_notebook(cells=setup), windowing="none", viewport=(width, 1400))
        lab.run_all()
        expect(lab.widgets.first.locator(".lm-panel")).to_have_count(3)
        places.append(lab.widgets.first.locator(".lm-panel").evaluate_all("all => all.map(panel => panel.offsetTop)"))
        box = lab.widgets.first.bounding_box()
        inner = lab.widgets.first.evaluate("root => root.scrollWidth <= root.clientWidth")
        assert inner and box["width"] < width
    assert len(set(places[0])) == 1 and len(set(places[1])) > 1


def test_a_busy_kernel_is_said_and_what_is_typed_meanwhile_counts(open_notebook):
    lab = open_notebook(new_notebook(cells=[new_code_cell(SETUP), new_code_cell("wide")]), windowing="none")
    lab.run_all()
    widget = lab.widgets.first
    run = "code => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute({code}); }"
    lab.page.evaluate(run, "import time; time.sleep(5)")
    widget.locator("textarea").fill("a")
    lab.page.wait_for_timeout(300)  # that one has gone to Python; the next one goes when its answer comes
    widget.locator("textarea").fill("a dog")
    expect(widget.locator(".lm-waiting").last).to_contain_text("busy or has stopped", timeout=4000)
    expect(widget).to_have_class("lm-widget lm-wide", timeout=10_000)
    assert lab.python("wide.text") == "a dog" and widget.locator(".lm-waiting").last.inner_text() == ""
