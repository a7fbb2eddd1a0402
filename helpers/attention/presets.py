"""One attention layer as it stands on the ladder: sizes and training that make the most of about 8 seconds on one core.

Words are the world's tokens, for 1 MB of its stories; characters are Shakespeare's, for 1 MB of him.
"""

from typing import NamedTuple

from helpers.neural_lm import FitConfig

from .model import AttentionLMConfig


class Preset(NamedTuple):
    """The layer's sizes, and how to train it."""

    model: AttentionLMConfig
    fit: FitConfig

    @property
    def how(self) -> str:
        """Both in a few words, for the ladder."""
        heads = f"{self.model.n_head} head{'s' * (self.model.n_head > 1)} of {self.model.n_embd // self.model.n_head}"
        told = f"each token knows its last {self.model.window}"
        return f"{heads}, {told}; {self.fit.steps:,} steps of {self.fit.batch_size} × {self.fit.crop} tokens"


PRESETS = {
    "attention-words": Preset(AttentionLMConfig(n_embd=64, n_head=1, window=5, qk_norm=True), FitConfig(500, 16, 96, lr=1e-2)),
    "attention-characters": Preset(
        AttentionLMConfig(n_embd=128, n_head=8, window=4, qk_norm=True), FitConfig(500, 16, 96, lr=1e-2)
    ),
}
