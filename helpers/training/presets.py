"""The runs that stand on the ladder: sizes and settings that were tried, and found to pay."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from helpers.transformer import BERT, GPT, BERTConfig, GPTConfig

from .config import TrainConfig
from .data import MASK, MaskedData, TextData, encoded

# What pays at this size: see notebook 07's speed ladder. LayerNorm, not RMSNorm: torch has one fast kernel for it on a CPU.
MODERN: Mapping[str, Any] = {
    "bias": False, "position": "rotary", "activation": "relu2", "tied": False, "n_previous": 4, "zero_init": True,
}  # fmt: skip
# NorMuon, with a memory for runs of some hundred steps; 4 × 192 wide, 350 steps, two seeds: 1.571 nats, where Muon has 1.591.
NORMUON: Mapping[str, Any] = {"lr": 6e-3, "matrix_lr": 0.02, "momentum": 0.9, "matrix_beta2": 0.95, "warmup": 0.02}
# As large as nanoGPT's for a CPU; wider ones take longer to the same loss, and soon know a megabyte by heart: `benchmarks/`.
SMALL: Mapping[str, Any] = {**MODERN, "n_layer": 4, "n_head": 4, "n_embd": 128, "block_size": 128}


class Preset(NamedTuple):
    """A model's sizes (fields of its config, but vocab_size and end), how to train it, on what, and its family."""

    model: Mapping[str, Any]
    train: TrainConfig
    data: str = "shakespeare"
    family: str = "GPT"


WORLD = Preset(
    {**MODERN, "n_layer": 4, "n_head": 4, "n_embd": 128, "block_size": 256},
    TrainConfig(steps=1500, batch_size=8, lr=6e-3, matrix_lr=0.02, warmup=0.02),
    data="world-large",
)
PRESETS: Mapping[str, Preset] = {
    "tiny": Preset(  # to see in seconds that everything works
        {**MODERN, "n_layer": 2, "n_head": 2, "n_embd": 32, "block_size": 32},
        TrainConfig(steps=100, batch_size=8, lr=6e-3, matrix_lr=0.02, save_every=20, precision="float32"),
    ),
    "nanogpt-cpu": Preset(  # nanoGPT's recipe for a CPU, in our loop: but the rate falls to zero
        {"n_layer": 4, "n_head": 4, "n_embd": 128, "block_size": 64, "bias": False, "init_std": 0.02},
        TrainConfig(steps=2000, batch_size=12, lr=1e-3, betas=(0.9, 0.99), precision="float32"),
    ),
    "cpu-sprint": Preset(  # its loss in less than a tenth of its time
        {**MODERN, "n_layer": 2, "n_head": 4, "n_embd": 128, "block_size": 64},
        TrainConfig(steps=180, batch_size=12, **NORMUON),
    ),
    "cpu": Preset(SMALL, TrainConfig(steps=800, batch_size=16, **NORMUON)),  # below the counted 7-gram
    # to the figure of nanoGPT's recipe for a GPU, 1.4697, which is a mean over random crops; ours is of all the text
    "cpu-long": Preset(SMALL, TrainConfig(steps=2000, batch_size=16, **NORMUON)),
    "gpu": Preset(  # tried in an earlier form on one GPU, and not tuned since
        {**MODERN, "n_layer": 6, "n_head": 5, "n_embd": 320, "block_size": 256, "dropout": 0.3},
        TrainConfig(steps=1000, batch_size=64, lr=4e-3, matrix_lr=0.02, warmup=0.02, compile=True),
    ),
    "gpu-long": Preset(
        {**MODERN, "n_layer": 6, "n_head": 5, "n_embd": 320, "block_size": 256, "dropout": 0.3},
        TrainConfig(steps=2500, batch_size=64, lr=4e-3, matrix_lr=0.02, warmup=0.02, compile=True),
    ),
    "world": WORLD,
    "world-polite": WORLD._replace(data="world-polite"),  # without rude words: what notebook 09 sets beside it
    "documents": Preset(  # all that the world writes: what notebook 08 starts from
        {**MODERN, "n_layer": 4, "n_head": 4, "n_embd": 160, "block_size": 192},
        TrainConfig(steps=3000, batch_size=12, lr=6e-3, matrix_lr=0.02, warmup=0.02),
        data="documents",
    ),
    "world-bert": Preset(
        {"n_layer": 4, "n_head": 4, "n_embd": 128, "block_size": 128, "position": "rotary", "norm_first": True,
         "norm_eps": 1e-5, "zero_init": True},
        TrainConfig(steps=2000, batch_size=16, lr=4e-3, matrix_lr=0.02, warmup=0.02),
        data="world-large",
        family="BERT",
    ),
}  # fmt: skip


def build(name: str, data: str | None = None, seed: int = 0, **changes: Any) -> tuple[GPT | BERT, TextData, TextData]:
    """A preset's model, not yet trained, and its training and validation text; data: another corpus; changes: of the config.

    Raises ValueError for an unknown preset, or a change that does not fit.
    """
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
    preset = PRESETS[name]
    vocab, end, ids = encoded(data or preset.data)
    at_end, texts = vocab.index(end), (ids["train"], ids["val"])
    masked = preset.family == "BERT"
    vocab = [*vocab, MASK] if masked else vocab
    sizes = {"vocab_size": len(vocab), "end": at_end, "seed": seed, **preset.model, **changes}
    if masked:
        parts = (MaskedData(text, len(vocab), mask_id=len(vocab) - 1, keep=[at_end]) for text in texts)
        return BERT(BERTConfig(**sizes), vocab), *parts
    return GPT(GPTConfig(**sizes), vocab), *(TextData(text, len(vocab)) for text in texts)
