"""Where the speed comes from: one change at a time from a plain recipe to the preset `cpu`, at its size, on Shakespeare.

    python benchmarks/speed.py            measure and print
    python benchmarks/speed.py --write    and write `data/speed_ladder.json`, which notebook 07 shows

Every rung takes the same steps, each of 16 × 128 characters, on all cores, so its loss says what a step is worth, and its
seconds what a step costs; both together, how long it takes to nanoGPT's loss. Seconds are those of the steps alone: compilation
is given beside them, looks at the validation text are not counted. The last two change one thing each on top of "NorMuon".
Compiling needs a C++ compiler; without one its rung is left out.
"""

import itertools
import json
import shutil
import sys
import time
from dataclasses import replace

import torch
from _table import machine

from helpers import paths
from helpers.training import MODERN, PRESETS, History, TextData, TrainConfig, encoded, evaluate, train
from helpers.transformer import GPT, GPTConfig

TARGET = 1.8857  # nats per character: nanoGPT's CPU recipe after 2,000 steps
STEPS = 200
PRESET = PRESETS["cpu"]
PLAIN_BLOCK = {name: PRESET.model[name] for name in ("n_layer", "n_head", "n_embd", "block_size")} | {"bias": False}
ADAM = TrainConfig(steps=STEPS, batch_size=PRESET.train.batch_size, lr=2e-3, warmup=0.0, cooldown=0.0, precision="float32")
NORMUON = replace(PRESET.train, steps=STEPS, precision="float32")
MUON = replace(NORMUON, momentum=0.95, matrix_beta2=None)
RUNGS: dict[str, tuple[dict, TrainConfig]] = {
    "AdamW, constant rate": (PLAIN_BLOCK, ADAM),
    "warm-up and decay": (PLAIN_BLOCK, replace(ADAM, lr=4e-3, warmup=0.05, cooldown=0.95)),
    "Muon": (PLAIN_BLOCK, MUON),
    "modern block": (PLAIN_BLOCK | MODERN | {"n_previous": 0}, MUON),
    "told four tokens": (PLAIN_BLOCK | MODERN, MUON),
    "NorMuon": (PLAIN_BLOCK | MODERN, NORMUON),
    "bfloat16": (PLAIN_BLOCK | MODERN, replace(NORMUON, precision="bfloat16")),
    "compiled": (PLAIN_BLOCK | MODERN, replace(NORMUON, compile=True)),
}


def seconds_to_target(history: History) -> float | None:
    """When a run's loss on the validation text first fell below TARGET, between two looks on a straight line; None: never."""
    looks = list(zip(history.val_steps, history.val_loss, strict=True))
    for (x0, y0), (x1, y1) in itertools.pairwise(looks):
        if y1 <= TARGET < y0:
            return (x0 + (y0 - TARGET) / (y0 - y1) * (x1 - x0)) / STEPS * history.seconds
    return None


def measure(name: str) -> dict:
    """Train one rung → what the table says of it."""
    sizes, config = RUNGS[name]
    vocab, end, ids = encoded("shakespeare")
    model = GPT(GPTConfig(vocab_size=len(vocab), end=vocab.index(end), **sizes), vocab)
    history = train(model, TextData(ids["train"], len(vocab)), replace(config, eval_every=20), val=ids["val"])
    found = seconds_to_target(history)
    return {
        "rung": name, "loss": round(evaluate(model, ids["val"]), 4), "ms_a_step": round(1000 * history.seconds / STEPS, 1),
        "seconds_to_target": None if found is None else round(found, 1), "compile_seconds": round(history.compile_seconds, 1),
    }  # fmt: skip


def main() -> None:
    """Print a row for each rung as it is measured."""
    told = f"{time.strftime('%Y-%m-%d')}, {machine('torch')}, {torch.get_num_threads()} threads"
    print(
        f"{told}; {STEPS} steps each\n\n| rung | nats per character | ms a step | seconds to {TARGET} |\n|---|---:|---:|---:|"
    )
    rows = []
    for name in RUNGS:
        if name == "compiled" and not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
            print("| compiled | | | no C++ compiler here |")
            continue
        rows.append(row := measure(name))
        beside = f" (and {row['compile_seconds']:.0f} s of compiling)" if row["compile_seconds"] else ""
        seconds = "not reached" if row["seconds_to_target"] is None else f"{row['seconds_to_target']:.1f}"
        print(f"| {name} | {row['loss']:.3f} | {row['ms_a_step']:.0f} | {seconds}{beside} |", flush=True)
    if "--write" in sys.argv:
        found = {
            "measured": told,
            "command": "python benchmarks/speed.py --write",
            "steps": STEPS,
            "target": TARGET,
            "rungs": rows,
        }
        (paths.DATA / "speed_ladder.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
