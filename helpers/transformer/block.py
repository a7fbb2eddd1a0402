"""The block: attention moves information between tokens, the feed-forward network works on each; both add to the stream.

Derived in `06_transformer.ipynb`. Pre-norm: Xiong et al., *On Layer Normalization in the Transformer Architecture* (2020).
RMSNorm: Zhang and Sennrich (2019). SwiGLU: Shazeer, *GLU Variants Improve Transformer* (2020). ReLU²: So et al., *Primer*
(2021).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.attention import KVCache, MultiHeadAttention, Rotary, sinusoidal_positions

from .config import TransformerConfig
from .trace import Record


class ReLUSquared(torch.autograd.Function):
    """max(x, 0)², its gradient 2 max(x, 0) written by hand: autograd's own reads and writes memory three times as often."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        positive = F.relu(x)
        ctx.save_for_backward(positive)
        return positive * positive

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        (positive,) = ctx.saved_tensors
        return (gradient * positive).mul_(2)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu-tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "relu2": ReLUSquared.apply,
    "swiglu": F.silu,  # of the gate
}


def make_norm(config: TransformerConfig) -> nn.Module:
    """LayerNorm, or RMSNorm, which takes no mean away and has no bias."""
    if config.norm == "rms":
        return nn.RMSNorm(config.n_embd, eps=config.norm_eps)
    return nn.LayerNorm(config.n_embd, eps=config.norm_eps, bias=config.bias)


class FeedForward(nn.Module):
    """Two layers for each token by itself: x (…, C) → activation(x W₁) W₂ (…, C); "swiglu" multiplies by a gate in between."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.up = nn.Linear(config.n_embd, config.hidden_width, config.bias)
        self.gate = nn.Linear(config.n_embd, config.hidden_width, config.bias) if config.activation == "swiglu" else None
        self.down = nn.Linear(config.hidden_width, config.n_embd, config.bias)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.up(x)  # (…, n_hidden)
        hidden = self.activation(hidden) if self.gate is None else self.activation(self.gate(x)) * hidden
        return self.down(hidden)


class Block(nn.Module):
    """One layer: x + attention(norm(x)), then x + feed_forward(norm(x)); post-norm: norm(x + attention(x)), and so on.

    cross: between the two, attention to a memory, as in a decoder that reads an encoder.
    """

    def __init__(self, config: TransformerConfig, cross: bool = False):
        super().__init__()
        sizes = {
            "n_kv_head": config.n_kv_head, "bias": config.bias, "qk_norm": config.qk_norm, "norm_eps": config.norm_eps,
            "dropout": config.dropout,
        }  # fmt: skip
        self.norm_first, self.dropout = config.norm_first, nn.Dropout(config.dropout)
        self.norm_1 = make_norm(config)
        self.attention = MultiHeadAttention(config.n_embd, config.n_head, **sizes)
        self.norm_cross = make_norm(config) if cross else None
        self.cross = MultiHeadAttention(config.n_embd, config.n_head, **sizes) if cross else None
        self.norm_2 = make_norm(config)
        self.feed_forward = FeedForward(config)

    def forward(
        self,
        x: Tensor,
        *,
        causal: bool = False,
        mask: Tensor | None = None,
        rotary: Rotary | None = None,
        cache: KVCache | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        memory_cache: KVCache | None = None,
        record: Record | None = None,
    ) -> Tensor:
        """The residual stream (B, T, C) → the stream with this layer's part added; the rest as in `MultiHeadAttention`."""
        heads, cross = (None, None) if record is None else (record.heads, record.cross)
        x = self._add(
            x,
            self.norm_1,
            lambda h: self.attention(h, causal=causal, mask=mask, rotary=rotary, cache=cache, record=heads),
        )
        if self.cross is not None:
            x = self._add(
                x,
                self.norm_cross,
                lambda h: self.cross(h, memory=memory, mask=memory_mask, cache=memory_cache, record=cross),
            )
        x = self._add(x, self.norm_2, self.feed_forward)
        if record is not None:
            record.residual.append(x)
        return x

    def _add(self, x: Tensor, norm: nn.Module, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        return norm(x + self.dropout(sublayer(x)))


class Positions(nn.Module):
    """What is added to the embeddings to say where a token stands; nothing for rotary positions and for none.

    Learned: a table (block_size, C). Sinusoidal: the fixed one, in the layout "interleaved" or "halves".
    """

    def __init__(self, config: TransformerConfig, layout: str = "interleaved"):
        super().__init__()
        self.table = nn.Embedding(config.block_size, config.n_embd) if config.position == "learned" else None
        if config.position == "sinusoidal":
            self.register_buffer("waves", sinusoidal_positions(config.block_size, config.n_embd, layout), persistent=False)
        self.kind = config.position

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (B, T, C) → with the vectors of the positions start … start + T − 1 added; ValueError past block_size."""
        if self.kind not in ("learned", "sinusoidal"):
            return x
        vectors = self.table.weight if self.kind == "learned" else self.waves  # (block_size, C)
        end = start + x.shape[1]
        if end > len(vectors):
            raise ValueError(f"position {end - 1} is beyond the {len(vectors)} of this model; take a larger block_size")
        return x + vectors[start:end]


def make_rotary(config: TransformerConfig) -> Rotary | None:
    """The rotation that all layers share, where positions are rotary."""
    if config.position != "rotary":
        return None
    return Rotary(config.head_width, config.block_size, config.rotary_base)


@torch.no_grad()
def initialise(model: nn.Module, config: TransformerConfig, n_additions: int) -> None:
    """Draw the parameters: N(0, init_std) for matrices, zeros for biases, ones for norms.

    Without an init_std each matrix gets 1 / √inputs, so that what comes out varies as much as what goes in. What adds to the
    stream is scaled by 1 / √n_additions, since so many parts are summed there; with zero_init it begins at zero.
    """
    generator = torch.Generator().manual_seed(config.seed)
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            std = module.weight.shape[1] ** -0.5 if config.init_std is None else config.init_std
            nn.init.normal_(module.weight, std=std, generator=generator)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    share = 0.0 if config.zero_init else n_additions**-0.5
    for module in model.modules():
        if isinstance(module, MultiHeadAttention):
            module.output.weight *= share
        elif isinstance(module, FeedForward):
            module.down.weight *= share
