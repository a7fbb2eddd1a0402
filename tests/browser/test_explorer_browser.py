"""The attention explorer in a real JupyterLab: Python's numbers, by keyboard and mouse, in both themes."""

import json
import re

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.timeout(180)

SETUP = """
import torch
from helpers.attention import AttentionLM, AttentionLMConfig
from helpers.transformer import GPT, BERT, EncoderDecoder, BERTConfig, EncoderDecoderConfig, GPTConfig
from helpers.widgets import AttentionExplorer

torch.set_num_threads(1)
HTML = "<img/src=x/onerror=alert(1)>"
vocab = ["</s>", "the", "cat", "sat", "on", "mat", HTML, "أهلا", "👍🏽", "dog"]
sizes = dict(vocab_size=len(vocab), n_layer=2, n_head=3, n_embd=24, init_std=0.3)
gpt = GPT(GPTConfig(block_size=12, **sizes), vocab)
explorer = AttentionExplorer(gpt, str.split, "the cat sat on the mat")

@torch.no_grad()
def traced(text, start=0):
    return gpt.trace(torch.tensor([[0, *map(vocab.index, text.split())]])[:, start:])

def row(text, layer, head, query):
    found = traced(text)
    weights, q, k = found.attention[layer, 0, head, query], found.q[layer, 0, head, query], found.k[layer, 0, head]
    return weights.tolist(), (k @ q / q.numel() ** 0.5).tolist()

def next_tokens(text, position):
    return traced(text).logits[0, position].double().softmax(-1).tolist()
"""
FRESH = "lm-widget lm-wide"


def open_with(open_notebook, *sources: str, **options):
    cells = [new_code_cell(source) for source in (SETUP, *sources)]
    lab = open_notebook(new_notebook(cells=cells), **{"windowing": "none", "viewport": (1280, 2000)} | options)
    lab.run_all()
    lab.settle()
    return lab


def one_decimal(p: float) -> str:
    return "< 0.1 %" if 0 < p < 0.0005 else f"{100 * p:.1f} %"


def chosen(widget: Locator) -> tuple[int, int]:
    """Query and key that are chosen, as the columns say."""
    columns = widget.locator(".lm-column")
    return tuple(int(columns.nth(i).locator(".lm-current").get_attribute("data-i")) for i in (0, 1))


def same_as_python(lab, widget: Locator, text: str, layer: int, head: int, query: int) -> None:
    """The text, the weights of this query in the table and in the columns, the scores, and the next tokens are Python's."""
    expect(widget).to_have_class(FRESH)
    caption = f"Layer {layer}, head {head}: what “{['</s>', *text.split()][query]}” ({query}) looks at"
    expect(widget.locator(".lm-weights caption")).to_have_text(caption)  # the last to be drawn
    expect(widget.locator(".lm-steps li").first).to_contain_text("q · k")
    expect(widget.locator(".lm-column").first.locator(".lm-current")).to_have_attribute("data-i", str(query))
    weights, scores = lab.python(f"row({text!r}, {layer}, {head}, {query})")
    rows = widget.locator(".lm-weights tbody tr").evaluate_all("all => all.map(r => [...r.cells].map(c => c.textContent))")
    assert [token for _, token, *_ in rows] == ["</s>", *text.split()]
    shown = [(float(score.replace("−", "-").replace("∞", "inf")), float(weight)) for _, _, score, weight, _ in rows]
    n = query + 1
    np.testing.assert_allclose(shown[:n], list(zip(scores[:n], weights[:n], strict=True)), atol=0.00051)  # half the last digit
    assert all(pair == (-np.inf, 0) for pair in shown[n:])
    assert max(abs(weight - each) for (_, weight), each in zip(shown, weights, strict=True)) < 0.000051
    percents = widget.locator(".lm-column").nth(1).locator(".lm-percent")
    expect(percents).to_have_text([*map(one_decimal, weights[:n]), *["masked"] * (len(rows) - n)])
    p = np.array(lab.python(f"next_tokens({text!r}, {query})"))
    best = np.argsort(-p, kind="stable")[:10]
    bars = widget.locator(".lm-bars")
    assert bars.locator(".lm-percent").all_inner_texts() == [one_decimal(p[i]) for i in best]
    vocab = lab.python("vocab")
    assert bars.locator(".lm-token").all_text_contents() == [vocab[i] for i in best]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_heads_tokens_and_text_by_mouse_and_keyboard(open_notebook, low_contrast, watch_drawing, dark):
    lab = open_with(open_notebook, "explorer", dark=dark)
    widget = lab.widgets.first
    heads, left, right = widget.locator(".lm-head"), widget.locator(".lm-column").first, widget.locator(".lm-column").last
    expect(heads).to_have_count(6)
    widget.get_by_text("The same as a table").click()
    text = "the cat sat on the mat"
    same_as_python(lab, widget, text, 0, 0, 6)  # the last position: what comes next
    assert lab.page.locator(".jp-OutputArea-output img").count() == 0  # the live view, not the picture

    heads.nth(4).click()
    same_as_python(lab, widget, text, 1, 1, 6)
    assert lab.python("list(explorer.chosen)") == [0, 1, 1]
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("ArrowRight")  # there is no further one
    lab.page.keyboard.press("ArrowUp")
    expect(heads.nth(2)).to_be_focused()
    expect(heads.nth(2)).to_have_attribute("aria-checked", "true")
    same_as_python(lab, widget, text, 0, 2, 6)

    watch_drawing(lab.page)
    left.locator("[data-i='3']").hover()  # goes with the key that it looks at most
    expect(left.locator("[data-i='3']")).to_have_class("lm-look-row lm-current")
    same_as_python(lab, widget, text, 0, 2, 3)
    weights = lab.python(f"row({text!r}, 0, 2, 3)")[0]
    assert chosen(widget) == (3, int(np.argmax(weights)))
    curves = widget.locator(".lm-look .lm-over").evaluate("canvas => canvas.curves")
    assert sorted(y for _, y, *_ in curves) == [22 * (i + 0.5) for i, weight in enumerate(weights) if weight >= 0.01]
    ink = [y for _, y, _, colour in curves if colour not in ("#0072b2", "#56b4e9")]
    assert ink == [22 * (int(np.argmax(weights)) + 0.5)]  # the line to the chosen key
    left.locator("[data-i='5']").click()
    left.locator("[data-i='1']").hover()  # pinned: it stays
    expect(widget.locator(".lm-status")).to_contain_text("Pinned: “the” (5) looks at")
    same_as_python(lab, widget, text, 0, 2, 5)
    lab.page.keyboard.press("Escape")
    expect(widget.locator(".lm-status")).not_to_contain_text("Pinned")
    left.locator("[data-i='2']").hover()
    same_as_python(lab, widget, text, 0, 2, 2)

    left.focus()
    n_cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    for key in ("ArrowDown", "ArrowDown", "b", "Enter"):  # "b" adds a cell where the notebook gets it
        lab.page.keyboard.press(key)
    expect(widget.locator(".lm-status")).to_contain_text("Pinned: “on” (4)")
    same_as_python(lab, widget, text, 0, 2, 4)
    lab.page.keyboard.press("ArrowRight")
    expect(right).to_be_focused()
    lab.page.keyboard.press("Home")
    expect(right.locator(".lm-current")).to_have_attribute("data-i", "0")  # painted with the next frame
    expect(widget.locator(".lm-status")).to_contain_text("“on” (4)")
    assert chosen(widget) == (4, 0)
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == n_cells

    box = widget.locator("textarea")
    box.fill("the dog sat")
    expect(left.locator(".lm-look-row")).to_have_count(4)
    same_as_python(lab, widget, "the dog sat", 0, 2, 3)
    assert lab.python("explorer.text") == "the dog sat"
    box.press("End")
    lab.page.keyboard.press("ArrowDown")
    bars = widget.locator(".lm-suggestion")
    expect(bars.first).to_be_focused()
    token = bars.nth(1).locator(".lm-token").text_content()
    if token == "</s>":
        token = bars.nth(2).locator(".lm-token").text_content()
        lab.page.keyboard.press("3")
    else:
        lab.page.keyboard.press("2")
    expect(box).to_have_value(f"the dog sat {token} ")
    expect(left.locator(".lm-look-row")).to_have_count(5)
    lab.page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    assert low_contrast(widget) == []


def test_the_arithmetic_of_a_weight_is_pythons(open_notebook):
    lab = open_with(open_notebook, "explorer.select(1, 2)\nexplorer")
    widget = lab.widgets.first
    matrix = widget.locator(".lm-matrix")
    matrix.focus()
    for key in ("ArrowUp", "ArrowLeft", "Enter"):
        lab.page.keyboard.press(key)
    expect(widget.locator(".lm-status")).to_contain_text("Pinned: “the” (5)")
    query, key = chosen(widget)
    assert query == 5
    expect(
        widget.get_by_text(
            f"How much does “the” (5) look at “{['</s>', 'the', 'cat', 'sat', 'on', 'the', 'mat'][key]}” ({key}),"
        )
    ).to_be_visible()
    found = "traced(explorer.text)"
    q = np.array(lab.python(f"{found}.q[1, 0, 2, {query}].tolist()"))
    k = np.array(lab.python(f"{found}.k[1, 0, 2].tolist()"))
    number = "all => all.map(cell => Number(cell.textContent.replace('−', '-')))"
    v = np.array(lab.python(f"{found}.v[1, 0, 2].tolist()"))
    weights = np.array(lab.python(f"{found}.attention[1, 0, 2, {query}].tolist()"))
    fetched = np.array(lab.python(f"{found}.heads[1, 0, {query}, 16:24].tolist()"))  # of head 2, of width 8
    rows = [widget.locator(f".lm-vectors tr:nth-child({i}) td").evaluate_all(number) for i in range(1, 7)]
    parts = [q, k[key], q * k[key], v[key], weights[key] * v[key], fetched]
    np.testing.assert_allclose(rows, parts, atol=0.0051)
    score = q @ k[key] / np.sqrt(len(q))
    powers = np.exp(q @ k[: query + 1].T / np.sqrt(len(q)))
    said = [line.replace("−", "-") for line in widget.locator(".lm-steps li").all_inner_texts()]
    assert f"the sum of the 8 products, is {q @ k[key]:.3f}." in said[0]
    assert f"√8 = {score:.3f}." in said[1]
    assert f"Softmax over the 6 tokens that it may look at: e^{score:.3f}" in said[2]
    assert f"= {powers[key] / powers.sum():.4f}, so {one_decimal(powers[key] / powers.sum())}." in said[2]
    length, whole = np.linalg.norm(v[key]), np.linalg.norm(fetched)
    assert f"{weights[key]:.4f} × {length:.3f} = {weights[key] * length:.3f}, the length of what" in said[3]
    assert f"All 6 together fetch a vector of length {whole:.3f}, the head's output" in said[3]
    widget.get_by_text("The same as a table").click()
    expect(widget.locator(".lm-weights tbody tr")).to_have_count(7)  # drawn when it is unfolded
    given = widget.locator(".lm-weights tbody td:last-child").evaluate_all(number)
    np.testing.assert_allclose(given, weights * np.linalg.norm(v, axis=1), atol=0.00051)
    widget.get_by_text("The same as a table").click()
    assert abs(powers[key] / powers.sum() - lab.python(f"float(explorer.weights()[{query}, {key}])")) < 1e-6

    place = widget.locator(".lm-matrix").bounding_box()
    matrix.press("Escape")
    lab.page.mouse.move(place["x"] + place["width"] - 12, place["y"] + place["height"] - 200)  # right of the diagonal
    expect(widget.locator(".lm-steps")).to_contain_text("the mask sets the score to −∞")
    assert chosen(widget)[1] > chosen(widget)[0]


def test_without_the_causal_mask_is_a_question_with_a_warning(open_notebook, low_contrast):
    lab = open_with(open_notebook, "explorer")
    widget = lab.widgets.first
    widget.get_by_text("The same as a table").click()
    text, box = "the cat sat on the mat", widget.get_by_label("without the causal mask")
    masked = widget.locator(".lm-column").last.get_by_text("masked", exact=True)
    widget.locator(".lm-column").first.locator("[data-i='2']").click()
    expect(masked).to_have_count(4)
    same_as_python(lab, widget, text, 0, 0, 2)
    box.press("Space")
    expect(masked).to_have_count(0)
    expect(widget.get_by_text("This is not what the model does")).to_be_visible()
    found = lab.python("[explorer.weights()[2].tolist(), explorer.probabilities(2).max(), explorer.causal_mask]")
    assert sum(found[0][3:]) > 0.1 and found[2] is False
    shown = widget.locator(".lm-weights tbody td:nth-child(4)").evaluate_all("all => all.map(cell => Number(cell.textContent))")
    np.testing.assert_allclose(shown, found[0], atol=0.000051)
    expect(widget.locator(".lm-bars .lm-percent").first).to_have_text(one_decimal(found[1]))
    expect(widget.locator(".lm-steps")).to_contain_text("Softmax over the 7 tokens")
    assert low_contrast(widget) == []
    widget.locator("textarea").fill("the dog")  # it stays
    expect(widget.locator(".lm-flow-token")).to_have_count(3)
    expect(box).to_be_checked()
    box.press("Space")
    expect(widget.get_by_text("This is not what the model does")).to_have_count(0)
    same_as_python(lab, widget, "the dog", 0, 0, 2)


@pytest.mark.parametrize("most", [1_000_000, 0], ids=["all scores in the frame", "scores asked for"])
def test_sampling_settings_show_what_is_drawn_from_beside_what_the_model_says(open_notebook, low_contrast, most):
    lab = open_with(
        open_notebook,
        f"from helpers.widgets import _explorer_frame\n_explorer_frame.MOST_LOGITS = {most}\n"
        "from helpers.sampling import shape_log_probs\nimport numpy as np\n"
        "def drawn(settings, position):\n"
        "    return np.exp(shape_log_probs(np.log(next_tokens(explorer.text, position)), **settings)).tolist()\n"
        "explorer = AttentionExplorer(gpt, str.split, 'the cat sat on the mat'); explorer",
    )
    widget = lab.widgets.first
    percents, told = widget.locator(".lm-bars .lm-percent"), widget.locator(".lm-bars ~ .lm-note")
    slider = {name: widget.get_by_label(name, exact=True) for name in ("temperature", "top-k", "top-p", "min-p")}
    expect(percents).to_have_count(10)  # they come a few frames after the text
    plain = percents.all_inner_texts()
    cases = [
        ({"temperature": 0.5}, 6),
        ({"temperature": 0.5, "top_k": 6}, 6),
        ({"temperature": 0.5, "top_k": 4, "top_p": 0.5}, 2),
        ({"temperature": 2.0, "top_k": 6, "top_p": 0.8, "min_p": 0.4}, 0),
        ({"temperature": 0.0, "top_k": 6}, 3),
    ]
    for settings, position in cases:
        widget.locator(".lm-column").first.locator(f"[data-i='{position}']").click()
        for name, neutral in (("temperature", 1), ("top-k", 51), ("top-p", 1), ("min-p", 0)):
            slider[name].fill(str(settings.get(name.replace("-", "_"), neutral)))
        p = np.array(lab.python(f"next_tokens(explorer.text, {position})"))
        q = np.array(lab.python(f"drawn({settings}, {position})"))
        best = np.argsort(-p, kind="stable")
        expect(percents).to_have_text([f"{one_decimal(p[i])} → {one_decimal(q[i]) if q[i] else 'cut'}" for i in best])
        assert f"{(q > 0).sum()} of 10 tokens can be drawn" in told.inner_text() or (q > 0).all()
        assert (q > 0).all() or f"the model gave them {one_decimal(p[q > 0].sum())}" in told.inner_text()
        assert widget.locator(".lm-cut").count() == (q == 0).sum()
        if position < 6:
            actual = lab.python(f"vocab.index(explorer.text.split()[{position}])")
            expect(widget.locator(".lm-bars").locator("xpath=preceding-sibling::div")).to_contain_text(
                f"with these settings {one_decimal(q[actual])}"
            )
    assert low_contrast(widget) == []
    widget.get_by_role("button", name="as the model says").press("Enter")
    widget.locator(".lm-column").first.locator("[data-i='6']").click()
    expect(percents).to_have_text(plain)
    slider["temperature"].press("ArrowLeft")  # a key that the notebook would take, too
    expect(percents.first).to_contain_text("→")
    expect(slider["temperature"]).to_have_attribute("aria-valuetext", "0.95")


def test_what_cannot_be_read_is_said_and_html_arabic_and_emoji_are_text(open_notebook, low_contrast):
    lab = open_with(open_notebook, "explorer")
    widget = lab.widgets.first
    box, error = widget.locator("textarea"), widget.locator("[role=alert]").first
    box.fill("the zebra")
    expect(error).to_contain_text("the token 'zebra' is not among the 10")
    expect(error).to_contain_text("Below is the last text that it could read")
    expect(widget.locator(".lm-column").first.locator(".lm-look-row")).to_have_count(7)
    assert low_contrast(widget) == []
    strange = "the <img/src=x/onerror=alert(1)> أهلا 👍🏽 cat"
    box.fill(strange)
    expect(error).to_have_text("")
    widget.get_by_text("The same as a table").click()
    same_as_python(lab, widget, strange, 0, 0, 5)
    assert widget.locator("img").count() == 0  # text stays text
    box.fill("")
    expect(widget.locator(".lm-column").first.locator(".lm-look-row")).to_have_count(1)  # what stands before every text
    same_as_python(lab, widget, "", 0, 0, 0)
    long = "the cat sat on the mat " * 3
    box.fill(long)
    expect(widget.locator(".lm-note").first).to_contain_text("19 tokens, and the context length is 12")
    n = lab.python("explorer.weights().shape[0]")
    assert n == 7 + 0 * n and widget.locator(".lm-flow-token").count() == n
    last = lab.python(f"gpt.next_log_probs([vocab.index(word) for word in {long!r}.split()]).tolist()")
    expect(widget.locator(".lm-bars .lm-percent").first).to_have_text(one_decimal(np.exp(max(last))))


def test_a_view_is_shared_between_page_and_python(open_notebook, low_contrast):
    lab = open_with(
        open_notebook,
        "import json\n"
        "presets = {'dogs': {'text': 'the dog sat', 'layer': 1, 'head': 1, 'hide': ['next'], 'causal_mask': False}}\n"
        "explorer = AttentionExplorer(gpt, str.split, 'the cat sat on the mat', presets=presets); explorer",
    )
    widget = lab.widgets.first
    widget.locator(".lm-head").nth(4).click()
    widget.locator(".lm-column").first.locator("[data-i='3']").click()
    widget.get_by_label("top-k", exact=True).fill("4")
    widget.get_by_label("Which weights are shown").select_option("top_k")
    widget.get_by_text("Share this view").click()
    line = widget.get_by_label("This view as text")
    expect(line).to_have_value(re.compile('"top_k":4.*"by":"top_k"'))
    lab.page.wait_for_timeout(500)  # told a moment later
    shared = line.input_value()
    assert json.loads(shared) == lab.python("json.loads(explorer.state)")
    assert json.loads(shared)["sampling"]["top_k"] == 4 and json.loads(shared)["query"] == 3

    widget.get_by_role("button", name="dogs").click()
    expect(widget.locator(".lm-flow-token")).to_have_count(4)
    expect(widget.locator("textarea")).to_have_value("the dog sat")
    expect(widget.get_by_label("without the causal mask")).to_be_checked()
    expect(widget.get_by_text("Predict: say what comes")).to_be_visible()
    assert lab.python("[explorer.text, list(explorer.chosen), explorer.causal_mask]") == ["the dog sat", [0, 1, 1], False]
    line.fill(shared)
    line.press("Enter")
    expect(widget.locator("textarea")).to_have_value("the cat sat on the mat")
    expect(widget.locator(".lm-bars .lm-percent").first).to_contain_text("→")
    expect(widget.locator(".lm-status")).to_contain_text("Pinned: “sat” (3) looks at")
    line.fill('{"layer": "first"}')
    line.press("Enter")
    expect(widget.get_by_text("layer of a view must be a whole number from 0, got 'first'")).to_be_visible()
    lab.python("setattr(explorer, 'state', json.dumps({'layer': 1, 'head': 0, 'query': 2, 'pinned': True}))")
    expect(widget.locator(".lm-status")).to_contain_text("Pinned: “cat” (2) looks at")
    expect(widget.locator(".lm-head").nth(3)).to_have_attribute("aria-checked", "true")
    assert low_contrast(widget) == []


def test_two_explorers_and_two_views_of_one_scrolled_away_and_back(open_notebook):
    filler = [new_markdown_cell("line\n\n" * 60) for _ in range(6)]
    sources = (SETUP, "explorer", "explorer", "other = AttentionExplorer(gpt, str.split, 'the mat'); other")
    lab = open_notebook(new_notebook(cells=[*map(new_code_cell, sources), *filler]), viewport=(1280, 2400))
    lab.run_all()
    first, second, other = (lab.widgets.nth(i) for i in range(3))
    scroller = lab.page.locator(".jp-WindowedPanel-outer").first
    scroller.evaluate("panel => panel.scrollTo(0, 0)")
    first.locator(".lm-head").nth(5).click()
    expect(second.locator(".lm-head").nth(5)).to_have_attribute("aria-checked", "true")  # the same explorer shown twice
    first.locator("textarea").fill("the dog")
    expect(second.locator("textarea")).to_have_value("the dog")
    expect(second.locator(".lm-flow-token")).to_have_count(3)
    assert lab.python("other.text") == "the mat" and lab.python("list(other.chosen)") == [0, 0, 0]
    expect(other.locator(".lm-head").nth(0)).to_have_attribute("aria-checked", "true")

    drawn = """canvas => { const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                           return data.filter((value, i) => i % 4 === 3 && value > 0).length }"""
    before = first.locator(".lm-matrix").evaluate(drawn)
    scroller.evaluate("panel => panel.scrollTo(0, panel.scrollHeight)")
    expect(first).not_to_be_in_viewport()
    lab.page.wait_for_timeout(300)
    scroller.evaluate("panel => panel.scrollTo(0, 0)")
    expect(first).to_be_in_viewport()
    lab.page.wait_for_timeout(300)
    assert first.locator(".lm-matrix").evaluate(drawn) == before > 1000
    first.locator("textarea").fill("a dog")
    expect(first.locator("[role=alert]").first).to_contain_text("'a' is not among")


def test_the_other_models(open_notebook, low_contrast):
    lab = open_with(
        open_notebook,
        "one = AttentionExplorer(AttentionLM(vocab, AttentionLMConfig(block_size=8, n_embd=8)), str.split, 'the cat'); one",
        "bert = BERT(BERTConfig(block_size=8, **sizes))\nAttentionExplorer(bert, str.split, 'the dog sat', vocab=vocab)",
        "both = EncoderDecoder(EncoderDecoderConfig(block_size=8, **sizes), vocab)\n"
        "pair = AttentionExplorer(both, str.split, ('the cat sat', 'dog on')); pair",
        viewport=(1280, 5000),
    )
    one, bert, pair = (lab.widgets.nth(i) for i in range(3))
    expect(one.locator(".lm-head")).to_have_count(1)
    expect(one.locator(".lm-bars .lm-percent")).to_have_count(10)
    bert.locator(".lm-flow-token").nth(0).hover()
    expect(bert.locator(".lm-status")).to_contain_text("“the” (0) looks at")
    assert "masked" not in bert.locator(".lm-column").last.inner_text()  # it looks both ways
    expect(bert.locator(".lm-bars")).to_have_attribute("aria-label", "What belongs at “the” (0)? The 10 likeliest tokens")
    assert pair.locator(".lm-column").first.locator(".lm-token").all_text_contents() == ["</s>", "dog", "on"]
    assert pair.locator(".lm-flow-token bdi").all_text_contents() == ["the", "cat", "sat"]
    pair.get_by_role("button", name="source looks at itself").click()
    expect(pair.locator(".lm-column").first.locator(".lm-look-row")).to_have_count(3)
    expect(pair.locator(".lm-bars")).to_be_hidden()  # an encoder predicts nothing
    pair.locator(".lm-head").nth(3).click()
    expect(pair.locator(".lm-steps")).to_contain_text("Softmax over the 3 tokens")
    assert lab.python("list(pair.chosen)") == [2, 1, 0]
    for widget in (one, bert, pair):
        assert low_contrast(widget) == []


def test_a_busy_kernel_is_said_and_the_last_choice_counts(open_notebook):
    lab = open_with(open_notebook, "explorer")
    widget = lab.widgets.first
    run = "code => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute({code}); }"
    lab.page.evaluate(run, "import time; time.sleep(5)")
    for head in (1, 2, 5):
        widget.locator(".lm-head").nth(head).click()
    expect(widget.locator(".lm-look-row.lm-current .lm-percent")).not_to_have_text("…")  # half precision is here already
    expect(widget.locator(".lm-steps")).to_contain_text("Python is computing this head")
    expect(widget.get_by_text("busy or has stopped")).to_be_visible(timeout=4000)
    expect(widget.locator(".lm-steps")).to_contain_text("q · k", timeout=10_000)
    assert lab.python("list(explorer.chosen)") == [0, 1, 2] and widget.get_by_text("busy or has stopped").count() == 0


def test_of_a_large_model_each_head_comes_when_it_is_asked_for_and_the_theme_may_change(open_notebook, low_contrast):
    lab = open_with(
        open_notebook,
        "gpt = GPT(GPTConfig(block_size=256, **sizes | {'n_layer': 12, 'n_head': 12, 'n_embd': 48}), vocab)\n"
        "explorer = AttentionExplorer(gpt, str.split, 'the cat sat on mat ' * 33); explorer",
    )
    widget = lab.widgets.first
    expect(widget.locator(".lm-head")).to_have_count(144)
    assert not lab.python("explorer.frame['kinds'][0]['whole']")
    widget.get_by_text("The same as a table").click()
    widget.locator(".lm-head").nth(100).click()
    expect(widget.locator(".lm-column .lm-percent").first).to_contain_text("%")
    same_as_python(lab, widget, ("the cat sat on mat " * 33).strip(), 8, 4, 165)
    corner = """button => {
        const canvas = button.parentElement.querySelector('canvas');
        const [mine, all] = [button, canvas].map(node => node.getBoundingClientRect());
        const context = canvas.getContext('2d');
        return [...context.getImageData(mine.right - all.left - 5, mine.top - all.top + 4, 1, 1).data].slice(0, 3);
    }"""
    thumb = widget.locator(".lm-head").nth(100)
    light = thumb.evaluate(corner)  # a weight of zero has the colour of the page
    lab.page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    expect(lab.page.locator("body")).to_have_attribute("data-jp-theme-light", "false", timeout=20_000)
    lab.page.wait_for_timeout(500)
    assert min(light) > 200 and max(thumb.evaluate(corner)) < 60
    assert low_contrast(widget) == []
