"""Our training beside nanoGPT's, on Shakespeare: seconds of training, and the loss of all of the validation text.

    python benchmarks/training.py --nanogpt DIR [--presets cpu-sprint cpu cpu-long]

DIR is a clone of https://github.com/karpathy/nanoGPT; its `train.py` runs as its README says for a CPU, in a copy of it,
on the same two cores and on the same characters. Without DIR its row is left out. Each program runs alone, one after the other;
its seconds are those of its own training steps, without looks at the validation text, and without start-up or compilation.
Every loss is measured in one way: all of the text, each character from at least half a context before it (`WindowedLM`).
"""

import argparse
import importlib.util
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from _table import machine
from torch import Tensor

from helpers import corpora
from helpers.attention import WindowedLM
from helpers.training import encoded, evaluate

RECIPE = {
    "device": "cpu", "compile": "False", "dtype": "float32", "log_interval": "1", "eval_iters": "1", "eval_interval": "2000",
    "block_size": "64", "batch_size": "12", "n_layer": "4", "n_head": "4", "n_embd": "128", "max_iters": "2000",
    "lr_decay_iters": "2000", "dropout": "0.0", "out_dir": "out", "always_save_checkpoint": "True",
}  # fmt: skip


class TheirGPT(WindowedLM):
    """nanoGPT's model, scored by our rule for long texts."""

    def __init__(self, model: torch.nn.Module, vocab: list[str], end: str):
        super().__init__(vocab, end=end)
        self.model, self.block_size, self.end = model, model.config.block_size, vocab.index(end)

    def read(self, ids: Tensor, cache: object = None) -> Tensor:
        """Scores of the next token at each position: ids (B, T) → logits (B, T, V)."""
        return self.model(ids, ids)[0]  # without targets it would give the last position only


def run_nanogpt(clone: Path, folder: Path) -> tuple[float, float, int]:
    """Train by its own script → (seconds of its steps, loss, parameters)."""
    vocab, end, ids = encoded("shakespeare")
    work = shutil.copytree(clone, folder / "nanoGPT", ignore=shutil.ignore_patterns(".git"))
    prepared = work / "data" / "shakespeare_char"
    (prepared / "input.txt").write_text(corpora.load("shakespeare"), encoding="utf-8")
    subprocess.run([sys.executable, "prepare.py"], cwd=prepared, check=True, capture_output=True)
    arguments = [f"--{name}={value}" for name, value in RECIPE.items()]
    command = [sys.executable, "train.py", "config/train_shakespeare_char.py", *arguments]
    said = subprocess.run(command, cwd=work, check=True, capture_output=True, text=True).stdout
    times = {int(i): float(ms) / 1000 for i, ms in re.findall(r"^iter (\d+): .* time ([\d.]+)ms", said, re.MULTILINE)}
    steps = [seconds for i, seconds in times.items() if i % int(RECIPE["eval_interval"])]  # the others hold an evaluation
    spec = importlib.util.spec_from_file_location("nanogpt_model", work / "model.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    saved = torch.load(work / "out" / "ckpt.pt", weights_only=True)
    model = module.GPT(module.GPTConfig(**saved["model_args"]))
    model.load_state_dict(saved["model"])
    loss = evaluate(TheirGPT(model, vocab, end), ids["val"])
    return statistics.median(steps) * int(RECIPE["max_iters"]), loss, sum(p.numel() for p in model.parameters())


def run_preset(name: str, folder: Path) -> dict:
    """Train a preset by the command line → its last line."""
    command = [sys.executable, "-m", "helpers.training", "--preset", name, "--out", str(folder / name)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(said.splitlines()[-1])


def main() -> None:
    """Print the machine and a row for each program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nanogpt", type=Path, help="a clone of nanoGPT")
    parser.add_argument("--presets", nargs="+", default=["nanogpt-cpu", "cpu-sprint", "cpu", "cpu-long"])
    arguments = parser.parse_args()
    print(f"{time.strftime('%Y-%m-%d')}, {machine('torch')}, {torch.get_num_threads()} threads\n", flush=True)
    print("| program | parameters | seconds of training | nats per character | share of nanoGPT's seconds |")
    print("|---|---:|---:|---:|---:|", flush=True)
    theirs = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.nanogpt:
            theirs, loss, params = run_nanogpt(arguments.nanogpt, folder)
            print(f"| nanoGPT, its CPU recipe, 2,000 steps | {params:,} | {theirs:.1f} | {loss:.4f} | 1 |", flush=True)
        for preset in arguments.presets:
            told = run_preset(preset, folder)
            seconds = told["train_seconds"]
            share = f"{seconds / theirs:.3f}" if theirs else ""
            row = [f"ours, preset `{preset}`", f"{told['params']:,}", f"{seconds:.1f}", f"{told['val_loss']:.4f}", share]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
