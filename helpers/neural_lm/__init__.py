"""Neural language models: a bigram by gradient descent, Bengio's NNLM, a GRU, and the loop that trains them.

Derived in `03_neural_lm.ipynb`.
"""

from .fitting import FitConfig, History, device, fit, learning_rate, lr_range_test, random_crops
from .models import GRU, NNLM, Bigram, GRUConfig, NeuralLM, NNLMConfig, check_batch, without_dropout
from .presets import PRESETS, Preset

__all__ = [
    "GRU", "NNLM", "PRESETS", "Bigram", "FitConfig", "GRUConfig", "History", "NNLMConfig", "NeuralLM", "Preset", "check_batch",
    "device", "fit", "learning_rate", "lr_range_test", "random_crops", "without_dropout",
]  # fmt: skip
