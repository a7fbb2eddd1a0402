"""The attention explorer's experiments in a real JupyterLab: heads off, lens, labels, mixes, steps; a kernel that is gone."""

from importlib.resources import files

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, expect

from helpers.notebooks import clean, execute
from helpers.saved_pictures import keep_pictures

pytestmark = pytest.mark.timeout(180)

TEXT = "the cat sat on the mat the cat"
LOSS = "explorer.frame['loss']"
SETUP = f"""
import torch
from helpers import interpret
from helpers.transformer import GPT, EncoderDecoder, EncoderDecoderConfig, GPTConfig
from helpers.widgets import AttentionExplorer

torch.set_num_threads(1)
vocab = ["</s>", "the", "cat", "sat", "on", "mat", "<b>x</b>", "أهلا", "dog", "a", "b", "c"]
sizes = dict(vocab_size=len(vocab), n_layer=2, n_head=3, n_embd=24, block_size=16, init_std=0.3)
gpt = GPT(GPTConfig(**sizes), vocab)
explorer = AttentionExplorer(gpt, str.split, {TEXT!r})
sources = []

def counted(explorer):
    answer = explorer._answer_source
    explorer._answer_source = lambda content: (sources.append(1), answer(content))
    return explorer

@torch.no_grad()
def without(layer, head, text={TEXT!r}):
    ids = torch.tensor([[0, *map(vocab.index, text.split())]])
    def change(_, inputs):
        x = inputs[0].clone()
        x[..., 8 * head:8 * head + 8] = 0
        return (x,)
    hook = gpt.blocks[layer].attention.output.register_forward_pre_hook(change)
    logits = gpt.eval()(ids)[0]
    hook.remove()
    p = logits.double().softmax(-1)
    return p.tolist(), (-p[:-1].log()[range(ids.shape[1] - 1), ids[0, 1:]]).tolist()
"""


def open_with(open_notebook, *sources: str, **options):
    cells = [new_code_cell(source) for source in (SETUP, *sources)]
    lab = open_notebook(new_notebook(cells=cells), **{"windowing": "none", "viewport": (1280, 3000)} | options)
    lab.run_all()
    lab.settle()
    return lab


def unfold(widget: Locator, name: str) -> Locator:
    """Open an experiment and give it back."""
    widget.locator("summary", has_text=name).click()
    return widget.locator("details", has=widget.page.locator("summary", has_text=name)).first


def number(x: float, digits: int = 3) -> str:
    return f"{x:.{digits}f}".replace("-", "−")


def signed(x: float, digits: int = 3) -> str:
    return ("+" if x > 0 else "") + number(x, digits)


def percent(p: float) -> str:
    return "< 0.1 %" if 0 < p < 0.0005 else f"{100 * p:.1f} %"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_heads_off_are_pythons_numbers_by_mouse_and_keyboard(open_notebook, low_contrast, dark):
    lab = open_with(open_notebook, "counted(explorer)", "counted(AttentionExplorer(gpt, str.split, 'the dog'))", dark=dark)
    widget, other = lab.widgets.first, lab.widgets.nth(1)
    part = unfold(widget, "Switch heads off")
    switches, note = part.locator(".lm-switch"), part.locator(".lm-note")
    expect(switches).to_have_count(6)
    expect(note).to_contain_text("All heads are on")
    part.get_by_role("button", name="Measure each head alone").click()
    expect(part.get_by_text("The map as a table")).to_be_visible()
    part.get_by_text("The map as a table").click()
    whole = np.array(lab.python(f"interpret.ablation_map(gpt, [0, *map(vocab.index, {TEXT!r}.split())]).tolist()"))
    cells = part.locator(".lm-weights td").all_text_contents()
    assert cells == [signed(x, 4) for x in whole.flatten()]
    expect(switches.nth(4)).to_have_attribute("title", f"layer 1, head 1: on; off alone {signed(whole[1, 1], 4)} nats")
    colours = switches.locator("span").evaluate_all(
        "all => all.map(span => getComputedStyle(span).backgroundColor.match(/\\d+/g).map(Number))"
    )
    for x, (red, _, blue) in zip(whole.flatten(), colours, strict=True):
        assert abs(x) < 0.05 * abs(whole).max() or (red > blue) == (x > 0)

    before, old = lab.python("without(0, 0)"), None
    whole_p = lab.python("explorer.probabilities(8).tolist()")
    switches.nth(0).focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        lab.page.keyboard.press(key)
    expect(switches.nth(4)).to_have_attribute("aria-pressed", "true")
    p, after = lab.python("without(1, 1)")
    old = lab.python("explorer.frame['loss']")
    expected = f"{number(old)} → {number(np.mean(after))} nats per token ({signed(np.mean(after) - old)})"
    expect(note).to_contain_text(f"Off: layer 1, head 1. Loss over the 8 tokens that follow one another: {expected}.")
    best = np.argsort(-np.maximum(whole_p, p[8]), kind="stable")[:10]
    best = sorted(best, key=lambda i: -whole_p[i])
    bars = part.locator(".lm-bars .lm-percent")
    expect(bars).to_have_text([f"{percent(whole_p[i])} → {percent(p[8][i])}" for i in best])
    widget.locator(".lm-column").first.locator("[data-i='2']").click()
    expect(note).to_contain_text(
        f"At “cat” (2): {number(-np.log(lab.python('explorer.probabilities(2)[3].item()')))} → {number(after[2])} nats"
    )
    expect(widget.locator(".lm-head").nth(4)).to_have_class("lm-head lm-off")
    assert lab.python("explorer.view['off']") == [[0, 1, 1]] or lab.page.wait_for_timeout(400) is None
    assert low_contrast(widget) == []

    part.get_by_role("button", name="All on again").click()
    expect(note).to_contain_text("All heads are on")
    widget.locator(".lm-head").nth(0).click()
    lab.page.keyboard.press("o")
    p, after = before
    expect(note).to_contain_text(
        f"Off: layer 0, head 0. Loss over the 8 tokens that follow one another: {number(old)} → {number(np.mean(after))}"
    )
    part.get_by_label("What a head that is off fetches").select_option("mean")
    expect(note).to_contain_text("The mean is that of this very text")
    expect(part.locator("details")).to_be_hidden()  # the map was of zeros
    widget.locator("textarea").fill("the dog")
    expect(note).to_contain_text("Loss over the 2 tokens")

    unfold(other, "Switch heads off")
    expect(other.locator(".lm-switch")).to_have_count(6)
    assert lab.python("len(sources)") == 1 and lab.page.evaluate("Object.keys(lmExperiments).length") == 1


def test_a_model_that_was_trained_for_one_position_is_measured_there(open_notebook):
    """Its loss over the text is far above that of even guessing, so the text is no measure of its heads."""
    one = "gpt.head.weight.data *= 8\nexplorer = AttentionExplorer(gpt, str.split, 'the cat sat')\nexplorer"
    lab = open_with(open_notebook, one)
    part = unfold(lab.widgets.first, "Switch heads off")
    note, where = part.locator(".lm-note"), part.get_by_label("Where the loss is measured")
    loss = lab.python("explorer.frame['loss']")
    assert loss > 1.5 * np.log(12)
    told = (
        f"(Loss over the text: {number(loss)} nats per token, but even guessing would cost 2.485, so this model was not trained"
    )
    p = np.array(lab.python("explorer.probabilities(3).tolist()"))
    best = f"the model expects “{lab.python('vocab')[p.argmax()]}” most, with {percent(p.max())}."
    here = f"All heads are on: what is shown above is the model. At “sat” (3) nothing follows in the text; {best}"
    expect(note).to_contain_text(f"{here} {told}")
    expect(where).to_have_value("text")  # nothing follows the last token
    part.locator(".lm-switch").nth(1).click()
    expect(note).to_contain_text("Off: layer 0, head 1. At “sat” (3) the text asks nothing, so there is no loss;")
    lab.widgets.first.locator(".lm-column").first.locator("[data-i='2']").click()
    expect(where).to_have_value("here")
    expect(note).to_contain_text("Off: layer 0, head 1. At “cat” (2): ")
    expect(note).to_contain_text("It is no measure here: even guessing would cost 2.485")
    part.get_by_role("button", name="Measure each head alone").click()
    expect(part.get_by_text("Each head alone, at “cat” (2)")).to_be_visible()
    where.select_option("text")
    part.get_by_role("button", name="Measure each head alone").click()
    expect(part.get_by_text("Each head alone, over the text")).to_be_visible()
    expect(where).to_have_value("text")


def test_a_map_that_would_take_long_asks_first(open_notebook, low_contrast):
    slow = "from helpers.widgets import _explorer_experiments as made\nmade.seconds_of_map = lambda *_: 200.0\nexplorer"
    lab = open_with(open_notebook, slow)
    widget = lab.widgets.first
    part = unfold(widget, "Switch heads off")
    anyway = part.get_by_role("button", name="Measure all the same")
    expect(part.locator(".lm-switch")).to_have_count(6)
    expect(anyway).to_be_hidden()
    part.get_by_role("button", name="Measure each head alone").click()
    told = "This would take about 3 minutes: each of the 6 heads needs a reading of its own of the 9 tokens."
    expect(part.get_by_text(told)).to_be_visible()
    expect(part.get_by_text("The map as a table")).to_be_hidden()
    assert low_contrast(widget) == []
    anyway.press("Enter")
    expect(part.get_by_text("The map as a table")).to_be_visible()
    expect(anyway).to_be_hidden()
    whole = np.array(lab.python(f"interpret.ablation_map(gpt, [0, *map(vocab.index, {TEXT!r}.split())]).tolist()"))
    assert part.locator(".lm-weights td").all_text_contents() == [signed(x, 4) for x in whole.flatten()]


def test_lens_labels_and_mixes_are_pythons(open_notebook, low_contrast):
    lab = open_with(
        open_notebook, "explorer", "AttentionExplorer(GPT(GPTConfig(norm_first=False, **sizes), vocab), str.split, 'the cat')"
    )
    widget, post_norm = lab.widgets.first, lab.widgets.nth(1)
    ids = f"[0, *map(vocab.index, {TEXT!r}.split())]"
    widget.locator(".lm-column").first.locator("[data-i='4']").click()
    lens = unfold(widget, "Logit lens")
    p = np.exp(lab.python(f"interpret.logit_lens(gpt, {ids})[:, 4].tolist()"))
    vocab = lab.python("vocab")
    final = p[-1].argmax()
    expect(lens.locator(".lm-note")).to_contain_text(
        f"after “on” (4), if the layers from there on were left out? The model's own answer is “{vocab[final]}”"
    )
    rows = lens.locator("tbody tr").evaluate_all("all => all.map(row => [...row.cells].map(cell => cell.textContent))")
    assert rows == [
        [name, vocab[row.argmax()], percent(row.max()), f"{1 + (row > row[final]).sum()} of 12"]
        for name, row in zip(("before layer 0", "after layer 0", "after layer 1"), p, strict=True)
    ]

    labels = unfold(widget, "Heads of known kinds")
    labels.get_by_text("All scores").click()
    scores = lab.python(f"{{name: [s.values.tolist(), s.chance] for name, s in interpret.head_scores(gpt, {ids}).items()}}")
    expect(labels.locator("tbody tr")).to_have_count(7)
    expected = [f"{np.array(values)[1, 2]:.2f}" for values, _ in scores.values()]
    assert labels.locator("tbody tr").nth(5).locator("td").all_text_contents() == expected
    told = ", ".join(f"{name} {np.array(values)[1, 2]:.2f} (chance {chance:.2f})" for name, (values, chance) in scores.items())
    expect(widget.locator(".lm-head").nth(5)).to_have_attribute("title", f"layer 1, head 2: {told}")

    mix = unfold(widget, "All heads in one")
    for how, name in (("mean", "head_mean"), ("rollout", "rollout")):
        mix.get_by_label("How heads are put together").select_option(how)
        row = np.array(lab.python(f"interpret.{name}(explorer.reading.kinds[0].weights)[0, 4].tolist()"))
        best = np.argsort(-row[:5], kind="stable")
        expect(mix.locator("tbody td:last-child")).to_have_text([percent(row[i]) for i in best])
    expect(mix.get_by_text("Heuristic", exact=True)).to_be_visible()
    assert low_contrast(widget) == []

    widget.get_by_role("button", name="Hide weights").click()
    expect(mix.locator(".lm-note")).to_have_text("Predict first, then reveal: this would tell it.")
    expect(mix.locator("table")).to_be_hidden()
    widget.get_by_role("button", name="Hide next tokens").click()
    expect(lens.locator("table")).to_be_hidden()
    expect(lens.locator(".lm-note")).to_contain_text("Predict first")

    lens = unfold(post_norm, "Logit lens")
    expect(lens.locator(".lm-note")).to_contain_text("No lens here: the logit lens needs the stream of a pre-norm model")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_to_object_to_in_the_experiments(open_notebook, dark):
    parts = ["ablation", "lens", "labels", "mix", "steps"]
    state = {"off": [(0, 1, 2), (0, 0, 1)], "open": parts, "query": 4, "pinned": True}
    lab = open_with(
        open_notebook, f"AttentionExplorer(gpt, str.split, {TEXT!r}, state={state}, steps={{5: gpt.state_dict()}})", dark=dark
    )
    widget = lab.widgets.first
    widget.get_by_role("button", name="Measure each head alone").click()
    expect(widget.get_by_text("Each head alone, over the text")).to_be_visible()
    expect(widget.get_by_text("Loss over the 8 tokens")).to_be_visible()
    widget.locator(".lm-details .lm-details summary").evaluate_all("all => all.forEach(each => each.click())")
    expect(widget.locator(".lm-note", has_text="one of")).to_be_visible()  # the kinds of heads
    expect(widget.locator("table caption", has_text="Scores of all heads")).to_be_visible()
    lab.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = lab.page.evaluate("axe.run(document.querySelector('.jp-OutputArea-output .lm-widget'))")
    assert len(found["passes"]) > 20
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_the_slider_shows_the_steps_of_training(open_notebook, low_contrast):
    lab = open_with(
        open_notebook,
        "saved = {step: GPT(GPTConfig(seed=step + 1, **sizes), vocab) for step in (0, 10, 2000)}\n"
        "steps = {step: each.state_dict() for step, each in saved.items()}\n"
        "explorer = AttentionExplorer(gpt, str.split, 'the cat sat', steps=steps, layer=1); explorer",
    )
    widget = lab.widgets.first
    slider = widget.get_by_label("step", exact=True)
    expect(widget.get_by_text("with the weights of the model as it is")).to_be_visible()
    slider.focus()
    for step, keys in ((2000, ["ArrowLeft"]), (0, ["ArrowLeft", "ArrowLeft"]), (10, ["ArrowRight"]), (None, ["End"])):
        for key in keys:
            lab.page.keyboard.press(key)
        name = "the model as it is" if step is None else f"step {step:,}"
        said = widget.get_by_text(f"with the weights of {name}.")
        expect(said).to_be_visible()
        expect(said).to_contain_text(f"Loss over the text: {number(lab.python(LOSS))} nats per token")
        model = "gpt" if step is None else f"saved[{step}]"
        row = lab.python(f"{model}.eval().trace(torch.tensor([[0, 1, 2, 3]])).attention[1, 0, 0, 3].tolist()")
        expect(widget.locator(".lm-column").last.locator(".lm-percent")).to_have_text([percent(x) for x in row])
        assert lab.python("explorer.step") == step
    lab.python("setattr(explorer, 'step', 10)")
    expect(slider).to_have_attribute("aria-valuetext", "step 10")
    assert low_contrast(widget) == []


def test_an_encoder_decoder_loses_heads_of_each_of_its_attentions(open_notebook):
    lab = open_with(
        open_notebook,
        "pair = EncoderDecoder(EncoderDecoderConfig(**sizes), vocab)\n"
        "explorer = AttentionExplorer(pair, str.split, ('the cat sat', 'dog on a')); explorer",
    )
    widget = lab.widgets.first
    part = unfold(widget, "Switch heads off")
    names = ["target looks at source", "target looks at itself", "source looks at itself"]
    for kind, name in enumerate(names):
        widget.get_by_role("button", name=name, exact=True).click()
        expect(part.locator(".lm-switch[aria-pressed=true]")).to_have_count(0)
        part.locator(".lm-switch").nth(kind).click()
        off = [[number, 0, number] for number in range(kind + 1)]
        asked = {"off": off, "instead": "zero"}
        loss = lab.python(f"explorer._experiments.ablated(pair, explorer.reading, explorer.tokens, {asked})['loss']")
        told = "; ".join(f"layer 0, head {i} ({names[i]})" for i in range(kind + 1))
        expect(part.locator(".lm-note")).to_contain_text(f"Off: {told}. ")
        expected = f"Loss over the 3 tokens that follow one another: {number(loss[0])} → {number(loss[1])} nats per token"
        expect(part.locator(".lm-note")).to_contain_text(expected)
    expect(part.locator(".lm-bars .lm-percent")).to_have_count(10)  # of the target's last position


def test_a_view_that_is_given_unfolds_its_experiments(open_notebook):
    view = {"open": ["ablation", "mix"], "off": [[0, 1, 2]], "mix": "rollout", "instead": "mean"}
    lab = open_with(open_notebook, f"explorer = AttentionExplorer(gpt, str.split, 'the cat', state={view}); explorer")
    widget = lab.widgets.first
    expect(widget.locator(".lm-switch").nth(5)).to_have_attribute("aria-pressed", "true")
    expect(widget.get_by_label("What a head that is off fetches")).to_have_value("mean")
    expect(widget.get_by_label("How heads are put together")).to_have_value("rollout")
    widget.locator("summary", has_text="Logit lens").click()
    expect(widget.locator("details[open]")).to_have_count(3)
    lab.page.wait_for_timeout(500)  # told a moment later
    assert lab.python("explorer.view['open']") == ["ablation", "mix", "lens"]
    widget.locator("summary", has_text="Logit lens").click()
    expect(widget.locator("details[open]")).to_have_count(2)


def test_a_kernel_that_was_killed_is_said(open_notebook):
    lab = open_with(open_notebook, "explorer")
    widget = lab.widgets.first
    part = unfold(widget, "Switch heads off")
    expect(part.locator(".lm-switch")).to_have_count(6)
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    lab.page.evaluate(
        "code => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute({code}); }", kill
    )
    lab.page.get_by_role("button", name="Ok", exact=True).click(timeout=30_000)  # JupyterLab says that the kernel has died
    part.locator(".lm-switch").nth(2).click()
    expect(part.get_by_text("The kernel has stopped. Run the cell again.")).to_be_visible()
    widget.locator("textarea").fill("the dog")
    expect(widget.get_by_text("The kernel has stopped. Run the cell again.")).to_have_count(2, timeout=10_000)
    widget.locator(".lm-column").first.locator("[data-i='2']").click()  # what is here still answers
    expect(widget.locator(".lm-status").first).to_contain_text("“cat” (2) looks at")
    lab.run_all()
    expect(lab.widgets).to_have_count(1)
    expect(lab.widgets.first.locator(".lm-status").first).to_contain_text("looks at")


def test_a_stored_notebook_shows_the_picture_until_it_is_run(open_notebook, tmp_path):
    path = tmp_path / "stored.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in (SETUP, "explorer")]), path)
    executed, _ = execute(path)
    nbformat.write(clean(executed), path)
    lab = open_notebook(path, windowing="none", viewport=(1280, 3000))
    expect(lab.page.locator(".jp-OutputArea-output img")).to_be_visible()
    assert lab.widgets.count() == 0
    lab.run_all()
    part = unfold(lab.widgets.first, "Switch heads off")
    expect(part.locator(".lm-switch")).to_have_count(6)
    expect(lab.page.locator(".jp-OutputArea-output img")).to_have_count(0)


def test_a_notebook_that_a_learner_saved_shows_the_picture_when_it_is_opened_again(open_notebook):
    lab = open_with(open_notebook, "explorer")
    expect(lab.widgets.first.locator(".lm-status").first).to_contain_text("looks at")
    model = {"type": "notebook", "content": lab.page.evaluate("window.jupyterapp.shell.currentWidget.model.toJSON()")}
    keep_pictures(model)  # as JupyterLab does before it writes a file, where it was told to
    again = open_notebook(nbformat.from_dict(model["content"]), windowing="none", viewport=(1280, 3000))  # with a new kernel
    expect(again.page.locator(".jp-OutputArea-output img")).to_be_visible()
    assert again.page.get_by_text("model not found").count() == 0 and again.widgets.count() == 0
    again.run_all()
    expect(again.widgets.first.locator(".lm-status").first).to_contain_text("looks at")
