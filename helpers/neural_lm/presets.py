"""The networks of notebook 03 that stand on the ladder: sizes and training that make the most of about 8 seconds on one core.

Words are the world's tokens, for 1 MB of its stories; characters are Shakespeare's, for 1 MB of him.
"""

from typing import NamedTuple

from .fitting import FitConfig
from .models import GRUConfig, NNLMConfig


class Preset(NamedTuple):
    """A network's sizes, and how to train it."""

    model: NNLMConfig | GRUConfig
    fit: FitConfig


PRESETS = {
    "nnlm-words": Preset(NNLMConfig(block_size=8, n_embd=64, n_hidden=128), FitConfig(500, 20, 64, lr=8e-3)),
    "nnlm-characters": Preset(NNLMConfig(block_size=5, n_embd=64, n_hidden=384), FitConfig(1000, 16, 64, lr=8e-3)),
    "gru-words": Preset(GRUConfig(n_embd=64, n_hidden=128, gate_bias=2), FitConfig(600, 20, 48, lr=1e-2)),
    "gru-characters": Preset(GRUConfig(n_embd=64, n_hidden=160), FitConfig(700, 16, 64, lr=1e-2)),
}
