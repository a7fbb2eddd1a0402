"""What the attention explorer's benchmark measures in a real JupyterLab: the first paint, and from a key to the repaint."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from conftest import CELLS, CONNECTED, SETTINGS, Server, free_port, lab_command, wait_for

SETUP = """
import torch
from helpers.transformer import GPT, GPTConfig
from helpers.widgets import AttentionExplorer

torch.set_num_threads(1)
letters = ["</s>", *"abcdefghijklmnopqrstuvwxyz ."]
sizes = dict(vocab_size=len(letters), n_layer=5, n_head=4, n_embd=128, block_size=128)
gpt = GPT(GPTConfig(init_std=0.2, **sizes), letters)
assert 0.95e6 < sum(p.numel() for p in gpt.parameters()) < 1.05e6
explorer = AttentionExplorer(gpt, list, ("the cat sat on the mat and the dog saw it. " * 2)[:63])
"""
TYPED = "it was on a mat that the cat sat"

# Milliseconds from the message with the cell's output until the frame that shows the explorer's upper panels, and the one
# that shows all of it. A message that a frame posts to itself comes after that frame was painted.
PAINTED = """
const painted = () => new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
}));
const appears = (root, options, test) => new Promise(done => {
    const watch = new MutationObserver(() => test() && (watch.disconnect(), done()));
    watch.observe(root, options);
});
"""
SHOWN = """async () => {
    const panel = window.jupyterapp.shell.currentWidget, {kernel} = panel.context.sessionContext.session;
    const cell = panel.content.node.querySelectorAll('.jp-CodeCell')[1];
    let told = 0;
    const hear = (_, {header}) => {
        if (['display_data', 'execute_result'].includes(header.msg_type)) told = performance.now();
    };
    kernel.iopubMessage.connect(hear);
    const shown = appears(cell, {childList: true, subtree: true}, () => told && cell.querySelector('.lm-flow-token'));
    panel.content.activeCellIndex = 1;
    const run = performance.now();
    window.jupyterapp.commands.execute('notebook:run-cell');
    await shown;
    const until = async selector => {  // a new explorer's parts come over some frames, the words below the text last
        let now;
        do now = await painted(); while (!cell.querySelector(selector));
        return now;
    };
    const first = await until('.lm-look-row'), all = await until('.lm-status:not(:empty)');
    kernel.iopubMessage.disconnect(hear);
    return [told - run, first - told, all - told];
}"""
# From the `input` event of a key that replaces the last letter; the pause of 250 ms is taken off by the caller.
TYPE = """async letter => {
    const root = document.querySelector('.jp-OutputArea-output .lm-widget'), box = root.querySelector('textarea');
    const fresh = appears(root, {attributes: true, attributeFilter: ['class']}, () => !root.classList.contains('lm-stale'));
    box.value = box.value.slice(0, -1) + letter;
    const start = performance.now();
    box.dispatchEvent(new Event('input'));
    await fresh;
    const first = await painted(), all = await painted();
    return [first - start, all - start];
}"""
PAUSE = 250


def scripted(body: str) -> str:
    """A function for the page that has the watchers above at hand."""
    return f"argument => {{ {PAINTED} return ({body})(argument); }}"


@contextlib.contextmanager
def running(base: Path) -> Iterator[Server]:
    """A JupyterLab with folders of its own."""
    server = Server(f"http://127.0.0.1:{free_port()}", base / "notebooks", base / "settings")
    environment = os.environ | {f"JUPYTER_{name}_DIR": str(base / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment |= {"IPYTHONDIR": str(base / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(server.settings)}
    environment |= {"JUPYTERLAB_WORKSPACES_DIR": str(base / "workspaces")}
    for path in (server.folder, server.settings, *(base / name for name in ("config", "data", "runtime"))):
        path.mkdir()
    for name, values in SETTINGS.items():
        server.set(name, values)
    cells = [new_code_cell(source) for source in (SETUP, "explorer")]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    nbformat.write(notebook, server.folder / "explorer.ipynb")
    with (base / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            lab_command(server), env=environment, cwd=server.folder, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_for(server, process, base / "log.txt")
            yield server
        finally:
            process.terminate()
            process.wait(timeout=20)


def opened(browser: Browser, server: Server) -> Page:
    """The notebook, its first cell run."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"{server.url}/lab/tree/explorer.ipynb?reset", wait_until="domcontentloaded")
    page.wait_for_function(CONNECTED, timeout=60_000)
    page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0;"
        " window.jupyterapp.commands.execute('notebook:run-cell'); }"
    )
    for _ in range(600):
        if page.evaluate(CELLS)[0]["execution_count"]:
            return page
        page.wait_for_timeout(100)
    raise RuntimeError(f"the first cell did not run: {json.dumps(page.evaluate(CELLS)[0])}")


def in_jupyterlab(browser: Browser, base: Path) -> list[tuple[str, np.ndarray, str]]:
    """Milliseconds of each, with its budget."""
    with running(base) as server:
        page = opened(browser, server)
        shown = np.array([pausing(page, SHOWN) for _ in range(11)])[1:]  # the first loads what all later ones share
        page.locator(".lm-widget textarea").focus()
        typed = np.array([pausing(page, TYPE, letter) for letter in TYPED]) - PAUSE
        n_tokens = page.locator(".lm-widget .lm-flow-token").count()
        page.close()
    return [
        ("JupyterLab: output arrives → upper panels painted", shown[:, 1], "≤ 300 ms"),
        ("JupyterLab: output arrives → all painted", shown[:, 2], ""),
        ("JupyterLab: Python's part of showing it, with its picture", shown[:, 0], ""),
        (f"JupyterLab: key → upper panels repainted, after the pause, {n_tokens} tokens", typed[:, 0], "≤ 150 ms median"),
        ("JupyterLab: key → all repainted, after the pause", typed[:, 1], ""),
    ]


def pausing(page: Page, body: str, argument: str | None = None) -> list[float]:
    """One measurement, and time for what follows it."""
    found = page.evaluate(scripted(body), argument)
    page.wait_for_timeout(400)
    return found
