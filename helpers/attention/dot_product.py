"""Scaled dot-product attention, written out: scores, softmax, and the weighted mean of the values.

Derived in `05_attention.ipynb`; Vaswani et al., *Attention Is All You Need* (2017), section 3.2.1. A mask says where a query
may look: True is yes. It acts on the *scores*, so the inputs stay what they are.
"""

import math

import torch
from torch import Tensor


def causal_mask(n_queries: int, n_keys: int | None = None, device: torch.device | None = None) -> Tensor:
    """Who may look where if nobody looks ahead: (T, S) bool, query t sees the keys up to its own.

    With more keys than queries (T < S) the queries are the last of the keys' tokens, as when a cache holds the earlier ones.
    Raises ValueError for fewer keys than queries.
    """
    n_keys = n_queries if n_keys is None else n_keys
    if not 0 <= n_queries <= n_keys:
        raise ValueError(f"{n_queries} queries cannot be the last of {n_keys} keys; pass n_queries ≤ n_keys")
    return torch.ones(n_queries, n_keys, dtype=torch.bool, device=device).tril(n_keys - n_queries)


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q kᵀ / √D): q (…, T, D) and k (…, S, D) → (…, T, S); each row sums to one.

    mask: (…, T, S) bool, True where a query may look; None: everywhere. A query that may look nowhere gets a row of zeros, as
    in torch. Raises ValueError for shapes that do not fit.
    """
    if q.ndim < 2 or k.ndim < 2 or q.shape[-1] != k.shape[-1]:
        raise ValueError(f"q {tuple(q.shape)} and k {tuple(k.shape)} must be (…, T, D) and (…, S, D) with one width D")
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (…, T, S)
    if mask is None:
        return scores.softmax(dim=-1)
    _check_mask(mask, scores)
    weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
    return weights.masked_fill(~mask.any(dim=-1, keepdim=True), 0.0)  # softmax of nothing but −∞ is 0/0


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """What each query fetches: q (…, T, D), k (…, S, D), v (…, S, E) → (…, T, E), the values' mean by attention weight.

    The same as `torch.nn.functional.scaled_dot_product_attention`, which never writes the (T, S) weights to memory. mask and
    errors: see `attention_weights`.
    """
    if v.ndim < 2 or v.shape[-2] != k.shape[-2]:
        raise ValueError(f"k {tuple(k.shape)} and v {tuple(v.shape)} must be of the same S tokens, (…, S, D) and (…, S, E)")
    return attention_weights(q, k, mask) @ v


def _check_mask(mask: Tensor, scores: Tensor) -> None:
    if mask.dtype != torch.bool:
        raise ValueError(
            f"a mask is of bool, True where a query may look, got {mask.dtype}; write mask.bool() if that is meant"
        )
    try:
        fits = torch.broadcast_shapes(mask.shape, scores.shape) == scores.shape
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"a mask for scores {tuple(scores.shape)} has that shape or one that broadcasts, got {tuple(mask.shape)}"
        )
