"""From data to batches: next tokens, masked tokens, and pairs of source and target, each with its loss.

A batch depends on the seed and the number of the step only. So a run that was killed goes on with the very batch that it would
have seen, and several processes take their parts of one batch without a word. Derived in `07_mini_gpt.ipynb`.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F

from helpers import corpora, world
from helpers.neural_lm import random_crops
from helpers.probability import check_ids
from helpers.transformer import mask_tokens

Batch = tuple[Tensor, ...]
MASK = "[MASK]"
LARGE, LARGE_SEED = 25_000, 20_261_127  # stories of "world-large", ten times as many as the world's file has
THOUSANDS = {"train": 60, "val": 1}  # documents of "documents"


class Data(Protocol):
    """What `train` needs: batches, and the loss of a model on one."""

    def batch(self, n: int, length: int, generator: torch.Generator) -> Batch:
        """n examples of at most `length` tokens, tensors whose first dimension is n."""

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Nats per token that the model is asked for, a scalar."""

    def to(self, device: torch.device) -> "Data":
        """The same, with what batches are cut from on a device, where that pays; `train` moves the batches."""


def encoded(name: str, splits: Sequence[str] = ("train", "val")) -> tuple[list[str], str, dict[str, np.ndarray]]:
    """(vocabulary, end token, ids of these splits) of a corpus: the world's words, or another's characters.

    "world-large" trains on LARGE stories that are drawn for it, like those of "world", and has the same validation text.
    "world-polite" is "world-large" without the stories that hold a rude word, in both splits. "documents" is all that the world
    writes, in the order of chance (`world.documents`).
    """
    if name == "documents":
        lines = {split: world.documents(*_pile(split)) for split in splits}
        return _world_ids(list(world.document_vocabulary()), lines)
    if name in ("world", "world-large", "world-polite"):
        return _world_ids(list(world.vocabulary()), {split: _stories(name, split) for split in splits})
    text = {split: corpora.load(name, split) for split in ("train", "val")}
    vocab = sorted(set(text["train"] + text["val"]))
    return vocab, "\n", {split: _ids(vocab, text[split]) for split in splits}


def _stories(name: str, split: str) -> list[str]:
    """The stories of "world", "world-large" or "world-polite"."""
    large = name != "world" and split == "train"
    stories = world.sample(LARGE, seed=LARGE_SEED, split="train") if large else corpora.load("world", split).splitlines()
    if name != "world-polite":
        return stories
    return [story for story in stories if world.RUDE_WORDS.isdisjoint(world.tokenize(story))]


def pile_of(kind: str, split: str = "train") -> list[str]:
    """All documents of one kind in the corpus "documents"; ValueError for an unknown kind or split."""
    if split not in THOUSANDS:
        raise ValueError(f"there is no split {split!r}; choose one of {', '.join(THOUSANDS)}")
    return world.documents_of(kind, *_pile(split))


def _pile(split: str) -> tuple[int, int, str]:
    """Thousands of documents, seed and split."""
    return THOUSANDS[split], LARGE_SEED + THOUSANDS[split], split


def _world_ids(vocab: list[str], documents: dict[str, list[str]]) -> tuple[list[str], str, dict[str, np.ndarray]]:
    """(vocabulary, END, ids) of documents of the world, END after each."""
    streams = {split: [t for line in lines for t in (*world.tokenize(line), world.END)] for split, lines in documents.items()}
    return vocab, world.END, {split: _ids(vocab, stream) for split, stream in streams.items()}


def _ids(vocab: Sequence[str], tokens: Sequence[str]) -> np.ndarray:
    index = {token: i for i, token in enumerate(vocab)}
    return np.array([index[token] for token in tokens])


class TextData:
    """Random crops of one text, ids (T,); a model is asked for each next token."""

    def __init__(self, ids: ArrayLike, vocab_size: int):
        self.ids = torch.from_numpy(check_ids(ids, vocab_size).copy())

    def batch(self, n: int, length: int, generator: torch.Generator) -> Batch:
        """Inputs and targets, (n, length) each; ValueError where the text is shorter than length + 1."""
        return random_crops(self.ids, n, length, generator)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy of the tokens that are asked for."""
        inputs, targets = batch
        return F.cross_entropy(model(inputs).flatten(0, 1).float(), targets.flatten())

    def to(self, device: torch.device) -> "TextData":
        """The same on a device."""
        self.ids = self.ids.to(device)
        return self


class MaskedData(TextData):
    """Random crops of one text with a share of their tokens masked; asks for what stood there: BERT's objective."""

    def __init__(self, ids: ArrayLike, vocab_size: int, mask_id: int, rate: float = 0.15, keep: Sequence[int] = ()):
        super().__init__(ids, vocab_size)
        self.vocab_size, self.mask_id, self.rate, self.keep = vocab_size, mask_id, rate, tuple(keep)

    def batch(self, n: int, length: int, generator: torch.Generator) -> Batch:
        """Inputs with masks, and targets, (n, length) each; see `mask_tokens`."""
        crops, _ = super().batch(n, length, generator)
        return mask_tokens(crops, self.mask_id, self.vocab_size, generator, self.rate, self.keep)

    def whole(self, length: int, n: int = 32) -> Iterator[Batch]:
        """All of the text in pieces of `length` tokens, n at a time, masked in the same way every time; a shorter rest is left
        out.
        """
        pieces = self.ids[: len(self.ids) // length * length].view(-1, length)
        generator = torch.Generator().manual_seed(0)
        masked = mask_tokens(pieces, self.mask_id, self.vocab_size, generator, self.rate, self.keep)
        yield from zip(*(tensor.split(n) for tensor in masked), strict=True)

    def to(self, device: torch.device) -> "MaskedData":
        """The same: masks are drawn on the CPU, so that they are the same everywhere."""
        return self


class PairData:
    """Pairs of a source and a target, lists of ids; an encoder–decoder is asked for each token of the target, its end included.

    start: id that stands before a target; end: id after it, and padding. ValueError for no pairs or sides of other number.
    """

    def __init__(self, sources: Sequence[ArrayLike], targets: Sequence[ArrayLike], vocab_size: int, start: int, end: int):
        if not len(sources) or len(sources) != len(targets):
            raise ValueError(f"need as many targets as sources, and at least one, got {len(sources)} and {len(targets)}")
        self.pairs = [(check_ids(s, vocab_size), check_ids(t, vocab_size)) for s, t in zip(sources, targets, strict=True)]
        self.start, self.end = start, end

    def batch(self, n: int, length: int, generator: torch.Generator) -> Batch:
        """Sources (n, S), which of them are real (n, S), target inputs (n, T), targets (n, T); −100 where none is asked.

        Sides longer than `length` are cut.
        """
        chosen = [self.pairs[i] for i in torch.randint(len(self.pairs), (n,), generator=generator).tolist()]
        source, real = padded([s[:length] for s, _ in chosen], self.end)
        given, _ = padded([np.concatenate([[self.start], t])[:length] for _, t in chosen], self.end)
        asked, _ = padded([np.concatenate([t, [self.end]])[:length] for _, t in chosen], -100)
        return source, real, given, asked

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy of the targets' tokens."""
        source, real, given, asked = batch
        return F.cross_entropy(model(source, given, real).flatten(0, 1).float(), asked.flatten())

    def to(self, device: torch.device) -> "PairData":
        """The same: pairs are padded on the CPU."""
        return self


def padded(rows: Sequence[np.ndarray], padding: int) -> tuple[Tensor, Tensor]:
    """Rows of ids at one length, (n, longest) int64, and which of them are real, (n, longest) bool."""
    table = np.full((len(rows), max(1, max(map(len, rows)))), padding, dtype=np.int64)
    real = np.zeros(table.shape, dtype=bool)
    for i, row in enumerate(rows):
        table[i, : len(row)], real[i, : len(row)] = row, True
    return torch.from_numpy(table), torch.from_numpy(real)
