"""How much of what a model says is true, by its size, its training and the temperature: GPTs that read the world's stories.

    python benchmarks/limits.py                  measure, and print the rows
    python benchmarks/limits.py --write FILE     also write every row to FILE, after each; as data/limits.json

Each size is trained by preset `world`, and along the way it writes stories at each temperature; `world.claims` then counts the
statements about the world and about the story itself that are true, false, or cannot be checked. The shipped model does so too.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import torch
from _table import machine

from helpers import paths, world
from helpers.sampling import generate_batch
from helpers.training import PRESETS, Stopped, TextData, build, evaluate, load_model, train
from helpers.transformer import GPT

SIZES = {"1 × 32": (1, 32), "2 × 64": (2, 64), "3 × 96": (3, 96)}  # layers × width; the shipped model is 4 × 128
LOOKS = (150, 300, 600, 1000, 1500)
TEMPERATURES = (1.0, 0.7, 0.4)
STORIES, LONGEST, SEED = 300, 170, 5


def statements(model: GPT, temperature: float) -> dict[str, int]:
    """How many statements of each kind the model's stories hold: "world true", "story false", "world unknown", …"""
    rows = generate_batch(model, [[]] * STORIES, LONGEST, temperature=temperature, stop=[model.end], seed=SEED)
    texts = (world.detokenize(model.vocab[i] for i in row) for row in rows)
    said = {True: "true", False: "false", None: "unknown"}
    return dict(Counter(f"{claim.about} {said[claim.true]}" for text in texts for claim in world.claims(text)))


def main() -> None:
    """Train and count, size by size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", type=Path, help="a JSON file for all rows")
    parser.add_argument("--steps", type=int, default=LOOKS[-1], help="end each run after so many steps of its schedule")
    arguments = parser.parse_args()
    preset, rows = PRESETS["world"], []

    def note(size: str, steps: int, model: GPT, loss: float) -> None:
        model.eval()
        about = {"size": size, "params": model.n_parameters, "steps": steps, "val_loss": round(loss, 4)}
        for temperature in TEMPERATURES:
            rows.append({**about, "temperature": temperature, **statements(model, temperature)})
            print(json.dumps(rows[-1]), flush=True)
        if arguments.write:
            found = {"device": machine("torch"), "date": time.strftime("%Y-%m-%d"), "stories": STORIES, "rows": rows}
            arguments.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    shipped, card = load_model(paths.CHECKPOINTS / "world_gpt.safetensors")
    note("4 × 128, shipped", preset.train.steps, shipped, card["val_loss"])
    for size, (n_layer, n_embd) in SIZES.items():
        model, text, val = build("world", n_layer=n_layer, n_embd=n_embd)

        def look(step: int, _: object, model: GPT = model, size: str = size, val: TextData = val) -> None:
            if step in LOOKS:
                with torch.no_grad():
                    note(size, step, model, evaluate(model, val.ids.numpy()))
                model.train()
            if step >= arguments.steps:
                raise Stopped

        train(model, text, preset.train, callback=look)


if __name__ == "__main__":
    main()
