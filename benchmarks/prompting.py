"""What a model can do from its prompt, by its size and by how much it has read: GPTs on the pile of all the world's documents.

    python benchmarks/prompting.py                  measure, and print the table
    python benchmarks/prompting.py --write FILE     also write every row to FILE, after each; as data/prompting.json

Each size is trained by preset `documents`, with fewer steps, and asked along the way, as in notebook 08: the share of right
answers after six examples, for arbitrary labels, for labels of words that no training list shows, and for translation without
examples. The shipped model is asked the same.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch
from _table import machine

from helpers import applications, paths, world
from helpers.sampling import generate_batch
from helpers.tokenizers import WordTokenizer
from helpers.training import PRESETS, Stopped, TextData, build, evaluate, load_model, train
from helpers.transformer import GPT
from helpers.world.lists import LABELS

SIZES = {"1 × 32": (1, 32), "2 × 64": (2, 64), "3 × 96": (3, 96)}  # layers × width; the shipped model is 4 × 160
STEPS, LOOKS = 1500, range(300, 1501, 300)
EXAMPLES, ASKED = 6, 150


def lists(split: str) -> tuple[list[str], list[str]]:
    """Prompts of label lists that end in a question, and the answers."""
    texts = ([item.split(": ") for item in text.split("; ")] for text in world.sample_lists(4000, seed=31, split=split))
    parts = [items[-EXAMPLES - 1 :] for items in texts if len(items) > EXAMPLES and {b for _, b in items} <= set(LABELS)]
    prompts = [world.show_list([(a, b) for a, b in items[:-1]], items[-1][0]) for items in parts[:ASKED]]
    return prompts, [items[-1][1] for items in parts[:ASKED]]


def answers(model: GPT, prompts: list[str], n: int) -> list[str]:
    """Greedy answers of at most n tokens."""
    words = WordTokenizer(model.vocab, unknown=None, rule="world")
    ids = [words.encode(prompt) for prompt in prompts]
    rows = generate_batch(model, ids, n, temperature=0, stop=[model.end])
    return [words.decode([t for t in row[len(given) :] if t != model.end]) for row, given in zip(rows, ids, strict=True)]


def measured(model: GPT) -> dict[str, float]:
    """The three shares of right answers."""
    model.eval()
    shares = {}
    for name, split in (("labels", "val"), ("labels, new words", "heldout")):
        prompts, truth = lists(split)
        found = answers(model, prompts, 1)
        shares[name] = sum(a == t for a, t in zip(found, truth, strict=True)) / len(truth)
    pairs = [text.split("\t") for text in world.sample(100, seed=33, split="val", kind="pair")]
    shares["translation"] = applications.exact_match(answers(model, [f"{a}\t" for a, _ in pairs], 30), [b for _, b in pairs])
    return {name: round(share, 3) for name, share in shares.items()}


def main() -> None:
    """Train and ask, size by size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", type=Path, help="a JSON file for all rows")
    parser.add_argument("--steps", type=int, default=STEPS, help="end each run after so many steps of its schedule")
    arguments = parser.parse_args()
    preset, rows = PRESETS["documents"], []

    def note(size: str, steps: int, model: GPT, loss: float) -> None:
        rows.append({"size": size, "params": model.n_parameters, "steps": steps, "val_loss": round(loss, 4), **measured(model)})
        print(json.dumps(rows[-1]), flush=True)
        if arguments.write:
            about = {"device": machine("torch"), "date": time.strftime("%Y-%m-%d"), "examples": EXAMPLES, "rows": rows}
            arguments.write.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")

    shipped, card = load_model(paths.CHECKPOINTS / "documents_gpt.safetensors")
    note("4 × 160, shipped", preset.train.steps, shipped, card["val_loss"])
    for size, (n_layer, n_embd) in SIZES.items():
        model, text, val = build("documents", n_layer=n_layer, n_embd=n_embd)

        def look(step: int, _: object, model: GPT = model, size: str = size, val: TextData = val) -> None:
            if step in LOOKS:
                with torch.no_grad():
                    note(size, step, model, evaluate(model, val.ids[:20_000].numpy()))
                model.train()
            if step >= arguments.steps:
                raise Stopped

        train(model, text, replace(preset.train, steps=STEPS, eval_every=0), callback=look)


if __name__ == "__main__":
    main()
