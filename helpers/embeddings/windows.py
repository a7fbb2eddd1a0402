"""Sentences as one stream of ids, and the pairs of words that stand near each other in it.

Both ways to embeddings begin here: `skip_gram` trains on the pairs, `counts` counts them. Derived in
`04_tokens_and_embeddings.ipynb` with a loop over positions.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np


@dataclass(frozen=True)
class Stream:
    """Sentences one after the other. T tokens, V different words, the most frequent first."""

    vocab: list[str]
    counts: np.ndarray  # (V,) int64: how often each word comes
    ids: np.ndarray  # (T,) int64
    sentence: np.ndarray  # (T,) int64: the number of the sentence that each token stands in


def read(sentences: Iterable[Sequence[str]], min_count: int = 1) -> Stream:
    """Sentences of str tokens → their `Stream`; words that come less than min_count times are left out before pairs are made.

    Raises ValueError where there is nothing to learn from: no sentences, no words left, no word with a neighbour.
    """
    if isinstance(sentences, str):
        raise ValueError("sentences must be lists of words, got one str; split it first: [line.split() for line in ...]")
    sentences = list(sentences)
    if wrong := [sentence for sentence in sentences if isinstance(sentence, str) or not np.iterable(sentence)]:
        given = f"{wrong[0]!r:.50} of {type(wrong[0]).__name__}"
        raise ValueError(f"each sentence must be a list of words, got {given}; split it into words first")
    sentences = [tuple(sentence) for sentence in sentences]
    found = Counter(chain.from_iterable(sentences))
    if wrong := [word for word in found if not isinstance(word, str)]:
        raise ValueError(f"words must be str, got {wrong[0]!r} of {type(wrong[0]).__name__}; pass words, not ids")
    kept = [(word, n) for word, n in found.most_common() if n >= min_count]
    if not kept:
        most = f"the most frequent of {len(found)} comes {max(found.values())} times" if found else "there are none at all"
        raise ValueError(f"no words to learn from with min_count={min_count}: {most}; pass more text or a lower min_count")
    index = {word: i for i, (word, _) in enumerate(kept)}
    ids = np.array([index.get(word, -1) for word in chain.from_iterable(sentences)], dtype=np.int64)
    sentence = np.repeat(np.arange(len(sentences)), [len(s) for s in sentences])[ids >= 0]
    if not (sentence[1:] == sentence[:-1]).any():
        raise ValueError("no word has a neighbour: every sentence has at most one word left; pass longer sentences")
    return Stream(list(index), np.array([n for _, n in kept]), ids[ids >= 0], sentence)


def check_window(window: int) -> None:
    """Raise ValueError unless a window holds at least one word on each side."""
    if not isinstance(window, (int, np.integer)) or window < 1:
        raise ValueError(f"window must be a whole number of words on each side, at least 1, got {window!r}")


def pairs(sentence: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of every (centre, context): each token with those at most its reach away, before or after, in its sentence.

    sentence (T,): the sentence number of each token; reach (T,): how far each token looks → two (P,) int64 of positions,
    ordered by distance. A loop over distances, not over tokens, so that each step is a few operations on whole arrays.
    """
    centres, contexts, position = [], [], np.arange(len(sentence))
    for distance in range(1, int(reach.max(initial=0)) + 1):
        left, right = position[:-distance], position[distance:]
        same = sentence[left] == sentence[right]
        looks_right, looks_left = same & (reach[left] >= distance), same & (reach[right] >= distance)
        centres += [left[looks_right], right[looks_left]]
        contexts += [right[looks_right], left[looks_left]]
    empty = [position[:0]]
    return np.concatenate(centres or empty), np.concatenate(contexts or empty)


def keep_probability(counts: np.ndarray, subsample: float) -> np.ndarray:
    """Probability with which each token of a word is kept: min(1, √(t/f) + t/f) for t = subsample, f the word's frequency.

    The formula of word2vec's code (the paper prints another, 1 − √(t/f) for dropping); subsample=0 keeps everything.
    counts (V,) → (V,).
    """
    if subsample == 0:
        return np.ones(len(counts))
    ratio = subsample * counts.sum() / counts
    return np.minimum(1.0, np.sqrt(ratio) + ratio)


def noise_distribution(counts: np.ndarray, power: float = 0.75) -> np.ndarray:
    """What negatives are drawn from: word counts to a power, normalised. counts (V,) → (V,), summing to one."""
    weights = np.asarray(counts, dtype=np.float64) ** power
    return weights / weights.sum()
