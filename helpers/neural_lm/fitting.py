"""The course's first training loop: random crops of the text, cross-entropy, AdamW.

Derived in `03_neural_lm.ipynb`. AdamW: Loshchilov and Hutter, *Decoupled Weight Decay Regularization* (2019). Range test:
Smith, *Cyclical Learning Rates for Training Neural Networks* (2017).
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.neural_lm.models import NeuralLM, without_dropout
from helpers.probability import check_ids


@dataclass(frozen=True)
class FitConfig:
    """How to train: `steps` updates, each on `batch_size` crops of `crop` tokens. Raises ValueError for a setting out of range.

    lr: the highest learning rate, reached after the share `warmup` of the steps and then lowered linearly to zero; clip: the
    longest gradient, a longer one is shortened to it; eval_every: steps between two looks at the validation text, on the same
    eval_tokens tokens each time.
    """

    steps: int = 1000
    batch_size: int = 32
    crop: int = 64
    lr: float = 3e-3
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    eval_every: int = 100
    eval_tokens: int = 16_384
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "crop", "lr", "clip", "eval_every", "eval_tokens"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, got {getattr(self, name)}")
        if not (0 <= self.warmup <= 1 and self.weight_decay >= 0):
            raise ValueError(f"need 0 ≤ warmup ≤ 1 and weight_decay ≥ 0, got {self.warmup} and {self.weight_decay}")


@dataclass
class History:
    """How a run went, in nats per token: `loss` of each step's batch before the step; `val_loss` after `val_steps` steps."""

    loss: list[float] = field(default_factory=list)
    val_steps: list[int] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0


def device() -> torch.device:
    """The fastest device here: CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def learning_rate(step: int, config: FitConfig) -> float:
    """The rate of a step, counted from 0: up linearly over the warm-up, then down linearly, to reach zero after the last."""
    rising = max(1, round(config.warmup * config.steps))
    return config.lr * min((step + 1) / rising, (config.steps - step) / max(1, config.steps - rising))


def random_crops(ids: Tensor, n: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """n pieces of a text, ids (T,), from anywhere: → inputs and targets, both (n, length), the targets one token further on.

    Raises ValueError where the text is shorter than length + 1.
    """
    if len(ids) <= length:
        raise ValueError(f"the text has {len(ids)} tokens, but a crop needs {length + 1}; take a longer text or a smaller crop")
    begins = torch.randint(len(ids) - length, (n, 1), generator=generator)
    crops = ids[(begins + torch.arange(length + 1)).to(ids.device, non_blocking=True)]
    return crops[:, :-1], crops[:, 1:]


def loss_on(model: NeuralLM, inputs: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy: inputs and targets (B, T) → nats per token, a scalar."""
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten().to(model.device))


def fit(
    model: NeuralLM,
    ids: ArrayLike,
    config: FitConfig = FitConfig(),
    val_ids: ArrayLike | None = None,
    callback: Callable[[int, History], None] | None = None,
) -> History:
    """Train a model on a text, ids (T,), on the device where the model is; on a CPU the same seed gives the same numbers.

    val_ids: a text to look at every eval_every steps and at the end, the same random crops of it each time; callback(step,
    history) is called then too. Raises ValueError for a text that is too short for a crop, and FloatingPointError where the
    loss or its gradient is no longer finite; that step is not taken.
    """
    train = _as_text(model, ids, config)
    generator = torch.Generator().manual_seed(config.seed)
    sample = None if val_ids is None else _validation_crops(_as_text(model, val_ids, config), config)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=config.weight_decay)
    history, started = History(), time.perf_counter()
    for step in range(config.steps):
        if step % config.eval_every == 0:
            _look(model, sample, step, history, callback)
        optimizer.param_groups[0]["lr"] = learning_rate(step, config)
        inputs, targets = random_crops(train, config.batch_size, config.crop, generator)
        history.loss.append(_update(model, optimizer, inputs, targets, config.clip))
    _look(model, sample, config.steps, history, callback)
    history.seconds = time.perf_counter() - started
    return history


def lr_range_test(
    model: NeuralLM,
    ids: ArrayLike,
    lowest: float = 1e-5,
    highest: float = 1.0,
    steps: int = 100,
    config: FitConfig = FitConfig(),
) -> tuple[np.ndarray, np.ndarray]:
    """Loss of each step while the learning rate grows from lowest to highest by the same factor: → lrs, losses, (steps,) each.

    It works on a copy, so the model is left as it is; it ends early where the loss has grown to four times its lowest or is no
    longer a number.
    """
    if not 0 < lowest < highest or steps < 2:
        raise ValueError(f"need 0 < lowest < highest and at least 2 steps, got {lowest}, {highest} and {steps}")
    train = _as_text(model, ids, config)
    model, generator = copy.deepcopy(model), torch.Generator().manual_seed(config.seed)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=config.weight_decay)
    lrs, losses = np.geomspace(lowest, highest, steps), []
    for lr in lrs:
        optimizer.param_groups[0]["lr"] = lr
        inputs, targets = random_crops(train, config.batch_size, config.crop, generator)
        try:
            losses.append(_update(model, optimizer, inputs, targets, config.clip))
        except FloatingPointError:
            break
        if losses[-1] > 4 * min(losses):
            break
    return lrs[: len(losses)], np.array(losses)


def _update(model: NeuralLM, optimizer: torch.optim.Optimizer, inputs: Tensor, targets: Tensor, clip: float) -> float:
    """One step of training: → the batch's loss before it, in nats per token."""
    optimizer.zero_grad()
    loss = loss_on(model, inputs, targets)
    loss.backward()
    length = nn.utils.clip_grad_norm_(model.parameters(), clip)
    if not (loss.isfinite() and length.isfinite()):
        raise FloatingPointError(
            f"the loss is {loss.item():.3g} and its gradient's length {length.item():.3g} at a learning rate of "
            f"{optimizer.param_groups[0]['lr']:.2g}; lower lr or make the warm-up longer, and begin again from a new model"
        )
    optimizer.step()
    return loss.item()


def _as_text(model: NeuralLM, ids: ArrayLike, config: FitConfig) -> Tensor:
    text = torch.tensor(check_ids(ids, model.vocab_size))
    random_crops(text, 1, config.crop, torch.Generator())  # raises where it is too short
    return text


def _validation_crops(text: Tensor, config: FitConfig) -> tuple[Tensor, Tensor]:
    n = max(1, config.eval_tokens // config.crop)
    return random_crops(text, n, config.crop, torch.Generator().manual_seed(config.seed))


@torch.no_grad()
def _look(
    model: NeuralLM, sample: tuple[Tensor, Tensor] | None, step: int, history: History, callback: Callable | None
) -> None:
    if sample is not None:
        history.val_steps.append(step)
        with without_dropout(model):
            history.val_loss.append(loss_on(model, *sample).item())
    if callback is not None:
        callback(step, history)
