"""Counts of n-grams as sorted arrays.

An n-gram is known by a number: its rank among the n-grams of its order, sorted by (rank of its first n − 1 tokens, last token).
Whoever knows the rank of a context finds what followed it next to each other, and the rank of each longer n-gram by one binary
search. `02_ngrams.ipynb` counts with dictionaries; `helpers.ngrams` uses these.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Level:
    """The n-grams of one order. M n-grams, sorted by `keys`; C n-grams of the order below, which are the contexts."""

    keys: np.ndarray  # (M,) int64: rank of the context · base + last token
    counts: np.ndarray  # (M,) int64: how often each came
    adjusted: np.ndarray  # (M,) int64: what the smoothing counts instead, the same or continuations
    suffix: np.ndarray  # (M,) rank, one order down, of the n-gram without its first token
    starts: np.ndarray  # (C + 1,) n-grams starts[c] … starts[c + 1] follow context c
    p: np.ndarray = field(default_factory=lambda: np.empty(0))  # (M,)
    backoff: np.ndarray = field(default_factory=lambda: np.empty(0))  # (C,)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Ranks of these keys, −1 for each that was not counted: (…,) → (…,)."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1) if len(self.keys) else np.full(np.shape(keys), -1)


def count_ngrams(stream: np.ndarray, order: int, bos: int, continuation: bool) -> list[Level]:
    """Count the n-grams of a stream of sentences, each behind its `<s>`: (T,) ids → one `Level` an order, not yet smoothed."""
    base = bos + 1
    counts = np.bincount(stream, minlength=base)
    levels = [
        Level(np.arange(base), counts, np.where(np.arange(base) == bos, 0, counts), np.zeros(base, int), np.array([0, base]))
    ]
    rank, begins_sentence = stream, np.arange(base) == bos
    for _ in range(2, order + 1):
        ends = np.flatnonzero((stream[1:] != bos) & (rank[:-1] >= 0)) + 1
        keys, inverse, counts = _unique(rank[ends - 1] * base + stream[ends], len(levels[-1].keys) * base)
        suffix = np.empty(len(keys), dtype=np.int64)
        suffix[inverse] = rank[ends]
        if continuation:  # of how many tokens an n-gram is the continuation; nothing comes before <s>, so there plain counts
            types = np.bincount(suffix, minlength=len(levels[-1].keys))
            levels[-1].adjusted = np.where(begins_sentence, levels[-1].adjusted, types)
        context = keys // base
        starts = np.searchsorted(context, np.arange(len(levels[-1].keys) + 1))
        levels.append(Level(keys, counts, counts, suffix, starts))
        rank = np.full(len(stream), -1)
        rank[ends] = inverse
        begins_sentence = begins_sentence[context]
    return levels


def _unique(keys: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """np.unique with inverse and counts for keys in [0, size); a table instead of a sort where the range is small enough."""
    if size > 8 * len(keys):
        return np.unique(keys, return_inverse=True, return_counts=True)
    table = np.bincount(keys, minlength=size)
    unique = np.flatnonzero(table)
    rank = np.empty(size, dtype=np.int64)
    rank[unique] = np.arange(len(unique))
    return unique, rank[keys], table[unique]
