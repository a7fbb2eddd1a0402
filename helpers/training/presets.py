"""The runs that stand on the ladder: sizes and settings that were tried, and found to pay."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .config import TrainConfig

# What pays since GPT-2 at this size: see `helpers.transformer.SINCE_GPT2` and notebook 07's speed ladder.
MODERN: Mapping[str, Any] = {
    "norm": "rms", "bias": False, "position": "rotary", "qk_norm": True, "activation": "swiglu", "tied": False,
    "n_previous": 4, "zero_init": True,
}  # fmt: skip


class Preset(NamedTuple):
    """A GPT's sizes (fields of GPTConfig, but vocab_size and end), and how to train it."""

    model: Mapping[str, Any]
    train: TrainConfig


PRESETS: Mapping[str, Preset] = {
    "tiny": Preset(  # to see in seconds that everything works
        {**MODERN, "n_layer": 2, "n_head": 2, "n_embd": 32, "block_size": 32},
        TrainConfig(steps=100, batch_size=8, lr=6e-3, matrix_lr=0.02, save_every=20, precision="float32"),
    ),
    "nanogpt-cpu": Preset(
        {"n_layer": 4, "n_head": 4, "n_embd": 128, "block_size": 64, "bias": False, "init_std": 0.02},
        TrainConfig(steps=2000, batch_size=12, lr=1e-3, betas=(0.9, 0.99), precision="float32"),
    ),
    "cpu": Preset(
        {**MODERN, "n_layer": 4, "n_head": 4, "n_embd": 192, "block_size": 128},
        TrainConfig(steps=700, batch_size=16, lr=6e-3, matrix_lr=0.02, warmup=0.02),
    ),
    "cpu-long": Preset(
        {**MODERN, "n_layer": 4, "n_head": 4, "n_embd": 256, "block_size": 256},
        TrainConfig(steps=1300, batch_size=8, lr=6e-3, matrix_lr=0.02, warmup=0.02),
    ),
    "gpu": Preset(
        {**MODERN, "n_layer": 6, "n_head": 5, "n_embd": 320, "block_size": 256},
        TrainConfig(steps=400, batch_size=64, lr=4e-3, matrix_lr=0.02, warmup=0.02, compile=True, precision="bfloat16"),
    ),
    "gpu-long": Preset(
        {**MODERN, "n_layer": 6, "n_head": 5, "n_embd": 320, "block_size": 256, "dropout": 0.3},
        TrainConfig(steps=2500, batch_size=64, lr=4e-3, matrix_lr=0.02, warmup=0.02, compile=True, precision="bfloat16"),
    ),
}
