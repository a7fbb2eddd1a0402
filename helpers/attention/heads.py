"""Multi-head attention: several small attentions side by side, for self- and cross-attention, with grouped heads and a cache.

Derived in `05_attention.ipynb`. Heads: Vaswani et al. (2017), section 3.2.2. Grouped queries: Ainslie et al., *GQA* (2023).
Query–key norm: Henry et al., *Query-Key Normalization for Transformers* (2020); here RMSNorm, as in Qwen3 (2025).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .cache import KVCache
from .dot_product import attention_weights, causal_mask
from .positions import Rotary


class HeadTrace(NamedTuple):
    """What one call of an attention layer computed, after norm and rotation: H heads, H_kv of keys and values."""

    q: Tensor  # (B, H, T, D)
    k: Tensor  # (B, H_kv, S, D)
    v: Tensor  # (B, H_kv, S, D)
    weights: Tensor  # (B, H, T, S), each row sums to one
    heads: Tensor  # (B, T, H·D), what the heads fetched, side by side: the input of `output`


class MultiHeadAttention(nn.Module):
    """n_head attentions of width D = n_embd / n_head; what they fetch, side by side, goes through one more matrix, `output`.

    n_kv_head: fewer heads for keys and values than for queries, each shared by a group of queries; None: as many. qk_norm:
    queries and keys are brought to one length before they meet, times a learned factor a coordinate. Raises ValueError for
    widths that do not divide.
    """

    def __init__(
        self,
        n_embd: int,
        n_head: int,
        *,
        n_kv_head: int | None = None,
        bias: bool = True,
        qk_norm: bool = False,
        norm_eps: float = 1e-6,
        dropout: float = 0.0,
    ):
        super().__init__()
        n_kv_head = n_head if n_kv_head is None else n_kv_head
        if min(n_embd, n_head, n_kv_head) < 1 or n_embd % n_head or n_head % n_kv_head:
            raise ValueError(
                f"n_embd ({n_embd}) must be a multiple of n_head ({n_head}), and n_head one of n_kv_head ({n_kv_head})"
            )
        self.n_head, self.n_kv_head, self.head_width = n_head, n_kv_head, n_embd // n_head
        self.dropout = dropout
        self.query = nn.Linear(n_embd, n_embd, bias)
        self.key = nn.Linear(n_embd, n_kv_head * self.head_width, bias)
        self.value = nn.Linear(n_embd, n_kv_head * self.head_width, bias)
        self.output = nn.Linear(n_embd, n_embd, bias)
        self.query_norm = nn.RMSNorm(self.head_width, eps=norm_eps) if qk_norm else None
        self.key_norm = nn.RMSNorm(self.head_width, eps=norm_eps) if qk_norm else None

    def forward(
        self,
        x: Tensor,
        *,
        memory: Tensor | None = None,
        causal: bool = False,
        mask: Tensor | None = None,
        rotary: Rotary | None = None,
        cache: KVCache | None = None,
        record: list[HeadTrace] | None = None,
    ) -> Tensor:
        """Each token of x (B, T, C) looks at x itself, or at memory (B, S, C) where that is given → (B, T, C).

        mask: bool, broadcasting to (B, H, T, S), True where a query may look; causal: and never ahead. cache: earlier tokens'
        keys and values, to which these are added; of a memory, its keys and values, computed once. record: a list that gets
        a HeadTrace; without one the weights are never formed.
        """
        start = 0 if cache is None or memory is not None else len(cache)
        q = self._placed(self._split(self.query(x), self.n_head), self.query_norm, rotary, start)  # (B, H, T, D)
        if memory is not None and cache is not None and len(cache):
            k, v = cache.read()
        else:
            source = x if memory is None else memory
            k = self._placed(self._split(self.key(source), self.n_kv_head), self.key_norm, rotary, start)  # (B, H_kv, S, D)
            v = self._split(self.value(source), self.n_kv_head)
            if cache is not None:
                k, v = cache.append(k, v)
        if record is None:
            fetched = self._fused(q, k, v, causal, mask)  # (B, H, T, D)
        else:
            weights, fetched = self._written_out(q, k, v, causal, mask)
        heads = fetched.transpose(1, 2).flatten(2)  # (B, T, H·D)
        if record is not None:
            record.append(HeadTrace(q, k, v, weights, heads))
        return self.output(heads)

    def _fused(self, q: Tensor, k: Tensor, v: Tensor, causal: bool, mask: Tensor | None) -> Tensor:
        """What the heads fetch, (B, H, T, D), by torch's kernel, which is told of a plain causal mask and needs no matrix."""
        plain = causal and mask is None and q.shape[-2] == k.shape[-2]
        mask = None if plain else _with_causal(mask, causal, q, k)
        dropout, grouped = self.dropout if self.training else 0.0, self.n_kv_head != self.n_head
        if q.device.type == "cpu" and torch.is_autocast_enabled("cpu"):  # its backward pass there is far slower in bfloat16
            with torch.autocast("cpu", enabled=False):
                return F.scaled_dot_product_attention(
                    q.float(), k.float(), v.float(), mask, dropout, is_causal=plain, enable_gqa=grouped
                )
        return F.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal=plain, enable_gqa=grouped)

    def _written_out(self, q: Tensor, k: Tensor, v: Tensor, causal: bool, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """The weights (B, H, T, S), and what the heads fetch with them: the same, and everything can be seen."""
        group = self.n_head // self.n_kv_head
        weights = attention_weights(q, k.repeat_interleave(group, dim=1), _with_causal(mask, causal, q, k))
        return weights, F.dropout(weights, self.dropout, self.training) @ v.repeat_interleave(group, dim=1)

    def _split(self, x: Tensor, n_head: int) -> Tensor:
        return x.view(*x.shape[:-1], n_head, self.head_width).transpose(1, 2)  # (B, T, H·D) → (B, H, T, D)

    def _placed(self, x: Tensor, norm: nn.Module | None, rotary: Rotary | None, start: int) -> Tensor:
        if norm is not None:
            x = norm(x.to(norm.weight.dtype))  # under autocast x is in half precision, and the factors are not
        return x if rotary is None else rotary(x, start)


def _with_causal(mask: Tensor | None, causal: bool, q: Tensor, k: Tensor) -> Tensor | None:
    """The mask, and nobody looks ahead; a single query is the latest token, and may look at all there is."""
    if not causal or q.shape[-2] == 1:
        return mask
    ahead = causal_mask(q.shape[-2], k.shape[-2], q.device)
    return ahead if mask is None else mask & ahead
