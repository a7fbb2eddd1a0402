"""The attention explorer's script in Chromium without Jupyter: its arithmetic against Python's, and pages that were saved."""

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, JSHandle, Locator, Page, expect

from helpers.sampling import shape_log_probs
from helpers.transformer import GPT, GPTConfig
from helpers.widgets import AttentionExplorer
from helpers.widgets._base import STATIC
from helpers.widgets._explorer_frame import ranked
from helpers.widgets._explorer_scripts import EXPERIMENTS

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def page(chromium: Browser, watch_drawing: Callable[[Page], None]) -> Page:
    """An empty page that has no network; an error on it fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1400}, offline=True)
    page, errors = context.new_page(), []
    watch_drawing(page)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    yield page
    context.close()
    assert errors == []


VOCAB = ["</s>", "the", "cat", "sat", "on", "mat", "dog", "<b>x</b>", "أهلا", "👍🏽"]


def make_explorer(text: str, n_layer: int = 2, n_head: int = 3, n_more: int = 0, **options) -> AttentionExplorer:
    """On a GPT that has learned nothing; n_more: of how many tokens more than VOCAB it knows."""
    vocab = VOCAB + [f"word {i}" for i in range(n_more)]
    config = GPTConfig(vocab_size=len(vocab), block_size=64, n_layer=n_layer, n_head=n_head, n_embd=8 * n_head, init_std=0.3)
    return AttentionExplorer(GPT(config, vocab), str.split, text, **options)


@pytest.fixture
def show(page: Page, tmp_path: Path) -> Callable[[AttentionExplorer], Locator]:
    """Save an explorer, open what was saved, and give back the widget."""

    def open_saved(explorer: AttentionExplorer, **options) -> Locator:
        explorer.save_html(tmp_path / "saved.html", **options)
        page.goto((tmp_path / "saved.html").as_uri())
        widget = page.locator(".lm-widget")
        expect(widget.locator(".lm-status")).to_contain_text("looks at")
        return widget

    return open_saved


def function(page: Page, name: str) -> JSHandle:
    """One of the script's own functions."""
    script = str(AttentionExplorer._esm).replace("export default", f"return {name}; const widget =")
    return page.evaluate_handle(f"() => {{ {script} }}")


def curves(widget: Locator) -> list[tuple[float, float, float, str]]:
    """The lines from the chosen token, each [x, y of its end, thickness, colour]."""
    return widget.locator(".lm-look .lm-over").evaluate("canvas => canvas.curves")


def one_decimal(p: float) -> str:
    return "< 0.1 %" if 0 < p < 0.0005 else f"{100 * p:.1f} %"


def test_sampling_settings_do_what_the_sampler_does(page):
    rng = np.random.default_rng(0)
    shaped = function(page, "shaped")
    for _ in range(200):
        logits = ranked(rng.normal(0, 1.5, rng.integers(1, 40)).astype(np.float32))
        settings = {
            "temperature": rng.choice([0, 0.3, 1, 2]).item(),
            "top_k": rng.choice([None, 1, 3, 60]),
            "top_p": rng.choice([None, 0.1, 0.6, 0.95, 1.0]),
            "min_p": rng.choice([None, 0.02, 0.3, 1.0]),
        }
        made = shaped.evaluate(
            "(f, [x, s]) => { const r = f(x, s); return [[...r.before], [...r.after], r.kept, r.held]; }",
            [logits.tolist(), settings],
        )
        p = np.exp(logits.astype(float) - logits[0])
        p /= p.sum()
        expected = np.exp(shape_log_probs(np.log(p), **settings))
        np.testing.assert_allclose(made[0], p, atol=1e-12)
        np.testing.assert_allclose(made[1], expected, atol=1e-12, err_msg=str(settings))
        assert made[2] == (expected > 0).sum() and made[3] == pytest.approx(p[expected > 0].sum())


def shown_by(row: np.ndarray, by: str, value: float) -> list[int]:
    """The keys that a filter shows, by its definition."""
    if by == "threshold":
        return np.flatnonzero(row >= value).tolist()
    order = np.argsort(-row, kind="stable")
    n = int(value) if by == "top_k" else 1 + int((np.cumsum(row[order]) < value - 1e-9).sum())
    return sorted(order[:n].tolist())


def test_filters_keep_what_they_say(page):
    rng, shown = np.random.default_rng(0), function(page, "shownOf")
    for _ in range(100):
        n = rng.integers(1, 20).item()
        row = rng.dirichlet(np.full(n, 0.5)).astype(np.float32).astype(float)
        for by, value in (("threshold", 0.1), ("top_k", 3), ("mass", 0.8)):
            kept = shown.evaluate(
                "(f, [r, n, o]) => [...f(Float32Array.from(r), n, o)]", [[*row, 0.0], n, {"by": by, "value": value}]
            )
            assert np.flatnonzero(kept).tolist() == shown_by(row, by, value)


# Whether the middle of each cell in a row of the matrix is as white as the page.
CELLS = """(canvas, [row, n]) => {
    const size = (canvas.width - 94) / n, context = canvas.getContext("2d");
    return Array.from({length: n}, (_, i) =>
        Math.min(...context.getImageData(90 + size * (i + 0.5), 76 + size * (row + 0.5), 1, 1).data) === 255);
}"""


@pytest.mark.parametrize("by, value", [("threshold", 0.2), ("top_k", 2), ("mass", 0.6)])
def test_a_filter_hides_weights_says_how_much_and_scales_nothing(show, low_contrast, by, value):
    explorer = make_explorer("the cat sat on the mat")
    widget = show(explorer)
    note = widget.locator(".lm-look ~ .lm-muted")
    drawn = min(10, int((explorer.weights()[6] >= 0.01).sum()))
    rest = 1 - np.sort(explorer.weights()[6])[-drawn:].sum()
    expect(note).to_contain_text(f"Without a line: {7 - drawn} of 7, together {one_decimal(max(0, rest) if drawn < 7 else 0)}")
    widget.get_by_label("Which weights are shown").select_option(by)
    widget.get_by_label("limit").fill(str(value))
    for query, token in ((6, "mat"), (3, "sat")):
        widget.locator(".lm-column").first.locator(f"[data-i='{query}']").click()
        row = explorer.weights()[query, : query + 1]
        kept = shown_by(row.astype(float), by, value)
        hidden = sum(p for i, p in enumerate(row) if i not in kept)
        told = f"Hidden: {query + 1 - len(kept)} of the {query + 1} weights of “{token}” ({query}),"
        expect(widget.locator(".lm-narrow .lm-note")).to_contain_text(f"{told} together {one_decimal(hidden)} of its attention")
        said = [one_decimal(p) if i in kept else f"({one_decimal(p)})" for i, p in enumerate(row)]
        expect(widget.locator(".lm-column").last.locator(".lm-percent")).to_have_text(said + ["masked"] * (6 - query))
        lines = sorted(curves(widget), key=lambda line: line[1])  # from the first key to the last
        np.testing.assert_allclose([y for _, y, *_ in lines], [22 * (i + 0.5) for i in kept])  # the middles of their rows
        np.testing.assert_allclose([thick for *_, thick, _ in lines], 0.8 + 9 * row[kept], rtol=1e-5)  # as they were
        paper = widget.locator(".lm-matrix").evaluate(CELLS, [query, 7])
        assert [i for i in range(query + 1) if not paper[i]] == kept
    whole = 1 - np.mean(
        [row[shown_by(row[: t + 1].astype(float), by, value)].sum() for t, row in enumerate(explorer.weights())]
    )
    expect(widget.locator(".lm-narrow .lm-note")).to_contain_text(f"of all tokens {one_decimal(whole)}")
    assert low_contrast(widget) == []


def same_as(widget: Locator, explorer: AttentionExplorer, layer: int, head: int, query: int) -> None:
    """The weights of a query and the next tokens are Python's."""
    expect(widget.locator(".lm-column").first.locator(".lm-current")).to_have_attribute("data-i", str(query))
    row = explorer.weights(layer, head)[query]
    said = [one_decimal(p) if i <= query else "masked" for i, p in enumerate(row)]
    expect(widget.locator(".lm-column").last.locator(".lm-percent")).to_have_text(said)
    p = np.sort(explorer.probabilities(query))[::-1]
    expect(widget.locator(".lm-bars .lm-percent")).to_have_text([one_decimal(each) for each in p])


def test_a_saved_page_answers_heads_and_tokens_without_python(show, page, low_contrast):
    explorer = make_explorer("the <b>x</b> sat أهلا 👍🏽 mat", layer=1, head=2)
    widget = show(explorer)
    same_as(widget, explorer, 1, 2, 6)
    assert widget.locator("b", has_text="x").count() == 0  # a token stays text
    widget.locator(".lm-column").first.locator("[data-i='3']").hover()
    same_as(widget, explorer, 1, 2, 3)
    for layer, head in ((0, 0), (1, 1)):
        widget.locator(".lm-head").nth(3 * layer + head).click()
        same_as(widget, explorer, layer, head, 3)
        key = int(np.argmax(explorer.weights(layer, head)[3]))
        part = explorer.reading.kinds[0].head(layer, head)
        expect(widget.locator(".lm-steps li").first).to_contain_text(
            f"is {part['q'][3] @ part['k'][key]:.3f}.".replace("-", "−")
        )
    page.keyboard.press("ArrowUp")
    same_as(widget, explorer, 0, 1, 3)
    widget.get_by_label("temperature").fill("0.5")
    expect(widget.locator(".lm-bars .lm-percent").first).to_contain_text("→")
    assert widget.locator("textarea").get_attribute("readonly") is not None
    expect(widget.get_by_label("causal mask")).to_be_hidden()
    assert low_contrast(widget) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    assert low_contrast(widget) == []


def test_bars_are_as_long_as_weights_and_stand_at_their_tokens(show, page):
    explorer = make_explorer("the <b>x</b> sat أهلا 👍🏽 mat the cat sat on the mat", layer=1, head=2)
    widget = show(explorer)
    page.set_viewport_size({"width": 420, "height": 900})  # tokens stand on several lines
    for query in (12, 5):
        widget.locator(".lm-column").first.locator(f"[data-i='{query}']").click()
        expect(widget.locator(".lm-status")).to_contain_text(f"({query}) looks at")
        row = explorer.weights()[query, : query + 1]
        names = (".lm-flow .lm-over", ".lm-look .lm-over")
        under, beside = (widget.locator(name).evaluate("canvas => canvas.rectangles") for name in names)
        np.testing.assert_allclose([height for _, _, _, height, _ in under], 12 * np.sqrt(row), rtol=1e-5)
        full = widget.locator(".lm-rows").evaluate("box => box.clientWidth") - beside[0][0]
        np.testing.assert_allclose([width for _, _, width, *_ in beside], full * row, rtol=1e-5)
        assert {x for x, *_ in beside} == {beside[0][0]} and full > 100
        last = widget.locator(".lm-column").last.bounding_box()
        place = widget.locator(".lm-rows").bounding_box()
        assert last["x"] + 20 < place["x"] + beside[0][0] < last["x"] + 40  # behind a position's number
        assert [y for _, y, *_ in beside] == [22 * (i + 1) - 3 for i in range(query + 1)]  # at the foot of each row
        np.testing.assert_allclose([shade for *_, shade in under], 0.4 + 0.2 * np.minimum(3, np.floor(4 * np.sqrt(row))))
        assert {shade for *_, shade in beside} == {1}
        boxes = [token.bounding_box() for token in widget.locator(".lm-flow-token").all()]
        whole = widget.locator(".lm-flow .lm-over").bounding_box()
        assert len({box["y"] for box in boxes}) > 1
        for box, (x, y, width, *_) in zip(boxes, under, strict=False):
            assert abs(whole["x"] + x - box["x"]) < 1.5 and abs(width - box["width"]) < 1.5
            assert box["y"] + 15 < whole["y"] + y < box["y"] + box["height"]


# Light of a picture's corners at the top, 0 … 765.
CORNERS = """button => {
    const canvas = button.parentElement.querySelector('canvas');
    const [mine, all] = [button, canvas].map(node => node.getBoundingClientRect());
    const light = x => canvas.getContext('2d').getImageData(x - all.left, mine.top - all.top + 4, 1, 1).data;
    return [mine.left + 4, mine.right - 5].map(x => [...light(x)].slice(0, 3).reduce((a, b) => a + b));
}"""


def test_each_heads_picture_stands_in_its_button(show):
    """The first token looks at itself alone: the darkest colour on the left, that of the page on the right."""
    widget = show(make_explorer("the cat sat on the mat", n_layer=3, n_head=4))
    assert widget.locator(".lm-head").count() == 12
    for head in widget.locator(".lm-head").all():
        dark, light = head.evaluate(CORNERS)
        assert dark < 150 and light == 765


def test_a_saved_page_says_what_it_does_not_hold(show):
    explorer = make_explorer("the cat sat " * 20, n_layer=6, n_head=6, n_more=1000, layer=5, head=5)
    shell = len(str(explorer._esm)) + (STATIC / "widgets.css").stat().st_size
    widget = show(explorer, most_bytes=shell + 80_000)
    last = explorer.weights().shape[0] - 1
    expect(widget.locator(".lm-steps li")).to_have_count(4)
    widget.locator(".lm-head").nth(0).click()
    expect(widget.locator(".lm-steps")).to_have_text("This page does not hold this head's queries, keys and values.")
    expect(widget.locator(".lm-status")).to_contain_text("only a small picture of this head")
    widget.get_by_label("temperature").fill("0.5")
    expect(widget.locator(".lm-bars .lm-percent").first).to_contain_text("→")  # the scores at the query are here
    widget.locator(".lm-column").first.locator(f"[data-i='{last - 1}']").click()
    expect(widget.get_by_text("This page does not hold this position's scores.")).to_be_visible()


def test_predict_then_reveal_by_keyboard_and_again_for_the_next_token(show, page, low_contrast):
    explorer = make_explorer("the cat sat on the mat")
    widget = show(explorer)
    status, percents = widget.locator(".lm-status"), widget.locator(".lm-column").last.locator(".lm-percent")
    row = explorer.weights()[4]
    secrets = [one_decimal(p) for p in [*row, *explorer.probabilities(4)] if p > 0.001]
    best = explorer.weights().argmax(axis=1)
    telling = next(t for t in range(6, 0, -1) if best[t] != t)
    widget.locator(".lm-column").first.locator(f"[data-i='{telling}']").click()
    current = widget.locator(".lm-column").last.locator(".lm-current")
    expect(current).to_have_attribute("data-i", str(best[telling]))
    widget.get_by_role("button", name="Hide weights").press("Enter")
    expect(current).to_have_attribute("data-i", str(telling))  # not its strongest
    widget.get_by_role("button", name="Hide weights").press("Enter")
    expect(current).to_have_attribute("data-i", str(best[telling]))
    widget.locator(".lm-column").first.locator("[data-i='4']").click()
    for name in ("Hide weights", "Hide next tokens"):
        widget.get_by_role("button", name=name).press("Enter")
    expect(status).to_contain_text("Predict: which token does “on” (4) look at most?")
    assert not [p for p in secrets if p in widget.text_content()]  # not even where it cannot be seen
    assert (
        widget.locator(".lm-flow-token").evaluate_all("all => all.map(token => token.title)")
        == ["not known yet"] * 5 + ["masked: comes later"] * 2
    )
    pixels = """canvas => { const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                            return [...new Set(new Uint32Array(data.buffer))].filter(each => each) }"""
    assert len(widget.locator(".lm-heads > canvas").evaluate(pixels)) == 1  # one colour
    assert widget.locator(".lm-look .lm-over").evaluate("canvas => [canvas.rectangles, canvas.curves]") == [[], []]
    assert widget.locator(".lm-flow .lm-over").evaluate("canvas => canvas.rectangles") == []
    assert widget.locator(".lm-suggestion").count() == 0
    expect(widget.locator(".lm-column").last.locator(".lm-current")).to_have_attribute("data-i", "4")  # not its strongest
    right = widget.locator(".lm-column").last
    right.focus()
    page.keyboard.press("ArrowUp")
    expect(status).to_contain_text("Your guess: “sat” (3).")
    assert low_contrast(widget) == []
    page.keyboard.press("r")
    place = 1 + int((row > row[3]).sum())
    expect(status).to_contain_text(
        f"Your guess, “sat” (3), has {one_decimal(row[3])} and is number {place} of 5. Pinned: “on” (4) looks"
    )
    expect(percents).to_have_text([*map(one_decimal, row[:5]), "masked", "masked"])
    expect(widget.locator(".lm-suggestion")).to_have_count(10)
    expect(widget.get_by_role("button", name="Reveal")).to_be_hidden()
    widget.locator(".lm-column").first.focus()
    page.keyboard.press("ArrowDown")
    expect(status).to_contain_text("Predict: which token does “the” (5) look at most?")
    expect(percents).to_have_text(["?"] * 6 + ["masked"])
    widget.get_by_role("button", name="Reveal").click()
    expect(status).to_contain_text("“the” (5) looks at")


def test_large_type_is_larger_and_the_matrix_still_knows_where_the_mouse_is(show, page):
    widget = show(make_explorer("the cat sat on the mat"))
    before = widget.locator(".lm-bars .lm-token").first.bounding_box()["height"]
    widget.get_by_role("button", name="Large type").click()
    expect(widget.get_by_role("button", name="Large type")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(200)
    assert widget.locator(".lm-bars .lm-token").first.bounding_box()["height"] > 1.3 * before
    matrix = widget.locator(".lm-matrix")
    matrix.scroll_into_view_if_needed()
    place = matrix.bounding_box()
    size = (place["width"] / 1.4 - 94) / 7
    page.mouse.move(place["x"] + 1.4 * (90 + 2.5 * size), place["y"] + 1.4 * (76 + 5.5 * size))
    expect(widget.locator(".lm-column").first.locator(".lm-current")).to_have_attribute("data-i", "5")
    expect(widget.locator(".lm-column").last.locator(".lm-current")).to_have_attribute("data-i", "2")


def test_presets_and_shared_views_in_a_saved_page(show, page):
    explorer = make_explorer(
        "the cat sat",
        presets={"other head": {"layer": 1, "head": 2, "query": 1, "pinned": True}, "other text": {"text": "dog"}},
    )
    widget = show(explorer)
    widget.get_by_role("button", name="other head").click()
    same_as(widget, explorer, 1, 2, 1)
    widget.get_by_role("button", name="other text").click()
    expect(widget.get_by_text("This page holds one text only")).to_be_visible()
    widget.get_by_text("Share this view").click()
    line = widget.get_by_label("This view as text")
    expect(line).to_have_value(re.compile('"layer":1,"head":2'))
    shared = line.input_value()
    widget.locator(".lm-head").nth(0).click()
    same_as(widget, explorer, 0, 0, 1)
    line.fill(shared)
    line.press("Enter")
    same_as(widget, explorer, 1, 2, 1)
    line.fill("{")
    line.press("Enter")
    expect(widget.get_by_text("This is no view")).to_be_visible()


def test_a_saved_page_says_that_it_holds_no_experiments(show):
    widget = show(make_explorer("the cat sat"))
    for name in ("Switch heads off", "Logit lens", "Heads of known kinds", "All heads in one"):
        widget.locator("summary", has_text=name).click()
    expect(widget.get_by_text("This needs Python, and is not part of a saved page.")).to_have_count(4)
    expect(widget.get_by_text("Steps of training")).to_be_hidden()


def test_the_name_of_a_bar_is_what_stands_on_it(show):
    explorer = make_explorer("the <b>x</b> sat")
    widget = show(explorer)
    best = int(np.argmax(explorer.probabilities()))
    name = f"{explorer.tokens.shown(best)} {one_decimal(explorer.probabilities()[best])}"
    expect(widget.locator(".lm-suggestion").first).to_have_accessible_name(name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_object_to(show, page, scheme):
    page.emulate_media(color_scheme=scheme)
    widget = show(make_explorer("the <b>x</b> sat أهلا 👍🏽 mat", presets={"a": {"layer": 1}}))
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    for _ in range(2):  # as it opens, and with all of it unfolded
        found = page.evaluate("axe.run(document.querySelector('.lm-widget'))")
        assert len(found["passes"]) > 20
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
        widget.locator("summary").evaluate_all("all => all.forEach(each => each.click())")
        widget.get_by_label("Which weights are shown").select_option("top_k")


def test_heads_that_are_off_are_named_in_few_words(page):
    script = EXPERIMENTS.replace("export const panels", "return namesOf; const panels")
    namer = page.evaluate_handle(f"() => {{ {script} }}")
    own, cross = {"name": "own", "layers": 3, "heads": 2}, {"name": "cross", "layers": 1, "heads": 2}
    cases = [
        ([[0, 1, 1]], [own], "layer 1, head 1"),
        ([[0, 1, 0], [0, 1, 1], [0, 2, 0], [0, 2, 1]], [own], "all heads of layers 1, 2"),
        ([[0, 0, 1], [0, 2, 0], [0, 2, 1]], [own], "all heads of layer 2; layer 0, head 1"),
        ([[0, layer, head] for layer in range(3) for head in range(2)], [own], "all heads"),
        ([[0, 0, 0], [0, 0, 2]], [own | {"heads": 3}], "layer 0, heads 0, 2"),
        ([[0, 0, 1], [1, 0, 0], [1, 0, 1]], [own, cross], "layer 0, head 1 (own); all heads (cross)"),
        ([[1, 0, 0]], [own, cross], "layer 0, head 0 (cross)"),
    ]
    for off, kinds, told in cases:
        assert page.evaluate("([name, off, kinds]) => name(off, kinds)", [namer, off, kinds]) == told


@pytest.mark.parametrize("width", [420, 560, 700, 760, 1280])
def test_a_long_token_is_whole_in_a_narrow_notebook(show, page, width):
    vocab = ["</s>", "the", "grandmother", "sat"]
    gpt = GPT(GPTConfig(vocab_size=len(vocab), block_size=64, n_layer=2, n_head=4, n_embd=32, init_std=0.3), vocab)
    explorer = AttentionExplorer(gpt, str.split, "the grandmother sat grandmother")
    page.set_viewport_size({"width": width, "height": 900})
    widget = show(explorer)
    for token in widget.locator(".lm-look .lm-token").all():
        assert token.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    assert widget.evaluate("node => node.scrollWidth - node.clientWidth") <= 0


def test_chinese_and_one_token_alone(show):
    vocab = ["</s>", *"我喜欢猫狗。"]
    config = GPTConfig(vocab_size=len(vocab), block_size=16, n_layer=1, n_head=2, n_embd=16, init_std=0.3)
    explorer = AttentionExplorer(GPT(config, vocab), list, "我喜欢猫。")
    widget = show(explorer)
    assert widget.locator(".lm-flow-token bdi").all_text_contents() == ["</s>", *"我喜欢猫。"]
    row = explorer.weights(0, 0)[5]
    expect(widget.locator(".lm-column").last.locator(".lm-percent")).to_have_text([one_decimal(p) for p in row])
    expect(widget.locator(".lm-status")).to_contain_text("“。” (5) looks at")
    explorer.text = ""
    alone = show(explorer)
    expect(alone.locator(".lm-column").last.locator(".lm-percent")).to_have_text(["100.0 %"])
    assert len(curves(alone)) == 1


# Which of these parts have been drawn, frame by frame; a frame that changes nothing is not noted.
STAGES = """([parts]) => {
    window.stages = [];
    const look = () => {
        const there = parts.filter(name => document.querySelector(name)).join(" ");
        if (there !== stages.at(-1)) stages.push(there);
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
PARTS = [".lm-flow-token", ".lm-head", ".lm-look-row", ".lm-matrix[aria-label]", ".lm-suggestion", ".lm-status:not(:empty)"]


def test_an_explorer_opens_bit_by_bit(show, page):
    """The text's tokens in its first frame, everything else in later ones, so that none takes long; the words come last."""
    page.add_init_script(f"({STAGES})([{PARTS}])")
    show(make_explorer("the cat sat on the mat " * 10, n_layer=8, n_head=8))
    page.wait_for_timeout(100)
    first, *later = [stage.split() for stage in page.evaluate("stages") if stage]
    assert first == [".lm-flow-token"]
    assert len(later) > 1 and later[-1] == PARTS
    assert later[0] == [".lm-flow-token", ".lm-head"]  # 64 pictures take one frame
    assert all(set(stage) < set(following) for stage, following in zip([first, *later], later, strict=False))


def test_a_click_on_the_token_that_is_chosen_already_is_no_guess(show):
    widget = show(make_explorer("the cat sat on the mat", query=4))
    status = widget.locator(".lm-status").first
    widget.get_by_role("button", name="Hide weights").click()
    widget.locator(".lm-column").first.locator("[data-i='4']").click()
    widget.get_by_role("button", name="Reveal").click()
    expect(status).to_contain_text("Pinned: “on” (4) looks at")
    expect(status).not_to_contain_text("Your guess")


def test_a_new_text_with_covered_weights_keeps_no_key_of_the_last(page):
    """Its strongest key, framed since it was revealed, may be the new text's too."""
    answers = function(page, "explorerState").evaluate(
        """explorerState => {
            const weights = new Float32Array(25).fill(0.1).fill(0.9, 22, 23);
            const kind = { own: true, T: 5, S: 5, layers: 1, heads: 1, causal: true };
            const [reading, app] = [{ kinds: [kind], weights: () => weights }, explorerState(false, () => undefined)];
            app.take(reading);
            Object.assign(app.state, { query: 4, pinned: true, hide: ["weights"] });
            app.fit();
            app.reveal();
            const revealed = app.state.key;
            app.take(reading); app.fit();
            return [revealed, app.state.key, app.state.query];
        }"""
    )
    assert answers == [2, 4, 4]


def test_one_that_opens_out_of_sight_looks_as_one_in_sight_once_it_is_seen(show, page, tmp_path):
    """As in a notebook that is run as a whole: most of its cells have no size yet when their widgets are drawn."""
    drawn = "widget => [...widget.querySelectorAll('canvas')].map(canvas => [canvas.clientWidth, canvas.toDataURL()])"
    widget = show(make_explorer("the cat sat on the mat the dog", query=8))
    page.wait_for_timeout(300)
    in_sight = widget.evaluate(drawn)
    saved = tmp_path / "saved.html"
    saved.write_text(saved.read_text(encoding="utf-8").replace("<html", "<html hidden", 1), encoding="utf-8")
    page.reload()
    expect(widget.locator(".lm-status")).to_contain_text("looks at")
    page.wait_for_timeout(300)
    assert widget.evaluate(drawn) != in_sight
    page.evaluate("document.documentElement.hidden = false")
    for _ in range(30):
        if widget.evaluate(drawn) == in_sight:
            break
        page.wait_for_timeout(100)
    assert widget.evaluate(drawn) == in_sight


def test_the_matrix_tells_whole_names_and_positions_of_what_is_under_the_mouse(show, page):
    vocab = ["</s>", "the", "great-grandmothers", "sat"]
    gpt = GPT(GPTConfig(vocab_size=len(vocab), block_size=16, n_layer=1, n_head=2, n_embd=16, init_std=0.3), vocab)
    explorer = AttentionExplorer(gpt, str.split, "the great-grandmothers sat the")
    widget = show(explorer)
    matrix = widget.locator(".lm-matrix")
    matrix.scroll_into_view_if_needed()
    place = matrix.bounding_box()
    size = (place["width"] - 94) / 5
    weight = one_decimal(explorer.weights(0, 0)[4, 2])
    cases = [
        ((90 + 2.5 * size, 76 + 4.5 * size), f"“the” (4) looks, “great-grandmothers” (2) is looked at, {weight}"),
        ((40, 76 + 2.5 * size), "“great-grandmothers” (2) looks"),
        ((90 + 1.5 * size, 30), "“the” (1) is looked at"),
        ((40, 30), ""),
    ]
    for (x, y), told in cases:
        page.mouse.move(place["x"] + x, place["y"] + y)
        expect(matrix).to_have_attribute("title", told)
    widget.get_by_role("button", name="Hide weights").click()
    page.mouse.move(place["x"] + 90 + 2.5 * size, place["y"] + 76 + 4.5 * size)
    expect(matrix).to_have_attribute("title", "“the” (4) looks, “great-grandmothers” (2) is looked at")
