"""The Transformer of 2017: an encoder reads the source both ways, a decoder writes the target and looks at the source.

Derived in `06_transformer.ipynb`. Vaswani et al., *Attention Is All You Need* (2017), sections 3.1 and 3.2.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.attention import KVCache
from helpers.neural_lm import check_batch, without_dropout
from helpers.probability import LanguageModel, check_ids

from . import huggingface
from .block import Block, Positions, initialise, make_norm
from .config import Activation, Position, TransformerConfig, check_size, token_names
from .trace import Record, Trace

Layout = Literal["interleaved", "halves"]


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderConfig(TransformerConfig):
    """n_layer blocks in the encoder and n_decoder_layer (None: as many) in the decoder; both share one embedding.

    start: id of the token that stands before a target (None: `end`); layout: of sinusoidal positions. Rotary positions are not
    offered: they would have no meaning between source and target. Else as in `TransformerConfig`.
    """

    norm_first: bool = False
    position: Position = "sinusoidal"
    activation: Activation = "relu"
    n_decoder_layer: int | None = None
    start: int | None = None
    layout: Layout = "interleaved"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.position == "rotary":
            raise ValueError("an encoder–decoder has no rotary positions here; choose sinusoidal, learned or none")
        check_size("n_decoder_layer", self.decoder_layers)
        if self.start is not None and not 0 <= self.start < self.vocab_size:
            raise ValueError(f"start must be the id of a token, below {self.vocab_size}, got {self.start}")
        if self.layout not in get_args(Layout):
            raise ValueError(f"layout must be one of {', '.join(get_args(Layout))}, got {self.layout!r}")

    @property
    def decoder_layers(self) -> int:
        """How many blocks the decoder has."""
        return self.n_layer if self.n_decoder_layer is None else self.n_decoder_layer


class DecoderCache(NamedTuple):
    """For each block of the decoder, keys and values of the target so far, and those of the source."""

    own: list[KVCache]
    source: list[KVCache]


class EncoderDecoder(nn.Module):
    """source (B, S) and target (B, T) ids → logits (B, T, V) of the tokens after the target's, given the source.

    vocab: the tokens in the order of their ids; left out, their numbers. Raises ValueError where it has not vocab_size tokens.
    """

    @torch.random.fork_rng(devices=[])  # torch first draws weights of its own, and from everybody's generator
    def __init__(self, config: EncoderDecoderConfig, vocab: Sequence[str] | None = None):
        super().__init__()
        self.config, self.block_size, self.vocab_size = config, config.block_size, config.vocab_size
        self.vocab = token_names(vocab, config.vocab_size)
        self.embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.scale = config.n_embd**0.5 if config.position == "sinusoidal" else 1.0  # or the waves would drown the embeddings
        self.positions = Positions(config, config.layout)
        self.decoder_positions = self.positions if config.position != "learned" else Positions(config)
        self.dropout = nn.Dropout(config.dropout)
        self.encoder = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.decoder = nn.ModuleList(Block(config, cross=True) for _ in range(config.decoder_layers))
        self.encoder_norm = make_norm(config) if config.norm_first else nn.Identity()
        self.norm = make_norm(config) if config.norm_first else nn.Identity()
        self.head = nn.Linear(config.n_embd, config.vocab_size)
        initialise(self, config, n_additions=2 * config.n_layer + 3 * config.decoder_layers)
        self.head.weight = self.embedding.weight

    def forward(self, source: Tensor, target: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """Scores: source (B, S), target (B, T) ids → logits (B, T, V). source_mask: (B, S) bool, False for padding.

        Raises ValueError for more than block_size tokens or another shape.
        """
        return self.decode(target, self.encode(source, source_mask), source_mask)

    def encode(self, source: Tensor, mask: Tensor | None = None, record: Record | None = None) -> Tensor:
        """Read the source both ways: ids (B, S) → memory (B, S, C)."""
        x = self._embed(check_batch(source, self.vocab_size, self.block_size), self.positions, 0, record)
        seen = _seen(mask, x.device)
        for block in self.encoder:
            x = block(x, mask=seen, record=record)
        return self.encoder_norm(x)

    def decode(
        self,
        target: Tensor,
        memory: Tensor,
        source_mask: Tensor | None = None,
        cache: DecoderCache | None = None,
        record: Record | None = None,
    ) -> Tensor:
        """Go on with the target, looking at the memory: ids (B, T), memory (B, S, C) → logits (B, T, V)."""
        check_batch(target, self.vocab_size, self.block_size)
        start = len(cache.own[0]) if cache else 0
        x = self._embed(target, self.decoder_positions, start, record)
        seen = _seen(source_mask, x.device)
        for i, block in enumerate(self.decoder):
            own, source = (cache.own[i], cache.source[i]) if cache else (None, None)
            x = block(x, causal=True, cache=own, memory=memory, memory_mask=seen, memory_cache=source, record=record)
        return self.head(self.norm(x))

    def new_cache(self) -> DecoderCache:
        """Empty caches for `decode`, for one memory."""
        caches = [[KVCache(self.block_size) for _ in self.decoder] for _ in range(2)]
        return DecoderCache(*caches)

    def trace(self, source: Tensor, target: Tensor, source_mask: Tensor | None = None) -> tuple[Trace, Trace]:
        """Read and keep all that was computed: the encoder's trace (its logits are the memory), and the decoder's."""
        records = Record(), Record()
        memory = self.encode(source, source_mask, records[0])
        logits = self.decode(target, memory, source_mask, record=records[1])
        return Trace.of(records[0], memory), Trace.of(records[1], logits)

    def given(self, source: ArrayLike) -> "Conditional":
        """The language model of targets for one source, (S,) ids: so it can be sampled from and scored like any other."""
        return Conditional(self, source)

    @classmethod
    def from_huggingface(cls, source: Any) -> "EncoderDecoder":
        """The same model with the weights of a Marian translation model: a name, a folder, or the loaded model.

        WeightsError as for GPT.
        """
        return huggingface.load(cls, EncoderDecoderConfig, source)

    def _embed(self, ids: Tensor, positions: Positions, start: int, record: Record | None) -> Tensor:
        ids = ids.to(self.embedding.weight.device)
        x = self.dropout(positions(self.embedding(ids) * self.scale, start))
        if record is not None:
            record.residual.append(x)
        return x


class Conditional(LanguageModel):
    """P(target | source) of an encoder–decoder, for one source: `log_probs` and `next_log_probs` as every model has them."""

    @torch.no_grad()
    def __init__(self, model: EncoderDecoder, source: ArrayLike):
        self.model, self.vocab = model, model.vocab
        self.device = model.embedding.weight.device
        ids = check_ids(source, model.vocab_size)
        with without_dropout(model):
            self.memory = model.encode(torch.as_tensor(ids, device=self.device)[None])

    def next_log_probs(self, context: ArrayLike) -> np.ndarray:
        """See `LanguageModel.next_log_probs`; the context is the target so far."""
        return self._all(check_ids(context, self.vocab_size))[-1]

    def log_probs(self, ids: ArrayLike) -> np.ndarray:
        """See `LanguageModel.log_probs`; in one pass."""
        ids = check_ids(ids, self.vocab_size)
        return self._all(ids)[np.arange(len(ids)), ids]

    @torch.no_grad()
    def _all(self, ids: np.ndarray) -> np.ndarray:
        config = self.model.config
        start = config.end if config.start is None else config.start
        target = torch.as_tensor(np.concatenate([[start], ids]), device=self.device)[None]
        with without_dropout(self.model):
            logits = self.model.decode(target, self.memory)[0]
        return F.log_softmax(logits.cpu().double(), dim=-1).numpy()


def _seen(mask: Tensor | None, device: torch.device) -> Tensor | None:
    return None if mask is None else mask[:, None, None, :].to(device)  # (B, 1, 1, S)
