"""The Transformer: norm, feed-forward, block; and the three families made of it, GPT, BERT and the encoder–decoder.

Derived in `06_transformer.ipynb`. Vaswani et al., *Attention Is All You Need* (2017).
"""

from .bert import BERT, BERTConfig, MaskedBatch, mask_tokens
from .block import Block, FeedForward
from .config import TransformerConfig
from .costs import count_parameters, forward_flops
from .encoder_decoder import Conditional, EncoderDecoder, EncoderDecoderConfig
from .gpt import GPT, GPTConfig
from .huggingface import WeightsError
from .trace import Trace
from .variants import SINCE_GPT2

__all__ = [
    "BERT", "GPT", "SINCE_GPT2", "BERTConfig", "Block", "Conditional", "EncoderDecoder", "EncoderDecoderConfig",
    "FeedForward", "GPTConfig", "MaskedBatch", "Trace", "TransformerConfig", "WeightsError", "count_parameters",
    "forward_flops", "mask_tokens",
]  # fmt: skip
