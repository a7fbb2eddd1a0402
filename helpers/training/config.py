"""How to train: everything that a run is told, apart from the model and its data."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """`steps` updates, each on `batch_size` texts of `crop` tokens. Raises ValueError for a setting out of range.

    crop: None for the model's context length; accumulate: parts that a batch is computed in, one after the other, for small
    memories; lr: AdamW's highest learning rate; matrix_lr: Muon's, for the matrices inside the blocks (None: AdamW trains them
    too); momentum: Muon's memory, the share that a step keeps of it; matrix_beta2: NorMuon's, of how far each neuron moved
    (None: plain Muon); warmup and cooldown: the shares of the steps over which the rate rises from zero, and falls to zero;
    weight_decay: of matrices and embeddings; clip: the longest gradient; precision: "auto" takes what is faster here; compile:
    with `torch.compile`; eval_every: steps between two looks at eval_tokens tokens of the validation text (0: only at the end,
    which always reads all of it); save_every: steps between two checkpoints; seed: of crops, masks and dropout.
    """

    steps: int = 1000
    batch_size: int = 16
    crop: int | None = None
    accumulate: int = 1
    lr: float = 3e-3
    matrix_lr: float | None = None
    momentum: float = 0.95
    matrix_beta2: float | None = None
    warmup: float = 0.05
    cooldown: float = 0.95
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = 1.0
    precision: Precision = "auto"
    compile: bool = False
    eval_every: int = 100
    eval_tokens: int = 8_192
    save_every: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate", "save_every", "eval_tokens"):
            if not (isinstance(getattr(self, name), int) and getattr(self, name) >= 1):
                raise ValueError(f"{name} must be a whole number of at least 1, got {getattr(self, name)!r}")
        if self.batch_size % self.accumulate:
            raise ValueError(f"batch_size ({self.batch_size}) must be a multiple of accumulate ({self.accumulate})")
        for name in ("lr", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, got {getattr(self, name)}")
        if self.matrix_lr is not None and not self.matrix_lr > 0:
            raise ValueError(f"matrix_lr must be more than 0, or None for AdamW everywhere, got {self.matrix_lr}")
        for name, share in {"momentum": self.momentum, "matrix_beta2": self.matrix_beta2 or 0.0}.items():
            if not 0 <= share < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {share}")
        if not (self.warmup >= 0 and self.cooldown >= 0 and self.warmup + self.cooldown <= 1 and self.weight_decay >= 0):
            raise ValueError(
                f"need warmup + cooldown ≤ 1, both 0 or more, and weight_decay ≥ 0, got {self.warmup}, {self.cooldown} and "
                f"{self.weight_decay}"
            )
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision must be auto, float32 or bfloat16, got {self.precision!r}")
        if self.crop is not None and self.crop < 1:
            raise ValueError(f"crop must be at least 1, or None for the model's context length, got {self.crop}")
        if self.eval_every < 0:
            raise ValueError(f"eval_every must be 0 or more, got {self.eval_every}")
