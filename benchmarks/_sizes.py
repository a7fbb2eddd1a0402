"""GPTs of three sizes, smaller than a shipped one, trained by its preset and measured along the way; each row is kept."""

import argparse
import json
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from _table import machine

from helpers import paths
from helpers.training import PRESETS, Stopped, build, evaluate, load_model, train
from helpers.transformer import GPT

SIZES = {"1 × 32": (1, 32), "2 × 64": (2, 64), "3 × 96": (3, 96)}  # layers × width
STEPS = 1500


def measure_sizes(
    about: str, preset: str, shipped: str, looks: Collection[int], rows_of: Callable[[GPT], Iterable[dict[str, Any]]],
    n_judged: int | None = None, **facts: int,
) -> None:  # fmt: skip
    """Ask the shipped model, and each size at each of these steps, and print the rows; --write keeps them in a JSON file.

    about: what the command line says of itself; rows_of: a model in eval mode → rows, to which size and loss are added;
    n_judged: how many tokens of the validation text give the loss; facts: what else is noted in the file.
    """
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    parser.add_argument("--write", type=Path, help="a JSON file for all rows")
    parser.add_argument("--steps", type=int, default=STEPS, help="end each run after so many steps of its schedule")
    arguments = parser.parse_args()
    settings, rows = PRESETS[preset].train, []

    def note(size: str, steps: int, model: GPT, loss: float) -> None:
        for row in rows_of(model.eval()):
            rows.append({"size": size, "params": model.n_parameters, "steps": steps, "val_loss": round(loss, 4), **row})
            print(json.dumps(rows[-1]), flush=True)
        if arguments.write:
            found = {"device": machine("torch"), "date": time.strftime("%Y-%m-%d"), **facts, "rows": rows}
            arguments.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    whole, card = load_model(paths.CHECKPOINTS / f"{shipped}.safetensors")
    note(f"{whole.config.n_layer} × {whole.config.n_embd}, shipped", settings.steps, whole, card["val_loss"])
    first, text, val = build(preset)  # the texts, which take long to draw, once
    for size, (n_layer, n_embd) in SIZES.items():
        model = GPT(replace(first.config, n_layer=n_layer, n_embd=n_embd), first.vocab)

        def look(step: int, _: object, model: GPT = model, size: str = size) -> None:
            if step in looks:
                with torch.no_grad():
                    note(size, step, model, evaluate(model, val.ids[:n_judged].numpy()))
                model.train()
            if step >= arguments.steps:
                raise Stopped

        train(model, text, replace(settings, steps=STEPS, eval_every=0), callback=look)
