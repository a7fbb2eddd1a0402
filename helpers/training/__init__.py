"""Training: one loop for every model of the course, with checkpoints, on CPU, GPU or several of them.

Derived in `07_mini_gpt.ipynb`; `python -m helpers.training --help` is the same from the command line.
"""

from .checkpoints import CheckpointError, load_checkpoint, load_model, save_checkpoint, save_model
from .config import TrainConfig
from .data import MASK, MaskedData, PairData, TextData, encoded, pile_of
from .history import Diverged, History, Stopped
from .loop import evaluate, train
from .optimisers import learning_rate_factor, make_optimizers
from .presets import MODERN, PRESETS, Preset, build

__all__ = [
    "MASK", "MODERN", "PRESETS", "CheckpointError", "Diverged", "History", "MaskedData", "PairData", "Preset", "Stopped",
    "TextData", "TrainConfig", "build", "encoded", "evaluate", "learning_rate_factor", "load_checkpoint", "load_model",
    "make_optimizers", "pile_of", "save_checkpoint", "save_model", "train",
]  # fmt: skip
