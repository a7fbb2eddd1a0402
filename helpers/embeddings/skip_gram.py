"""Skip-gram with negative sampling (SGNS), which is word2vec: predict who stands near a word, against words drawn at random.

For a centre word w, a word c that stands near it and k negatives n drawn from the noise distribution, the loss in nats is
−log σ(w·c) − Σ log σ(−w·n). Derived in `04_tokens_and_embeddings.ipynb` for one pair at a time. Source: Mikolov et al.,
*Distributed Representations of Words and Phrases and their Compositionality* (2013).

Two things are done otherwise than in word2vec's code, so that the work comes in large pieces. Groups of 16 pairs share 16
negatives, each counted k/16 times: the same loss in expectation (Ji et al., *Parallelizing Word2Vec in Shared and Distributed
Memory*, 2016). And the gradients of a batch are taken at one place and added up, where word2vec takes one step after the other;
a word with very many of them moves less than their sum, see LONGEST_STEP.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from .vectors import Embeddings
from .windows import Stream, check_window, keep_probability, noise_distribution, pairs, read

GROUP = 16  # pairs that share as many negatives
# A word that comes n times in a batch would take n steps of lr from the same place; beyond n·lr ≈ 1 their sum overshoots.
LONGEST_STEP = 1.0


@dataclass(frozen=True)
class SkipGramConfig:
    """How to train. The defaults suit a small corpus (some 100,000 tokens), where each word has to be seen often."""

    n_embd: int = 64
    window: int = 10  # words on each side; each centre draws its own reach from 1 … window, so that near words count more
    negatives: int = 5
    epochs: int = 5
    lr: float = 0.05  # of one pair; falls in a straight line to 0
    subsample: float = 3e-4  # words more frequent than about this are thinned out; 0 keeps all
    noise_power: float = 0.75
    min_count: int = 1
    batch_size: int = 4096  # pairs
    seed: int = 0

    def __post_init__(self):
        check_window(self.window)
        for name in ("n_embd", "negatives", "epochs", "min_count", "batch_size"):
            if not isinstance(value := getattr(self, name), (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        if not (0 < self.lr < np.inf and 0 <= self.subsample <= 1 and 0 <= self.noise_power < np.inf):
            raise ValueError(
                "need lr > 0, 0 ≤ subsample ≤ 1 and noise_power ≥ 0, "
                f"got lr={self.lr}, subsample={self.subsample}, noise_power={self.noise_power}"
            )


def sgns_loss(centres: Tensor, contexts: Tensor, negatives: Tensor, k: int) -> Tensor:
    """Sum of −log σ(w·c) − k/N Σ log σ(−w·n) over pairs (w, c) in groups of M that share N negatives n, in nats.

    centres, contexts: (G, M, C), negatives: (G, N, C) → a scalar. M = 1 and N = k is word2vec's own form.
    """
    positive = (centres * contexts).sum(-1)
    negative = centres @ negatives.mT
    return -logsigmoid(positive).sum() - k / negatives.shape[1] * logsigmoid(-negative).sum()


def sgns_gradients(centres: Tensor, contexts: Tensor, negatives: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `sgns_loss` by its three arguments, each in its shape: (σ(w·c) − 1)·c + k/N Σ σ(w·n)·n for w, and so on."""
    positive = torch.sigmoid((centres * contexts).sum(-1, keepdim=True)) - 1  # (G, M, 1)
    negative = torch.sigmoid(centres @ negatives.mT) * (k / negatives.shape[1])  # (G, M, N)
    return positive * contexts + negative @ negatives, positive * centres, negative.mT @ centres


def train_skip_gram(sentences: Iterable[Sequence[str]], config: SkipGramConfig | None = None) -> Embeddings:
    """Train on sentences of str tokens; the vectors are those of the centres, as in word2vec, the others `context_vectors`.

    The same sentences and config give the same vectors. It uses one thread: its steps are too short to share, and on a busy
    machine threads that wait for each other are many times slower. Raises ValueError where there is nothing to learn from.
    """
    config = config or SkipGramConfig()
    stream, rng = read(sentences, config.min_count), np.random.default_rng(config.seed)
    shape = len(stream.vocab), config.n_embd
    centre = torch.from_numpy((rng.random(shape, dtype=np.float32) - 0.5) / config.n_embd)
    context = torch.zeros(shape)
    steps = 0
    with _one_thread():
        for epoch in range(config.epochs):
            batches = _batches(stream, config, rng)
            for i, (words, others) in enumerate(batches):
                lr = config.lr * (1 - (epoch + i / len(batches)) / config.epochs)
                _step(centre, context, words, others, config.negatives, lr)
                steps += 1
    if not steps:
        raise ValueError(f"subsample={config.subsample} left no two neighbours of {len(stream.ids)} words; set subsample=0")
    return Embeddings(stream.vocab, centre.numpy(), context.numpy(), stream.counts)


def _batches(stream: Stream, config: SkipGramConfig, rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    """One epoch, shuffled: for each batch of B pairs the centres (G, M) and, (2, G, M), their contexts and negatives."""
    kept = rng.random(len(stream.ids)) < keep_probability(stream.counts, config.subsample)[stream.ids]
    ids, sentence = stream.ids[kept], stream.sentence[kept]  # left out before pairs are made, so that windows reach further
    centres, contexts = pairs(sentence, rng.integers(1, config.window + 1, len(ids)))
    if not len(centres):
        return []
    width = min(GROUP, len(centres))
    order = rng.permutation(len(centres))[: len(centres) // width * width]  # fewer than a group are left for another epoch
    noise = np.cumsum(noise_distribution(stream.counts, config.noise_power))
    drawn = np.searchsorted(noise, rng.random(len(order)) * noise[-1], side="right")
    words = torch.from_numpy(ids[centres[order]]).view(-1, width)
    others = torch.from_numpy(np.stack([ids[contexts[order]], drawn])).view(2, -1, width)
    size = max(1, config.batch_size // width)
    return list(zip(words.split(size), others.split(size, dim=1), strict=True))


def _step(centre: Tensor, context: Tensor, words: Tensor, others: Tensor, k: int, lr: float) -> None:
    """One step of gradient descent, in place. centre, context: (V, C); words: (G, M), others: (2, G, M) ids."""
    near, noise = others.unbind()
    w, c, n = (table.index_select(0, ids.reshape(-1)) for table, ids in ((centre, words), (context, near), (context, noise)))
    by_word, by_context, by_negative = sgns_gradients(*(rows.view(*words.shape, -1) for rows in (w, c, n)), k)
    _descend(centre, [(words, by_word, 1)], lr)
    _descend(context, [(near, by_context, 1), (noise, by_negative, k)], lr)


def _descend(table: Tensor, parts: list[tuple[Tensor, Tensor, int]], lr: float) -> None:
    """table[ids] −= lr · gradients, summed over equal ids, but less for a word whose gradients are too many.

    table: (V, C); parts: ids (G, M), their gradients (G, M, C), and how many pairs each of them is the gradient of.
    """
    total, times = torch.zeros_like(table), torch.zeros(len(table))
    for ids, gradients, pairs_each in parts:
        total.index_add_(0, ids.reshape(-1), gradients.flatten(0, 1))
        times += pairs_each * torch.bincount(ids.reshape(-1), minlength=len(table))
    table -= (LONGEST_STEP / times).clamp_(max=lr)[:, None] * total


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
