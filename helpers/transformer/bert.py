"""BERT: a stack of blocks that look both ways, trained to restore tokens that were masked in the input.

Derived in `06_transformer.ipynb`. Devlin et al., *BERT: Pre-training of Deep Bidirectional Transformers* (2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.neural_lm import check_batch

from . import huggingface
from .block import Block, Positions, initialise, make_norm, make_rotary
from .config import TransformerConfig, check_size, token_names
from .trace import Record, Trace

IGNORED = -100  # the target that torch's cross-entropy leaves out


@dataclass(frozen=True, kw_only=True)
class BERTConfig(TransformerConfig):
    """n_segment: kinds of segment, 2 in BERT for its sentence pairs, 1 for none. Else as in `TransformerConfig`."""

    norm_first: bool = False
    norm_eps: float = 1e-12
    n_segment: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_size("n_segment", self.n_segment)


class BERT(nn.Module):
    """ids (B, T) → logits (B, T, V) of the token that belongs at each position, from the tokens on both sides of it.

    It is no language model in the course's sense: it gives no probability to a text. vocab: the tokens in the order of their
    ids, or None where nobody needs to know; ValueError where it has not vocab_size tokens.
    """

    @torch.random.fork_rng(devices=[])  # torch first draws weights of its own, and from everybody's generator
    def __init__(self, config: BERTConfig, vocab: Sequence[str] | None = None):
        super().__init__()
        self.config, self.block_size, self.vocab_size = config, config.block_size, config.vocab_size
        self.vocab = None if vocab is None else token_names(vocab, config.vocab_size)
        self.embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.positions = Positions(config)
        self.segments = nn.Embedding(config.n_segment, config.n_embd) if config.n_segment > 1 else None
        self.embedding_norm = nn.Identity() if config.norm_first else make_norm(config)
        self.dropout = nn.Dropout(config.dropout)
        self.rotary = make_rotary(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm = make_norm(config) if config.norm_first else nn.Identity()
        self.transform = nn.Linear(config.n_embd, config.n_embd)
        self.transform_norm = make_norm(config)
        self.head = nn.Linear(config.n_embd, config.vocab_size)
        initialise(self, config, n_additions=2 * config.n_layer)
        self.head.weight = self.embedding.weight

    def forward(self, ids: Tensor, mask: Tensor | None = None, segments: Tensor | None = None) -> Tensor:
        """Scores: ids (B, T) → logits (B, T, V). mask: (B, T) bool, False where a row is only padded; segments: (B, T) int64.

        Raises ValueError for more than block_size tokens or another shape.
        """
        return self.read(ids, mask, segments)

    def hidden(
        self, ids: Tensor, mask: Tensor | None = None, segments: Tensor | None = None, record: Record | None = None
    ) -> Tensor:
        """The residual stream after the last block: ids (B, T) → (B, T, C); what a classifier is put on."""
        device = self.embedding.weight.device
        ids = check_batch(ids, self.vocab_size, self.block_size).to(device)
        x = self.positions(self.embedding(ids))
        if self.segments is not None:
            x = x + self.segments(torch.zeros_like(ids) if segments is None else segments.to(device))
        x = self.dropout(self.embedding_norm(x))  # (B, T, C)
        if record is not None:
            record.residual.append(x)
        seen = None if mask is None else mask[:, None, None, :].to(device)  # (B, 1, 1, T): nobody looks at padding
        for block in self.blocks:
            x = block(x, mask=seen, rotary=self.rotary, record=record)
        return self.norm(x)

    def read(
        self, ids: Tensor, mask: Tensor | None = None, segments: Tensor | None = None, record: Record | None = None
    ) -> Tensor:
        """As `forward`; record: gets what `trace` shows."""
        x = self.hidden(ids, mask, segments, record)
        return self.head(self.transform_norm(F.gelu(self.transform(x))))

    def trace(self, ids: Tensor, mask: Tensor | None = None, segments: Tensor | None = None) -> Trace:
        """Read and keep all that was computed on the way."""
        record = Record()
        return Trace.of(record, self.read(ids, mask, segments, record))

    @classmethod
    def from_huggingface(cls, source: Any) -> "BERT":
        """The same model with a BertForMaskedLM's weights: a name, a folder, or the loaded one; WeightsError as for GPT."""
        return huggingface.load(cls, BERTConfig, source)


class MaskedBatch(NamedTuple):
    """inputs (B, T), with tokens masked; targets (B, T), what stood there, and −100 where nothing is asked."""

    inputs: Tensor
    targets: Tensor


def mask_tokens(
    ids: Tensor,
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator,
    rate: float = 0.15,
    keep: Sequence[int] = (),
) -> MaskedBatch:
    """Choose a share `rate` of the tokens of ids (B, T), on the CPU, to be predicted, never one of the ids in `keep`.

    Of the chosen 80 % become mask_id, 10 % a random token, 10 % stay as they are: so the model cannot know which tokens to
    distrust, and must represent them all. The random token is drawn from all ids except mask_id and those in `keep`; it may by
    chance be the token itself. Raises ValueError for a rate outside (0, 1], a mask_id that is no token, or none to draw from.
    """
    if not 0 < rate <= 1:
        raise ValueError(f"rate must lie in (0, 1], got {rate}")
    if not 0 <= mask_id < vocab_size:
        raise ValueError(f"mask_id must be the id of a token, below {vocab_size}, got {mask_id}")
    special = {mask_id, *keep}
    plain = torch.tensor([i for i in range(vocab_size) if i not in special])
    if not len(plain):
        raise ValueError(f"all {vocab_size} tokens are in keep or the mask, so there is none to put in place of one")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~torch.isin(ids, torch.tensor([*keep], dtype=ids.dtype))
    how = torch.rand(ids.shape, generator=generator)
    drawn = plain[torch.randint(len(plain), ids.shape, generator=generator)]
    inputs = torch.where(chosen & (how < 0.8), mask_id, ids)
    inputs = torch.where(chosen & (how >= 0.8) & (how < 0.9), drawn, inputs)
    return MaskedBatch(inputs, torch.where(chosen, ids, IGNORED))
