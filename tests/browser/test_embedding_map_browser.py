"""The embedding map in a real JupyterLab: neighbours as in Python, by keyboard and mouse, in both themes."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.timeout(180)

SETUP = """
import numpy as np
from helpers.widgets import EmbeddingMap

words = ["middle", "east", "far east", "north", "west", "south", "<b>HTML</b>"]
xy = [[0, 0], [4, 1], [9, 0], [0, 5], [-5, 0], [0, -5], [9, -5]]
vectors = np.random.default_rng(0).normal(size=(7, 4))
groups = {"sides": ["east", "west"], "others": ["north", "south", "east"]}
small = EmbeddingMap(vectors, words, groups, xy=xy, title="A compass")
"""
# How much of a square around a point of the canvas differs from the background: [x, y, half its side] in CSS pixels.
INKED = """(canvas, [x, y, r]) => {
    const pixels = window.devicePixelRatio, context = canvas.getContext('2d');
    const data = context.getImageData((x - r) * pixels, (y - r) * pixels, 2 * r * pixels, 2 * r * pixels).data;
    let inked = 0;
    for (let i = 3; i < data.length; i += 4) inked += data[i] > 0;
    return inked / (data.length / 4);
}"""

COLOUR = """(canvas, [x, y]) => {
    const pixels = window.devicePixelRatio;
    return [...canvas.getContext('2d').getImageData(x * pixels, y * pixels, 1, 1).data].slice(0, 3);
}"""


def place(canvas: Locator, x: float, y: float) -> tuple[float, float]:
    """Where a point of `xy` stands on the canvas of the whole map."""
    width, height = canvas.evaluate("canvas => [canvas.clientWidth, canvas.clientHeight]")
    scale = min(width, height) / (2.12 * 7)  # the longer side, from -5 to 9, spans the map; its middle is (2, 0)
    return width / 2 + (x - 2) * scale, height / 2 - y * scale


def rows(widget: Locator) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in widget.locator("tbody tr").all()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_neighbours_by_keyboard_and_mouse(open_notebook, low_contrast, dark):
    cells = [new_code_cell(SETUP), new_code_cell("small")]
    lab = open_notebook(new_notebook(cells=cells), windowing="none", dark=dark, viewport=(1280, 1300))
    lab.run_all()
    widget = lab.widgets.first
    canvas, status = widget.locator("canvas.lm-map"), widget.locator(".lm-status")
    caption = widget.locator("caption")
    expect(caption).to_have_text("Choose a word to see its nearest neighbours.")
    n_cells = lab.page.locator(".jp-Notebook .jp-Cell").count()

    def same_as_python(word: str) -> None:
        expect(caption).to_have_text(f"Nearest to {word} by cosine in all 4 dimensions")
        assert lab.python("small.selected") == word
        found = lab.python(f"small.neighbours({word!r})")
        assert [row[:2] for row in rows(widget)] == [[near.replace(" ", "␣"), f"{cosine:.3f}"] for near, cosine in found]

    canvas.click(position=dict(zip("xy", place(canvas, 4, 1), strict=True)))
    same_as_python("east")
    assert rows(widget)[0][2] in {f"{rank}." for rank in range(1, 7)}
    assert status.inner_text() == "east (sides, others)"

    canvas.hover(position={"x": 5, "y": 5})
    canvas.focus()
    for key, word in (
        ("ArrowLeft", "middle"),
        ("ArrowUp", "north"),
        ("ArrowDown", "middle"),
        ("ArrowDown", "south"),
        ("ArrowUp", "middle"),
        ("ArrowRight", "east (sides, others)"),
        ("ArrowRight", "far␣east"),
        ("ArrowRight", "far␣east"),  # nothing lies further east
        ("ArrowDown", "<b>HTML</b>"),
    ):
        lab.page.keyboard.press(key)
        expect(status).to_have_text({"north": "north (others)", "south": "south (others)"}.get(word, word))
    lab.page.keyboard.press("Enter")
    same_as_python("<b>HTML</b>")
    assert widget.locator("td b, caption b").count() == 0  # text stays text

    word = rows(widget)[1][0]  # from neighbour to neighbour
    widget.get_by_role("button", name=word, exact=True).click()
    same_as_python(word)
    expect(widget.locator("tbody tr").nth(1).get_by_role("button")).to_be_focused()

    search = widget.get_by_role("searchbox")
    search.fill("EAST")
    expect(widget.get_by_text("2 of 7 words match")).to_be_visible()
    search.press("Enter")
    expect(canvas).to_be_focused()
    expect(status).to_have_text("east (sides, others)")  # the whole word comes before "far east"
    search.fill("far east")
    expect(widget.get_by_text("1 of 7 words match")).to_be_visible()
    search.fill("zebra")
    expect(widget.get_by_text("0 of 7 words match")).to_be_visible()
    search.press("Enter")
    expect(search).to_be_focused()
    search.fill("")
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == n_cells
    assert low_contrast(widget) == []


def test_zoom_pan_groups_and_theme(open_notebook):
    cells = [new_code_cell(SETUP), new_code_cell("small")]
    lab = open_notebook(new_notebook(cells=cells), windowing="none", viewport=(1280, 1300))
    lab.run_all()
    widget = lab.widgets.first
    canvas = widget.locator("canvas.lm-map")

    def inked(x: float, y: float, r: int = 7) -> float:
        lab.page.wait_for_timeout(150)  # a frame is drawn
        return canvas.evaluate(INKED, [x, y, r])

    west, north, middle = place(canvas, -5, 0), place(canvas, 0, 5), place(canvas, 0, 0)
    assert inked(*west) > 0.2 and inked(*north) > 0.2 and inked(*middle) > 0.05
    sides = widget.get_by_role("button", name="sides (2)")
    expect(sides).to_have_attribute("aria-pressed", "true")
    sides.click()
    expect(sides).to_have_attribute("aria-pressed", "false")
    assert inked(*west) == 0 and inked(*place(canvas, 4, 1)) > 0.2  # "east" is in another group too
    widget.get_by_role("button", name="no group (3)").click()
    assert inked(*middle) == 0 and inked(*north) > 0.2
    sides.click()
    assert inked(*west) > 0.2

    width, height = canvas.evaluate("canvas => [canvas.clientWidth, canvas.clientHeight]")
    moved = lambda point, factor: [side / 2 + (p - side / 2) * factor for p, side in zip(point, (width, height), strict=True)]  # noqa: E731
    canvas.focus()
    lab.page.keyboard.press("-")
    assert inked(*moved(north, 1 / 1.5)) > 0.2 and inked(*north) == 0  # about the middle
    lab.page.keyboard.press("+")
    assert inked(*north) > 0.2
    lab.page.keyboard.press("Shift+ArrowUp")
    assert inked(north[0], north[1] + 60) > 0.2
    lab.page.keyboard.press("0")
    box = canvas.bounding_box()
    lab.page.mouse.move(box["x"] + 30, box["y"] + 30)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + 80, box["y"] + 50, steps=4)
    lab.page.mouse.up()
    assert inked(north[0] + 50, north[1] + 20) > 0.2 and lab.python("small.selected") is None  # a drag chooses nothing
    widget.get_by_role("button", name="Show the whole map").click()
    assert inked(*north) > 0.2

    canvas.evaluate("canvas => canvas.blur()")
    lab.page.mouse.move(box["x"] + north[0], box["y"] + north[1])
    lab.page.mouse.wheel(0, -300)  # the page's, as long as the map has not the focus
    assert inked(*west) > 0.2
    canvas.focus()
    lab.page.mouse.wheel(0, -300)
    assert inked(*north) > 0.2 and inked(*west) == 0  # what is under the pointer stays there

    assert canvas.evaluate(COLOUR, list(north)) == [213, 94, 0]  # the second group's
    lab.page.evaluate("() => { window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'}); }")
    lab.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    lab.page.wait_for_timeout(500)
    assert canvas.evaluate(COLOUR, list(north)) == [240, 139, 60]


def test_two_maps_scrolled_away_and_back(open_notebook):
    filler = [new_markdown_cell("line\n\n" * 60) for _ in range(6)]
    cells = [new_code_cell(SETUP), new_code_cell("small"), new_code_cell("EmbeddingMap(vectors, words, selected='east')")]
    lab = open_notebook(new_notebook(cells=[*cells, *filler]))
    lab.run_all()
    first, second = lab.widgets.nth(0), lab.widgets.nth(1)
    expect(second.locator("caption")).to_contain_text("Nearest to east")
    assert lab.python("small.selected") is None
    scroller = lab.page.locator(".jp-WindowedPanel-outer").first
    scroller.evaluate("panel => panel.scrollTo(0, panel.scrollHeight)")
    expect(first).not_to_be_in_viewport()
    lab.python("small.select('west')")
    scroller.evaluate("panel => panel.scrollTo(0, 0)")
    expect(first.locator("caption")).to_contain_text("Nearest to west")
    canvas = first.locator("canvas.lm-map")
    lab.page.wait_for_timeout(300)
    assert canvas.evaluate(INKED, [*place(canvas, 0, 5), 7]) > 0.2
    first.locator("canvas.lm-map").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("Enter")
    expect(first.locator("caption")).to_contain_text("Nearest to middle")
    expect(second.locator("caption")).to_contain_text("Nearest to east")
