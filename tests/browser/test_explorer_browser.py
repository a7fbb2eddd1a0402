"""The attention explorer in a real JupyterLab: Python's numbers, by keyboard and mouse, in both themes."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

pytestmark = pytest.mark.timeout(180)

SETUP = """
import torch
from helpers.attention import AttentionLM, AttentionLMConfig
from helpers.transformer import GPT, GPTConfig
from helpers.widgets import AttentionExplorer

torch.set_num_threads(1)
HTML = "<img src=x onerror=alert(1)>"
vocab = ["</s>", "the", "cat", "sat", "on", "mat", HTML, "أهلا", "👍🏽", "dog"]
config = GPTConfig(vocab_size=len(vocab), block_size=12, n_layer=2, n_head=3, n_embd=24, init_std=0.5)
gpt = GPT(config, vocab)

def cut(text):
    return [part for piece in text.split(HTML) for part in (*piece.split(), HTML)][:-1]

def traced(text):
    return gpt.trace(torch.tensor([[0, *map(vocab.index, cut(text))]]))

explorer = AttentionExplorer(gpt, cut, "the cat sat on the mat")
"""


def test_draw(open_notebook):
    lab = open_notebook(
        new_notebook(cells=[new_code_cell(SETUP), new_code_cell("explorer")]), windowing="none", viewport=(1280, 1600)
    )
    lab.run_all()
    expect(lab.widgets.first.locator(".lm-head")).to_have_count(6)
