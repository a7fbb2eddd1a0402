"""GPT, BERT and the encoder–decoder on one budget; what of their difference is position, masking or the number of questions.

    python benchmarks/families.py --seeds 3 --write FILE   print a table, write all runs to FILE; as data/families.json

The budget is notebook 06's: two layers of 64, 360 batches of 8 stories, the same for all runs of one seed, as is the choice of
15 % of the tokens. Losses: nats per token of the validation stories. One thread; seconds: the process' own, of training alone.
"""

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import _table
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from helpers import corpora, world
from helpers.neural_lm import FitConfig, learning_rate
from helpers.probability import bits_per_byte
from helpers.transformer import BERT, GPT, BERTConfig, EncoderDecoder, EncoderDecoderConfig, GPTConfig, mask_tokens

INDEX = {word: i for i, word in enumerate(world.vocabulary())}
V, END = len(INDEX), INDEX[world.END]
MASK, HALF = V, 48  # BERT's extra token; where a story is cut for the encoder–decoder
BUDGET = FitConfig(360, 8, lr=1e-2, warmup=0.2)
SIZES = {"n_layer": 2, "n_head": 4, "n_embd": 64, "norm_first": True, "activation": "gelu", "qk_norm": True, "end": END}
MEASURES = ("second_half", "after_first", "next_token", "bits_per_byte", "masked_own", "masked_15", "gaps")

Loss = Callable[[nn.Module, Tensor, Tensor, torch.Generator], Tensor]  # model, ids (B, T), real (B, T), generator → scalar


def pad(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Stories of several lengths as one batch: ids (B, T), filled up with the end token, and which of them are real (B, T)."""
    ids = pad_sequence(rows, batch_first=True, padding_value=END)
    return ids, torch.arange(ids.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]


def shifted(ids: Tensor) -> Tensor:
    """What a causal model reads: the end token first, and each token one place later. (B, T) → (B, T)."""
    return F.pad(ids[:, :-1], (1, 0), value=END)


def chosen(ids: Tensor, real: Tensor, generator: torch.Generator, rate: float = 0.15) -> tuple[Tensor, Tensor]:
    """Inputs with masked tokens, and which are asked for; both (B, T)."""
    inputs, targets = mask_tokens(ids, MASK, V + 1, generator, rate)
    return inputs, real & (targets == ids)


def next_tokens(begin: int = 0, rate: float | None = None) -> Loss:
    """Each token from a place on, or a share of all, from those before it; an encoder–decoder gets the others as its source."""

    def loss(model: GPT | EncoderDecoder, ids: Tensor, real: Tensor, generator: torch.Generator) -> Tensor:
        target, asked = ids[:, begin:], chosen(ids, real, generator, rate)[1] if rate else real[:, begin:]
        paired = isinstance(model, EncoderDecoder)
        logits = model(ids[:, :begin], shifted(target)) if paired else model(shifted(ids))[:, begin:]
        return F.cross_entropy(logits[asked], target[asked])

    return loss


def masked(rate: float) -> Loss:
    """A share of the tokens, each asked for at its own place, in a text where most of them are masked."""

    def loss(model: GPT | BERT, ids: Tensor, real: Tensor, generator: torch.Generator) -> Tensor:
        inputs, asked = chosen(ids, real, generator, rate)
        if isinstance(model, GPT):
            return F.cross_entropy(model(inputs)[asked], ids[asked])
        stream = F.gelu(model.transform(model.hidden(inputs, real)[asked]))  # scores only where something is asked
        return F.cross_entropy(model.head(model.transform_norm(stream)), ids[asked])

    return loss


def gpt_as_the_pair(config: GPTConfig) -> GPT:
    """A GPT with the encoder–decoder's √C to the embeddings and its bias for each word."""
    model = GPT(config)
    model.embedding.register_forward_hook(lambda module, inputs, output: output * config.n_embd**0.5)
    model.head.bias = nn.Parameter(torch.zeros(V))
    return model


NEAR = GPTConfig(vocab_size=V, tied=False, position="rotary", rotary_base=50.0, **SIZES)
WAVES = GPTConfig(vocab_size=V, tied=True, position="sinusoidal", **SIZES)
BOTH_WAYS = BERTConfig(vocab_size=V + 1, position="rotary", rotary_base=50.0, **SIZES)
FAMILIES: dict[str, tuple] = {  # how to build, the config, what to ask, the rate of masks
    "GPT": (GPT, NEAR, next_tokens(), None),
    "GPT, as the pair": (gpt_as_the_pair, WAVES, next_tokens(), None),
    "GPT, second halves only": (GPT, NEAR, next_tokens(HALF), None),
    "GPT, 15 % of the questions": (GPT, NEAR, next_tokens(rate=0.15), None),
    "GPT, inputs masked": (GPT, replace(NEAR, vocab_size=V + 1), masked(0.15), 0.15),
    "encoder–decoder": (EncoderDecoder, EncoderDecoderConfig(vocab_size=V, **SIZES), next_tokens(HALF), None),
    "BERT, 15 %": (BERT, BOTH_WAYS, masked(0.15), 0.15),
    "BERT, 40 %": (BERT, BOTH_WAYS, masked(0.40), 0.40),
    "GPT, as the pair, but embeddings not times √C": (GPT, WAVES, next_tokens(), None),
}


def train(model: nn.Module, loss_of: Loss, stories: list[Tensor], seed: int) -> float:
    """The loop of notebook 06 → seconds of this process."""
    began = time.process_time()
    picks, generator = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 1000)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=BUDGET.weight_decay)
    for step in range(BUDGET.steps):
        optimizer.param_groups[0]["lr"] = learning_rate(step, BUDGET)
        rows = torch.randint(len(stories), (BUDGET.batch_size,), generator=picks)
        optimizer.zero_grad()
        loss_of(model, *pad([stories[i] for i in rows]), generator).backward()
        nn.utils.clip_grad_norm_(model.parameters(), BUDGET.clip)
        optimizer.step()
    return time.process_time() - began


def log_probs(model: nn.Module, stories: list[Tensor]) -> list[np.ndarray]:
    """log p of each story's tokens from those before them: (T,) each; of an encoder–decoder, those of the second half."""
    if isinstance(model, EncoderDecoder):
        return [model.given(story[:HALF]).log_probs(story[HALF:]) for story in stories]
    if model.vocab_size == V:
        return [model.log_probs(story) for story in stories]
    ids, cache, found = pad(stories)[0], model.new_cache(), []  # one asked at [MASK]s: the text so far, and a [MASK] behind
    for t in range(ids.shape[1]):
        logits = model.read(torch.full_like(ids[:, :1], MASK), copy.deepcopy(cache))[:, 0, :V].double()
        found.append(logits.log_softmax(dim=-1).gather(1, ids[:, t : t + 1]))
        model.read(ids[:, t : t + 1], cache)
    return [row[: len(story)].numpy() for row, story in zip(torch.cat(found, dim=1), stories, strict=True)]


def fills(model: nn.Module, story: Tensor, t: int) -> bool:
    """Whether the word at place t is the one that a model puts there in one reading: a causal one from the left."""
    row = torch.where(torch.arange(len(story)) == t, END if model.vocab_size == V else MASK, story)[None]
    if isinstance(model, EncoderDecoder):
        return bool(model(row[:, :HALF], shifted(row[:, HALF:]))[0, t - HALF].argmax() == story[t])
    return bool(model(shifted(row) if model.vocab_size == V else row)[0, t, :V].argmax() == story[t])


@torch.no_grad()
def measures(model: nn.Module, rate: float | None, stories: list[Tensor], text: str) -> dict[str, float | None]:
    """What applies to this model, on the validation stories; rate: of its masks, if it was trained with any."""
    found: dict[str, float | None] = dict.fromkeys(MEASURES)
    if not isinstance(model, BERT):
        scored = log_probs(model, stories)
        if not isinstance(model, EncoderDecoder):
            found["next_token"] = -np.concatenate(scored).mean()
            found["bits_per_byte"] = bits_per_byte(np.concatenate(scored), text)
            scored = [each[HALF:] for each in scored]
        found["second_half"] = -np.concatenate(scored).mean()
        found["after_first"] = -np.concatenate([each[1:] for each in scored]).mean()
    for name, asked in {"masked_own": rate, "masked_15": 0.15}.items() if rate else ():
        found[name] = masked(asked)(model, *pad(stories), torch.Generator().manual_seed(0)).item()
    at = np.random.default_rng(0)
    found["gaps"] = np.mean([fills(model, story, int(at.integers(HALF, len(story) - 1))) for story in stories[:120]])
    return {name: value if value is None else round(float(value), 4) for name, value in found.items()}


def table(rows: list[dict]) -> str:
    """Mean and standard error of what was measured, a line for each family."""
    heads = ("second half", "but its first", "whole text", "bits per byte", "masked, own rate", "masked, 15 %", "gaps filled")
    lines = [f"| | parameters | runs | {' | '.join(heads)} | seconds a run |", "|---|" + "---:|" * (len(heads) + 3)]
    for name in FAMILIES:
        mine = [row for row in rows if row["name"] == name]
        columns = [[row[key] for row in mine if row[key] is not None] for key in MEASURES]
        errors = [statistics.stdev(c) / len(c) ** 0.5 if len(c) > 1 else float("nan") for c in columns]
        cells = [f"{statistics.mean(c):.3f} ± {e:.3f}" if c else "–" for c, e in zip(columns, errors, strict=True)]
        seconds = f"{statistics.median(row['seconds'] for row in mine):.1f}"
        lines.append(" | ".join([f"| {name}", f"{mine[0]['params']:,}", str(len(mine)), *cells, seconds]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Train and measure, seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="runs of each")
    parser.add_argument("--write", type=Path, help="a JSON file for all runs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    lines = {split: corpora.load("world", split).splitlines() for split in ("train", "val")}
    ids = {k: [torch.tensor([INDEX[w] for w in [*world.tokenize(line), world.END]]) for line in v] for k, v in lines.items()}
    how = f"2 layers of 64, {BUDGET.steps} batches of {BUDGET.batch_size} stories, lr {BUDGET.lr}"
    told = {"device": "CPU, 1 thread", "date": time.strftime("%Y-%m-%d"), "torch": torch.__version__, "how": how, "rows": []}
    for seed, name in ((seed, name) for seed in range(arguments.seeds) for name in FAMILIES):
        build, config, loss_of, rate = FAMILIES[name]
        model = build(replace(config, seed=seed))
        seconds = train(model, loss_of, ids["train"], seed)
        row = {"name": name, "seed": seed, "params": sum(p.numel() for p in model.parameters()), "seconds": round(seconds, 2)}
        told["rows"].append(row | measures(model, rate, ids["val"], corpora.load("world", "val")))
        print(told["rows"][-1], flush=True)
        if arguments.write:
            arguments.write.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\n{told['date']}, {_table.machine('torch', 'numpy')}; {how}\n\n{table(told['rows'])}")


if __name__ == "__main__":
    main()
