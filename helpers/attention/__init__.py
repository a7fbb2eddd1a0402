"""Attention: how a token looks back. Masks, the scaled dot product, heads, positions, the key–value cache.

Derived in `05_attention.ipynb`. Vaswani et al., *Attention Is All You Need* (2017).
"""

from .cache import KVCache
from .dot_product import attention, attention_weights, causal_mask
from .heads import HeadTrace, MultiHeadAttention
from .model import AttentionLM, AttentionLMConfig
from .positions import Rotary, sinusoidal_positions
from .recent import RecentTokens
from .windowed import WindowedLM, window_start

__all__ = [
    "AttentionLM", "AttentionLMConfig", "HeadTrace", "KVCache", "MultiHeadAttention", "RecentTokens", "Rotary", "WindowedLM",
    "attention", "attention_weights", "causal_mask", "sinusoidal_positions", "window_start",
]  # fmt: skip
