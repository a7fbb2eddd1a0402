"""The Word Embedding Association Test (WEAT): do two sets of words lie nearer to one attribute than to another?

Used in `04_tokens_and_embeddings.ipynb` on the world's planted stereotype. Source: Caliskan, Bryson & Narayanan, *Semantics
derived automatically from language corpora contain human-like biases* (2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from .vectors import Embeddings


@dataclass(frozen=True)
class Weat:
    """What `weat` found. `p_value` is one-sided: the share of partitions at least as extreme as the one given."""

    effect_size: float  # −2 … 2
    p_value: float
    partitions: int  # how many the p-value counts, the one given included
    exact: bool  # whether these are all there are


def associations(emb: Embeddings, words: Sequence[str], A: Sequence[str], B: Sequence[str]) -> np.ndarray:
    """s(w, A, B): mean cosine of each word to the attribute words A less that to B: n words → (n,). ValueError if unknown."""
    if not (words and A and B) or any(isinstance(group, str) for group in (words, A, B)):
        raise ValueError("words, A and B must each be a list of at least one word")
    unit = {name: emb.units[[emb.row(word) for word in group]] for name, group in (("w", words), ("A", A), ("B", B))}
    return (unit["w"] @ unit["A"].T).mean(1) - (unit["w"] @ unit["B"].T).mean(1)


def weat(
    emb: Embeddings,
    X: Sequence[str],
    Y: Sequence[str],
    A: Sequence[str],
    B: Sequence[str],
    n_permutations: int = 10_000,
    seed: int = 0,
) -> Weat:
    """Are the target words X nearer to A than to B, more than the targets Y are? Effect size and permutation test.

    effect size: (mean of s over X − mean over Y) / standard deviation of s over both (dividing by n, so it lies in −2 … 2).
    p-value: under the null hypothesis every split of X ∪ Y into two halves is alike. All are tried where there are at most
    n_permutations, else that many are drawn with `seed` and p = (1 + hits) / (1 + n_permutations). So p is never below
    1 / (number of splits): 1/70 for 4 + 4 targets, 1/6 for 2 + 2, which can never be significant.
    Raises ValueError for an unknown word, sets that overlap, and X and Y of different sizes or with fewer than 2 words.
    """
    if len(X) != len(Y) or len(X) < 2:
        raise ValueError(f"X and Y must have the same number of words, at least 2, got {len(X)} and {len(Y)}")
    words = [*X, *Y, *A, *B]
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise ValueError(f"{twice!r} comes twice in the word sets; each word may stand once in one of them")
    s, n = associations(emb, [*X, *Y], A, B), len(X)
    observed, splits = s[:n].mean() - s[n:].mean(), comb(2 * n, n)
    if exact := splits <= n_permutations:
        chosen = np.array(list(combinations(range(2 * n), n)))
    else:
        rng = np.random.default_rng(seed)
        chosen = rng.permuted(np.tile(np.arange(2 * n), (n_permutations, 1)), axis=1)[:, :n]
    differences = (2 * s[chosen].sum(1) - s.sum()) / n
    hits = int((differences >= observed - 1e-9).sum())  # ties count; the margin is for rounding
    spread = s.std()
    effect = observed / spread if spread > 0 else 0.0
    return Weat(float(effect), hits / splits if exact else (1 + hits) / (1 + n_permutations), len(chosen) + (not exact), exact)
