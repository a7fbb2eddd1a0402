"""The token view in a real JupyterLab: what Python's tokenizers make of a text, by keyboard and mouse, in both themes."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.timeout(180)

SETUP = """
from helpers.tokenizers import BPETokenizer, CharTokenizer, WordTokenizer
from helpers.widgets import TokenView

training = "the cat sat on the mat, <b> the cat ate: " * 3
kinds = {
    "characters": CharTokenizer.train(training, "<unk>"),
    "words": WordTokenizer.train(training),
    "strict": CharTokenizer.train(training),
    "BPE": BPETokenizer.train(training, 262),
}
"""
HTML = "<img src=x onerror=alert(1)>"


def notebook(*sources: str):
    return new_notebook(cells=[new_code_cell(source) for source in (SETUP, *sources)])


def pieces_shown(panel: Locator) -> list[str]:
    return panel.locator(".lm-piece").all_inner_texts()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_panels_show_what_python_cuts(open_notebook, low_contrast, dark):
    lab = open_notebook(
        notebook("view = TokenView(kinds, 'the cat'); view"), windowing="none", dark=dark, viewport=(1280, 1500)
    )
    lab.run_all()
    widget = lab.widgets.first
    box, panels = widget.locator("textarea"), widget.locator(".lm-panel")
    expect(panels).to_have_count(4)

    def same_as_python(text: str) -> None:
        expect(widget).not_to_have_class("lm-widget lm-wide lm-stale")
        assert lab.python("view.text") == text == box.input_value()
        for i, panel in enumerate(lab.python("view.frame['panels']")):
            shown = [panel["kinds"][number] for number in panel["pieces"]]
            assert pieces_shown(panels.nth(i)) == [each["shown"] for each in shown]
            marks = panels.nth(i).locator(".lm-piece").evaluate_all("all => all.map(each => each.className)")
            assert marks == [f"lm-piece lm-is-{each['kind']}" for each in shown]
            assert panels.nth(i).locator(".lm-said").inner_text() == panel["said"]
            assert panels.nth(i).locator(".lm-waiting").inner_text() == panel["error"]

    same_as_python("the cat")
    box.fill(f"the cat\nate 词, {HTML} 👍🏽 the")
    expect(panels.nth(3).locator(".lm-said")).to_contain_text("49 tokens")
    same_as_python(f"the cat\nate 词, {HTML} 👍🏽 the")
    assert widget.locator("img").count() == 0  # text stays text
    expect(panels.nth(2).locator(".lm-waiting")).to_contain_text("strict cannot read this text: the token")
    assert "‹E8›" in pieces_shown(panels.nth(3)) and "\ufffd" not in widget.inner_text()
    tops = panels.nth(0).locator(".lm-piece").evaluate_all("all => all.slice(6, 9).map(each => each.offsetTop)")
    assert tops[0] == tops[1] < tops[2]  # a line ends after the new line
    assert low_contrast(widget) == []

    box.press("Home")  # in the middle, and at the end: only what changed is drawn anew
    lab.page.keyboard.press("ArrowUp")
    lab.page.keyboard.type("a\nmat ")
    expect(panels.nth(0).locator(".lm-piece").nth(1)).to_have_text("↵")
    same_as_python(f"a\nmat the cat\nate 词, {HTML} 👍🏽 the")
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.press("Delete")
    expect(panels.nth(0).locator(".lm-said")).to_have_text("0 tokens")
    same_as_python("")
    widget.get_by_role("button", name="Chinese").click()
    expect(widget.get_by_role("button", name="Chinese")).to_have_attribute("aria-pressed", "true")
    same_as_python(lab.python("dict(view.examples)['Chinese']"))


def test_ids_and_bytes_by_keyboard_and_mouse(open_notebook):
    lab = open_notebook(notebook("view = TokenView(kinds, 'the zoo'); view"), windowing="none", viewport=(1280, 1500))
    lab.run_all()
    panels = lab.widgets.first.locator(".lm-panel")
    pieces, status = panels.nth(0).get_by_role("listbox"), panels.nth(0).locator(".lm-status")
    n_cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    ids = lab.python("kinds['characters'].encode(view.text)")
    pieces.focus()
    assert status.inner_text() == f"token 1 of 7: t · id {ids[0]} · bytes 74"
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "b", "ArrowRight"):  # "b" adds a cell where the notebook gets it
        lab.page.keyboard.press(key)
    assert status.inner_text() == "token 5 of 7: z · not in the vocabulary, read as <unk>, id 0 · bytes 7A"
    current = pieces.locator(f"#{pieces.get_attribute('aria-activedescendant')}")
    assert current.inner_text() == "z" and current.get_attribute("aria-label") == status.inner_text()
    lab.page.keyboard.press("End")
    assert status.inner_text().startswith("token 7 of 7: o")
    lab.page.keyboard.press("ArrowUp")  # there is no line above: it stays
    lab.page.keyboard.press("ArrowLeft")
    assert status.inner_text().startswith("token 6 of 7: o")
    panels.nth(1).locator(".lm-piece").nth(1).hover()
    assert panels.nth(1).locator(".lm-status").inner_text() == "␣ · no token stands for it · bytes 20"
    panels.nth(1).locator(".lm-piece").nth(2).click()
    assert panels.nth(1).locator(".lm-status").inner_text().startswith("token 2 of 2: zoo · not in the vocabulary")
    expect(panels.nth(1).get_by_role("listbox")).to_be_focused()
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == n_cells
    assert lab.page.locator(".jp-Notebook .jp-Cell.jp-mod-active").count() == 1


def test_two_views_scrolled_away_and_back_and_half_a_surrogate_pair(open_notebook):
    filler = [new_markdown_cell("line\n\n" * 60) for _ in range(6)]
    cells = [new_code_cell(SETUP), new_code_cell("view = TokenView(kinds, 'the cat'); view"), new_code_cell("view")]
    lab = open_notebook(new_notebook(cells=[*cells, new_code_cell("other = TokenView(kinds, 'mat'); other"), *filler]))
    lab.run_all()
    first, second, other = (lab.widgets.nth(i) for i in range(3))
    scroller = lab.page.locator(".jp-WindowedPanel-outer").first
    scroller.evaluate("panel => panel.scrollTo(0, 0)")
    first.locator("textarea").fill("the mat")
    expect(second.locator("textarea")).to_have_value("the mat")  # the same view shown twice
    expect(second.locator(".lm-said").nth(1)).to_contain_text("2 tokens")
    assert lab.python("other.text") == "mat" == other.locator("textarea").input_value()

    scroller.evaluate("panel => panel.scrollTo(0, panel.scrollHeight)")
    expect(first).not_to_be_in_viewport()
    lab.page.wait_for_timeout(300)
    scroller.evaluate("panel => panel.scrollTo(0, 0)")
    expect(first).to_be_in_viewport()
    first.locator("textarea").fill("a cat sat")
    expect(first.locator(".lm-said").nth(1)).to_contain_text("3 tokens")
    expect(second.locator("textarea")).to_have_value("a cat sat")

    box = first.locator("textarea")
    box.evaluate("box => { box.value = 'cat \\ud800'; box.dispatchEvent(new Event('input')); }")
    expect(first.locator(".lm-panel .lm-waiting").first).to_contain_text("lone surrogate")
    assert lab.python("view.text") == "cat \ud800"
    box.fill("cat")
    expect(first.locator(".lm-said").first).to_contain_text("3 tokens")
    expect(first.locator(".lm-panel .lm-waiting").first).to_have_text("")
