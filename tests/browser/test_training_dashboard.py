"""The training dashboard in a real JupyterLab: a run is paused, goes on and is stopped while its cell runs, in both themes."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

pytestmark = pytest.mark.timeout(180)

SETUP = """
import numpy as np, torch
from helpers.training import TrainConfig, train
from helpers.transformer import GPT, GPTConfig
from helpers.widgets import TrainingDashboard

torch.set_num_threads(1)
HTML = "<img src=x onerror=alert(1)>"
vocab = sorted(set(HTML + "\\n"))
model = GPT(GPTConfig(vocab_size=len(vocab), block_size=32, n_layer=1, n_head=2, n_embd=32), vocab)
ids = np.array([vocab.index(c) for c in (HTML + "\\n") * 200])
config = TrainConfig(steps=STEPS, batch_size=4, lr=1e-2, eval_every=STEPS // 10, eval_tokens=256, precision="float32")
baselines = {"uniform": float(np.log(len(vocab)))}
dashboard = TrainingDashboard(model, config, prompt=HTML[:4], sample_tokens=40, baselines=baselines)
"""


def notebook(steps: int, *, run: str = "history = train(model, ids, config, val=ids, callback=dashboard)"):
    sources = [SETUP.replace("STEPS", str(steps)), "dashboard", run, "dashboard"]
    return new_notebook(cells=[new_code_cell(source) for source in sources])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_finished_run(open_notebook, low_contrast, dark):
    lab = open_notebook(notebook(300), windowing="none", dark=dark, viewport=(1280, 1600))
    lab.run_all()
    for widget in lab.widgets.all():
        expect(widget.locator(".lm-message")).to_contain_text("Done: 300 steps")
    widget = lab.widgets.first
    widget.locator("summary").click()
    assert low_contrast(widget) == []


def test_pause_go_on_and_stop_while_the_cell_runs(open_notebook):
    lab = open_notebook(notebook(1_000_000), windowing="none", viewport=(1280, 1600))
    lab.start("notebook:run-all-cells")
    widget = lab.widgets.first
    status, bar = widget.locator(".lm-message"), widget.get_by_role("progressbar")
    pause, stop = (widget.get_by_role("button").nth(i) for i in range(2))

    def step() -> int:
        return int(bar.get_attribute("aria-valuenow"))

    def goes_on(after: int) -> None:
        condition = "([bar, after]) => Number(bar.getAttribute('aria-valuenow')) > after"
        lab.page.wait_for_function(condition, arg=[bar.element_handle(), after])

    expect(status).to_contain_text("Training.", timeout=60_000)
    expect(pause).to_have_text("Pause")
    goes_on(100)
    pause.click()  # by mouse
    expect(status).to_contain_text("Paused at step")
    expect(pause).to_have_text("Go on")
    stands = step()
    lab.page.wait_for_timeout(1000)
    assert step() == stands and lab.code_cells()[2].execution_count is None, "the steps stand still, and the cell still runs"
    pause.focus()
    lab.page.keyboard.press("Enter")  # by keyboard
    expect(pause).to_have_text("Pause")
    goes_on(stands)
    lab.page.keyboard.press("Tab")
    expect(stop).to_be_focused()
    lab.page.keyboard.press("Space")
    expect(status).to_contain_text("Stopped at step")
    expect(stop).to_have_attribute("aria-disabled", "true")
    expect(widget.locator(".lm-waiting")).to_be_empty()
    expect(lab.widgets).to_have_count(2)  # the cells after it ran
    assert lab.python("[dashboard.state, history is dashboard.history]") == ["stopped", True]
    assert lab.python("len(history.loss)") == step() < 1_000_000


def test_stop_while_paused_and_an_interrupt_end_a_run(open_notebook):
    lab = open_notebook(notebook(1_000_000), windowing="none", viewport=(1280, 1600))
    lab.start("notebook:run-all-cells")
    status, buttons = lab.widgets.first.locator(".lm-message"), lab.widgets.first.get_by_role("button")
    expect(status).to_contain_text("Training.", timeout=60_000)
    buttons.nth(0).click()
    expect(status).to_contain_text("Paused at step")
    buttons.nth(1).click()
    expect(status).to_contain_text("Stopped at step")
    expect(lab.widgets).to_have_count(2)

    lab.page.evaluate("""() => {
        const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
        kernel.requestExecute({code: "train(model, ids, config, callback=dashboard)"});
    }""")
    expect(status).to_contain_text("Training.")
    buttons.nth(0).click()
    expect(status).to_contain_text("Paused at step")
    lab.start("notebook:interrupt-kernel")
    expect(status).to_contain_text("Stopped at step")
    assert lab.python("[dashboard.state, model.training]") == ["stopped", False]


def test_where_messages_wait_for_the_cell_it_says_how_to_stop(open_notebook, jupyterlab):
    setting = "@jupyterlab/apputils-extension/kernels-settings.jupyterlab-settings"
    jupyterlab.set(setting, {"commsOverSubshells": "disabled"})  # as in front ends that know no subshells
    try:
        lab = open_notebook(notebook(1_000_000), windowing="none", viewport=(1280, 1600))
        lab.start("notebook:run-all-cells")
        widget = lab.widgets.first
        status, waiting = widget.locator(".lm-message"), widget.locator(".lm-waiting")
        expect(status).to_contain_text("Training.", timeout=60_000)
        widget.get_by_role("button").nth(0).click()
        expect(waiting).to_contain_text("interrupt the kernel", timeout=10_000)
        lab.start("notebook:interrupt-kernel")
        expect(status).to_contain_text("Stopped at step")
        expect(waiting).to_be_empty()
        assert lab.python("dashboard.state") == "stopped"  # the press came too late, and does nothing
    finally:
        jupyterlab.set(setting, {})


def test_earlier_samples_by_keyboard_and_mouse_are_text(open_notebook):
    lab = open_notebook(notebook(100), windowing="none", viewport=(1280, 1600))
    lab.run_all()
    widget = lab.widgets.first
    heading, text, slider = widget.locator(".lm-heading"), widget.locator(".lm-sample"), widget.get_by_role("slider")
    samples = lab.python("dashboard.samples")

    def shows(i: int) -> None:
        step, prompt, written = samples[i]
        expect(heading).to_have_text(f"Sample at step {step} ({i + 1} of 11)")
        assert text.evaluate("node => node.textContent") == prompt + written

    shows(10)
    slider.focus()
    lab.page.keyboard.press("Home")
    shows(0)
    lab.page.keyboard.press("ArrowRight")
    shows(1)
    widget.get_by_role("button", name="Later").click()
    shows(2)
    widget.get_by_role("button", name="Earlier").click()
    shows(1)
    assert widget.locator("img").count() == 0
    widget.locator("summary").click()
    expect(widget.locator("tbody tr")).to_have_count(11)
    losses = lab.python("[f'{loss:.3f}' for loss in history.val_loss]")
    assert widget.locator("tbody td:nth-child(3)").all_inner_texts() == losses


def test_a_page_that_comes_late_has_all_points(open_notebook):
    lab = open_notebook(notebook(100), windowing="none", viewport=(1280, 1600))
    lab.run_all()
    lab.start("docmanager:save")
    lab.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    lab.page.reload(wait_until="domcontentloaded")
    widget = lab.widgets.first
    expect(widget.locator(".lm-message")).to_contain_text("Done: 100 steps", timeout=60_000)
    expect(widget.locator(".lm-heading")).to_have_text("Sample at step 100 (11 of 11)")
    widget.locator("summary").click()
    expect(widget.locator("tbody tr")).to_have_count(11)
