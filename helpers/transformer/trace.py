"""What a model computed on the way, when asked: attentions, queries, keys, values and the residual stream."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from helpers.attention import HeadTrace


@dataclass
class Record:
    """Filled while a model reads: the residual stream before each block and after the last, and each layer's heads."""

    residual: list[Tensor] = field(default_factory=list)
    heads: list[HeadTrace] = field(default_factory=list)
    cross: list[HeadTrace] = field(default_factory=list)


@dataclass(frozen=True)
class Trace:
    """L layers, H heads. cross_attention: what a decoder's heads see of the source (L, B, H, T, S), None for other models.

    residual[l] is the stream that block l reads, residual[L] what the last block leaves; heads[l] is what the heads of block l
    fetched, before its output matrix.
    """

    logits: Tensor  # (B, T, V)
    residual: Tensor  # (L + 1, B, T, C)
    q: Tensor  # (L, B, H, T, D)
    k: Tensor  # (L, B, H_kv, T, D)
    v: Tensor  # (L, B, H_kv, T, D)
    attention: Tensor  # (L, B, H, T, T)
    heads: Tensor  # (L, B, T, H·D)
    cross_attention: Tensor | None = None

    @classmethod
    def of(cls, record: Record, logits: Tensor) -> "Trace":
        """Stack what was recorded."""
        q, k, v, attention, heads = (torch.stack(layer) for layer in zip(*record.heads, strict=True))
        cross = torch.stack([each.weights for each in record.cross]) if record.cross else None
        return cls(logits, torch.stack(record.residual), q, k, v, attention, heads, cross)
