"""One new token at a time, as in writing: a GPT's weights laid out so that the little work is not buried under the way to it.

A pass over one token is a few million operations, and through the modules most of its time is theirs: forty calls of one by
another, three products where one would do, matrices that lie across the order in which a single row wants them. What is
computed is what `GPT.read` computes, term by term (`06_transformer.ipynb`), with the cache of `07_mini_gpt.ipynb`.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.attention import KVCache, MultiHeadAttention, RecentTokens, Rotary

from .block import ACTIVATIONS, Block, FeedForward, Positions

AFTER, FOR_ONE_MORE = 2, 2**19  # tokens; parameters: to lay them out takes the time that is gained in one token, or less
LARGEST = 2**24  # parameters; beyond, the products themselves take the time, and a second copy much memory
SHORTER = {  # s, f with f(s x) s the activation of x: two calls each, where F.gelu takes the time of six, ReLUSquared of four
    "gelu": (math.sqrt(0.5), lambda h: torch.addcmul(h, h, torch.erf(h))),
    "relu2": (1.0, lambda h: torch.relu(h).square_()),
}
PLAIN = {nn.Dropout, nn.Embedding, nn.LayerNorm, nn.Linear, nn.ModuleList}
PLAIN |= {Block, FeedForward, MultiHeadAttention, Positions, RecentTokens, Rotary}


class Product(NamedTuple):
    """x → x W + b, where W (inputs, outputs) lies as a single row x (B, inputs) reads it."""

    W: Tensor
    b: Tensor | None

    @classmethod
    def of(cls, *linears: nn.Linear, W_times: float = 1.0, b_times: float = 1.0) -> "Product":
        """Several layers with the same input, their outputs side by side, their numbers multiplied."""
        W = torch.cat([linear.weight for linear in linears]).mT.contiguous().mul_(W_times)  # of a copy, which `cat` makes
        return cls(W, None if linears[0].bias is None else torch.cat([linear.bias for linear in linears]).mul_(b_times))

    def __call__(self, x: Tensor) -> Tensor:
        return x @ self.W if self.b is None else torch.addmm(self.b, x, self.W)


class Norm(NamedTuple):
    """LayerNorm, by torch's operation alone."""

    shape: tuple[int, ...]
    weight: Tensor
    bias: Tensor | None
    eps: float

    @classmethod
    def of(cls, norm: nn.LayerNorm) -> "Norm":
        """The layer's own numbers."""
        return cls(norm.normalized_shape, norm.weight, norm.bias, norm.eps)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.layer_norm(x, *self, False)


class OneToken:
    """The weights of a GPT, copied as they are now; of a model that is trained on, make another."""

    def __init__(self, gpt: nn.Module):
        name = gpt.config.activation
        s, self.activation = SHORTER.get(name, (1.0, ACTIVATIONS[name]))  # s is multiplied into the weights around it
        self.n_head, self.rotary = gpt.config.n_head, gpt.rotary
        self.hooks = [hooks for module in gpt.modules() for hooks in (module._forward_hooks, module._forward_pre_hooks)]
        self.blocks = [
            (
                Norm.of(block.norm_1), Product.of(block.attention.query, block.attention.key, block.attention.value),
                Product.of(block.attention.output),
                Norm.of(block.norm_2),
                Product.of(block.feed_forward.up, W_times=s, b_times=s), Product.of(block.feed_forward.down, W_times=s),
            )
            for block in gpt.blocks
        ]  # fmt: skip
        self.norm, self.head = Norm.of(gpt.norm), Product.of(gpt.head)

    @staticmethod
    def pays_after(gpt: nn.Module) -> float:
        """Of how many tokens, read one by one, the weights are laid out: so many more may well follow. Never (∞) unless the
        model is of the plain build that is laid out here: pre-norm with LayerNorm, every head with keys of its own, nothing
        replaced (LoRA, fewer bits), and not large.
        """
        as_laid_out = gpt.config.n_kv_head in (None, gpt.config.n_head) and gpt.config.activation != "swiglu"
        inside = (module for module in gpt.modules() if module is not gpt)
        plain = all(type(module) in PLAIN for module in inside)  # an RMSNorm is not, nor what post-norm ends in
        size = sum(p.numel() for p in gpt.parameters())
        return AFTER + size // FOR_ONE_MORE if as_laid_out and plain and size <= LARGEST else math.inf

    @property
    def may_be_used(self) -> bool:
        """Not where somebody listens in, or changes something on the way, by a hook."""
        return not any(self.hooks)

    def read(self, x: Tensor, caches: list[KVCache]) -> Tensor:
        """The residual stream's begin at one token (B, 1, C), and each block's cache → logits (B, 1, V)."""
        start, x = len(caches[0]), x[:, 0]
        for (norm_1, qkv, output, norm_2, up, down), cache in zip(self.blocks, caches, strict=True):
            q, k, v = qkv(norm_1(x)).view(x.shape[0], 3, self.n_head, 1, -1).unbind(1)  # (B, H, 1, D) each
            if self.rotary is not None:
                q, k = self.rotary(q, start), self.rotary(k, start)
            fetched = F.scaled_dot_product_attention(q, *cache.append(k, v))
            x = x + output(fetched.reshape(x.shape))
            x = x + down(self.activation(up(norm_2(x))))
        return self.head(self.norm(x))[:, None]
