"""How a run went, and how it ends before its last step."""

import math
from dataclasses import dataclass, field


@dataclass
class History:
    """How a run went. loss: of each reported step's batch, at `steps`, in nats per token; val_loss: at `val_steps`."""

    steps: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    val_steps: list[int] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0  # of training, without compilation, looks at the validation text and checkpoints
    compile_seconds: float = 0.0
    tokens: int = 0

    @property
    def tokens_per_second(self) -> float:
        """How many tokens a second of training took in."""
        return self.tokens / self.seconds if self.seconds else math.nan


class Diverged(FloatingPointError):
    """The loss is no longer a number: where, and what to change."""


class Stopped(Exception):
    """Raise it in a callback to end a run early; what was reached is saved and returned."""


def diagnosis(step: int, value: float, lr: float, history: History) -> str:
    """What to tell a learner whose loss is no number."""
    before = f"it was {history.loss[-1]:.2f} at step {history.steps[-1]}" if history.loss else "from the first step on"
    return (
        f"the loss is {value} at step {step}, at a learning rate of {lr:.2g}; {before}. Lower lr (and matrix_lr), or make the "
        "warm-up longer; if it happens in bfloat16 only, set precision='float32'. The last checkpoint is from before"
    )
