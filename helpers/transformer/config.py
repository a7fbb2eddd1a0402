"""What all three families are told: sizes, and the choices that a line each makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

Norm = Literal["layer", "rms"]
Position = Literal["learned", "sinusoidal", "rotary", "none"]
Activation = Literal["gelu", "gelu-tanh", "relu", "silu", "relu2", "swiglu"]


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Sizes and choices of a Transformer. Raises ValueError for a size that does not fit or a choice that does not exist.

    vocab_size: V; block_size: context length; n_layer: blocks; n_head: H; n_embd: C; n_kv_head: heads of keys and values (None:
    as many); n_hidden: width of the feed-forward (None: 4 C, or for "swiglu" the whole number next to 8 C / 3, which costs the
    same); norm_first: pre-norm; qk_norm: see `MultiHeadAttention`; rotary_base: the slowest wavelength is 2π times nearly this
    many tokens; end: id of the token that ends a text, and stands before one; init_std: spread of the first
    weights (None: 1 / √inputs of each matrix; GPT-2's is 0.02, made for its 768 and more);
    zero_init: what adds to the stream begins at zero, so that each block first does nothing.
    """

    vocab_size: int
    block_size: int = 128
    n_layer: int = 4
    n_head: int = 4
    n_embd: int = 128
    n_kv_head: int | None = None
    n_hidden: int | None = None
    norm: Norm = "layer"
    norm_first: bool = True
    norm_eps: float = 1e-5
    position: Position = "learned"
    rotary_base: float = 10_000.0
    activation: Activation = "gelu"
    qk_norm: bool = False
    bias: bool = True
    dropout: float = 0.0
    init_std: float | None = None
    zero_init: bool = False
    end: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd", "kv_heads", "hidden_width"):
            check_size(name, getattr(self, name))
        if self.n_embd % self.n_head or self.n_head % self.kv_heads:
            raise ValueError(
                f"n_embd ({self.n_embd}) must be a multiple of n_head ({self.n_head}), and n_head one of n_kv_head "
                f"({self.kv_heads})"
            )
        hints = get_type_hints(type(self))
        for name in ("norm", "position", "activation"):
            if getattr(self, name) not in get_args(hints[name]):
                raise ValueError(f"{name} must be one of {', '.join(get_args(hints[name]))}, got {getattr(self, name)!r}")
        if self.position == "rotary" and self.head_width % 2:
            raise ValueError(f"rotary positions turn pairs, so n_embd / n_head must be even, got {self.head_width}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}")
        if not 0 <= self.end < self.vocab_size:
            raise ValueError(f"end must be the id of a token, below {self.vocab_size}, got {self.end}")

    @property
    def head_width(self) -> int:
        """D, the width of a head."""
        return self.n_embd // self.n_head

    @property
    def kv_heads(self) -> int:
        """How many heads of keys and values there are."""
        return self.n_head if self.n_kv_head is None else self.n_kv_head

    @property
    def hidden_width(self) -> int:
        """Width of the feed-forward network."""
        if self.n_hidden is not None:
            return self.n_hidden
        return round(8 * self.n_embd / 3) if self.activation == "swiglu" else 4 * self.n_embd


def token_names(vocab: Sequence[str] | None, vocab_size: int) -> list[str]:
    """The tokens in the order of their ids, or, where nobody names them, their numbers; ValueError where they are not V."""
    names = [str(i) for i in range(vocab_size)] if vocab is None else list(vocab)
    if len(names) != vocab_size:
        raise ValueError(f"vocab has {len(names)} tokens, but vocab_size is {vocab_size}")
    return names


def check_size(name: str, value: int) -> None:
    """ValueError where a size is not a whole number of at least 1."""
    if not (isinstance(value, int) and value >= 1):
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
