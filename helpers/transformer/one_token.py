"""One new token at a time, as in writing: a GPT's weights laid out so that the little work is not buried under the way to it.

A pass over one token is a few million operations, and through the modules most of its time is theirs: forty calls of one by
another, three products where one would do, matrices that lie across the order in which a single row wants them. What is
computed is what `GPT.read` computes, term by term (`06_transformer.ipynb`), with the cache of `07_mini_gpt.ipynb`.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.attention import KVCache, MultiHeadAttention, RecentTokens, Rotary

from .block import ACTIVATIONS, Block, FeedForward, Positions

AFTER = 8  # tokens read one by one: laying the weights out costs as much as some five of them
LARGEST = 2**24  # parameters; beyond, the products themselves take the time, and a second copy much memory
PLAIN = {nn.Dropout, nn.Embedding, nn.LayerNorm, nn.Linear, nn.ModuleList}
PLAIN |= {Block, FeedForward, MultiHeadAttention, Positions, RecentTokens, Rotary}


class Product(NamedTuple):
    """x → x W + b, where W (inputs, outputs) lies as a single row x (B, inputs) reads it."""

    W: Tensor
    b: Tensor | None

    @classmethod
    def of(cls, *linears: nn.Linear) -> "Product":
        """Several layers with the same input, their outputs side by side."""
        biases = None if linears[0].bias is None else torch.cat([linear.bias for linear in linears])
        return cls(torch.cat([linear.weight for linear in linears]).mT.contiguous(), biases)

    def __call__(self, x: Tensor) -> Tensor:
        return x @ self.W if self.b is None else torch.addmm(self.b, x, self.W)


class OneToken:
    """The weights of a GPT, copied as they are now. `fits` says for which; of a model that is trained on, make another."""

    def __init__(self, gpt: nn.Module):
        self.gpt, self.modules = gpt, list(gpt.modules())
        self.activation = ACTIVATIONS[gpt.config.activation]
        self.blocks = [
            (
                block.norm_1, Product.of(block.attention.query, block.attention.key, block.attention.value),
                Product.of(block.attention.output),
                block.norm_2, Product.of(block.feed_forward.up), Product.of(block.feed_forward.down),
            )
            for block in gpt.blocks
        ]  # fmt: skip
        self.head = Product.of(gpt.head)

    @staticmethod
    def fits(gpt: nn.Module) -> bool:
        """Whether the model is of the plain build that is laid out here: pre-norm with LayerNorm, every head with keys of its
        own, nothing replaced (LoRA, fewer bits), and not large.
        """
        as_laid_out = gpt.config.n_kv_head in (None, gpt.config.n_head) and gpt.config.activation != "swiglu"
        inside = (module for module in gpt.modules() if module is not gpt)
        plain = all(type(module) in PLAIN for module in inside)  # an RMSNorm is not, nor what post-norm ends in
        return as_laid_out and plain and sum(p.numel() for p in gpt.parameters()) <= LARGEST

    @property
    def may_be_used(self) -> bool:
        """Not where somebody listens in, or changes something on the way, by a hook."""
        return not any(module._forward_hooks or module._forward_pre_hooks for module in self.modules)

    def read(self, x: Tensor, caches: list[KVCache]) -> Tensor:
        """The residual stream's begin at one token (B, 1, C), and each block's cache → logits (B, 1, V)."""
        rotary, n_head, start = self.gpt.rotary, self.gpt.config.n_head, len(caches[0])
        x = x[:, 0]
        for (norm_1, qkv, output, norm_2, up, down), cache in zip(self.blocks, caches, strict=True):
            q, k, v = qkv(normed(x, norm_1)).view(len(x), 3, n_head, 1, -1).unbind(1)  # (B, H, 1, D) each
            if rotary is not None:
                q, k = rotary(q, start), rotary(k, start)
            fetched = F.scaled_dot_product_attention(q, *cache.append(k, v))
            x = x + output(fetched.reshape(len(x), -1))
            x = x + down(self.activation(up(normed(x, norm_2))))
        return self.head(normed(x, self.gpt.norm))[:, None]


def normed(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    """LayerNorm, by torch's operation alone."""
    return torch.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps, False)
