"""What a Transformer costs, by formula: parameters to store, and floating-point operations of one forward pass.

Derived in `06_transformer.ipynb`. A multiplication and an addition count as two operations; norms, softmax and activations are
left out, as torch's own counter does. A forward and a backward pass together cost three times as much as a forward pass.
"""

from .bert import BERTConfig
from .config import TransformerConfig
from .encoder_decoder import EncoderDecoderConfig
from .gpt import GPTConfig

Parts = dict[str, int]


def count_parameters(config: TransformerConfig) -> Parts:
    """How many numbers each part learns; `sum(count_parameters(config).values())` is the model's total.

    Raises ValueError for a config of no family.
    """
    _check_family(config)
    V, C = config.vocab_size, config.n_embd
    layers, cross = _layers(config)
    tables = 2 if isinstance(config, EncoderDecoderConfig) else 1
    n_norms = 2 * layers + cross + (tables if config.norm_first else 0)
    parts = {
        "embedding": V * C,
        "positions": tables * config.block_size * C if config.position == "learned" else 0,
        "attention": (layers + cross) * _attention_parameters(config),
        "feed-forward": layers * _feed_forward_parameters(config),
        "norms": n_norms * _norm_parameters(config),
        "head": 0,
    }
    if isinstance(config, GPTConfig):
        parts["embedding"] += config.n_previous * V * C
        parts["head"] = 0 if config.tied else V * C
    elif isinstance(config, EncoderDecoderConfig):
        parts["head"] = V  # a bias; the matrix is the embedding
    elif isinstance(config, BERTConfig):
        parts["embedding"] += config.n_segment * C if config.n_segment > 1 else 0
        parts["norms"] += _norm_parameters(config) * (1 if config.norm_first else 2)
        parts["head"] = C * C + C + V
    return parts


def forward_flops(config: TransformerConfig, n_tokens: int, n_source: int = 0, batch_size: int = 1) -> Parts:
    """Operations of one forward pass over batch_size texts of n_tokens each, by part; n_source: of an encoder's source.

    "scores and values" is what grows with the square of the length. A causal model is charged for the whole square, half of
    which is masked. Raises ValueError for a config of no family.
    """
    _check_family(config)
    V, C, F = config.vocab_size, config.n_embd, config.hidden_width
    kv = config.kv_heads * config.head_width
    two_sided = isinstance(config, EncoderDecoderConfig)
    stacks = [(config.n_layer, n_source), (config.decoder_layers, n_tokens)] if two_sided else [(config.n_layer, n_tokens)]
    matrices = 3 if config.activation == "swiglu" else 2
    parts = {
        "projections": sum(n * T * 2 * C * (2 * C + 2 * kv) for n, T in stacks),
        "scores and values": sum(n * 4 * T * T * C for n, T in stacks),
        "feed-forward": sum(n * T * 2 * C * F * matrices for n, T in stacks),
        "head": 2 * n_tokens * C * V,
    }
    if two_sided:
        parts["projections"] += config.decoder_layers * 2 * C * (n_tokens * 2 * C + n_source * 2 * kv)
        parts["scores and values"] += config.decoder_layers * 4 * n_tokens * n_source * C
    if isinstance(config, BERTConfig):
        parts["head"] += 2 * n_tokens * C * C
    return {name: batch_size * n for name, n in parts.items()}


def _check_family(config: TransformerConfig) -> None:
    if not isinstance(config, GPTConfig | BERTConfig | EncoderDecoderConfig):
        raise ValueError(f"expected a GPTConfig, BERTConfig or EncoderDecoderConfig, got {type(config).__name__}")


def _layers(config: TransformerConfig) -> tuple[int, int]:
    """(blocks, cross-attentions)."""
    if isinstance(config, EncoderDecoderConfig):
        return config.n_layer + config.decoder_layers, config.decoder_layers
    return config.n_layer, 0


def _attention_parameters(config: TransformerConfig) -> int:
    C, kv = config.n_embd, config.kv_heads * config.head_width
    norms = 2 * config.head_width if config.qk_norm else 0
    return 2 * C * C + 2 * C * kv + config.bias * (2 * C + 2 * kv) + norms


def _feed_forward_parameters(config: TransformerConfig) -> int:
    C, F = config.n_embd, config.hidden_width
    into = 2 if config.activation == "swiglu" else 1
    return (into + 1) * C * F + config.bias * (into * F + C)


def _norm_parameters(config: TransformerConfig) -> int:
    return config.n_embd * (2 if config.norm == "layer" and config.bias else 1)
