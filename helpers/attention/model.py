"""One layer of attention as a language model: what attention can do alone. Derived in `05_attention.ipynb`."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .cache import KVCache
from .heads import HeadTrace, MultiHeadAttention
from .positions import Rotary
from .windowed import WindowedLM


@dataclass(frozen=True)
class AttentionLMConfig:
    """block_size: context length; n_embd: C; n_head: H; window: how many tokens, the current one included, a position knows
    before it looks back (1: itself only); rotary: whether distances count; qk_norm: see `MultiHeadAttention`. Raises
    ValueError for a size below 1.
    """

    block_size: int = 128
    n_embd: int = 64
    n_head: int = 1
    window: int = 1
    rotary: bool = True
    qk_norm: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("block_size", "n_embd", "n_head", "window"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


class AttentionLM(WindowedLM):
    """x_t = Σ_i E_i[w_(t−i)] over the window, then x + attention(x), then scores: s(w, t) = e_w · (x_t + y_t) + c_w.

    E_0 … are embeddings, a table for each place in the window, as in the NNLM; y_t is what the heads fetched.
    """

    @torch.random.fork_rng(devices=[])  # torch first draws weights of its own, and from everybody's generator
    def __init__(self, vocab: Sequence[str], config: AttentionLMConfig = AttentionLMConfig(), end: str | None = None):
        super().__init__(vocab, end)
        self.config, self.block_size = config, config.block_size
        self.embeddings = nn.ModuleList(nn.Embedding(self.vocab_size, config.n_embd) for _ in range(config.window))
        self.attention = MultiHeadAttention(config.n_embd, config.n_head, bias=False, qk_norm=config.qk_norm)
        self.rotary = Rotary(config.n_embd // config.n_head, config.block_size) if config.rotary else None
        self.output = nn.Linear(config.n_embd, self.vocab_size)
        initialise(self, config.seed)

    def read(self, ids: Tensor, cache: "AttentionState | None" = None, record: list[HeadTrace] | None = None) -> Tensor:
        """See `WindowedLM.read`; record: a list that gets the layer's HeadTrace."""
        return self.output(self.hidden(ids, cache, record))

    def hidden(self, ids: Tensor, cache: "AttentionState | None" = None, record: list[HeadTrace] | None = None) -> Tensor:
        """x + attention(x), from which the scores are made: ids (B, T) → (B, T, C). Where few are needed, score only those."""
        window, T = self.config.window, ids.shape[1]
        before = ids.new_full((len(ids), window - 1), self.end) if cache is None or cache.before is None else cache.before
        padded = torch.cat([before, ids], dim=1)  # (B, window − 1 + T)
        last = padded.shape[1]
        x = sum(E(padded[:, last - T - i : last - i]) for i, E in enumerate(self.embeddings))  # (B, T, C)
        if cache is not None:
            cache.before = padded[:, T:]
        return x + self.attention(x, causal=True, rotary=self.rotary, cache=cache and cache.kv, record=record)

    def new_cache(self) -> "AttentionState":
        """See `WindowedLM.new_cache`."""
        return AttentionState(None, KVCache(self.block_size))

    @torch.no_grad()
    def trace(self, ids: Tensor) -> HeadTrace:
        """What the heads computed for ids (B, T): queries, keys, values and weights."""
        record: list[HeadTrace] = []
        self.read(self.checked(ids), record=record)
        return record[0]


@dataclass
class AttentionState:
    """The last window − 1 ids (B, window − 1), and the layer's keys and values."""

    before: Tensor | None
    kv: KVCache

    def keep(self, rows: Tensor) -> None:
        """Drop all texts but these, (B,) indices."""
        self.before = None if self.before is None else self.before[rows]
        self.kv.keep(rows)


def initialise(model: AttentionLM, seed: int) -> None:
    """Draw the parameters from a seed of their own, so that x_t has variance 1 and each matrix keeps the variance.

    Embeddings N(0, 1 / window); matrices N(0, 1 / inputs), the last one a tenth of that spread, so that training begins near
    the uniform distribution; biases zero, the factors of norms one.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if p.ndim == 1:
            nn.init.constant_(p, 1.0 if "norm" in name else 0.0)
        elif name.startswith("embeddings"):
            nn.init.normal_(p, std=model.config.window**-0.5, generator=generator)
        else:
            scale = p.shape[1] ** -0.5
            nn.init.normal_(p, std=0.1 * scale if name.startswith("output") else scale, generator=generator)
