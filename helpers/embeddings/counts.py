"""Embeddings by counting: how often words stand near each other, pointwise mutual information, and its factors.

Skip-gram with negative sampling at its optimum has w·c = PMI(w, c) − log k, so word2vec factors this matrix without ever
writing it down. Derived in `04_tokens_and_embeddings.ipynb`. Sources: Levy & Goldberg, *Neural Word Embedding as Implicit
Matrix Factorization* (2014); Levy, Goldberg & Dagan, *Improving Distributional Similarity with Lessons Learned from Word
Embeddings* (2015).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from .vectors import Embeddings
from .windows import check_window, keep_probability, pairs, read

LARGEST = 10_000  # words; a matrix of that side takes 0.8 GB


def cooccurrence(
    sentences: Iterable[Sequence[str]],
    window: int,
    *,
    min_count: int = 1,
    subsample: float = 0.0,
    passes: int = 4,
    seed: int = 0,
) -> tuple[list[str], np.ndarray]:
    """How many (centre, context) pairs word2vec makes of each two words in an epoch, on average: vocab, (V, V) float64.

    At distance d a pair is made with probability (window + 1 − d) / window, since each centre draws its reach, and so it is
    counted; the matrix is symmetric. With `subsample` frequent words are thinned out as in training, and the mean of `passes`
    drawn with `seed` is given. Raises ValueError for window < 1, sentences with nothing to count, or too many words.
    """
    check_window(window)
    if not 0 <= subsample <= 1 or passes < 1:
        raise ValueError(f"need 0 ≤ subsample ≤ 1 and passes ≥ 1, got {subsample=}, {passes=}")
    stream, rng = read(sentences, min_count), np.random.default_rng(seed)
    V = len(stream.vocab)
    if V > LARGEST:
        raise ValueError(f"{V:,} words make a matrix of {8 * V * V / 1e9:.1f} GB; raise min_count to keep at most {LARGEST:,}")
    passes = passes if subsample else 1
    keep, counts = keep_probability(stream.counts, subsample), np.zeros(V * V)
    for _ in range(passes):
        kept = rng.random(len(stream.ids)) < keep[stream.ids] if subsample else slice(None)
        ids, sentence = stream.ids[kept], stream.sentence[kept]
        centre, context = pairs(sentence, np.full(len(ids), window))
        weight = (window + 1 - np.abs(centre - context)) / window
        counts += np.bincount(ids[centre] * V + ids[context], weight / passes, minlength=V * V)
    return stream.vocab, counts.reshape(V, V)


def pmi(counts: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
    """Pointwise mutual information log p(w, c) / (p(w) p(c)) of pair counts: (V, V) → (V, V) nats; −inf where the count is 0.

    p(c) is the share of c among the contexts, or noise (V,) where it is given. Negatives are drawn from
    `noise_distribution(emb.counts)`, so with that for noise, less log k, it is what w·c approximates. Raises ValueError for
    counts that are not (V, V), have a negative number or sum to 0, and for noise of another shape.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not (counts >= 0).all() or not 0 < counts.sum() < np.inf:
        raise ValueError(f"counts must be (V, V), none negative and not all 0, got shape {counts.shape}")
    noise = counts.sum(0) / counts.sum() if noise is None else np.asarray(noise, dtype=np.float64)
    if noise.shape != counts.shape[1:] or not (noise >= 0).all():
        raise ValueError(f"noise must be ({len(counts)},) probabilities, one for each context, got shape {noise.shape}")
    expected = counts.sum(1, keepdims=True) * noise
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0, np.log(counts / expected), -np.inf)


def shifted_ppmi(counts: np.ndarray, k: float = 5, noise: np.ndarray | None = None) -> np.ndarray:
    """max(PMI − log k, 0): (V, V) → (V, V) nats, mostly zeros; k is SGNS's number of negatives, 1 gives plain positive PMI."""
    if not k > 0:
        raise ValueError(f"k must be above 0 (the number of negatives), got {k}")
    return np.maximum(pmi(counts, noise) - np.log(k), 0)


def svd_embeddings(vocab: Sequence[str], matrix: np.ndarray, n_embd: int, power: float = 0.5) -> Embeddings:
    """The best n_embd-dimensional factors of a matrix U Σ Vᵀ: word vectors U Σ^power, context vectors V Σ^(1 − power).

    vocab and matrix (V, V), such as `shifted_ppmi` gives → `Embeddings`. Their products are the matrix, as nearly as rank
    n_embd allows (Eckart–Young); power=0.5 shares Σ evenly between words and contexts. In each dimension the largest word
    coordinate is positive, for the sign is free. Time grows as V³: less than a second for 740 words, a minute for 3,000. Raises
    ValueError for shapes that do not fit.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.shape != (len(vocab), len(vocab)) or not np.isfinite(matrix).all():
        raise ValueError(
            f"expected a finite ({len(vocab)}, {len(vocab)}) matrix for {len(vocab)} words, got shape {matrix.shape}; "
            "PMI has −inf where nothing was counted, shifted_ppmi has not"
        )
    if not 1 <= n_embd <= len(vocab):
        raise ValueError(f"n_embd must be 1 … {len(vocab)}, the number of words, got {n_embd}")
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    left, values, right = left[:, :n_embd], values[:n_embd], right[:n_embd].T
    sign = np.where(np.take_along_axis(left, np.abs(left).argmax(0)[None], axis=0) < 0, -1, 1)
    return Embeddings(vocab, left * sign * values**power, right * sign * values ** (1 - power))
