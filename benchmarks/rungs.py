"""Measure the reference rungs of the ladder that the notebooks reach so far, and write them to `data/ladder.json`.

    python benchmarks/rungs.py            measure and print
    python benchmarks/rungs.py --write    measure and write the file, and README's picture beside it

Every figure is bits per byte of the validation text, each line's end included. A published figure is a loss that somebody else
reports, converted: nats per character of Shakespeare, where a character is a byte, over ln 2.
"""

import bz2
import gzip
import json
import lzma
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from helpers import corpora, ladder, paths, plots, world
from helpers.attention import AttentionLM, presets
from helpers.ladder import Rung
from helpers.neural_lm import GRU, NNLM, FitConfig, NNLMConfig, Preset, fit, learning_rate
from helpers.neural_lm import PRESETS as SMALL_PRESETS
from helpers.ngrams import NGramModel
from helpers.probability import LN2, bits_per_byte
from helpers.tokenizers import BPETokenizer
from helpers.training import PRESETS, build, encoded, evaluate, load_model, train
from helpers.transformer import GPT, GPTConfig

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
BPE_SIZES = (512, 1024, 4096)
PICTURE = paths.DATA / "ladder.png"
PUBLISHED = {
    "nanoGPT's CPU recipe, published": (1.88, "4 layers of 128, 2,000 steps; its README's 1.88 nats per character"),
    "nanoGPT's GPU recipe, published": (
        1.4697,
        "6 layers of 384, 5,000 steps on an A100; its README's 1.4697 nats per character",
    ),
}


def sentences(text: str, words: bool) -> list[list[str]] | list[str]:
    """The lines of a text as sentences, of the world's tokens or of characters; each line's end is its `</s>`."""
    lines = text.removesuffix("\n").split("\n")
    return [world.tokenize(line) for line in lines] if words else lines


def table_rung(text: dict[str, str], words: bool, order: int) -> float:
    """Bits per byte of notebook 01's tables, with one imagined count everywhere: order 0 uniform, 1 unigram, 2 bigram."""
    vocab, _, ids = encoded("world" if words else "shakespeare")
    if order == 0:
        return bits_per_byte(np.full(len(ids["val"]), -math.log(len(vocab))), text["val"])
    before = {split: np.concatenate([[0], part[:-1]]) if order == 2 else 0 * part for split, part in ids.items()}
    counts = np.ones((len(vocab), len(vocab)) if order == 2 else (1, len(vocab)))
    first = 1 if order == 2 else 0
    np.add.at(counts, (before["train"][first:], ids["train"][first:]), 1)
    rows = np.log(counts / counts.sum(axis=1, keepdims=True))
    return bits_per_byte(rows[before["val"], ids["val"]], text["val"])


def compressor_rung(text: dict[str, str], name: str) -> float:
    """Bits per byte that the validation text adds to the training text, compressed in one go.

    bzip2 works in blocks of 900,000 bytes; it gets as much training text as fits into one with the validation text.
    """
    pack = COMPRESSORS[name]
    train, val = text["train"].encode(), text["val"].encode()
    if name == "bzip2":
        train = train[-(890_000 - len(val)) :]
    return 8 * (len(pack(train + val)) - len(pack(train))) / len(val)


def ngram_rung(text: dict[str, str], words: bool, order: int) -> float:
    """Bits per byte of modified Kneser–Ney; the first `</s>` of a split that begins inside a line is that line's."""
    model = NGramModel.fit(sentences(text["train"], words), order)
    return bits_per_byte(model.log_probs(model.encode_all(sentences(text["val"], words))), text["val"])


def bpe_rung(text: dict[str, str], size: int) -> float:
    """Bits per byte of notebook 04's 5-gram of BPE tokens; each line is a sentence."""
    tokenizer = BPETokenizer.train(text["train"], size)
    tokens = {s: [[tokenizer.vocab[i] for i in tokenizer.encode(line)] for line in sentences(text[s], False)] for s in text}
    model = NGramModel.fit(tokens["train"], 5)
    return bits_per_byte(model.log_probs(model.encode_all(tokens["val"])), text["val"])


def neural_rung(text: dict[str, str], words: bool, preset: Preset) -> float:
    """Bits per byte of a network of notebook 03, trained as its preset says."""
    vocab, _, ids = encoded("world" if words else "shakespeare")
    model = (NNLM if isinstance(preset.model, NNLMConfig) else GRU)(vocab, preset.model)
    fit(model, ids["train"], preset.fit)
    return bits_per_byte(model.log_probs(ids["val"]), text["val"])


def attention_rung(text: dict[str, str], words: bool, preset: presets.Preset) -> float:
    """Bits per byte of notebook 05's one layer of attention, trained as its preset says."""
    vocab, _, ids = encoded("world" if words else "shakespeare")
    model = AttentionLM(vocab, preset.model)
    fit(model, ids["train"], preset.fit)
    return bits_per_byte(model.log_probs(ids["val"]), text["val"])


def story_gpt_rung(text: dict[str, str], steps: int = 360, batch_size: int = 8) -> float:
    """Bits per byte of notebook 06's GPT: two layers of 64, each story read from its own beginning, as it was trained."""
    vocab = list(world.vocabulary())
    index = {token: i for i, token in enumerate(vocab)}
    ids = [torch.tensor([index[token] for token in [*line, world.END]]) for line in sentences(text["train"], words=True)]
    sizes = {"block_size": 128, "n_layer": 2, "n_head": 4, "n_embd": 64, "activation": "gelu", "qk_norm": True, "tied": False}
    end = index[world.END]
    model = GPT(GPTConfig(vocab_size=len(vocab), end=end, position="rotary", rotary_base=50.0, **sizes), vocab)
    picks, schedule = torch.Generator().manual_seed(0), FitConfig(steps, batch_size, lr=1e-2, warmup=0.2)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = learning_rate(step, schedule)
        rows = [ids[i] for i in torch.randint(len(ids), (batch_size,), generator=picks)]
        targets = pad_sequence(rows, batch_first=True, padding_value=-100)  # −100: left out of the loss
        inputs = F.pad(pad_sequence(rows, batch_first=True, padding_value=end)[:, :-1], (1, 0), value=end)
        optimizer.zero_grad()
        F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return bits_by_story(model, text["val"])


def bits_by_story(model: GPT, text: str) -> float:
    """Bits per byte of the world's stories, each read from its own beginning."""
    index = {token: i for i, token in enumerate(model.vocab)}
    stories = [np.array([index[token] for token in [*story, world.END]]) for story in sentences(text, words=True)]
    return bits_per_byte(np.concatenate([model.log_probs(story) for story in stories]), text)


def trained_rung(name: str) -> Rung:
    """Notebook 07's GPT, trained as a preset of `helpers.training` says; a character of Shakespeare is a byte."""
    preset = PRESETS[name]
    model, data, val = build(name)
    train(model, data, replace(preset.train, eval_every=0))
    sizes = f"{preset.model['n_layer']} layers of {preset.model['n_embd']}"
    how = f"{sizes}; {preset.train.steps:,} steps of {preset.train.batch_size} × {model.block_size} tokens"
    return Rung(f"mini-GPT, preset {name}", preset.data, evaluate(model, val) / LN2, "07", how)


def shipped_rung(path: Path, text: str) -> Rung:
    """A model of `data/checkpoints/`, measured again."""
    model, facts = load_model(path)
    corpus = "world" if facts["data"].startswith("world") else facts["data"]
    _, _, ids = encoded(corpus)
    bits = bits_per_byte(model.log_probs(ids["val"]), text)
    return Rung(f"the shipped GPT, preset {facts['preset']}", corpus, bits, "07", f"`{facts['command']}`")


def documents_rung(path: Path, text: str) -> Rung:
    """The shipped model of all the world's documents on the stories, each read from its beginning, as in notebook 08."""
    model, facts = load_model(path)
    config = model.config
    how = f"{config.n_layer} layers of {config.n_embd}, shipped; 15 % of what it read holds a story ({facts['date']})"
    return Rung("GPT, all documents", "world", bits_by_story(model, text), "08", how)


def measure(corpus: str) -> Iterator[Rung]:
    """All rungs of a corpus that are measured here. Raises CorpusError where it cannot be had."""
    text = {split: corpora.load(corpus, split) for split in ("train", "val")}
    words = corpus == "world"
    unit = "words" if words else "characters"
    for order, name in enumerate(("uniform", "unigram", "bigram")):
        how = "one imagined count everywhere" if order else f"the same probability for each of the {unit}"
        yield Rung(f"{name}, {unit}", corpus, table_rung(text, words, order), "01", how)
    for name in COMPRESSORS:
        yield Rung(
            f"{name}, after the training text", corpus, compressor_rung(text, name), "01", "bytes that the validation text adds"
        )
    for order in range(2, 8):
        how = f"modified Kneser–Ney, {unit}"
        yield Rung(f"{order}-gram, {unit}", corpus, ngram_rung(text, words, order), "02", how)
    for name in ("NNLM", "GRU"):
        preset = SMALL_PRESETS[f"{name.lower()}-{unit}"]
        sizes = f"state of {preset.model.n_hidden}" if name == "GRU" else f"context of {preset.model.block_size} {unit}"
        how = f"{sizes}; {preset.fit.steps:,} steps of {preset.fit.batch_size} × {preset.fit.crop} tokens"
        yield Rung(f"{name}, {unit}", corpus, neural_rung(text, words, preset), "03", how)
    preset = presets.PRESETS[f"attention-{unit}"]
    yield Rung(f"one attention layer, {unit}", corpus, attention_rung(text, words, preset), "05", preset.how)
    if words:
        how = "2 layers of 64, 4 heads; 360 steps of 8 stories"
        yield Rung("GPT, words", corpus, story_gpt_rung(text), "06", how)
        yield shipped_rung(paths.CHECKPOINTS / "world_gpt.safetensors", text["val"])
        yield documents_rung(paths.CHECKPOINTS / "documents_gpt.safetensors", text["val"])
        yield Rung("the floor", corpus, world.floor("val"), "01", "exact entropy of the world, over its mean length")
    else:
        for size in BPE_SIZES:
            how = "modified Kneser–Ney over BPE tokens trained on the training text; each line a sentence"
            yield Rung(f"5-gram, BPE of {size:,} tokens", corpus, bpe_rung(text, size), "04", how)
        yield from (trained_rung(name) for name in ("cpu-sprint", "cpu"))
        yield shipped_rung(paths.CHECKPOINTS / "shakespeare_gpt.safetensors", text["val"])
        for name, (nats, how) in PUBLISHED.items():
            yield Rung(name, corpus, nats / LN2, "02", how)


def draw(rungs: list[Rung]) -> None:
    """The picture that README shows and notebook 09 ends with: every rung of both texts."""
    plots.use_style()
    best_last = sorted(rungs, key=lambda rung: -rung.bits_per_byte)
    titles = {"Shakespeare: a GPT passes counting": "shakespeare", "The world: here the floor is known": "world"}
    axes = plots.whole_ladder({title: [r for r in best_last if r.corpus == name] for title, name in titles.items()})
    axes[0].figure.savefig(PICTURE, metadata={"Software": None})


def main() -> None:
    """Print every rung; write them with --write."""
    rungs = [rung for corpus in ("shakespeare", "world") for rung in measure(corpus)]
    print(ladder.table(sorted(rungs, key=lambda rung: (rung.corpus, -rung.bits_per_byte))))
    if "--write" in sys.argv:
        rows = [asdict(rung) | {"bits_per_byte": round(rung.bits_per_byte, 4)} for rung in rungs]
        for row in rows:
            del row["yours"]
        draw(rungs)
        ladder.REFERENCE.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
