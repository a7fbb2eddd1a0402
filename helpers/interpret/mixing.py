"""Attention of all heads in one picture: the mean over heads, and rollout through the layers. Heuristics, both.

Neither knows the values, the output matrices or the feed-forward networks, so neither says what a prediction depends on; that
is for `ablation` and `stream`. Rollout: Abnar and Zuidema, *Quantifying Attention Flow in Transformers* (2020).
"""

import numpy as np
from numpy.typing import ArrayLike


def head_mean(weights: ArrayLike) -> np.ndarray:
    """The mean over heads, a heuristic: (L, H, T, S) → (L, T, S), each row still sums to one."""
    return _checked(weights).mean(axis=1)


def rollout(weights: ArrayLike) -> np.ndarray:
    """Attention followed back to the input, a heuristic: weights (L, H, T, T) of self-attention → (L, T, T), rows sum to one.

    Each layer is taken as half its heads' mean and half the token itself, for the residual stream; entry l, t, s is how much of
    input s is then in position t after layer l. Raises ValueError where queries and keys are not of one text.
    """
    mean = head_mean(weights)
    if mean.shape[1] != mean.shape[2]:
        raise ValueError(f"rollout is for self-attention, with as many keys as queries, got {mean.shape[1:]}")
    mixed = [np.eye(mean.shape[1])]
    for layer in (mean + mixed[0]) / 2:
        mixed.append(layer @ mixed[-1])
    return np.stack(mixed[1:])


def _checked(weights: ArrayLike) -> np.ndarray:
    array = np.asarray(weights, dtype=float)
    if array.ndim != 4 or not np.allclose(array.sum(axis=-1), 1, atol=1e-3):  # half precision rounds each weight
        raise ValueError(f"expected attention weights (L, H, T, S) whose rows sum to one, got shape {array.shape}")
    return array
