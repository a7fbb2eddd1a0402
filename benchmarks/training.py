"""Our training beside nanoGPT's, on Shakespeare: seconds of training, and the loss on the validation text.

    python benchmarks/training.py --nanogpt DIR [--presets cpu-sprint cpu cpu-long] [--write]

DIR is a clone of https://github.com/karpathy/nanoGPT; its `train.py` runs as its README says for a CPU, in a copy of it,
on the same cores and on the same characters. Without DIR its row is left out. Each program runs alone, one after the other;
its seconds are those of its own training steps, without looks at the validation text, and without start-up or compilation.
Every loss is measured in two ways: of all of the text, each character from at least half a context before it (`WindowedLM`),
the course's rule; and as nanoGPT does, the mean over 200 random crops of the model's own context length. --write puts the rows
into `data/training.json`, which notebook 07 shows.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from _nanogpt import nanogpt_model
from _table import machine
from torch import Tensor
from torch.nn import functional as F

from helpers import corpora, paths
from helpers.attention import WindowedLM
from helpers.neural_lm import random_crops
from helpers.training import PRESETS, encoded, evaluate, load_model

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
        return self.model(ids, ids.contiguous())[0]  # without targets it would give the last position only


def loss_by_crops(model: WindowedLM, ids: np.ndarray) -> float:
    """nanoGPT's way to judge, on as many crops as it takes: nats per character."""
    inputs, targets = random_crops(torch.from_numpy(ids), 200, model.block_size, torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = torch.cat([model.read(part) for part in inputs.split(20)])
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten()).item()


def run_nanogpt(clone: Path, folder: Path) -> dict:
    """Train by its own script → its row."""
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
    saved = torch.load(work / "out" / "ckpt.pt", weights_only=True)
    theirs = nanogpt_model(work, **saved["model_args"])
    theirs.load_state_dict(saved["model"])
    model = TheirGPT(theirs, vocab, end)
    seconds = statistics.mean(steps) * int(RECIPE["max_iters"])
    return row("nanoGPT's script, its CPU recipe", None, model, int(RECIPE["max_iters"]), seconds, ids["val"])


def run_preset(name: str, folder: Path) -> dict:
    """Train a preset by the command line → its row."""
    command = [sys.executable, "-m", "helpers.training", "--preset", name, "--out", str(folder / name)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    model, told = load_model(folder / name / "model.safetensors")
    return row(
        f"ours, preset {name}", name, model, PRESETS[name].train.steps, told["train_seconds"], encoded("shakespeare")[2]["val"]
    )


def row(program: str, preset: str | None, model: WindowedLM, steps: int, seconds: float, val: np.ndarray) -> dict:
    """What the table says of one trained model."""
    found = {"program": program, "preset": preset, "params": sum(p.numel() for p in model.parameters()), "steps": steps}
    losses = {"loss": round(evaluate(model, val), 4), "loss_by_crops": round(loss_by_crops(model, val), 4)}
    return found | {"seconds": round(seconds, 1)} | losses


def main() -> None:
    """Print the machine and a row for each program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nanogpt", type=Path, help="a clone of nanoGPT")
    parser.add_argument("--presets", nargs="+", default=["nanogpt-cpu", "cpu-sprint", "cpu", "cpu-long"])
    parser.add_argument("--write", action="store_true", help="put the rows into data/training.json")
    arguments = parser.parse_args()
    measured = f"{time.strftime('%Y-%m-%d')}, {machine('torch')}, {torch.get_num_threads()} threads"
    print(f"{measured}\n\n| program | parameters | seconds of training | nats per character | by crops | × nanoGPT's seconds |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        runs = [lambda: run_nanogpt(arguments.nanogpt, Path(folder))] if arguments.nanogpt else []
        runs += [lambda name=name: run_preset(name, Path(folder)) for name in arguments.presets]
        for run in runs:
            rows.append(r := run())
            share = f"{r['seconds'] / rows[0]['seconds']:.3f}" if arguments.nanogpt else ""
            cells = [
                r["program"],
                f"{r['params']:,}",
                f"{r['seconds']:.1f}",
                f"{r['loss']:.4f}",
                f"{r['loss_by_crops']:.4f}",
                share,
            ]
            print(f"| {' | '.join(cells)} |", flush=True)
    if arguments.write:
        found = {"measured": measured, "command": "python benchmarks/training.py --nanogpt DIR --write", "rows": rows}
        (paths.DATA / "training.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
