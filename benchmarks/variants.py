"""What each change since GPT-2 gains: one configuration on Shakespeare's characters, one change at a time, several seeds.

    python benchmarks/variants.py                  measure, and print the table
    python benchmarks/variants.py --write FILE     also write every run to FILE, after each run; as data/variants.json

Every run sees the same crops in the same order as the others of its seed, with the same learning rates; only the change
differs. The loss is that of the whole validation split by the course's rule for long texts. On a GPU the model is nanoGPT's for
Shakespeare (6 layers, 384 wide, context of 256) and in bf16; on a CPU a small one, so that the command can be tried.
"""

import argparse
import contextlib
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from helpers import corpora
from helpers.neural_lm import FitConfig, device, fit
from helpers.probability import cross_entropy
from helpers.transformer import GPT, SINCE_GPT2, GPTConfig

SIZES = {
    "cuda": (
        {"n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 256},
        FitConfig(300, 64, 256, lr=1e-3, weight_decay=0.1),
    ),
    "cpu": (
        {"n_layer": 2, "n_head": 4, "n_embd": 64, "block_size": 64},
        FitConfig(200, 12, 64, lr=3e-3, weight_decay=0.1),
    ),
}


def run(name: str, seed: int, text: dict[str, np.ndarray], vocab: list[str], place: torch.device) -> dict:
    """Train one variant with one seed → its row."""
    sizes, training = SIZES[place.type]
    config = replace(GPTConfig(vocab_size=len(vocab), seed=seed, **sizes), **SINCE_GPT2[name])
    model = GPT(config, vocab).to(place)
    half = torch.autocast("cuda", torch.bfloat16, cache_enabled=False) if place.type == "cuda" else contextlib.nullcontext()
    with half:
        history = fit(model, text["train"], replace(training, seed=seed, eval_every=training.steps))
    loss = cross_entropy(model.log_probs(text["val"]))
    row = {"name": name, "seed": seed, "val_loss": round(loss, 5), "params": model.n_parameters}
    return row | {"seconds": round(history.seconds, 2)}


def table(rows: list[dict]) -> str:
    """Mean loss of each variant, and its difference from GPT-2's with the same seed, with the standard error of that mean."""
    lines = ["| change | parameters | runs | nats per character | against GPT-2, same seed | seconds a run |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    first = {row["seed"]: row["val_loss"] for row in rows if row["name"] == "as GPT-2"}
    for name in SINCE_GPT2:
        mine = [row for row in rows if row["name"] == name and row["seed"] in first]
        if not mine:
            continue
        losses, gains = [row["val_loss"] for row in mine], [row["val_loss"] - first[row["seed"]] for row in mine]
        error = statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else float("nan")
        seconds = statistics.median(row["seconds"] for row in mine)
        lines.append(
            f"| {name} | {mine[0]['params']:,} | {len(mine)} | {statistics.mean(losses):.4f} "
            f"| {statistics.mean(gains):+.4f} ± {error:.4f} | {seconds:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure seed by seed, as long as time allows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="runs of each variant")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no run after so many seconds")
    parser.add_argument("--write", type=Path, help="a JSON file for all runs")
    arguments = parser.parse_args()
    place = device()
    place = place if place.type == "cuda" else torch.device("cpu")
    text = {split: corpora.load("shakespeare", split) for split in ("train", "val")}
    vocab = sorted(set(text["train"]))
    ids = {split: np.searchsorted(vocab, list(part)) for split, part in text.items()}
    name = torch.cuda.get_device_name() if place.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    sizes, training = SIZES[place.type]
    how = f"{sizes}, {training.steps} steps of {training.batch_size} × {training.crop} characters, lr {training.lr}"
    began, rows = time.perf_counter(), []
    for seed, variant in ((seed, variant) for seed in range(arguments.seeds) for variant in SINCE_GPT2):
        if time.perf_counter() - began > arguments.seconds:
            break
        rows.append(run(variant, seed, ids, vocab, place))
        print(rows[-1], flush=True)
        if arguments.write:
            told = {"device": name, "date": time.strftime("%Y-%m-%d"), "torch": torch.__version__, "how": how, "rows": rows}
            arguments.write.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\n{time.strftime('%Y-%m-%d')}, {name}, torch {torch.__version__}; {how}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
