"""GPT: a stack of causal blocks that predicts the next token at every position.

Derived in `06_transformer.ipynb`. As it stands it is GPT-2 (Radford et al., *Language Models are Unsupervised Multitask
Learners*, 2019), so that its weights load; later choices are options of `TransformerConfig`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from helpers.attention import KVCache, RecentTokens, WindowedLM

from . import huggingface
from .block import Block, Positions, initialise, make_norm, make_rotary
from .config import Activation, TransformerConfig, token_names
from .one_token import OneToken
from .trace import Record, Trace


@dataclass(frozen=True, kw_only=True)
class GPTConfig(TransformerConfig):
    """tied: the output matrix is the embedding itself; n_previous: of how many tokens before it a token is told at the input.

    The other fields, and what is raised: `TransformerConfig`.
    """

    activation: Activation = "gelu-tanh"
    tied: bool = True
    n_previous: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.n_previous, int) and self.n_previous >= 0):
            raise ValueError(f"n_previous must be a whole number of at least 0, got {self.n_previous!r}")


@dataclass
class GPTCache:
    """What a GPT keeps of the tokens it has read: the last n_previous ids (B, n_previous), and each block's keys and values.

    one_token: the weights laid out for tokens that come one by one; to_wait: how many of them before, None before the first.
    """

    blocks: list[KVCache]
    previous: Tensor | None = None
    to_wait: float | None = None
    one_token: OneToken | None = None

    def keep(self, rows: Tensor) -> None:
        """Drop all texts but these, (B,) indices."""
        self.previous = None if self.previous is None else self.previous[rows]
        for block in self.blocks:
            block.keep(rows)


class GPT(WindowedLM):
    """ids (B, T) → logits (B, T, V) of the next tokens, those at position t from the tokens up to t.

    vocab: the tokens in the order of their ids, so that widgets and samples can show them; left out, their numbers. Raises
    ValueError where it has not vocab_size tokens.
    """

    @torch.random.fork_rng(devices=[])  # torch first draws weights of its own, and from everybody's generator
    def __init__(self, config: GPTConfig, vocab: Sequence[str] | None = None):
        names = token_names(vocab, config.vocab_size)
        super().__init__(names, end=names[config.end])
        self.config, self.block_size, self.end = config, config.block_size, config.end
        self.embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.previous = (
            RecentTokens(config.vocab_size, config.n_embd, config.n_previous, config.end) if config.n_previous else None
        )
        self.positions = Positions(config)
        self.dropout = nn.Dropout(config.dropout)
        self.rotary = make_rotary(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm = make_norm(config) if config.norm_first else nn.Identity()  # post-norm ends in a norm anyway
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        initialise(self, config, n_additions=2 * config.n_layer)
        if config.tied:
            self.head.weight = self.embedding.weight

    def read(self, ids: Tensor, cache: GPTCache | None = None, record: Record | None = None) -> Tensor:
        """See `WindowedLM.read`; record: gets what `trace` shows."""
        start = len(cache.blocks[0]) if cache else 0
        x = self.embedding(ids)  # (B, T, C)
        if self.previous is not None:
            recent, last = self.previous(ids, cache.previous if cache else None)
            x = x + recent
            if cache:
                cache.previous = last
        x = self.dropout(self.positions(x, start))  # the residual stream begins
        if record is not None:
            record.residual.append(x)
        elif cache and ids.shape[1] == 1 and (one_token := self._laid_out(cache)):
            return one_token.read(x, cache.blocks)
        for i, block in enumerate(self.blocks):
            x = block(x, causal=True, rotary=self.rotary, cache=cache.blocks[i] if cache else None, record=record)
        return self.head(self.norm(x))  # (B, T, V)

    def _laid_out(self, cache: GPTCache) -> OneToken | None:
        """The weights laid out for one token, once some were read one by one; None where that is not for this model, or now."""
        if self.training or torch.is_grad_enabled():
            return None
        cache.to_wait = (OneToken.pays_after(self) if cache.to_wait is None else cache.to_wait) - 1
        if cache.to_wait == 0:
            cache.one_token = OneToken(self)
        return cache.one_token if cache.one_token and cache.one_token.may_be_used else None

    def new_cache(self) -> GPTCache:
        """See `WindowedLM.new_cache`."""
        return GPTCache([KVCache(self.block_size) for _ in self.blocks])

    def trace(self, ids: Tensor) -> Trace:
        """Read ids (B, T), T ≤ block_size, and keep all that was computed on the way; ValueError as for `forward`."""
        record = Record()
        return Trace.of(record, self.read(self.checked(ids), record=record))

    @classmethod
    def from_huggingface(cls, source: Any) -> "GPT":
        """The same model with the weights of a GPT-2, Llama or Qwen3 of Hugging Face's: a name, a folder, or the loaded model.

        Raises WeightsError where the weights cannot be had (it says whether the network is missing) or are of another kind.
        """
        return huggingface.load(cls, GPTConfig, source)
